"""A person's own folds and weights: taken as they are, doubted where they flatter, refused where they say nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough.errors import ColumnError, OptionError
from deepenough.judge import metrics
from deepenough.kinds.table.task import TableTask, load
from deepenough.task import row_facts
from deepenough.task.task import Answer, Question


def frame(rows: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "size": size,
            "town": rng.choice(["a", "b", "c"], rows),
            "part": np.arange(rows) % 3,
            "region": np.where(np.arange(rows) % 4 == 0, "north", "south"),
            "counts": rng.integers(1, 6, rows).astype(float),
            "y": np.where(size + rng.normal(size=rows) > 0.3, "late", "in time"),
        }
    )


def made(data: pd.DataFrame, **question: Any) -> TableTask:
    return load(data, Question(**{"target": "y", **question}))


@pytest.mark.parametrize(("column", "count"), [("part", 3), ("region", 2)])
def test_own_folds_are_judged_as_they_are(column: str, count: int) -> None:
    data = frame()
    task = made(data, folds=column)
    assert (task.splitting, task.judging, task.folds) == ("own", "folds", count)
    assert column not in [item.name for item in task.table.columns]
    values = data[column].to_numpy()
    for fold, value in enumerate(sorted(set(values))):
        judged = task.units(fold).ids
        assert np.array_equal(judged, np.flatnonzero(values == value))
        assert set(task.splits.folds[fold].order) == set(np.flatnonzero(values != value))
    assert any("split is yours" in note for note in task.notes)


def test_rows_without_a_fold_are_learnt_from_only() -> None:
    data = frame()
    data["part"] = data["part"].astype(float).where(data.index > 19)
    task = made(data, folds="part")
    judged = np.concatenate([task.units(fold).ids for fold in range(task.folds)])
    assert judged.min() == 20
    assert all(set(range(20)) <= set(split.order) for split in task.splits.folds)
    assert any("20 rows have no 'part'" in note for note in task.notes)


def test_own_folds_that_share_copies_or_groups_are_doubted() -> None:
    data = frame(60)
    twice = pd.concat([data, data.assign(part=(data["part"] + 1) % 3)], ignore_index=True)
    flags = {flag["flag"]: flag for flag in made(twice, folds="part").flags}
    assert "120 rows" in flags["shared_folds"]["reason"]
    assert "shared_folds" in [flag["flag"] for flag in made(frame(), folds="part", group="town").flags]
    assert "shared_folds" not in [flag["flag"] for flag in made(frame(), folds="part").flags]


def test_on_both_sides_counts_rows_with_a_companion_elsewhere() -> None:
    clusters, folds = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 1, 0, 0, 0, 1])
    assert row_facts.on_both_sides(folds, clusters) == 2


@pytest.mark.parametrize(
    ("question", "error", "words"),
    [
        ({"folds": "prt"}, ColumnError, "--folds 'prt'.*'part'"),
        ({"folds": "size"}, OptionError, "120 different values"),
        ({"folds": "part", "time": "size"}, OptionError, "both say how to split"),
        ({"folds": "y"}, OptionError, "is the target too"),
        ({"weights": "town"}, OptionError, "holds no numbers"),
        ({"weights": "size"}, OptionError, "below zero"),
        ({"weights": "wieghts"}, ColumnError, "--weights 'wieghts'"),
    ],
)
def test_columns_that_say_nothing_of_rows_are_refused(
    question: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        made(frame(), **question)


def test_missing_weights_are_refused_and_zero_ones_set_aside() -> None:
    data = frame()
    with pytest.raises(OptionError, match="1 rows without a weight"):
        made(data.assign(counts=data["counts"].where(data.index != 7)), weights="counts")
    task = made(data.assign(counts=data["counts"].where(data.index > 9, 0.0)), weights="counts")
    assert task.rows == 110
    assert any("10 rows weigh nothing" in note for note in task.notes)


def test_weights_go_into_learning_and_judging() -> None:
    data = frame()
    task = made(data, weights="counts")
    assert task.weighs is not None
    assert task.weighs.mean() == pytest.approx(1.0)
    assert "counts" not in [item.name for item in task.table.columns]
    examples = task.train(40, 0, 0)
    assert examples.weights is not None
    job = task.job(40, 0, 0)
    assert np.array_equal(job.arrays["weights"], examples.weights)
    rng = np.random.default_rng(1)
    chances = rng.dirichlet([1, 1], len(task.truth(0)))
    records = task.records(Answer(40, chances), 0)
    counts = data["counts"].to_numpy()[task.units(0).ids]
    right = (chances.argmax(axis=1) == task.truth(0)).astype(float)
    assert task.scores(Answer(40, chances), 0)["accuracy"] == pytest.approx(np.average(right, weights=counts))
    own = -np.log(chances[np.arange(len(chances)), task.truth(0)])
    assert task.metric.evaluate(records)[0] == pytest.approx(np.average(own, weights=counts))
    again = metrics.named("log_loss", task.question_facts)
    assert again.evaluate(records)[0] == task.metric.evaluate(records)[0]


def test_very_uneven_weights_are_said() -> None:
    data = frame().assign(counts=lambda table: np.where(table.index < 3, 1000.0, 1.0))
    task = made(data, weights="counts")
    assert any("as much as 3 equal ones" in note for note in task.notes)
