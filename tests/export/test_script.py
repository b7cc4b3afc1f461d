"""A learner's training as a script: it gives the same scores in a fresh interpreter, and nothing of the data runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough import kinds
from deepenough.errors import ModelError
from deepenough.export import as_script
from deepenough.export.script_text import METRICS, metric_of
from deepenough.learner import Limits
from deepenough.model import calibration
from deepenough.racing.trial import fitted_calibration
from deepenough.script import Fit, Script, literal
from deepenough.task.task import Answer, Question

QUICK = {"catboost": {"rounds": 20}, "extra_trees": {"trees": 10, "rows_a_leaf": 3}, "lightgbm": {"rounds": 25}}
LEARNERS = {entry.name: entry for entry in kinds.find_learners("table")}
HOSTILE = '"""); import os; os.abort() #'
ONLY = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}


def people(rows: int = 260, large: bool = True) -> pd.DataFrame:
    """Numbers with gaps and one that a float32 blurs, small and large categories, dates, truth values."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(rows) < 0.1, np.nan, rng.integers(18, 90, rows)),
            HOSTILE: rng.normal(size=rows).round(4),
            "number": 3_000_000_000 + rng.integers(0, 200, rows),
            "little": 1e-20 * rng.normal(size=rows),
            "share": [f"{share} %" for share in rng.integers(0, 100, rows)],
            "plan": rng.choice(["basic", "plus'", 'pro"', "NA"], rows),
            "town": [f"town {town}" for town in rng.integers(0, 45, rows)],
            "since": pd.to_datetime("2015-01-01") + pd.to_timedelta(rng.integers(0, 3000, rows), "D"),
            "vip": rng.choice(["True", "false"], rows),
        }
    )
    score = frame["age"].fillna(50) / 20 + frame["plan"].eq("plus'") + rng.normal(size=rows) / 2
    frame["binary"] = np.where(score > score.median(), "yes", f"no {HOSTILE}")
    frame["multiclass"] = np.digitize(score, score.quantile([0.3, 0.6]))
    frame["regression"] = (score * 1000).round()
    return frame if large else frame[["age", HOSTILE, "plan", "vip", "binary", "multiclass", "regression"]]


def task_of(folder: Path, target: str, large: bool = True) -> Any:
    path = folder / "people.csv"
    people(large=large).to_csv(path, index=False)
    drop = [name for name in ("binary", "multiclass", "regression") if name != target]
    return kinds.find()["table"].load(path, Question(target=target, drop=drop))


def fits_of(task: Any, learner: Any, folds: int = 2) -> tuple[list[Fit], dict[int, float]]:
    """Fits as a race makes them, and their scores by the race's metric."""
    fits, scores = [], {}
    for fold in range(folds):
        examples = task.train(task.largest, fold, fold)
        model = learner.fit(examples, Limits(), fold)
        temperature = fitted_calibration(model, examples)
        predictions = calibration.apply(model.predict(task.inputs(fold)), temperature)
        fits.append(Fit(fold, task.largest, fold, model, temperature))
        scores[fold] = task.scores(Answer(task.largest, predictions), fold)[task.metric.name]
    return fits, scores


