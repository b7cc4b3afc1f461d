"""What intervals of a series, of its differences and of its spectrum are like: features for trees.

Needs that this module answers:

* Where something happens counts, and on what scale: intervals are the whole, its halves, its quarters, and so on, each
  also shifted by half its length.
* Series of other lengths have the same features: intervals are parts of each series' own length.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from deepenough.kinds.series.inputs import Signals
from deepenough.kinds.series.scaling import Scaling, stretched

MOST_STEPS = 512
"""Longer series are averaged down to so many steps."""
MOST_FEATURES = 2_000
LEAST_STEPS = 3
"""Of an interval."""
DEEPEST, SHIFTED = 5, 4
"""How often intervals are halved, and down to where they are also shifted."""


@dataclass(frozen=True)
class Intervals:
    """How series become features.

    steps: to which each is drawn out. depth: how often intervals are halved.
    """

    scaling: Scaling
    steps: int
    depth: int

    @classmethod
    def fit(cls, signals: Signals) -> Self:
        """Learn scale and length from training series."""
        scaling = Scaling.fit(signals, MOST_STEPS)
        steps = max(4, scaling.steps)
        depth = DEEPEST
        while depth > 1 and _features(depth, steps) * len(signals.channels) > MOST_FEATURES:
            depth -= 1
        return cls(scaling, steps, depth)

    def __call__(self, signals: Signals) -> np.ndarray:
        """Features, float32, shape (n, features)."""
        values, lengths = self.scaling.values(signals), self.scaling.lengths(signals)
        level = (values - self.scaling.centre[:, None]) / self.scaling.deviation[:, None]
        series = stretched(level, lengths, self.steps).astype(np.float32)
        shapes = self.scaling.own(values)
        power = _power(shapes, lengths, self.steps)
        spans, coarse = _spans(self.steps, self.depth), _spans(power.shape[2], min(3, self.depth))
        parts = [
            _of_spans(series, spans, with_slope=True),
            _of_spans(np.diff(series, axis=2, append=series[:, :, -1:]), spans),
            _of_spans(power, coarse),
            _peaks(power),
            self.scaling.facts(signals),
        ]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"scaling": self.scaling.to_json(), "steps": self.steps, "depth": self.depth}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Itself again."""
        return cls(Scaling.from_json(facts["scaling"]), facts["steps"], facts["depth"])


def _features(depth: int, steps: int) -> int:
    return 10 * len(_spans(steps, depth)) + 4 * len(_spans(steps, 3))


def _spans(steps: int, depth: int) -> list[tuple[int, int]]:
    """Intervals of dyadic lengths, those of upper levels also shifted by half a length, none under three steps."""
    found = []
    for level in range(depth):
        parts = 2**level
        if steps < LEAST_STEPS * parts:
            break
        cuts = np.linspace(0, steps, parts + 1).astype(int)
        half = steps // (2 * parts)
        found += [(a, b) for a, b in itertools.pairwise(cuts.tolist())]
        if level < SHIFTED:
            found += [(a + half, b + half) for a, b in itertools.pairwise(cuts[:-1].tolist())]
    return found


def _of_spans(series: np.ndarray, spans: list[tuple[int, int]], with_slope: bool = False) -> np.ndarray:
    """Mean, deviation, lowest and highest of each interval, with slope and median where asked; shape (n, features).

    NaN where a channel is empty.
    """
    parts = []
    for first, end in spans:
        own = series[:, :, first:end]
        parts += [own.mean(axis=2), own.std(axis=2), own.min(axis=2), own.max(axis=2)]
        if with_slope:
            steps = np.arange(end - first) - (end - first - 1) / 2
            parts.append(own @ (steps / max(1.0, float(steps @ steps))).astype(np.float32))
            parts.append(np.partition(own, (end - first) // 2, axis=2)[:, :, (end - first) // 2])
    return np.concatenate(parts, axis=1)


def _power(shapes: np.ndarray, lengths: np.ndarray, steps: int) -> np.ndarray:
    """Logarithms of the power at each frequency; shape (n, channels, frequencies)."""
    size = 2 ** int(np.ceil(np.log2(steps)))
    inside = np.arange(shapes.shape[2]) < lengths[:, None]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(shapes.shape[2]) + 0.5) / np.maximum(lengths, 1)[:, None])
    found = np.fft.rfft(shapes * (window * inside)[:, None, :], max(size, 8), axis=2)[:, :, 1:]
    power = np.abs(found) ** 2 / np.maximum(lengths, 1)[:, None, None]
    return np.asarray(np.log(power + 1e-4), dtype=np.float32)


def _peaks(power: np.ndarray) -> np.ndarray:
    """The strongest frequency of each channel, and the middle of the power; shape (n, 2 * channels)."""
    shares = np.exp(power - power.max(axis=2, keepdims=True))
    middle = (shares * np.arange(power.shape[2])).sum(axis=2) / shares.sum(axis=2)
    return np.concatenate([power.argmax(axis=2), middle], axis=1).astype(np.float32)
