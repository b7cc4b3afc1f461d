"""One number that makes answers honest about themselves, fitted on rows that the model had not trained on: the
temperature of probabilities, the spread of quantiles.

Needs that the design answers:

* Both families are judged calibrated: nets are over-confident by habit, boosted trees by another, and an uncalibrated
  log loss would name the wrong family.
* A few rows must not do harm: with ten inner rows that all happen to be right, the likelihood alone would make every
  prediction certain. A prior holds the temperature near 1 until the rows say otherwise.
* It costs next to nothing and always ends: the problem is convex in the inverse temperature.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepenough.errors import ModelError
from deepenough.graph import Graph, Value
from deepenough.judge.quantiles import pinball

FLOOR = 1e-12
"""Smallest probability that is told from zero; the logarithm needs one."""
COLDEST, HOTTEST = 0.25, 8.0
"""Bounds of a fitted temperature."""
NARROWEST, WIDEST = 0.2, 5.0
"""Bounds of a fitted spread."""
PRIOR_ROWS = 24.0
"""Strength of the pull of a temperature towards 1, about the say of so many rows. `benchmarks/calibration_prior.py`: at
100 to 500 rows of real mails and tables 24 is mostly better than 8, by up to .006 of log loss; a net that is far too
certain loses up to .011 by it."""
PRIOR_PATHS = 0.8
"""The same of a spread, in units of a path's pinball loss."""


def apply(answers: np.ndarray, calibration: float) -> np.ndarray:
    """Calibrated answers: probabilities, shape (n, n_classes), at that temperature; quantiles of paths, shape
    (n, steps, levels), with that spread; numbers, shape (n,), as they are; and so lists, whose calibration is 1."""
    if answers.ndim == 2:
        return apply_temperature(answers, calibration)
    return apply_spread(answers, calibration) if answers.ndim == 3 and calibration != 1 else answers


def drawn(graph: Graph, answers: Value, calibration: float, axes: int) -> Value:
    """The same as `apply`, in a graph. axes: of one answer: 0 of a number, 1 of probabilities."""
    if axes == 0:
        return answers
    if axes > 1:
        raise ModelError("Forecasts can't be exported as ONNX: their quantiles are made of a history.")
    logs = graph.put("Log", graph.put("Max", answers, graph.constant(FLOOR, np.float64)))
    return graph.put("Softmax", graph.put("Div", logs, graph.constant(calibration, np.float64)), axis=1)


def apply_spread(quantiles: np.ndarray, spread: float) -> np.ndarray:
    """Quantiles, shape (..., levels), so many times as far from their median, which is the middle one."""
    middle = quantiles[..., quantiles.shape[-1] // 2, None]
    return np.asarray(middle + spread * (quantiles - middle))


def fit_spread(quantiles: np.ndarray, paths: np.ndarray, levels: Sequence[float]) -> float:
    """The spread with the lowest pinball loss (Koenker and Bassett, 1978) on these paths, pulled towards 1 where they
    are few.

    quantiles: shape (n, steps, levels), by a model that had not trained on these paths.
    paths: what came, shape (n, steps), NaN where it is not known.

    Each path counts in units of the width that its quantiles have, so that large numbers have no more say than small
    ones. The loss is convex in the spread; it is searched by golden sections.
    """
    quantiles = np.asarray(quantiles, dtype=np.float64)
    known = np.isfinite(paths).any(axis=1) & np.isfinite(quantiles).all(axis=(1, 2))
    if not known.any():
        return 1.0
    quantiles, paths = quantiles[known], paths[known]
    width = (quantiles[:, :, -1] - quantiles[:, :, 0]).mean(axis=1)
    unit = np.where(width > 0, width, 1.0)  # without a width the loss is the same for every spread

    def loss(spread: float) -> float:
        pulled = PRIOR_PATHS * (spread - 1 - np.log(spread))
        return float((pinball(apply_spread(quantiles, spread), paths, levels) / unit).sum() + pulled)

    low, high = np.log(NARROWEST), np.log(WIDEST)
    for _ in range(40):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if loss(np.exp(left)) <= loss(np.exp(right)) else (left, high)
    return float(np.exp((low + high) / 2))


_GOLDEN = (5**0.5 - 1) / 2


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """The probabilities raised to 1 / temperature, rows summing to 1.

    probabilities: shape (n, n_classes).
    temperature: above 1 makes them less certain, below 1 more; 1 only floors and normalises.

    Source: Guo et al., On Calibration of Modern Neural Networks (2017).
    """
    return _softmax(_logs(probabilities) / temperature)


def fit_temperature(probabilities: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The temperature with the lowest log loss on these rows, pulled towards 1 where they are few.

    probabilities: shape (n, n_classes), by a model that had not trained on these rows.
    targets: codes 0..n_classes-1, shape (n,).
    weights: what each row counts, shape (n,); by default one.

    Without rows, or with one class, it is 1. What is minimised over b = 1 / temperature, the summed log loss plus
    PRIOR_ROWS * (b - 1 - log b), is convex; its slope is bisected.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    usable = np.isfinite(probabilities).all(axis=1) if probabilities.size else np.zeros(0, dtype=bool)
    if not usable.any() or probabilities.shape[1] < 2:
        return 1.0
    logs = _logs(probabilities[usable])
    chosen = np.asarray(targets)[usable][:, None]
    relative = logs - np.take_along_axis(logs, chosen, axis=1)  # the target's own is 0
    counted = np.ones(len(relative)) if weights is None else np.asarray(weights, dtype=np.float64)[usable]
    return 1.0 / _root(relative, counted, 1.0 / HOTTEST, 1.0 / COLDEST)


def _root(relative: np.ndarray, counted: np.ndarray, low: float, high: float) -> float:
    """Where the slope crosses zero; a bound where it doesn't. Newton's steps, bisected when they leave the bracket."""
    inverse = 1.0
    for _ in range(60):
        slope, curvature = _slope(relative, counted, inverse)
        if slope > 0:
            high = inverse
        else:
            low = inverse
        step = inverse - slope / curvature
        following = step if low < step < high else (low + high) / 2
        if abs(following - inverse) < 1e-9 * inverse:
            break
        inverse = following
    return inverse


def _slope(relative: np.ndarray, counted: np.ndarray, inverse: float) -> tuple[float, float]:
    """First and second derivative of what is minimised, in the inverse temperature."""
    weights = _softmax(relative * inverse)
    mean = (weights * relative).sum(axis=1)
    spread = (weights * relative**2).sum(axis=1) - mean**2
    slope = counted @ mean + PRIOR_ROWS * (1 - 1 / inverse)
    return float(slope), float(counted @ spread + PRIOR_ROWS / inverse**2)


def _logs(probabilities: np.ndarray) -> np.ndarray:
    logs: np.ndarray = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), FLOOR))
    return logs


def _softmax(logs: np.ndarray) -> np.ndarray:
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return shares
