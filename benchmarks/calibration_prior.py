"""How strongly should a few rows be held back from turning probabilities up or down?

    python benchmarks/calibration_prior.py --data DIR

Learners are fitted on few rows of small sets, in each fold; the temperature of their probabilities is fitted on their
inner rows with several strengths of the pull towards 1 (`calibration.PRIOR_ROWS`), and the judged rows say what each is
worth: mean log loss over the folds, lower is better. `none` is without a temperature.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sets
import tables

from deepenough import kinds
from deepenough.learner import Limits
from deepenough.model import calibration
from deepenough.task.task import Question

STRENGTHS = (4.0, 8.0, 16.0, 24.0, 32.0, 64.0)
TABLES = {"german_credit": "risk", "heart_disease": "diameter narrowing", "credit_data": "Status"}
LEARNERS = {
    "text": ("bag_of_words", "tfidf_linear", "nbsvm", "tfidf_trees"),
    "table": ("linear", "lightgbm", "mlp", "extra_trees"),
}
SIZES = {"text": (100, 200, 400), "table": (150, 500)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, metavar="DIR", help="a folder with more of the tables")
    options = parser.parse_args()
    rows = []
    for name, kind, task in _tasks(options.data):
        known = {entry.name: entry.cls for entry in kinds.find_learners(kind)}
        for learner in LEARNERS[kind]:
            known[learner].warm_up(task.n_classes)
            for size in sorted({min(size, task.largest) for size in SIZES[kind]}):
                told = {"set": name, "learner": learner, "rows": size}
                rows.append(told | _losses(task, known[learner], size))
    sets.show(rows)


def _tasks(data: Path | None) -> Iterator[tuple[str, str, Any]]:
    bench = next(sets.find(["mails"], data))
    yield bench.name, "text", bench.task(bench.frame(), 0)[1]
    for name, target in TABLES.items():
        for place in (data, tables.SHIPPED):
            if place and (place / f"{name}.parquet").exists():
                frame, asked = pd.read_parquet(place / f"{name}.parquet"), Question(target, seed=0)
                kind, _ = kinds.recognise(frame, asked, list(kinds.find().values()))
                yield name, kind.name, kind.load(frame, asked)
                break
        else:
            print(f"{name}: not there; put {name}.parquet into the folder that --data names")


def _losses(task: Any, learner: Any, size: int) -> dict[str, float]:
    """Mean log loss over the folds, by the strength of the pull."""
    losses: dict[str, list[float]] = {}
    usual = calibration.PRIOR_ROWS
    for fold in range(task.folds):
        examples = task.train(size, fold, 0)
        model = learner().fit(examples, Limits(20, 1), 0)
        own = model.inner_predictions
        inner = model.predict(examples.inputs.take(examples.inner)) if own is None else own
        judged, truth = model.predict(task.inputs(fold)), task.truth(fold).astype(int)
        losses.setdefault("none", []).append(_log_loss(judged, truth))
        for strength in STRENGTHS:
            calibration.PRIOR_ROWS = strength
            found = calibration.fit_temperature(inner, examples.targets[examples.inner])
            losses.setdefault(f"{strength:g}", []).append(_log_loss(calibration.apply(judged, found), truth))
    calibration.PRIOR_ROWS = usual
    return {name: round(float(np.mean(found)), 4) for name, found in losses.items()}


def _log_loss(probabilities: np.ndarray, truth: np.ndarray) -> float:
    return float(-np.log(np.clip(probabilities[np.arange(len(truth)), truth], 1e-12, 1)).mean())


if __name__ == "__main__":
    main()
