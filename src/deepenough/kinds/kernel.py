"""A support vector machine on rows of features, with calibrated answers: what kinds share that describe their units.

Needs that this module answers:

* scikit-learn fits it; what is learnt is plain arrays, and answering takes numpy alone.
* Time grows with the square of the rows: under a clock it is fitted on more and more rows, as there is time for.
* Its answers are distances from borders; what these mean as probabilities is learnt on rows that it didn't see.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.answers import REFIT_ROWS, SECOND_FIT, Answers, outer_rows
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Limits

FIRST_ROWS = 500
"""Rows of the first fit under a clock; each next one has twice as many."""
GROWTH = 2.3
"""The exponent by which seconds are taken to grow with rows."""
OFFSETS_ROWS = 5.0
"""Strength of the pull of classes' offsets towards none, about the say of so many rows."""
UNSEEN_WRONG = 0.5
"""Held rows that are taken to lie on the wrong side beside those that do; `benchmarks/README.md` says its worth."""
ROWS_AT_ONCE = 1_024
HELD_SHARE = 0.2
"""Of the rows, held out to calibrate where none are inner."""


@dataclass(frozen=True)
class Machine:
    """What was learnt.

    centre, scale: of the features. vectors: standardised rows that support, float32, shape (s, columns). weights: of
    them for each pair of classes, float64, shape (pairs, s), or (1, s); shift: shape (pairs,). gamma: width of the
    kernel. slope, offsets: what leads mean as logarithms of chances, a number and shape (width,); of numbers unused.
    average: what is answered where nothing could be learnt.
    """

    answers: Answers
    centre: np.ndarray
    scale: np.ndarray
    vectors: np.ndarray
    weights: np.ndarray
    shift: np.ndarray
    gamma: float
    average: np.ndarray
    slope: float = 1.0
    offsets: np.ndarray = field(default_factory=lambda: np.zeros(1))
    planned: float = 1.0

    def __call__(self, matrix: np.ndarray) -> np.ndarray:
        """The answers of rows of features, as a model gives them."""
        if not len(self.vectors):
            return self.answers.decode(np.repeat(self.average, len(matrix), axis=0))
        found = [self._pairs(matrix[start : start + ROWS_AT_ONCE]) for start in range(0, len(matrix), ROWS_AT_ONCE)]
        pairs = np.concatenate(found) if found else np.zeros((0, len(self.shift)))
        if self.answers.n_classes is None:
            return self.answers.decode(pairs[:, 0])
        return self.answers.decode(softmax(self.slope * leads(pairs, self.answers.width) + self.offsets))

    def _pairs(self, matrix: np.ndarray) -> np.ndarray:
        rows = ((matrix - self.centre) / self.scale).astype(np.float64)
        vectors = self.vectors.astype(np.float64)
        squares = (rows**2).sum(axis=1)[:, None] + (vectors**2).sum(axis=1) - 2 * rows @ vectors.T
        return np.asarray(np.exp(-self.gamma * np.maximum(squares, 0)) @ self.weights.T + self.shift)

    def save(self, folder: Path) -> None:
        """As arrays, and JSON."""
        facts = {"answers": self.answers.to_json(), "gamma": self.gamma, "slope": self.slope}
        names = ("centre", "scale", "vectors", "weights", "shift", "average", "offsets")
        write(folder, "machine", facts, {name: getattr(self, name) for name in names})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again."""
        facts, arrays = read(folder, "machine")
        known: dict[str, Any] = {**facts, **arrays, "answers": Answers.from_json(facts["answers"])}
        return cls(**known)


def leads(pairs: np.ndarray, width: int) -> np.ndarray:
    """By how much each class leads in its duels, in all: float64, shape (n, width).

    pairs: distances from the border of each pair of classes, of the first over the second, shape (n, pairs); of two
    classes of the second over the first. A lead of more than a margin's width counts as that.
    """
    cut = np.clip(pairs, -1.0, 1.0)
    if width == 2:
        return np.concatenate([-cut, cut], axis=1)
    total, place = np.zeros((len(pairs), width)), 0
    for first in range(width):
        for second in range(first + 1, width):
            total[:, first] += cut[:, place]
            total[:, second] -= cut[:, place]
            place += 1
    return total


def softmax(scores: np.ndarray) -> np.ndarray:
    """Chances of classes, rows summing to 1."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True)) if len(scores) else scores
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit(
    matrix: np.ndarray, examples: Examples, limits: Limits, seed: int, penalty: float, width: float
) -> tuple[Machine, np.ndarray | None]:
    """Fit on the rows that are not inner, say on the inner ones what leads mean, and fit again with them.

    matrix: of all examples. penalty: on what lies on the wrong side (C). width: of the kernel, as a factor of
    scikit-learn's `scale`. Returns the inner rows' answers too, by the first fit and by a meaning that was learnt on
    the other half of them; None where there are none.
    """
    started = time.monotonic()
    rows, held = outer_rows(examples), examples.inner
    order = np.random.default_rng(seed).permutation(rows)
    if not len(held) or len(held) == len(examples):
        cut = max(1, round(HELD_SHARE * len(order)))
        order, held = order[cut:], np.sort(order[:cut])
    bare = _largest(matrix, examples, order, limits, penalty, width)
    machine = _with_meaning(bare, matrix, examples, held)
    inner = _crossed(bare, matrix, examples) if held is examples.inner else None
    spent = time.monotonic() - started
    whole = len(examples)
    if machine.planned < 1 or whole > REFIT_ROWS or not len(machine.vectors):
        return machine, inner
    if limits.seconds_left() < SECOND_FIT * spent * (whole / len(order)) ** GROWTH:
        return machine, inner
    again = _fitted(matrix, examples, np.random.default_rng(seed).permutation(whole), penalty, width, 1.0)
    if again.answers.present != machine.answers.present:  # a class that only inner rows have: nobody knows its leads
        return machine, inner
    return replace(again, slope=machine.slope, offsets=machine.offsets), inner


