"""Weighted sums of columns, penalised: ridge and logistic regression of one matrix at one strength after the other.

Needs that this module answers:

* Dense matrices of a few hundred columns and sparse ones of a few hundred thousand are fitted alike.
* Strengths are tried from strong to weak, each fit starting where the last ended (Friedman, Hastie, Tibshirani, 2010),
  until the loss on rows held out no longer falls.
* The clock may end it at any step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.answers import Answers, choices
from deepenough.kinds.descent import descended
from deepenough.kinds.row_sums import RowSums
from deepenough.learner import Examples, Limits

STRENGTHS = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.01, 0.001)
"""From strong to weak."""
STEPS = 200
USUAL_STEPS = 40
"""That a descent over sparse columns takes, until its tolerance ends it."""
MOST_CHOOSING = 3_000
"""Sparse rows that a strength is chosen on: it is one against the summed loss, and hardly differs for more rows."""


@dataclass(frozen=True)
class Reached:
    """Where a fit ended, for another fit of the same columns to start from.

    weights: float64, shape (columns + 1, outputs), the last row the intercept.
    rows: which of the examples were fitted on, ascending. shares: of these in the weights, shape (n, outputs); None for
    dense columns, where nobody asks.
    """

    weights: np.ndarray
    rows: np.ndarray
    shares: np.ndarray | None


class WeightedSums:
    """Fits of one matrix at one strength after the other, each starting from the last.

    Of two classes there is one output.
    matrix: float32, shape (n, columns), dense or a sparse one of scipy's.
    counts: what each row counts, shape (n, 1), float32; their mean is one.
    tolerance: the share of the loss by which a step must lower it, or it is the last.
    rows: which of the examples these are, ascending; for whoever starts from another fit.
    """

    def __init__(
        self,
        matrix: Any,
        encoded: np.ndarray,
        answers: Answers,
        limits: Limits,
        counts: np.ndarray | None = None,
        tolerance: float = 1e-6,
        rows: np.ndarray | None = None,
    ) -> None:
        self.tolerance = tolerance
        self.matrix, self.encoded, self.answers, self.limits = matrix, encoded, answers, limits
        self.counts = np.ones((len(encoded), 1), np.float32)
        if counts is not None:
            self.counts = (counts / counts.mean()).astype(np.float32)[:, None]
        self.planned = 1.0
        outputs = 1 if answers.width <= 2 else answers.width
        self._spectrum: tuple[np.ndarray, np.ndarray] | None = None
        self._sums = None if isinstance(matrix, np.ndarray) else RowSums(matrix, outputs)
        shares = None if self._sums is None else np.zeros((len(encoded), outputs))
        own = np.arange(len(encoded)) if rows is None else rows
        self.last = Reached(np.zeros((matrix.shape[1] + 1, outputs)), own, shares)

    def start_from(self, last: Reached | None) -> None:
        """Begin where another fit ended, if it was of as many outputs."""
        if last is None or last.weights.shape != self.last.weights.shape:
            return
        shares = None
        if last.shares is not None:
            shares = np.zeros((len(self.encoded), last.shares.shape[1]))
            shares[np.isin(self.last.rows, last.rows)] = last.shares[np.isin(last.rows, self.last.rows)]
        self.last = Reached(last.weights, self.last.rows, shares)

    def weights(self, strength: float) -> np.ndarray:
        """The best weights for a strength."""
        if self._sums is not None:
            self.last = self._descended_by_rows(self._sums, strength)
        else:
            weights = self._ridge(strength) if self.answers.n_classes is None else self._descended(strength)
            self.last = Reached(weights, self.last.rows, None)
        return self.last.weights

    def loss(self, strength: float, matrix: Any, encoded: np.ndarray, counts: np.ndarray | None) -> float:
        """The loss on other rows."""
        return self.answers.loss(raw(matrix, self.weights(strength), self.answers), encoded, counts)

    def _ridge(self, strength: float) -> np.ndarray:
        """By the eigenvectors of the columns' products, or of the rows' where these are fewer."""
        root = np.sqrt(self.counts)  # rows are stretched by it, so that their squared errors count as they should
        centre = np.mean(self.matrix * self.counts, axis=0, dtype=np.float64)
        middle = np.mean(self.encoded * self.counts[:, 0])
        centred = (self.matrix - centre.astype(np.float32)) * root
        wanted = (self.encoded - middle) * root[:, 0]
        by_columns = centred.shape[1] <= len(centred)
        if self._spectrum is None:
            product = centred.T @ centred if by_columns else centred @ centred.T
            self._spectrum = np.linalg.eigh(product.astype(np.float64))
        values, vectors = self._spectrum
        right = centred.T @ wanted if by_columns else wanted
        solved = vectors @ ((vectors.T @ right) / (np.maximum(values, 0.0) + strength))
        slopes = solved if by_columns else centred.T @ solved
        return np.append(slopes, middle - centre @ slopes)[:, None]

    def _descended(self, strength: float) -> np.ndarray:
        """By L-BFGS (Liu, Nocedal, 1989)."""
        from scipy.optimize import minimize

        penalty = strength / len(self.encoded)
        start = self.last.weights
        steps = 0

        def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            weights = flat.reshape(start.shape)
            value, error = self._error(_scores(self.matrix, weights))
            gradient = np.concatenate([self.matrix.T @ error, error.sum(axis=0, keepdims=True)])
            gradient[:-1] += penalty * weights[:-1]
            return value + 0.5 * penalty * float(np.sum(weights[:-1] ** 2)), gradient.astype(flat.dtype).ravel()

        def watch(_: np.ndarray) -> None:
            nonlocal steps
            steps += 1
            if self.limits.seconds_left() <= 0:
                self.planned = min(self.planned, steps / STEPS)
                raise StopIteration

        options = {"maxiter": STEPS, "ftol": self.tolerance, "gtol": 1e-6}
        found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", callback=watch, options=options)
        return np.asarray(found.x.reshape(start.shape))

    def _descended_by_rows(self, sums: RowSums, strength: float) -> Reached:
        """By L-BFGS over the rows' shares in the weights. A point is these, each row's scores, and the intercept; so is
        a slope, which is a sum of rows too."""
        n, penalty = len(self.encoded), strength / len(self.encoded)
        steps = 0

        def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
            shares, scores = point[:n], point[n:-1]
            value, error = self._error(scores + point[-1])
            slope = error + penalty * shares
            value += 0.5 * penalty * float(np.sum(shares * scores))
            return value, np.concatenate([slope, sums.scores(slope), error.sum(axis=0, keepdims=True)])

        def product(one: np.ndarray, other: np.ndarray) -> float:
            return float(np.sum(one[:n] * other[n:-1]) + one[-1] @ other[-1])

        def watch() -> bool:
            nonlocal steps
            steps += 1
            if self.limits.seconds_left() > 0:
                return True
            self.planned = min(self.planned, steps / USUAL_STEPS, 0.9)
            return False

        shares = np.asarray(self.last.shares)
        start = np.concatenate([shares, sums.scores(shares), self.last.weights[-1:]])
        found = descended(loss, start, STEPS, self.tolerance, watch, product)
        weights = np.concatenate([sums.weights(found[:n]), found[-1:]])  # float64, as the intercept is
        return Reached(weights, self.last.rows, found[:n])

    def _error(self, scores: np.ndarray) -> tuple[float, np.ndarray]:
        """The mean loss of scores without the penalty, and its derivatives, both of shape (n, outputs)."""
        counts = self.counts / np.float32(len(scores))
        if self.answers.n_classes is None:
            error = (scores - self.encoded[:, None]).astype(scores.dtype)
            return 0.5 * float(np.sum(error**2 * counts, dtype=np.float64)), error * counts
        chances = _chances(scores, self.answers)
        rows = np.arange(len(scores))
        logs = np.log(np.maximum(chances[rows, self.encoded], 1e-30))
        chances[rows, self.encoded] -= 1.0
        loss = -float(np.mean(logs * self.counts[:, 0], dtype=np.float64))
        return loss, chances[:, -scores.shape[1] :] * counts  # of two classes, the second


def raw(matrix: Any, weights: np.ndarray, answers: Answers) -> np.ndarray:
    """Standardised numbers, shape (n,), or probabilities of the present classes, shape (n, width)."""
    scores = _scores(matrix, weights)
    return np.asarray(scores[:, 0]) if answers.n_classes is None else _chances(scores, answers)


def _scores(matrix: Any, weights: np.ndarray) -> np.ndarray:
    weights = weights.astype(matrix.dtype, copy=False)
    return np.asarray(matrix @ weights[:-1] + weights[-1])


def _chances(scores: np.ndarray, answers: Answers) -> np.ndarray:
    """Probabilities of the present classes, shape (n, width); of two there is the second one's score alone."""
    if answers.width == 2:
        scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


