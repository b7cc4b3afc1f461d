"""What a classical learner of tables fits on and answers with: targets made ready, answers made whole.

Needs that this module answers:

* A class that no training row has still has its column, with a probability that a log loss can bear.
* Numbers of any size are standardised on the way in and given back in their own unit.
* Choices are made on rows that were not fitted on, also when there are very few rows, or none to spare.
* What was learnt with the inner rows held out is fitted again with them, where that is worth its time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np

from deepenough.learner import Examples, Limits, Model
from deepenough.task.scales import is_whole_and_not_negative

M = TypeVar("M", bound=Model)

LEAST_PROBABILITY = 1e-7
FEW_ROWS = 3_000
"""Up to so many rows choices are cross-validated: the inner rows alone would leave them to chance."""
CHOICE_FOLDS = 5
REFIT_ROWS = 20_000
"""Up to so many rows a model is fitted again with the inner rows; beyond, they would hardly change it."""
SECOND_FIT = 1.1
"""So many times the first fit's seconds must be left for the second, in rows of equal number; one that is cut all the
same is not used."""


@dataclass(frozen=True)
class Answers:
    """How targets become what is fitted, and how what is predicted becomes the answer.

    n_classes: None where a number is predicted.
    present: codes of the classes that training rows have, sorted; empty for numbers.
    unseen: probability given to each class that no training row has.
    centre, scale: of the numbers.
    least: no number is predicted below it; 0 for whole numbers that never were negative, else None.
    """

    n_classes: int | None
    present: tuple[int, ...] = ()
    unseen: float = 0.0
    centre: float = 0.0
    scale: float = 1.0
    least: float | None = None

    @classmethod
    def of(cls, targets: np.ndarray, n_classes: int | None, weights: np.ndarray | None = None) -> Self:
        """Learn from the targets of the rows that are fitted on. weights: what each row counts."""
        if n_classes is None:
            centre = float(np.average(targets, weights=weights))
            scale = float(np.sqrt(np.average((targets - centre) ** 2, weights=weights)))
            least = 0.0 if is_whole_and_not_negative(targets) else None
            return cls(None, centre=centre, scale=scale if scale > 0 else 1.0, least=least)
        present = tuple(int(code) for code in np.unique(targets))
        return cls(n_classes, present, 0.5 / (len(targets) + n_classes / 2))

    @property
    def width(self) -> int:
        """How many values a learner predicts for a row: the classes that are present, or one number."""
        return len(self.present) if self.n_classes is not None else 1

    def knows(self, targets: np.ndarray) -> np.ndarray:
        """Which of the targets can be encoded: numbers, and classes that are present."""
        if self.n_classes is None:
            return np.ones(len(targets), dtype=bool)
        return np.isin(targets, self.present)

    def encode(self, targets: np.ndarray) -> np.ndarray:
        """Places among the present classes, int64; or standardised numbers, float64."""
        if self.n_classes is None:
            return np.asarray((targets - self.centre) / self.scale, dtype=np.float64)
        return np.searchsorted(self.present, targets).astype(np.int64)

    def average(self, encoded: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """The raw answer that looks at no input, shape (1, width): how often each present class is, or the mean."""
        if self.n_classes is None:
            return np.asarray(np.average(encoded, weights=weights)).reshape(1, 1)
        counts = np.bincount(encoded, weights, minlength=self.width)
        return np.asarray(counts / counts.sum())[None]

    def decode(self, raw: np.ndarray) -> np.ndarray:
        """Probabilities of all classes, shape (n, n_classes), from those of the present; or numbers in their unit."""
        if self.n_classes is None:
            numbers = np.asarray(raw, dtype=np.float64).reshape(len(raw)) * self.scale + self.centre
            return numbers if self.least is None else np.maximum(numbers, self.least)
        whole = np.full((len(raw), self.n_classes), self.unseen)
        whole[:, self.present] = np.maximum(np.asarray(raw, dtype=np.float64), LEAST_PROBABILITY)
        return np.asarray(whole / whole.sum(axis=1, keepdims=True))

    def loss(self, raw: np.ndarray, encoded: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Log loss or mean squared error of encoded targets; what choices are made by."""
        if self.n_classes is None:
            return float(np.average((np.asarray(raw).reshape(-1) - encoded) ** 2, weights=weights))
        chosen = np.asarray(raw)[np.arange(len(encoded)), encoded]
        return float(-np.average(np.log(np.maximum(chosen, LEAST_PROBABILITY)), weights=weights))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "n_classes": self.n_classes,
            "present": list(self.present),
            "unseen": self.unseen,
            "centre": self.centre,
            "scale": self.scale,
            "least": self.least,
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Itself again."""
        return cls(**{**facts, "present": tuple(facts["present"])})


def outer_rows(examples: Examples) -> np.ndarray:
    """Rows to fit on while choosing: those that are not inner, or all where none would be left."""
    outer = examples.outer
    return outer if len(outer) else np.arange(len(examples))


def choices(examples: Examples, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs (rows to fit on, rows to choose on): folds of all rows where rows are few, else the outer and the inner.

    Empty where there is nothing to choose on.
    """
    n = len(examples)
    if n > FEW_ROWS:
        return [(outer_rows(examples), examples.inner)] if len(examples.inner) else []
    if n < 2 * CHOICE_FOLDS:
        return []
    return folds(examples, CHOICE_FOLDS, seed)


def folds(examples: Examples, count: int, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """All rows in folds; each class (or each range of numbers) is spread over them."""
    order = np.random.default_rng(seed).permutation(len(examples))
    order = order[np.argsort(examples.targets[order], kind="stable")]
    fold = np.empty(len(order), dtype=np.int64)
    fold[order] = np.arange(len(order)) % count
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(count)]


def are_fitted_twice(examples: Examples) -> bool:
    """Whether a second fit, with the inner rows, is worth its time."""
    return 0 < len(examples.inner) < len(examples) <= REFIT_ROWS


def fit_twice(
    examples: Examples,
    limits: Limits,
    fit: Callable[[np.ndarray, M | None], M],
    predict: Callable[[M, np.ndarray], np.ndarray] | None = None,
    again: Callable[[], float] | None = None,
) -> M:
    """The model fitted on all rows, with the inner rows' predictions by the one fitted on the others.

    `fit` gets the rows to fit on, and the first model when it is called again, to repeat what that chose. `predict`
    answers rows of the examples, where that is quicker than from their inputs. `again` says, after the first call, how
    many seconds another with as many rows takes; by default as many. Where there are many rows, no inner ones, or no
    time for a second fit, the answer is the first model.
    """
    started = time.monotonic()
    first = fit(outer_rows(examples), None)
    spent = time.monotonic() - started
    if not are_fitted_twice(examples) or first.planned < 1:
        return first
    seconds = spent if again is None else again()
    if limits.seconds_left() < SECOND_FIT * seconds * len(examples) / len(examples.outer):
        return first
    second = fit(np.arange(len(examples)), first)
    if second.planned < 1:
        return first
    inner = examples.inner
    second.inner_predictions = first.predict(examples.inputs.take(inner)) if predict is None else predict(first, inner)
    return second
