"""Shuffling part after part: repeatable, and of use wherever it is stopped."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from deepenough.racing.perturb import Effort, Subject, shuffles
from tests.stubs.supervised import Array

WEIGHTS = np.array([0.0, 2.0, 1.0])


def subjects(rows: int = 30, weights: np.ndarray = WEIGHTS) -> list[Subject]:
    random = np.random.default_rng(0)
    inputs = [Array(random.standard_normal((rows, len(weights)))) for _ in range(2)]
    return [Subject(lambda asked: asked.x @ weights, each) for each in inputs]


def stop_after(calls: int) -> Callable[[], float]:
    """So many questions are answered with time left."""
    counter = itertools.count()
    return lambda: 1.0 if next(counter) < calls else 0.0


def test_each_part_is_shuffled_for_every_subject_in_every_pass() -> None:
    found = shuffles(subjects(), 3, Effort(10, 3, 2), 0, lambda: 1.0)
    assert found.done == ((0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1))
    assert found.predictions.shape == (7, 60)


def test_only_the_part_that_counts_changes_what_is_said() -> None:
    found = shuffles(subjects(), 3, Effort(10, 3, 1), 0, lambda: 1.0)
    moved = np.abs(found.predictions[1:] - found.predictions[0]).mean(axis=1)
    assert moved[0] == 0 and moved[1] > moved[2] > 0


def test_a_shuffle_keeps_the_values() -> None:
    found = shuffles(subjects(weights=np.array([1.0])), 1, Effort(10, 1, 1), 0, lambda: 1.0)
    assert np.allclose(np.sort(found.predictions[0, :30]), np.sort(found.predictions[1, :30]))
    assert not np.allclose(found.predictions[0], found.predictions[1])


def test_the_same_seed_shuffles_the_same_wherever_it_is_stopped() -> None:
    whole, cut = (shuffles(subjects(), 3, Effort(10, 3, 2), 5, left) for left in (lambda: 1.0, stop_after(4)))
    assert len(cut.done) == 4
    assert np.array_equal(cut.predictions, whole.predictions[:5])
    assert not np.array_equal(whole.predictions, shuffles(subjects(), 3, Effort(10, 3, 2), 6, lambda: 1.0).predictions)


def test_of_many_parts_those_that_move_most_are_shuffled() -> None:
    weights = np.zeros(50)
    weights[[7, 31]] = 1.0, 3.0
    found = shuffles(subjects(weights=weights), 50, Effort(2, 50, 1), 0, lambda: 1.0)
    assert [part for part, _ in found.done] == [31, 7]


def test_the_few_that_matter_among_thousands_are_found() -> None:
    weights = np.full(2000, 0.001)
    weights[[7, 1500]] = 3.0, 2.0
    found = shuffles(subjects(weights=weights), 2000, Effort(2, 40, 1), 0, lambda: 1.0)
    assert [part for part, _ in found.done] == [7, 1500]


def test_where_all_parts_matter_alike_some_are_found() -> None:
    found = shuffles(subjects(weights=np.ones(2000)), 2000, Effort(5, 50, 1), 0, lambda: 1.0)
    assert len(found.done) == 5


def test_screening_ends_after_so_many_predictions() -> None:
    asked = []

    def predict(inputs: Array) -> np.ndarray:
        asked.append(len(inputs))
        return inputs.x.sum(axis=1)

    few = [Subject(predict, each.inputs) for each in subjects(weights=np.ones(500))][:1]
    shuffles(few, 500, Effort(3, 10, 1), 0, lambda: 1.0)
    assert len(asked) <= 2 + 2 * 10 + 3
