"""Is the model that a race hands over as good as a well-known library's defaults given all the time they want?

    python benchmarks/quality.py --data DIR --budget 2m

Every table loses a fifth of its rows at random before anything else happens; all sides learn from the rest and are
scored on that fifth: calibrated log loss for classes, RMSE for numbers, lower is better. The race has its budget.
LightGBM, CatBoost and a logistic (or ridge) regression run with their defaults to their end, on all training rows,
and classifiers get one temperature, fitted on a seventh of the training rows by a fit that had not seen them: the
same calibration as in the race. `best` says who is ahead, `behind` how far the race's model is behind the best
default, in percent of its loss.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tables

NAMES = ("heart_disease", "german_credit", "credit_data", "ames", "caravan", "letter", "adult", "diamonds")
MANY = 30
"""A target with more distinct numbers than this is a number."""


def main() -> None:
    parser = tables.arguments(__doc__.split("\n")[0], NAMES)
    parser.add_argument("--budget", default="2m", help="of the race (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--most-rows", type=int, default=60_000, help="larger tables are sampled (default: %(default)s)"
    )
    options = parser.parse_args()
    rows = []
    for table in tables.find(options.tables, options.data):
        rows.append(_line(table, options.budget, options.seed, options.most_rows))
        print(rows[-1], file=sys.stderr)
    tables.show(rows)


def _line(table: tables.Bench, budget: str, seed: int, most_rows: int) -> dict[str, Any]:
    frame = table.frame()
    frame = (
        frame[frame[table.target].notna()].sample(frac=1.0, random_state=seed).head(most_rows).reset_index(drop=True)
    )
    held_out = np.arange(len(frame)) % 5 == 0
    train, test = frame[~held_out].reset_index(drop=True), frame[held_out].reset_index(drop=True)
    y = train[table.target]
    is_number = y.dtype.kind in "fiu" and y.nunique() > MANY
    classes = None if is_number else np.unique(train[table.target].astype(str))
    losses, seconds = {}, {}
    sides: dict[str, Callable[[], np.ndarray]] = {
        "race": lambda: _raced(train, test, table.target, classes, budget, seed),
        "lightgbm": lambda: _default(_lightgbm, train, test, table.target, classes),
        "catboost": lambda: _default(_catboost, train, test, table.target, classes),
        "linear": lambda: _default(_linear, train, test, table.target, classes),
    }
    for name, side in sides.items():
        start = time.perf_counter()
        losses[name] = _loss(side(), test[table.target], classes)
        seconds[name] = time.perf_counter() - start
    others = {name: loss for name, loss in losses.items() if name != "race"}
    behind = 100 * (losses["race"] - min(others.values())) / min(others.values())
    figures = {name: round(loss, 4) for name, loss in losses.items()}
    spent = {f"{name}_s": round(value, 1) for name, value in seconds.items()}
    what = {"table": table.name, "rows": len(train), "loss": "rmse" if is_number else "log_loss"}
    return what | figures | {"best": min(losses, key=lambda name: losses[name]), "behind": round(behind, 1)} | spent


def _loss(predictions: np.ndarray, truth: Any, classes: np.ndarray | None) -> float:
    if classes is None:
        return float(np.sqrt(np.mean((predictions - truth.to_numpy(dtype=np.float64)) ** 2)))
    known = truth.astype(str).isin(classes).to_numpy()  # a class that only the held-out rows have can't be scored
    codes = np.searchsorted(classes, truth.astype(str).to_numpy()[known])
    given = predictions[known][np.arange(len(codes)), codes]
    return float(-np.log(np.clip(given, 1e-15, 1)).mean())


def _raced(train: Any, test: Any, target: str, classes: np.ndarray | None, budget: str, seed: int) -> np.ndarray:
    import deepenough

    with tempfile.TemporaryDirectory() as folder:
        race = deepenough.race(train, target, budget=budget, seed=seed, out=Path(folder) / "run")
        answers = race.model.predict(test.drop(columns=target))
    print(f"  {race.decision}: {race.decision_sentence}", file=sys.stderr)
    if classes is None:
        return np.asarray(answers.iloc[:, 0], dtype=np.float64)
    columns = {name.removeprefix("probability_"): name for name in answers if str(name).startswith("probability_")}
    given = [answers[columns[name]] if name in columns else np.full(len(answers), 1e-6) for name in classes]
    return np.column_stack(given)


Fit = Callable[[Any, np.ndarray, int | None], Callable[[Any], np.ndarray]]


def _default(fit: Fit, train: Any, test: Any, target: str, classes: np.ndarray | None) -> np.ndarray:
    """A library's default, calibrated as the race calibrates."""
    from deepenough.model.calibration import apply_temperature, fit_temperature

    x, rest = train.drop(columns=target), test.drop(columns=target)
    if classes is None:
        return fit(x, train[target].to_numpy(dtype=np.float64), None)(rest)
    y = np.searchsorted(classes, train[target].astype(str).to_numpy())
    inner = np.arange(len(y)) % 7 == 3
    if len(np.unique(y[~inner])) < len(classes):
        return fit(x, y, len(classes))(rest)  # a class too rare to hold rows back
    first = fit(x[~inner], y[~inner], len(classes))
    temperature = fit_temperature(first(x[inner]), y[inner])
    return np.asarray(apply_temperature(fit(x, y, len(classes))(rest), temperature))


def _is_text(column: Any) -> bool:
    return column.dtype.kind not in "fiub"


def _lightgbm(x: Any, y: np.ndarray, n_classes: int | None) -> Callable[[Any], np.ndarray]:
    import lightgbm

    levels = {name: x[name].astype("category").cat.categories for name in x if _is_text(x[name])}

    def ready(frame: Any) -> Any:
        import pandas as pd

        made = {name: pd.Categorical(frame[name], categories=known) for name, known in levels.items()}
        ready = frame.assign(**made)
        ready.columns = [f"c{place}" for place in range(ready.shape[1])]  # it dislikes some letters in names
        return ready

    cls = lightgbm.LGBMRegressor if n_classes is None else lightgbm.LGBMClassifier
    model = cls(verbose=-1).fit(ready(x), y)
    return lambda frame: model.predict(ready(frame)) if n_classes is None else model.predict_proba(ready(frame))


def _catboost(x: Any, y: np.ndarray, n_classes: int | None) -> Callable[[Any], np.ndarray]:
    import catboost

    texts = [name for name in x if _is_text(x[name])]

    def ready(frame: Any) -> Any:
        return frame.assign(**{name: frame[name].astype(str).fillna("missing") for name in texts})

    cls = catboost.CatBoostRegressor if n_classes is None else catboost.CatBoostClassifier
    model = cls(verbose=False, allow_writing_files=False, cat_features=texts, random_seed=0).fit(ready(x), y)
    return lambda frame: model.predict(ready(frame)) if n_classes is None else model.predict_proba(ready(frame))


def _linear(x: Any, y: np.ndarray, n_classes: int | None) -> Callable[[Any], np.ndarray]:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    texts = [name for name in x if _is_text(x[name])]
    numbers = [name for name in x if name not in texts]
    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), texts),
    )
    model = make_pipeline(prepare, Ridge() if n_classes is None else LogisticRegression(max_iter=1000)).fit(x, y)
    return model.predict if n_classes is None else model.predict_proba


if __name__ == "__main__":
    main()
