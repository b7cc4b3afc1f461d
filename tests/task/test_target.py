"""What is predicted, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deepenough.errors import OptionError, TargetError
from deepenough.task import target
from deepenough.task.frame import Raw, from_values
from deepenough.task.task import Question


def column(values: list[Any]) -> Raw:
    return from_values("y", values)[0]


def read(values: list[Any], **question: Any) -> target.Target:
    return target.read(column(values), Question(target="y", **question))


@pytest.mark.parametrize(
    ("values", "task", "written"),
    [
        (["yes", "no"] * 20, "binary", "words"),
        (["a", "b", "c"] * 20, "multiclass", "words"),
        ([True, False] * 20, "binary", "logical"),
        ([0, 1] * 20, "binary", "integer"),
        ([0.5, 1.5] * 20, "binary", "number"),
        ([1, 2, 3, 4, 5] * 20, "multiclass", "integer"),
        (list(range(40)), "regression", "number"),
        ([value * 0.25 for value in range(8)] * 10, "regression", "number"),
        (list(range(12)) * 10, "regression", "number"),
    ],
)
def test_classes_or_a_number(values: list[Any], task: str, written: str) -> None:
    found = read(values)
    assert (found.task, found.written) == (task, written)
    assert found.why


def test_the_person_may_settle_it() -> None:
    numbers = [1, 2, 3, 4, 5] * 20
    assert read(numbers, options={"task": "regression"}).task == "regression"
    assert read(numbers, metric="rmse").task == "regression"
    assert read(list(range(12)) * 10, options={"task": "classification"}).n_classes == 12
    assert read(list(range(12)) * 10, metric="accuracy").n_classes == 12


def test_the_rarer_class_is_positive_and_stands_second() -> None:
    found = read(["yes"] * 10 + ["no"] * 30)
    assert (found.positive, found.classes) == ("yes", ("no", "yes"))
    assert found.values.sum() == 10
    other = read(["yes"] * 10 + ["no"] * 30, positive="NO")
    assert (other.positive, other.classes) == ("no", ("yes", "no"))
    assert other.values.sum() == 30


def test_rows_without_an_answer_are_set_aside_and_counted() -> None:
    found = read(["a", None, "b", "NA", "a", "b"] * 5)
    assert found.rows.tolist()[:4] == [0, 2, 4, 5]
    assert found.notes[0].startswith("10 rows have no 'y'")


def test_classes_of_a_few_rows_are_set_aside_by_name() -> None:
    found = read(["a"] * 60 + ["b"] * 60 + ["c"] * 3)
    assert found.classes == ("a", "b")
    assert found.set_aside[0]["name"] == "y=c"
    assert len(found.rows) == 120


def test_small_classes_stay_where_all_are_small() -> None:
    assert read(["a", "b", "c"] * 4).n_classes == 3


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([None] * 20, "no value in any row"),
        (["a"] * 20, "'a' in every row"),
        ([3.0] * 20, "'3' in every row"),
        ([f"note {place}" for place in range(60)], "60 different texts"),
        (["2020-01-01", "2020-01-02"] * 10, "is a date"),
        (["a"] * 20 + ["b"], "only 'a' stands in two rows"),
    ],
)
def test_what_cannot_be_predicted_is_refused(values: list[Any], words: str) -> None:
    with pytest.raises(TargetError, match=words):
        read(values)


@pytest.mark.parametrize(
    ("values", "question", "words"),
    [
        (["a", "b"] * 20, {"positive": "c"}, "no class of 'y'"),
        (["a", "b", "c"] * 20, {"positive": "a"}, "for two classes"),
        (list(np.linspace(0, 1, 50)), {"options": {"task": "guess"}}, "classification or regression"),
        (list(np.linspace(0, 1, 50)), {"metric": "rmse", "positive": "1"}, None),
    ],
)
def test_options_that_do_not_fit(values: list[Any], question: dict[str, Any], words: str | None) -> None:
    with pytest.raises((OptionError, TargetError), match=words):
        read(values, **question)


def test_words_are_no_number() -> None:
    with pytest.raises(TargetError, match="holds words"):
        read(["a", "b"] * 10, options={"task": "regression"})
