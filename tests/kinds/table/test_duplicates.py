"""Copies are found, exact and near, and what merely lies close is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.kinds.table import duplicates
from deepenough.kinds.table.inputs import Table
from tests.kinds.table.drawn import ROWS, noise, numbers, words


def test_copies_are_found_and_counted() -> None:
    rng = np.random.default_rng(1)
    picked = np.concatenate([np.arange(800), rng.integers(0, 800, 200)])
    table = Table(tuple(column for column in noise())).take(picked)
    found = duplicates.copies(table, rng.integers(0, 2, 800)[picked])
    assert found.clusters is not None
    assert found.share == pytest.approx(0.2)
    same_row = picked[:, None] == picked[None, :]
    assert np.array_equal(found.clusters[:, None] == found.clusters[None, :], same_row)


def test_missing_values_and_negative_zero_are_equal_in_copies() -> None:
    table = Table((numbers("a", np.array([0.0, -0.0, np.nan, np.nan])), numbers("b", np.ones(4))))
    hashes = duplicates.row_hashes(table)
    assert hashes[0] == hashes[1] != hashes[2] == hashes[3]


def test_the_same_value_in_another_column_is_no_copy() -> None:
    table = Table((numbers("a", np.array([1.0, 2.0])), numbers("b", np.array([2.0, 1.0]))))
    assert len(set(duplicates.row_hashes(table).tolist())) == 2


def test_natural_repeats_are_left_alone() -> None:
    rng = np.random.default_rng(2)
    table = Table((words("a", rng.choice(list("xyz"), ROWS)), words("b", rng.choice(list("uvw"), ROWS))))
    found = duplicates.copies(table, rng.integers(0, 2, ROWS))
    assert found.clusters is None
    assert "natural" in found.note


@pytest.mark.parametrize("numbers_asked", [False, True])
def test_rows_that_look_alike_and_have_other_answers_are_no_copies(numbers_asked: bool) -> None:
    rng = np.random.default_rng(3)
    picked = rng.integers(0, 400, ROWS)  # more different rows than the rule of few would let pass
    table = Table((numbers("a", np.arange(400.0)[picked]), numbers("b", rng.random(400)[picked])))
    drawn = rng.normal(size=ROWS) if numbers_asked else rng.integers(0, 3, ROWS)
    found = duplicates.copies(table, drawn)
    assert found.clusters is None
    assert "other units" in found.note
    told_by_the_row = (rng.normal(size=400) if numbers_asked else rng.integers(0, 3, 400))[picked]
    assert duplicates.copies(table, told_by_the_row).clusters is not None


def test_no_copies_no_note() -> None:
    assert duplicates.copies(Table(tuple(noise())), np.zeros(ROWS, dtype=np.int64)) == duplicates.Copies(None, 0.0)


def measured_twice(noise_of: float, sure: bool = True) -> tuple[Table, np.ndarray]:
    """800 rows, 200 of them once more with a little noise, and what was answered: the same, or drawn anew."""
    rng = np.random.default_rng(4)
    picked = np.concatenate([np.arange(800), rng.integers(0, 800, 200)])
    columns = [np.asarray(column.values)[:800][picked] for column in noise(4)]
    for values in columns:
        values[800:] += rng.normal(scale=noise_of, size=200)
    answers = rng.integers(0, 2, 800)[picked] if sure else rng.integers(0, 2, ROWS)
    town = words("town", np.array(["Rome", "Oslo"])[picked % 2])
    return Table((*(numbers(f"x{place}", values) for place, values in enumerate(columns)), town)), answers


def test_near_copies_are_found_and_said() -> None:
    table, answers = measured_twice(1e-5)
    found = duplicates.copies(table, answers)
    assert found.clusters is not None
    assert found.share == pytest.approx(0.2, abs=0.01)
    assert "all but: no number differs by more than a thousandth of its spread" in found.note


@pytest.mark.parametrize("case", ["far apart", "other answers", "other words", "few columns", "coarse columns"])
def test_what_merely_lies_close_is_no_copy(case: str) -> None:
    table, answers = measured_twice(0.1 if case == "far apart" else 1e-5, sure=case != "other answers")
    columns = list(table.columns)
    if case == "other words":
        columns[4] = words("town", np.array([f"t{n % 500}" for n in range(ROWS)]))
    elif case == "few columns":
        columns = [columns[0], columns[1]]
    elif case == "coarse columns":
        columns = [numbers(c.name, c.values.round(1)) if c.role == "number" else c for c in columns]
        columns += [numbers("fine", np.random.default_rng(5).normal(size=ROWS))]
    assert duplicates.copies(Table(tuple(columns)), answers).clusters is None


def test_dense_rows_do_not_flow_together() -> None:
    rng = np.random.default_rng(6)
    path = np.cumsum(rng.random(50_000))  # three columns of a slow walk: each row lies beside the next
    table = Table(tuple(numbers(f"x{place}", path * (place + 1)) for place in range(3)))
    assert duplicates.near_copies(table) is None