def _crossed(machine: Machine, matrix: np.ndarray, examples: Examples) -> np.ndarray:
    """Answers of the inner rows, each by what leads mean on the other half of them."""
    halves = [np.arange(start, len(examples.inner), 2) for start in (0, 1)]
    parts = [
        _with_meaning(machine, matrix, examples, examples.inner[other])(matrix[examples.inner[own]])
        for own, other in (halves, halves[::-1])
    ]
    answers = np.empty((len(examples.inner), *parts[0].shape[1:]))
    for own, part in zip(halves, parts, strict=True):
        answers[own] = part
    return answers


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
        return Machine(answers, centre, scale, nothing, np.zeros((1, 0)), np.zeros(1), gamma, average, planned=planned)
    own = {"C": penalty, "gamma": gamma, "cache_size": 500}
    machine = SVR(epsilon=0.1, **own) if answers.n_classes is None else SVC(**own)
    machine.fit(standard, targets, sample_weight=counts)
    weights, shift = _by_pair(machine, answers.width if answers.n_classes is not None else 1)
    return Machine(answers, centre, scale, machine.support_vectors_, weights, shift, gamma, average, planned=planned)


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


def _with_meaning(machine: Machine, matrix: np.ndarray, examples: Examples, held: np.ndarray) -> Machine:
    """With what leads mean, learnt on rows that it was not fitted on (Platt, 1999): a slope, an offset a class.

    As if half a row more were of another class than it is (Krichevsky and Trofimov, 1981): few rows that all lie on
    the right side must not make every answer certain.
    """
    from scipy.optimize import minimize

    answers = machine.answers
    known = held[answers.knows(examples.targets[held])] if answers.n_classes is not None else held[:0]
    if not len(known) or not len(machine.vectors):
        return replace(machine, offsets=np.zeros(max(1, answers.width)))
    told, goals = leads(machine._pairs(matrix[known]), answers.width), answers.encode(examples.targets[known])
    counts = examples.weights_of(known)
    shares = np.full(len(known), 1 / len(known)) if counts is None else counts / counts.sum()
    wrong = UNSEEN_WRONG / (len(known) + 2 * UNSEEN_WRONG)
    right = np.where(np.eye(answers.width)[goals], 1 - wrong, wrong / (answers.width - 1))
    pull = OFFSETS_ROWS / len(known)

    def loss(given: np.ndarray) -> tuple[float, np.ndarray]:
        slope, offsets = given[0], given[1:]
        chances = softmax(slope * told + offsets)
        off = shares[:, None] * (chances - right)
        value = -float(shares @ (right * np.log(np.maximum(chances, 1e-12))).sum(axis=1))
        slopes = np.concatenate([[(off * told).sum()], off.sum(axis=0) + pull * offsets])
        return value + 0.5 * pull * float(offsets @ offsets), slopes

    start = np.concatenate([[1.0], np.zeros(answers.width)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(1e-3, 50.0)] + [(-10, 10)] * answers.width)
    return replace(machine, slope=float(found.x[0]), offsets=found.x[1:])
