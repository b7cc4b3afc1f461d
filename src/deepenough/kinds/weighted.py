"""Weighted sums of columns, penalised: ridge and logistic regression of one matrix at one strength after the other.

Needs that this module answers:

* Dense matrices of a few hundred columns and sparse ones of a few hundred thousand are fitted alike.
* Strengths are tried from strong to weak, each fit starting where the last ended (Friedman, Hastie, Tibshirani, 2010),
  until the loss on rows held out no longer falls.
* The clock may end it at any step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deepenough.kinds.answers import Answers, choices
from deepenough.kinds.descent import descended
from deepenough.learner import Examples, Limits

STRENGTHS = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.01, 0.001)
"""From strong to weak."""
STEPS = 200
USUAL_STEPS = 40
"""That a descent over sparse columns takes, until its tolerance ends it."""
MOST_CHOOSING = 3_000
"""Sparse rows that a strength is chosen on: it is one against the summed loss, and hardly differs for more rows."""


class WeightedSums:
    """Fits of one matrix at one strength after the other, each starting from the last.

    Weights are float64, shape (columns + 1, outputs), the last row the intercept. Of two classes there is one output.
    matrix: float32, shape (n, columns), dense or a sparse one of scipy's.
    counts: what each row counts, shape (n, 1), float32; their mean is one.
    tolerance: the share of the loss by which a step must lower it, or it is the last.
    """

    def __init__(
        self,
        matrix: Any,
        encoded: np.ndarray,
        answers: Answers,
        limits: Limits,
        counts: np.ndarray | None = None,
        tolerance: float = 1e-6,
    ) -> None:
        self.tolerance = tolerance
        self.matrix, self.encoded, self.answers, self.limits = matrix, encoded, answers, limits
        self.counts = np.ones((len(encoded), 1), np.float32)
        if counts is not None:
            self.counts = (counts / counts.mean()).astype(np.float32)[:, None]
        self.planned = 1.0
        outputs = 1 if answers.width <= 2 else answers.width
        self.last = np.zeros((matrix.shape[1] + 1, outputs))
        self._spectrum: tuple[np.ndarray, np.ndarray] | None = None
        self._across = matrix.T if isinstance(matrix, np.ndarray) else matrix.T.tocsr()  # twice as quick as it is

    def start_from(self, weights: np.ndarray | None) -> None:
        """Begin at these weights, if they are of as many columns and outputs."""
        if weights is not None and weights.shape == self.last.shape:
            self.last = weights

    def weights(self, strength: float) -> np.ndarray:
        """The best weights for a strength."""
        if self.answers.n_classes is None and isinstance(self.matrix, np.ndarray):
            self.last = self._ridge(strength)
        else:
            self.last = self._descended(strength)
        return self.last

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
        """By L-BFGS (Liu, Nocedal, 1989); of sparse columns, which are many, by one of our own."""
        from scipy.optimize import minimize

        loss = self._logistic_loss if self.answers.n_classes is not None else self._squared_loss
        penalty = strength / len(self.encoded)
        if not isinstance(self.matrix, np.ndarray):
            return self._descended_far(lambda flat: loss(flat, penalty))
        steps = 0

        def watch(_: np.ndarray) -> None:
            nonlocal steps
            steps += 1
            if self.limits.seconds_left() <= 0:
                self.planned = min(self.planned, steps / STEPS)
                raise StopIteration

        found = minimize(
            loss,
            self.last.ravel(),
            args=(penalty,),
            jac=True,
            method="L-BFGS-B",
            callback=watch,
            options={"maxiter": STEPS, "ftol": self.tolerance, "gtol": 1e-6},
        )
        return np.asarray(found.x.reshape(self.last.shape))

    def _descended_far(self, loss: Callable[[np.ndarray], tuple[float, np.ndarray]]) -> np.ndarray:
        steps = 0

        def watch() -> bool:
            nonlocal steps
            steps += 1
            if self.limits.seconds_left() > 0:
                return True
            self.planned = min(self.planned, steps / USUAL_STEPS, 0.9)
            return False

        found = descended(loss, self.last.ravel().astype(np.float32), STEPS, self.tolerance, watch)
        return found.reshape(self.last.shape).astype(np.float64)

    def _squared_loss(self, flat: np.ndarray, penalty: float) -> tuple[float, np.ndarray]:
        weights = flat.reshape(self.last.shape)
        error = (raw(self.matrix, weights, self.answers) - self.encoded).astype(np.float32)[:, None]
        counted = error * (self.counts / np.float32(len(error)))
        gradient = np.concatenate([self._across @ counted, counted.sum(axis=0, keepdims=True)])
        gradient[:-1] += penalty * weights[:-1]
        loss = 0.5 * np.sum(error * counted, dtype=np.float64) + 0.5 * penalty * np.sum(weights[:-1] ** 2)
        return float(loss), gradient.astype(flat.dtype).ravel()

    def _logistic_loss(self, flat: np.ndarray, penalty: float) -> tuple[float, np.ndarray]:
        weights = flat.reshape(self.last.shape)
        probabilities = raw(self.matrix, weights, self.answers)
        rows = np.arange(len(self.encoded))
        logs = np.log(np.maximum(probabilities[rows, self.encoded], 1e-30))
        loss = -np.mean(logs * self.counts[:, 0], dtype=np.float64)
        probabilities[rows, self.encoded] -= 1.0
        error = probabilities[:, -weights.shape[1] :] * (self.counts / np.float32(len(rows)))  # of two, the second
        gradient = np.concatenate([self._across @ error, error.sum(axis=0, keepdims=True)])
        gradient[:-1] += penalty * weights[:-1]
        return float(loss + 0.5 * penalty * np.sum(weights[:-1] ** 2)), gradient.astype(flat.dtype).ravel()


def raw(matrix: Any, weights: np.ndarray, answers: Answers) -> np.ndarray:
    """Standardised numbers, shape (n,), or probabilities of the present classes, shape (n, width)."""
    weights = weights.astype(matrix.dtype)
    scores = matrix @ weights[:-1] + weights[-1]
    if answers.n_classes is None:
        return np.asarray(scores[:, 0])
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
) -> tuple[float, np.ndarray | None]:
    """As `strength`, and weights that were fitted with it, to start from; None where there are none.

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
        sums = WeightedSums(matrix[rows], encoded, answers, half, counts, tolerance)
        fits.append((sums, (matrix[held], answers.encode(examples.targets[held]), examples.weights_of(held))))
    best, best_loss, weights = strengths[begin], np.inf, None
    for way in (strengths[begin:], strengths[:begin][::-1]):
        for each in way:
            loss = float(np.mean([sums.loss(each, *held) for sums, held in fits]))
            if loss >= best_loss:
                break
            best, best_loss, weights = each, loss, fits[0][0].last if unseen else None
            if half.seconds_left() <= 0:
                return best, weights
        if best != strengths[begin]:
            break
    return best, weights


def _some(rows: np.ndarray, most: int) -> np.ndarray:
    """So many of the rows at most, always the same ones."""
    return rows if len(rows) <= most else np.sort(np.random.default_rng(0).permutation(rows)[:most])


def reach_of(examples: Examples) -> tuple[float, float]:
    """Numbers further than half the training range outside it are not believed."""
    if examples.n_classes is not None:
        return 0.0, 1.0
    low, high = float(examples.targets.min()), float(examples.targets.max())
    return low - (high - low) / 2, high + (high - low) / 2
