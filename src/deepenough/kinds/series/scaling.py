"""Series as learners take them: gaps filled, of one scale, and beside that how high, how lively and how long each is.

Needs that this module answers:

* A shape counts whatever its level; and where the level tells something, it is there as a number of its own.
* A missing value is drawn between its neighbours; a channel without any value is a flat one, and is said to be missing.
* What lies behind the end of a series changes nothing, so a series alone and among longer ones is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from deepenough.kinds.series.inputs import Signals
from deepenough.kinds.series.recording import averaged

FLATTEST = 1e-2
"""Part of the usual spread of a channel under which a series is flat: its noise is not blown up to a shape."""
ARRAYS = ("centre", "deviation", "levels", "spread")
FURTHEST = 8.0
"""Deviations from the mean beyond which it makes no difference how far a value is away."""


@dataclass(frozen=True)
class Scaling:
    """What is usual of each channel, learnt; arrays of shape (channels,).

    centre, deviation: of all values. levels: deviation of the series' means. spread: usual deviation within a series.
    steps: of the longest series, after averaging. factor: so many steps are averaged into one.
    """

    centre: np.ndarray
    deviation: np.ndarray
    levels: np.ndarray
    spread: np.ndarray
    steps: int
    factor: int = 1

    @classmethod
    def fit(cls, signals: Signals, most_steps: int) -> Self:
        """Learn from training series; longer ones are averaged to no more than `most_steps`."""
        steps = int(max(1, signals.lengths.max(initial=1)))
        factor = -(-steps // most_steps)
        values = averaged(signals.values, factor)
        means, spreads = _moments(values)
        known = np.isfinite(values)
        count = np.maximum(known.sum(axis=(0, 2)), 1)
        centre = np.where(known, values, 0.0).sum(axis=(0, 2)) / count
        apart = np.where(known, (values - centre[:, None]) ** 2, 0.0)
        deviation = np.sqrt(apart.sum(axis=(0, 2)) / count)
        some = np.isfinite(means)
        apart = np.where(some, (means - centre) ** 2, 0.0)
        levels = np.sqrt(apart.sum(axis=0) / np.maximum(some.sum(axis=0), 1))
        within = np.where(np.isfinite(spreads), spreads, 0.0)
        spread = np.sqrt((within**2).sum(axis=0) / np.maximum(some.sum(axis=0), 1))
        usual = _not_zero(deviation), _not_zero(levels), _not_zero(spread)
        return cls(centre, *usual, -(-steps // factor), factor)

    def values(self, signals: Signals) -> np.ndarray:
        """The series as they are, averaged, their gaps filled; NaN behind their ends, and where a channel is empty."""
        short = averaged(signals.values, self.factor)
        return filled(short, Signals(short, signals.channels).lengths)

    def common(self, values: np.ndarray) -> np.ndarray:
        """In deviations of the channel, float32; 0 behind the ends."""
        scaled = (values - self.centre[:, None]) / self.deviation[:, None]
        return _bounded(np.nan_to_num(scaled))

    def own(self, values: np.ndarray) -> np.ndarray:
        """Each series by its own mean and deviation, float32; 0 behind the ends."""
        means, spreads = _moments(values)
        flattest = np.maximum(np.nan_to_num(spreads), FLATTEST * self.spread)
        scaled = (values - means[:, :, None]) / flattest[:, :, None]
        return _bounded(np.nan_to_num(scaled))

    def changes(self, values: np.ndarray) -> np.ndarray:
        """Differences from step to step by the series' own deviation of them, float32; 0 first and behind the ends."""
        steps = np.diff(values, axis=2, prepend=values[:, :, :1])
        _, spreads = _moments(steps[:, :, 1:] if steps.shape[2] > 1 else steps)
        flattest = np.maximum(np.nan_to_num(spreads), FLATTEST * self.spread)
        return _bounded(np.nan_to_num(steps / flattest[:, :, None]))

    def facts(self, signals: Signals) -> np.ndarray:
        """Of each series its length and, by channel, level, liveliness and the share that is missing; float32."""
        short = averaged(signals.values, self.factor)
        lengths = Signals(short, signals.channels).lengths
        means, spreads = _moments(short)
        level = np.nan_to_num((means - self.centre) / self.levels)
        lively = np.log(np.maximum(np.nan_to_num(spreads), 1e-3 * self.spread) / self.spread)
        missing = 1.0 - np.isfinite(short).sum(axis=2) / np.maximum(lengths, 1)[:, None]
        length = (lengths / self.steps)[:, None]
        whole = np.concatenate([length, level, lively, missing], axis=1)
        return _bounded(whole)

    def lengths(self, signals: Signals) -> np.ndarray:
        """Steps of each series, after averaging."""
        return np.asarray(-(-signals.lengths // self.factor), dtype=np.int64)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        arrays = {name: getattr(self, name).tolist() for name in ARRAYS}
        return arrays | {"steps": self.steps, "factor": self.factor}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Itself again."""
        centre, deviation, levels, spread = (np.array(facts[name]) for name in ARRAYS)
        return cls(centre, deviation, levels, spread, facts["steps"], facts["factor"])


def _bounded(numbers: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(numbers, -FURTHEST, FURTHEST), dtype=np.float32)


def _not_zero(numbers: np.ndarray) -> np.ndarray:
    return np.where(numbers > 1e-300, numbers, 1.0)


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of what is known, of each series and channel; NaN where nothing is. Shape (n, channels)."""
    known = np.isfinite(values)
    counts = known.sum(axis=2)
    none = counts == 0
    means = np.where(known, values, 0.0).sum(axis=2) / np.maximum(counts, 1)
    squares = np.where(known, (values - means[:, :, None]) ** 2, 0.0).sum(axis=2)
    spreads = np.sqrt(squares / np.maximum(counts, 1))
    return np.where(none, np.nan, means), np.where(none, np.nan, spreads)


def filled(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Gaps drawn straight between neighbours, and level before the first and after the last value of a channel; NaN
    behind each series' end."""
    inside = np.arange(values.shape[2]) < lengths[:, None]
    gaps = ~np.isfinite(values) & inside[:, None, :]
    if not gaps.any():
        return values
    whole = values.copy()
    for row, channel in np.argwhere(gaps.any(axis=2)).tolist():
        length = int(lengths[row])
        own = values[row, channel, :length]
        known = np.flatnonzero(np.isfinite(own))
        if len(known):
            whole[row, channel, :length] = np.interp(np.arange(length), known, own[known])
    return whole


def stretched(values: np.ndarray, lengths: np.ndarray, steps: int) -> np.ndarray:
    """Every series drawn out, or together, to so many steps; shape (n, channels, steps). Empty ones stay NaN."""
    if values.shape[2] == steps and bool((lengths == steps).all()):
        return values
    whole = np.full((*values.shape[:2], steps), np.nan)
    for length in np.unique(lengths[lengths > 0]).tolist():
        rows = np.flatnonzero(lengths == length)
        spots = np.linspace(0, length - 1, steps)
        low = np.minimum(spots.astype(np.int64), max(0, length - 2))
        high = np.minimum(low + 1, length - 1)
        share = spots - low
        some = values[rows]
        whole[rows] = some[:, :, low] * (1 - share) + some[:, :, high] * share
    return whole
