"""Sums of rows are what the matrix says they are, however they are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array

from deepenough.kinds import row_sums
from deepenough.kinds.answers import Answers
from deepenough.kinds.row_sums import RowSums, renumbered
from deepenough.kinds.weighted import WeightedSums
from deepenough.learner import Limits


def matrix_of(rows: int = 60, columns: int = 400) -> Any:
    """Columns that nearly all rows have, columns that a few have, and some that none has."""
    random = np.random.default_rng(0)
    sparse = random_array((rows, columns), density=0.02, rng=random, dtype=np.float32).toarray()
    sparse[:, :5] = random.normal(size=(rows, 5))
    sparse[:, 40:60] = 0
    return csr_matrix(sparse)


@pytest.mark.parametrize("few", [0, 1_000])
@pytest.mark.parametrize("outputs", [1, 3])
def test_sums_and_scores_are_the_matrix_s(few: int, outputs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_sums, "FEW", few)
    matrix, shares = matrix_of(), np.random.default_rng(1).normal(size=(60, outputs))
    sums = RowSums(matrix, outputs)
    assert np.allclose(sums.weights(shares), matrix.T @ shares, atol=1e-5)
    assert np.allclose(sums.scores(shares), matrix @ (matrix.T @ shares), atol=1e-4)


def test_columns_keep_their_numbers_at_their_new_places() -> None:
    matrix = matrix_of()
    place = np.full(matrix.shape[1], -1)
    place[[7, 3, 399]] = [0, 1, 2]
    found = renumbered(matrix, place[matrix.indices], 3)
    assert np.array_equal(found.toarray(), matrix.toarray()[:, [7, 3, 399]])


@pytest.mark.parametrize("few", [0, 1_000])
def test_a_fit_starts_where_one_of_some_of_the_rows_ended(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_sums, "FEW", few)
    matrix = matrix_of()
    targets = matrix[:, :3].toarray().argmax(axis=1)
    answers = Answers.of(targets, 3)

    def sums_of(rows: np.ndarray, seconds: float | None = None) -> WeightedSums:
        return WeightedSums(matrix[rows], targets[rows], answers, Limits(seconds), None, 1e-9, rows)

    every, some = np.arange(60), np.arange(0, 57)
    first, whole = sums_of(some), sums_of(every)
    first.weights(0.1)
    best = whole.weights(0.1)
    at_once, from_there = sums_of(every, 0.0), sums_of(every, 0.0)  # one step each, for there is no time
    from_there.start_from(first.last)
    off = [np.abs(each.weights(0.1) - best).max() for each in (at_once, from_there)]
    assert off[1] < off[0] / 2
    assert at_once.planned < 1
    again = sums_of(every)
    again.start_from(whole.last)
    assert np.allclose(again.weights(0.1), best, atol=1e-3)


def test_a_fit_of_other_outputs_is_no_start() -> None:
    matrix = matrix_of()
    two, three = (np.arange(60) % classes for classes in (2, 3))
    other = WeightedSums(matrix, three, Answers.of(three, 3), Limits())
    other.weights(1.0)
    sums = WeightedSums(matrix, two, Answers.of(two, 2), Limits())
    sums.start_from(other.last)
    assert not sums.last.weights.any()
