"""A support vector machine on rows of features, with calibrated answers: what kinds share that describe their units.

Needs that this module answers:

* scikit-learn fits it; what is learnt is plain arrays, and answering takes numpy alone.
* Time grows with the square of the rows: under a clock it is fitted on more and more rows, as there is time for.
* Its answers are distances from borders; what these mean as probabilities is learnt on rows that it didn't see.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.answers import Answers, outer_rows
from deepenough.kinds.stored import read, write
from deepenough.kinds.weighted import WeightedSums, raw
from deepenough.learner import Examples, Limits

FIRST_ROWS = 500
"""Rows of the first fit under a clock; each next one has twice as many."""
GROWTH = 2.3
"""The exponent by which seconds are taken to grow with rows."""
CALIBRATING = 0.001
"""Penalty on the squared weights that turn distances into probabilities, by row."""
ROWS_AT_ONCE = 1_024
HELD_SHARE = 0.2
"""Of the rows, held out to calibrate where none are inner."""


@dataclass(frozen=True)
class Machine:
    """What was learnt.

    centre, scale: of the features. vectors: standardised rows that support, float32, shape (s, columns). weights: of
    them for each pair of classes, float64, shape (pairs, s), or (1, s); shift: shape (pairs,). gamma: width of the
    kernel. meaning: weights that turn distances into answers, shape (classes + 1, outputs); None for numbers.
    """

    answers: Answers
    centre: np.ndarray
    scale: np.ndarray
    vectors: np.ndarray
    weights: np.ndarray
    shift: np.ndarray
    gamma: float
    meaning: np.ndarray | None
    average: np.ndarray
    planned: float = 1.0

    def __call__(self, matrix: np.ndarray) -> np.ndarray:
        """The answers of rows of features, as a model gives them."""
        if not len(self.vectors):
            return self.answers.decode(np.repeat(self.average, len(matrix), axis=0))
        distances = self.distances(matrix)
        if self.meaning is None:
            return self.answers.decode(distances[:, 0])
        return self.answers.decode(raw(distances, self.meaning, self.answers))

    def distances(self, matrix: np.ndarray) -> np.ndarray:
        """From the border of each class (of two: of the second alone), float64, shape (n, width); or numbers."""
        found = [self._pairs(matrix[start : start + ROWS_AT_ONCE]) for start in range(0, len(matrix), ROWS_AT_ONCE)]
        pairs = np.concatenate(found) if found else np.zeros((0, len(self.shift)))
        return pairs if len(self.shift) == 1 else _of_classes(pairs, self.answers.width)

    def _pairs(self, matrix: np.ndarray) -> np.ndarray:
        rows = ((matrix - self.centre) / self.scale).astype(np.float64)
        vectors = self.vectors.astype(np.float64)
        squares = (rows**2).sum(axis=1)[:, None] + (vectors**2).sum(axis=1) - 2 * rows @ vectors.T
        return np.asarray(np.exp(-self.gamma * np.maximum(squares, 0)) @ self.weights.T + self.shift)

    def save(self, folder: Path) -> None:
        """As arrays, and JSON."""
        arrays = {name: getattr(self, name) for name in ("centre", "scale", "vectors", "weights", "shift", "average")}
        if self.meaning is not None:
            arrays["meaning"] = self.meaning
        write(folder, "machine", {"answers": self.answers.to_json(), "gamma": self.gamma}, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again."""
        facts, arrays = read(folder, "machine")
        meaning = arrays.pop("meaning", None)
        known: dict[str, Any] = {"gamma": facts["gamma"], "meaning": meaning, **arrays}
        return cls(Answers.from_json(facts["answers"]), **known)


def _of_classes(pairs: np.ndarray, width: int) -> np.ndarray:
    """For each class how many of its duels it wins, and by how much: what breaks ties stays below a half."""
    votes, sums = np.zeros((len(pairs), width)), np.zeros((len(pairs), width))
    place = 0
    for first in range(width):
        for second in range(first + 1, width):
            lead = pairs[:, place]
            sums[:, first] += lead
            sums[:, second] -= lead
            votes[np.arange(len(pairs)), np.where(lead > 0, first, second)] += 1
            place += 1
    return np.asarray(votes + sums / (3 * (np.abs(sums) + 1)))


