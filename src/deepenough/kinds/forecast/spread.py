"""From one path a window to quantiles of it: by how much such paths were off, step by step, in the window's own unit.

Needs that this module answers:

* Windows of small and of large series tell each other how wide to be: errors are counted in units of how far the
  window's own last value or season was off.
* Few windows must not give quantiles of chance: neighbouring steps share what they saw, and widths never shrink with
  the steps.
* The path stays the median: errors come from few stretches of time, in which all windows may be off to one side, and
  moved by that a forecast says the opposite after a turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from deepenough.kinds.forecast.inputs import Windows

FEW = 40
"""With fewer errors of a step those of its neighbours count too."""


def filled(history: np.ndarray) -> np.ndarray:
    """Each gap with the value before it, and those before the first with the first; 0 where there is none at all."""
    known = np.isfinite(history)
    columns = np.arange(history.shape[1])
    last = np.maximum.accumulate(np.where(known, columns, -1), axis=1)
    first = np.where(known.any(axis=1), known.argmax(axis=1), 0)
    places = np.where(last < 0, first[:, None], last)
    return np.asarray(np.nan_to_num(np.take_along_axis(history, places, axis=1)))


def units(windows: Windows) -> np.ndarray:
    """How far off repeating the last value is on average in each window's history, or the last season where that is
    nearer and half a season of it is known, shape (n,); always above 0.

    The season alone would be another unit for windows that don't know it yet: of a walk without a season, widths were
    four times too large.
    """
    season = windows.layout.season
    history = windows.history(min(max(3 * season, 32), 512))
    found = np.full(len(windows), np.nan)
    for lag, least in ((1, 1), (season, max(3, season // 2))):
        if history.shape[1] > lag:
            off = np.abs(history[:, lag:] - history[:, :-lag])
            known = np.isfinite(off)
            mean = np.where(known, off, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
            usable = (known.sum(axis=1) >= least) & (mean > 0)
            found = np.where(usable, np.fmin(mean, found), found)
    size = np.abs(np.nan_to_num(history)).mean(axis=1)
    return np.where(np.isfinite(found), found, np.where(size > 0, 0.01 * size, 1.0))


@dataclass(frozen=True)
class Spread:
    """offsets: float64, shape (steps, levels): from the path to each quantile, in the window's unit."""

    offsets: np.ndarray

    @classmethod
    def fit(cls, paths: np.ndarray, targets: np.ndarray, unit: np.ndarray, levels: Sequence[float]) -> Self:
        """From paths and what came, both of shape (n, steps); NaN where it is not known."""
        errors, shares = np.abs(targets - paths) / unit[:, None], np.abs(2 * np.asarray(levels) - 1)
        steps = errors.shape[1]
        sides = np.zeros((steps, len(levels)))
        for step in range(steps):
            width = 0
            while True:
                near = errors[:, max(0, step - width) : step + width + 1]
                near = near[np.isfinite(near)]
                if len(near) >= FEW or width >= steps:
                    break
                width += 1
            sides[step] = np.quantile(near, shares) if len(near) else np.abs(_normal(levels))
        growing = np.maximum.accumulate(0.7 * sides, axis=0)  # a step that was lucky is not believed to be narrow
        return cls(np.sign(np.asarray(levels) - 0.5) * np.maximum(sides, growing))

    def around(self, paths: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """Quantiles, float64, shape (n, steps, levels), ascending."""
        found = paths[:, :, None] + unit[:, None, None] * self.offsets
        return np.sort(found, axis=2)

    def to_json(self) -> list[list[float]]:
        """Plain values."""
        listed: list[list[float]] = self.offsets.tolist()
        return listed

    @classmethod
    def from_json(cls, facts: Any) -> Self:
        """Itself again."""
        return cls(np.array(facts, dtype=np.float64))


def _normal(levels: Sequence[float]) -> np.ndarray:
    """Of errors that are as large as the unit, where nothing is known of them."""
    from statistics import NormalDist

    return np.array([1.25 * NormalDist().inv_cdf(level) for level in levels])


def bounded(quantiles: np.ndarray, least: float | None) -> np.ndarray:
    """Quantiles never below what the target never was below."""
    return quantiles if least is None else np.maximum(quantiles, least)
