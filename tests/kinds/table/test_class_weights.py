"""What a row weighs by its class: in learning, in judging, and in a test of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough.errors import OptionError
from deepenough.kinds.table.held_out import read
from deepenough.kinds.table.task import TableTask, load
from deepenough.task.task import Answer, Question


def frame(rows: int = 300, rare: float = 0.1) -> pd.DataFrame:
    """A rare class that one column half tells."""
    rng = np.random.default_rng(0)
    is_rare = rng.random(rows) < rare
    return pd.DataFrame({"size": rng.normal(size=rows) + is_rare, "y": np.where(is_rare, "late", "in time")})


def asked(data: pd.DataFrame, how: str | None, **question: Any) -> TableTask:
    return load(data, Question("y", options={"class_weights": how} if how else {}, **question))


def test_balanced_classes_weigh_alike_in_learning_and_in_judging() -> None:
    task = asked(frame(), "balanced")
    examples = task.train(task.largest, 0, 0)
    assert examples.weights is not None
    totals = np.bincount(task.targets, weights=task.weighs)
    assert totals[0] == pytest.approx(totals[1])
    assert task.weighs is not None and task.weighs.mean() == pytest.approx(1.0)
    knows_nothing = np.full((len(task.units(0).ids), 2), 0.5)
    assert task.scores(Answer(task.largest, knows_nothing), 0)["accuracy"] == pytest.approx(0.5, abs=0.08)
    assert "A row counts by its class" in " ".join(task.notes)


def test_named_weights_count_as_they_say_and_the_others_one() -> None:
    task = asked(frame(), "late=5")
    assert task.weighs is not None
    late = task.targets == task.target.classes.index("late")
    assert task.weighs[late].mean() / task.weighs[~late].mean() == pytest.approx(5.0)


def test_weights_of_rows_and_of_classes_multiply() -> None:
    data = frame().assign(w=lambda own: np.where(own.index % 2, 1.0, 3.0))
    task = asked(data, "late=5", weights="w")
    late = task.targets == task.target.classes.index("late")
    assert task.weighs is not None
    heaviest, lightest = task.weighs[late].max(), task.weighs[~late].min()
    assert heaviest / lightest == pytest.approx(15.0)


def test_a_test_of_ones_own_is_weighed_alike(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    frame(40, rare=0.5).to_csv(path, index=False)
    task = asked(frame(), "late=5", test=path)
    held = read(task, Question("y", options={"class_weights": "late=5"}, test=path))
    late = held.truth == task.target.classes.index("late")
    assert held.weights is not None
    assert held.weights[late].min() == 5 * held.weights[~late].max()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("late", "'late' is no class of 'y': in time, late"),
        ("sometimes=2", "sometimes is no class|'sometimes' is no class"),
        ("late=much", "'much' is no number"),
        ("late=0", "that of 'late' is 0"),
        ("late=inf", "that of 'late' is inf"),
    ],
)
def test_what_can_not_be_read_is_refused(how: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        asked(frame(), how)


def test_numbers_have_no_classes() -> None:
    data = frame().assign(y=np.random.default_rng(1).normal(size=300))
    with pytest.raises(OptionError, match="has no classes"):
        asked(data, "balanced")


def test_the_rare_class_is_answered_more_often(tmp_path: Path) -> None:
    options: dict[str, Any] = {"budget": "12trials", "only": ["linear", "mlp"]}
    plain = deepenough.race(frame(), "y", out=tmp_path / "plain", **options)
    balanced = deepenough.race(frame(), "y", out=tmp_path / "balanced", class_weights="balanced", **options)
    rows = frame()[["size"]]
    late = [(race.model.predict(rows).iloc[:, 0] == "late").mean() for race in (plain, balanced)]
    assert late[1] > late[0] + 0.1
