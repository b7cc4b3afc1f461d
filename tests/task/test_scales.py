"""Ordered classes and counts are recognised with the reason, and a wrong guess costs nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough.errors import OptionError
from deepenough.kinds import find_learners
from deepenough.kinds.table.task import TableTask, load
from deepenough.learner import Limits
from deepenough.task import scales
from deepenough.task.task import Answer, Question


def made(target: Any, **question: Any) -> TableTask:
    rng = np.random.default_rng(0)
    rows = len(target)
    frame = pd.DataFrame({"x": rng.normal(size=rows), "town": rng.choice(["a", "b"], rows), "y": target})
    return load(frame, Question(**{"target": "y", **question}))


@pytest.mark.parametrize(
    "names",
    [
        ["low", "medium", "high"],
        ["Very low", "LOW", "High"],
        ["none", "mild", "moderate", "severe"],
        ["S", "M", "L", "XL"],
        ["Strongly disagree", "disagree", "neutral", "agree"],
        ["grade 1", "grade 2", "grade 10"],
        ["1 - poor", "2 - so so", "3 - fine"],
        ["stage_1", "stage_2", "stage_3"],
    ],
)
def test_known_words_have_an_order(names: list[str]) -> None:
    for shuffled in (names, names[::-1], sorted(names)):
        order, why = scales.order_of(shuffled, are_numbers=False)
        assert order is not None
        assert [shuffled[place] for place in order] == names
        assert why


@pytest.mark.parametrize(
    "names",
    [
        ["red", "green", "blue"],
        ["low", "high"],
        ["low", "medium", "purple"],
        ["class 1", "class 2", "class 3"],
        ["grade 1", "stage 2", "grade 3"],
        ["grade 1", "grade 01", "grade 3"],
    ],
)
def test_other_words_have_none(names: list[str]) -> None:
    assert scales.order_of(names, are_numbers=False) == (None, "")


def test_every_scale_is_found_whole() -> None:
    for scale in scales.SCALES:
        order, _ = scales.order_of(sorted(scale), are_numbers=False)
        assert order is not None
        assert tuple(sorted(scale)[place] for place in order) == scale


def test_ordered_classes_are_raced_in_their_order_with_distances_beside() -> None:
    words = np.array(["low", "medium", "high"])
    codes = np.arange(120) % 3
    task = made(words[codes])
    assert task.target.classes == ("low", "medium", "high")
    assert np.array_equal(task.targets, codes)
    assert "low < medium < high" in task.question_facts["ordered"]
    assert {"kappa", "class_distance"} <= {metric.name for metric in task.metrics()}
    truth = task.truth(0)
    off_by_one = np.eye(3)[np.clip(truth + 1, 0, 2)]
    assert task.scores(Answer(40, off_by_one), 0)["class_distance"] == pytest.approx((truth < 2).mean())
    assert made(words[codes], metric="qwk").metric.name == "kappa"


def test_distances_between_unordered_classes_are_refused() -> None:
    colours = np.array(["red", "green", "blue"])[np.arange(120) % 3]
    assert {"kappa", "class_distance"} & {metric.name for metric in made(colours).metrics()} == set()
    with pytest.raises(OptionError, match="no known order"):
        made(colours, metric="kappa")


@pytest.mark.parametrize(
    ("values", "is_count"),
    [
        (np.random.default_rng(0).negative_binomial(1, 0.05, 500), True),
        (np.random.default_rng(0).integers(18, 80, 500), False),  # ages
        (np.round(np.random.default_rng(0).lognormal(12, 0.5, 500)), False),  # prices
        (np.random.default_rng(0).exponential(20, 500), False),
        (np.random.default_rng(0).integers(0, 100, 500), False),  # marks: no tail
        (np.random.default_rng(0).poisson(3, 500) - 1, False),
    ],
)
def test_counts_are_told_from_other_numbers(values: np.ndarray, is_count: bool) -> None:
    assert bool(scales.are_counts(values.astype(float))) == is_count


def test_a_count_is_said_and_its_deviance_shown() -> None:
    counts = np.random.default_rng(0).negative_binomial(1, 0.05, 300)
    task = made(counts)
    assert task.question_facts["counts"]
    assert "poisson_deviance" in [metric.name for metric in task.metrics()]
    assert any("--metric poisson_deviance" in note for note in task.notes)
    assert made(counts, metric="poisson_deviance").metric.name == "poisson_deviance"


@pytest.mark.parametrize(
    "entry", [entry for entry in find_learners("table") if not entry.missing], ids=lambda item: item.name
)
def test_counts_are_never_predicted_below_zero(entry: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    counts = rng.poisson(np.exp(1.5 * x - 0.5))
    task = load(pd.DataFrame({"x": x, "z": rng.normal(size=200), "y": counts}), Question("y", options=REGRESSION))
    model = entry.cls().fit(task.train(120, 0, 0), Limits(), 0)
    assert model.predict(task.inputs(0)).min() >= 0


REGRESSION = {"task": "regression"}