def fit(matrix: np.ndarray, examples: Examples, limits: Limits, seed: int, penalty: float, width: float) -> Machine:
    """Fit on the rows that are not inner, and say on the inner ones what distances mean.

    matrix: of all examples. penalty: on what lies on the wrong side (C). width: of the kernel, as a factor of
    scikit-learn's `scale`.
    """
    rows, held = outer_rows(examples), examples.inner
    order = np.random.default_rng(seed).permutation(rows)
    if not len(held) or len(held) == len(examples):
        cut = max(1, round(HELD_SHARE * len(order)))
        order, held = order[cut:], np.sort(order[:cut])
    machine = _largest(matrix, examples, order, limits, penalty, width)
    return _with_meaning(machine, matrix, examples, held, limits)


def _largest(
    matrix: np.ndarray, examples: Examples, order: np.ndarray, limits: Limits, penalty: float, width: float
) -> Machine:
    """Fitted on as many of the rows, in this order, as there is time for."""
    count = len(order) if limits.seconds is None else min(FIRST_ROWS, len(order))
    while True:
        started = time.monotonic()
        machine = _fitted(matrix, examples, order[:count], penalty, width, count / len(order))
        spent = time.monotonic() - started
        if count == len(order):
            return machine
        able = int(count * (0.6 * limits.seconds_left() / max(spent, 1e-6)) ** (1 / GROWTH))
        following = min(len(order), 2 * count, able)
        if following < min(len(order), 1.3 * count):
            return machine
        count = following


def _fitted(
    matrix: np.ndarray, examples: Examples, rows: np.ndarray, penalty: float, width: float, planned: float
) -> Machine:
    from sklearn.svm import SVC, SVR

    counts = examples.weights_of(rows)
    answers = Answers.of(examples.targets[rows], examples.n_classes, counts)
    targets = answers.encode(examples.targets[rows])
    centre = matrix[rows].mean(axis=0)
    scale = matrix[rows].std(axis=0)
    scale[scale < 1e-6] = 1.0
    standard = ((matrix[rows] - centre) / scale).astype(np.float32)
    average = answers.average(targets, counts)
    gamma = width / max(1, matrix.shape[1] * float(standard.var()))
    if (answers.n_classes is not None and answers.width < 2) or not float(standard.var()):
        nothing = np.zeros((0, matrix.shape[1]), dtype=np.float32)
        return Machine(answers, centre, scale, nothing, np.zeros((1, 0)), np.zeros(1), gamma, None, average, planned)
    own = {"C": penalty, "gamma": gamma, "cache_size": 500}
    machine = SVR(epsilon=0.1, **own) if answers.n_classes is None else SVC(**own)
    machine.fit(standard, targets, sample_weight=counts)
    weights, shift = _by_pair(machine, answers.width if answers.n_classes is not None else 1)
    return Machine(answers, centre, scale, machine.support_vectors_, weights, shift, gamma, None, average, planned)


def _by_pair(machine: Any, width: int) -> tuple[np.ndarray, np.ndarray]:
    """libsvm's weights laid out by pair of classes: of two classes, and of numbers, there is one pair.

    `dual_coef_[k]` holds of each vector its weight against the k-th of the other classes (LIBSVM's FAQ, Chang and Lin).
    """
    dual, shift = machine.dual_coef_, machine.intercept_
    if width <= 2:
        return np.asarray(dual), np.asarray(shift)  # positive for the second class
    ends = np.cumsum(machine.n_support_)
    spans = [slice(end - count, end) for end, count in zip(ends, machine.n_support_, strict=True)]
    weights = np.zeros((width * (width - 1) // 2, dual.shape[1]))
    place = 0
    for first in range(width):
        for second in range(first + 1, width):
            weights[place, spans[first]] = dual[second - 1, spans[first]]
            weights[place, spans[second]] = dual[first, spans[second]]
            place += 1
    return weights, np.asarray(shift)


def _with_meaning(
    machine: Machine, matrix: np.ndarray, examples: Examples, held: np.ndarray, limits: Limits
) -> Machine:
    """With what distances mean, learnt on rows that it was not fitted on (Platt, 1999, for several classes at once)."""
    answers = machine.answers
    if answers.n_classes is None or not len(machine.vectors):
        return machine
    known = held[answers.knows(examples.targets[held])]
    distances = machine.distances(matrix[known])
    return replace(machine, meaning=_meaning(distances, examples, known, answers, limits))


def _meaning(
    distances: np.ndarray, examples: Examples, rows: np.ndarray, answers: Answers, limits: Limits
) -> np.ndarray:
    counts = examples.weights_of(rows)
    free = Limits(threads=limits.threads)
    sums = WeightedSums(distances, answers.encode(examples.targets[rows]), answers, free, counts)
    return sums.weights(max(0.1, CALIBRATING * len(rows)))
