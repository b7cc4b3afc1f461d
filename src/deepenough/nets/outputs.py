"""What a net's outputs mean: classes or a number, the loss that trains them, and the answer that they are.

Needs that this module answers:

* A net that had no time to learn answers with what is most common, not with noise.
* What is chosen (the epoch) is chosen by the loss that will be judged: calibrated log loss, or squared error.
* Several members of an ensemble are trained each for itself and answer together.
* Answering takes no torch: a saved net may predict by numpy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from deepenough.task.scales import is_whole_and_not_negative

if TYPE_CHECKING:
    import torch

POWERS = np.geomspace(0.4, 3.0, 14)
"""Inverse temperatures that are tried when the inner rows are looked at."""
PULL_ROWS = 8.0
"""Strength of the pull towards temperature 1, about the say of so many rows."""


@dataclass(frozen=True)
class Outputs:
    """What a net's outputs mean: classes, or a number standardised by mean and deviation and kept near [low, high].

    least: no number is answered below it, as in `Answers`.
    """

    n_classes: int | None
    mean: float = 0.0
    deviation: float = 1.0
    low: float = 0.0
    high: float = 0.0
    least: float | None = None

    @classmethod
    def of(cls, targets: np.ndarray, n_classes: int | None, weights: np.ndarray | None = None) -> Self:
        """Learn from training targets. weights: what each row counts."""
        if n_classes is not None:
            return cls(n_classes)
        mean = float(np.average(targets, weights=weights))
        deviation = float(np.sqrt(np.average((targets - mean) ** 2, weights=weights))) or 1.0
        least = 0.0 if is_whole_and_not_negative(targets) else None
        return cls(None, mean, deviation, float(targets.min()), float(targets.max()), least)

    def standard(self, targets: np.ndarray) -> np.ndarray:
        """Codes as int64; numbers standardised, float32."""
        if self.n_classes is not None:
            return targets.astype(np.int64)
        return np.asarray((targets - self.mean) / self.deviation, dtype=np.float32)

    def start(self, standard: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """The outputs that say what is most common, shape (outputs,): logarithms of the classes' shares, or 0."""
        if self.n_classes is None:
            return np.zeros(1, dtype=np.float32)
        counts = np.bincount(standard, weights, minlength=self.n_classes) + 0.5
        return np.asarray(np.log(counts / counts.sum()), dtype=np.float32)

    def loss(
        self, outputs: torch.Tensor, goal: torch.Tensor, smoothing: float = 0.0, weights: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Mean loss of the members, each for itself: what training lowers. outputs: shape (m, B, outputs)."""
        from torch.nn import functional

        if self.n_classes is None:
            squares = (outputs[:, :, 0] - goal).square()
            return squares.mean() if weights is None else (squares * weights).mean()
        flat, goals = outputs.flatten(0, 1), goal.repeat(len(outputs))
        if weights is None:
            return functional.cross_entropy(flat, goals, label_smoothing=smoothing)
        losses = functional.cross_entropy(flat, goals, label_smoothing=smoothing, reduction="none")
        return (losses * weights.repeat(len(outputs))).mean()

    def inner_loss(self, outputs: np.ndarray, standard: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Loss of the members' common answer, as it will be judged."""
        if self.n_classes is None:
            return float(np.average((outputs[:, :, 0].mean(axis=0) - standard) ** 2, weights=weights))
        logs = np.log(_mean_chances(outputs) + 1e-12)
        pull = PULL_ROWS * (POWERS - 1 - np.log(POWERS)) / len(standard)  # few rows must not choose a far one

        def tried(place: int) -> float:
            return _log_loss(logs * POWERS[place], standard, weights) + float(pull[place])

        return _lowest(tried, len(POWERS), len(POWERS) // 2)

    def answer(self, outputs: np.ndarray) -> np.ndarray:
        """Members' outputs, shape (m, n, outputs), to predictions: their mean probabilities, or their mean number."""
        if self.n_classes is not None:
            return _mean_chances(outputs)
        margin = 0.1 * (self.high - self.low)
        numbers = outputs[:, :, 0].astype(np.float64).mean(axis=0) * self.deviation + self.mean
        low = self.low - margin if self.least is None else max(self.low - margin, self.least)
        return np.asarray(np.clip(numbers, low, self.high + margin))


def _mean_chances(outputs: np.ndarray) -> np.ndarray:
    chances = outputs.astype(np.float64)
    np.exp(chances - chances.max(axis=2, keepdims=True), out=chances)
    chances /= chances.sum(axis=2, keepdims=True)
    mean = chances.mean(axis=0)
    return np.asarray(mean / mean.sum(axis=1, keepdims=True))


def _lowest(values: Callable[[int], float], count: int, start: int) -> float:
    """The lowest of `count` values that fall and then rise, asking for no more of them than it takes."""
    best = values(start)
    for way in (1, -1):
        place = start + way
        while 0 <= place < count and (value := values(place)) < best:
            best, place = value, place + way
    return best


def _log_loss(logs: np.ndarray, truth: np.ndarray, weights: np.ndarray | None) -> float:
    top = logs.max(axis=1)
    total = np.log(np.exp(logs - top[:, None]).sum(axis=1)) + top
    return float(np.average(total - logs[np.arange(len(truth)), truth], weights=weights))
