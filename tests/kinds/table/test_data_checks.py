"""What is wrong with a table is found, and what is not wrong is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.kinds.table import data_checks
from deepenough.kinds.table.inputs import Column, Table
from tests.kinds.table.drawn import ROWS, noise, numbers, words


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (numbers("a", np.full(ROWS, np.nan)), "empty"),
        (numbers("a", np.ones(ROWS)), "constant"),
        (words("a", np.full(ROWS, "x")), "constant"),
        (numbers("a", np.arange(ROWS) + 7), "counts the rows"),
        (numbers("a", np.arange(ROWS) ** 2), "rise from row to row"),
        (numbers("customer_id", np.random.default_rng(0).permutation(ROWS)), "by its name"),
        (numbers("PassengerId", np.random.default_rng(0).permutation(ROWS)), "by its name"),
        (words("code", np.array([f"T{n}" for n in range(ROWS)])), "every row has its own value"),
    ],
)
def test_columns_that_cannot_help_are_named(column: Column, reason: str) -> None:
    found = dict(data_checks.unusable(Table((column, *noise(1)))))
    assert list(found) == [column.name]
    assert reason in found[column.name]


def test_columns_that_can_help_stay() -> None:
    rng = np.random.default_rng(0)
    half_empty = np.where(rng.random(ROWS) < 0.9, np.nan, 1.0)
    good = [
        numbers("price", rng.permutation(ROWS)),
        numbers("measure", np.sort(rng.normal(size=ROWS))),
        numbers("present", half_empty),
        words("town", rng.choice([f"t{n}" for n in range(400)], ROWS)),
        numbers("humidity", rng.normal(size=ROWS)),
    ]
    assert dict(data_checks.unusable(Table(tuple(good)))) == {}


def test_a_named_column_is_not_judged() -> None:
    table = Table((numbers("step", np.arange(ROWS)),))
    assert dict(data_checks.unusable(table, frozenset({"step"}))) == {}


def weak_target(columns: list[Column], seed: int = 3) -> np.ndarray:
    score = columns[0].values + 0.5 * columns[1].values + np.random.default_rng(seed).normal(0, 1.5, ROWS)
    return (score > 0).astype(np.int64)


def test_a_column_that_gives_the_class_away_is_a_leak() -> None:
    columns = noise()
    target = weak_target(columns)
    leak = numbers("x3", target + 0.001 * np.random.default_rng(0).normal(size=ROWS))
    found = data_checks.given_away(Table((*columns[:3], leak, *columns[4:])), target, 2)
    assert [name for name, _ in found] == ["x3"]
    assert "AUC" in found[0][1]


def test_a_leak_that_stands_there_twice_is_found_twice() -> None:
    columns = noise()
    target = weak_target(columns)
    twice = (numbers("one", target * 2.0), words("two", np.where(target > 0, "late", "in time")))
    assert [name for name, _ in data_checks.given_away(Table((*columns, *twice)), target, 2)] == ["one", "two"]


def test_a_column_that_gives_the_number_away_is_a_leak() -> None:
    columns = noise()
    target = columns[0].values + np.random.default_rng(9).normal(size=ROWS)
    leak = numbers("cents", np.exp(target) * 100)
    assert [name for name, _ in data_checks.given_away(Table((*columns, leak)), target, None)] == ["cents"]


def test_a_leak_among_several_classes_is_found() -> None:
    target = np.random.default_rng(4).integers(0, 4, ROWS)
    found = data_checks.given_away(Table((*noise(), words("name", np.array(list("abcd"))[target]))), target, 4)
    assert [name for name, _ in found] == ["name"]


def test_a_strong_column_among_other_strong_ones_is_no_leak() -> None:
    """As in a table that is truly separable: each of several columns foretells all, and none is missed."""
    rng = np.random.default_rng(5)
    target = rng.integers(0, 2, ROWS)
    hard = numbers("strong", target + rng.normal(0, 0.15, ROWS))
    others = [numbers(f"y{place}", target + rng.normal(0, 0.45, ROWS)) for place in range(6)]
    assert data_checks.given_away(Table((hard, *others)), target, 2) == []


def test_ordinary_columns_are_no_leak() -> None:
    columns = noise()
    assert data_checks.given_away(Table(tuple(columns)), weak_target(columns), 2) == []
    assert data_checks.given_away(Table(tuple(columns)), columns[0].values + columns[1].values, None) == []


def test_an_owner_that_repeats_is_suspected() -> None:
    owner = np.random.default_rng(6).integers(0, 90, ROWS)
    found = data_checks.grouped(Table((*noise(), numbers("patient_id", owner))))
    assert found is not None
    assert found["severity"] == "warn"
    assert "--group patient_id" in found["reason"]


def test_columns_that_are_fixed_in_groups_are_suspected() -> None:
    rng = np.random.default_rng(7)
    owner = rng.integers(0, 120, ROWS)
    fixed = [numbers(f"f{place}", rng.normal(size=120)[owner]) for place in range(3)]
    assert data_checks.grouped(Table((*noise(), *fixed))) is not None


def test_ordinary_columns_are_not_suspected() -> None:
    rng = np.random.default_rng(8)
    towns = words("town", rng.choice([f"t{n}" for n in range(100)], ROWS))
    schooling = rng.integers(0, 16, ROWS)
    assert data_checks.grouped(Table((*noise(), towns, numbers("years", schooling), words("level", schooling)))) is None


def test_auc_counts_ties_half() -> None:
    assert data_checks.auc(np.array([True, False, True, False]), np.array([2.0, 1.0, 1.0, 0.0])) == 0.875