def checked(path: Path) -> None:
    """Held against ruff's default rules, without any settings."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "target", "large"),
    [
        ("linear", "binary", True),
        pytest.param("linear", "multiclass", False, marks=pytest.mark.slow),
        pytest.param("linear", "regression", True, marks=pytest.mark.slow),
        pytest.param("extra_trees", "multiclass", True, marks=pytest.mark.slow),
        pytest.param("extra_trees", "regression", False, marks=pytest.mark.slow),
        ("lightgbm", "binary", True),
        pytest.param("lightgbm", "regression", False, marks=pytest.mark.slow),
        ("catboost", "binary", False),
        ("neighbours", "multiclass", True),
        pytest.param("neighbours", "regression", False, marks=pytest.mark.slow),
        pytest.param("catboost", "regression", True, marks=pytest.mark.slow),
    ],
)
def test_it_gives_the_same_scores(name: str, target: str, large: bool, tmp_path: Path) -> None:
    task = task_of(tmp_path, target, large)
    learner = LEARNERS[name].cls(**QUICK.get(name, {}))
    fits, raced = fits_of(task, learner)
    file = tmp_path / "train.py"
    written = as_script.prove(learner.script(task, fits), file, name, ONLY[target], raced, Path(task.source["path"]))
    assert written.difference < (1e-4 if name in ("linear", "neighbours") else 1e-6)
    assert written.scores == pytest.approx(raced, rel=1e-3) and set(raced) == {0, 1}
    text = file.read_text()
    assert "deepenough" not in [line for line in text.splitlines() if line.startswith(("import", "from"))]
    checked(file)


@pytest.mark.parametrize("form", [pytest.param("parquet", marks=pytest.mark.slow), "csv"])
def test_it_reads_what_the_race_read(form: str, tmp_path: Path) -> None:
    frame, path = people(120).drop(columns=["multiclass", "regression"]), tmp_path / f"people.{form}"
    if form == "parquet":
        frame.to_parquet(path, index=False)
    else:
        frame = frame.rename(columns={"age": "  âge "})
        frame.to_csv(path, index=False, sep=";", encoding="utf-8-sig")
    task = kinds.find()["table"].load(path, Question(target="binary"))
    learner = LEARNERS["linear"].cls(strength=1.0)
    fits, raced = fits_of(task, learner, folds=1)
    written = as_script.prove(learner.script(task, fits), tmp_path / "t.py", "linear", "log_loss", raced, path)
    assert written.difference < 1e-4


def test_rows_that_were_only_watched_are_not_fitted_on(tmp_path: Path) -> None:
    task = task_of(tmp_path, "binary")
    learner = LEARNERS["lightgbm"].cls(rounds=25)
    examples = task.train(task.largest, 0, 0)
    rushed = learner.fit(examples, Limits(seconds=None), 0)
    outer = examples.take(examples.outer)
    model = learner.fit(outer, Limits(), 0)
    assert model.answers != rushed.answers
    model.encoder = rushed.encoder
    _, parts, _ = (learner.script(task, [Fit(0, task.largest, 0, model, 1.0)])).parts[0]
    assert (~parts).sum() == len(examples.inner) > 0
    _, parts, _ = (learner.script(task, [Fit(0, task.largest, 0, rushed, 1.0)])).parts[0]
    assert parts.all()


def test_other_scores_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    task = task_of(tmp_path, "binary", large=False)
    learner = LEARNERS["linear"].cls()
    fits, raced = fits_of(task, learner, folds=1)
    with pytest.raises(ModelError, match="other scores"):
        made = learner.script(task, fits)
        as_script.prove(made, tmp_path / "t.py", "linear", "log_loss", {0: raced[0] * 1.01}, tmp_path / "people.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["people.csv"]


def test_a_script_that_fails_is_refused_with_its_last_word(tmp_path: Path) -> None:
    made = Script([], [], "\n\ndef read(path):\n    raise ValueError('no such luck')\n", {0: {}}, {})
    with pytest.raises(ModelError, match="no such luck"):
        as_script.prove(made, tmp_path / "t.py", "linear", "log_loss", {0: 1.0}, tmp_path / "people.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_script_that_hangs_is_stopped_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_script, "LONGEST_SECONDS", 2.0)
    made = Script([], [], "\n\ndef read(path):\n    while True:\n        pass\n", {0: {}}, {})
    with pytest.raises(ModelError, match="over 2 s"):
        as_script.prove(made, tmp_path / "t.py", "linear", "log_loss", {0: 1.0}, tmp_path / "people.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["mlp", "resnet", "tabm", "prior"])
def test_what_can_not_be_written_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="short script"):
        LEARNERS[name].cls().script(task_of(tmp_path, "binary"), [])


def test_texts_weights_and_units_are_refused(tmp_path: Path) -> None:
    frame = people(large=False)
    frame["letter"] = [f"Dear all, this is letter {place} of many, and it says little." for place in range(len(frame))]
    frame["price"] = [f"{place},5 kg" for place in range(len(frame))]
    frame["count"] = 1 + np.arange(len(frame)) % 3
    frame.to_csv(tmp_path / "people.csv", index=False)
    learner = LEARNERS["linear"].cls(strength=1.0)
    for dropped, weights, said in (
        ("price", None, "'letter'"),
        ("letter", None, "'price'"),
        ("letter", "count", "weights"),
    ):
        drop = ["multiclass", "regression", dropped]
        question = Question(target="binary", drop=drop, weights=weights)
        task = kinds.find()["table"].load(tmp_path / "people.csv", question)
        fits, _ = fits_of(task, learner, folds=1)
        with pytest.raises(ModelError, match=said):
            learner.script(task, fits)


def test_a_frame_has_no_file_to_read(tmp_path: Path) -> None:
    task = kinds.find()["table"].load(people(large=False), Question(target="binary"))
    learner = LEARNERS["linear"].cls(strength=1.0)
    with pytest.raises(ModelError, match="CSV"):
        learner.script(task, fits_of(task, learner, folds=1)[0])


def test_a_file_without_a_header_is_refused(tmp_path: Path) -> None:
    people(large=False).to_csv(tmp_path / "people.csv", index=False, header=False)
    question = Question(target="column5", drop=["column6", "column7"])
    task = kinds.find()["table"].load(tmp_path / "people.csv", question)
    learner = LEARNERS["linear"].cls(strength=1.0)
    with pytest.raises(ModelError, match="no plain header"):
        learner.script(task, fits_of(task, learner, folds=1)[0])


@pytest.mark.parametrize("metric", METRICS)
def test_scores_are_those_of_the_race(metric: str) -> None:
    from deepenough.judge import metrics

    rng = np.random.default_rng(0)
    n_classes = None if metric in ("rmse", "mae", "r2") else 2
    truth = rng.normal(size=60) if n_classes is None else rng.integers(0, 2, 60)
    said = rng.normal(size=60) if n_classes is None else rng.dirichlet([1, 1], 60)
    known: dict[str, Any] = {"np": np}
    exec(f"{METRICS[metric].imports}\n{METRICS[metric].function}", known)
    ours: Any = metrics.find(metric, n_classes)
    assert known["score"](truth, said) == pytest.approx(ours.show(ours.evaluate(ours.records(truth, said))[0]))


def test_a_metric_without_text_gives_way_to_one_with(tmp_path: Path) -> None:
    assert metric_of("brier", {"brier": 0.1, "log_loss": 0.3}) == "log_loss"
    assert metric_of("mae", {"mae": 0.1, "rmse": 0.3}) == "mae"


def test_constants_are_literals_whatever_they_hold() -> None:
    value = {HOSTILE: ["\n\nimport os", "\\", "'''", "\udc80", "x" * 300]}
    known: dict[str, Any] = {}
    exec(literal("VALUE", value, "Said above."), known)
    assert known["VALUE"] == value