def strength(
    matrix: Any,
    examples: Examples,
    limits: Limits,
    seed: int = 0,
    strengths: Sequence[float] = STRENGTHS,
    tolerance: float = 1e-6,
    pairs: int = 5,
    begin: int = 0,
) -> float:
    """The strength with the lowest mean loss on rows held out; 1 where there is nothing to choose on.

    matrix: of all rows of the examples, learnt without a look at their targets. pairs: of rows to fit on and rows to
    choose on, how many at most. begin: which strength is tried first, then weaker ones as long as the loss falls; where
    it never does, stronger ones. At most half of the time is spent.
    """
    return chosen(matrix, examples, limits, seed, strengths, tolerance, pairs, begin)[0]


def chosen(
    matrix: Any,
    examples: Examples,
    limits: Limits,
    seed: int = 0,
    strengths: Sequence[float] = STRENGTHS,
    tolerance: float = 1e-6,
    pairs: int = 5,
    begin: int = 0,
) -> tuple[float, Reached | None]:
    """As `strength`, and where a fit with it ended, to start from; None where there are none.

    None too where they saw inner rows: a descent that ends early would remember these, and they could not calibrate.
    """
    most = len(examples) if isinstance(matrix, np.ndarray) else MOST_CHOOSING
    folds = [(_some(rows, most), _some(held, most)) for rows, held in choices(examples, seed)[:pairs]]
    if not folds:
        return 1.0, None
    unseen = not np.isin(examples.inner, folds[0][0]).any()
    half = limits if limits.seconds is None else Limits(limits.seconds_left() / 2, limits.threads)
    fits = []
    for rows, held in folds:
        answers = Answers.of(examples.targets[rows], examples.n_classes, examples.weights_of(rows))
        held = held[answers.knows(examples.targets[held])]
        encoded, counts = answers.encode(examples.targets[rows]), examples.weights_of(rows)
        sums = WeightedSums(matrix[rows], encoded, answers, half, counts, tolerance, rows)
        fits.append((sums, (matrix[held], answers.encode(examples.targets[held]), examples.weights_of(held))))
    best, best_loss, reached = strengths[begin], np.inf, None
    for way in (strengths[begin:], strengths[:begin][::-1]):
        for each in way:
            loss = float(np.mean([sums.loss(each, *held) for sums, held in fits]))
            if loss >= best_loss:
                break
            best, best_loss, reached = each, loss, fits[0][0].last if unseen else None
            if half.seconds_left() <= 0:
                return best, reached
        if best != strengths[begin]:
            break
    return best, reached


def _some(rows: np.ndarray, most: int) -> np.ndarray:
    """So many of the rows at most, always the same ones."""
    return rows if len(rows) <= most else np.sort(np.random.default_rng(0).permutation(rows)[:most])


def reach_of(examples: Examples) -> tuple[float, float]:
    """Numbers further than half the training range outside it are not believed."""
    if examples.n_classes is not None:
        return 0.0, 1.0
    low, high = float(examples.targets.min()), float(examples.targets.max())
    return low - (high - low) / 2, high + (high - low) / 2
