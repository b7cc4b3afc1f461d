"""A path that is read off the history, with quantiles of how far such paths were off: what simple forecasts share."""

from __future__ import annotations

import json
from abc import abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.forecast.inputs import Windows
from deepenough.kinds.forecast.spread import Spread, bounded, filled, units
from deepenough.learner import Examples, Model

AT_ONCE = 2_048
"""Windows whose whole histories are held at once."""


class SimpleModel(Model):
    """A rule for the path, and how far it was off."""

    def __init__(self, spread: Spread) -> None:
        self.spread = spread

    @staticmethod
    @abstractmethod
    def paths(windows: Windows) -> np.ndarray:
        """One path a window, shape (n, steps)."""

    @classmethod
    def fitted(cls, examples: Examples) -> Self:
        """Learn how far off it is from windows that are not inner, or from all where these are too few."""
        assert examples.paths is not None
        outer = examples.outer if len(examples.outer) >= 8 else np.arange(len(examples))
        windows = examples.inputs.take(outer)
        spread = Spread.fit(cls.paths(windows), examples.targets[outer], units(windows), examples.paths.levels)
        return cls(spread)

    def predict(self, inputs: Any) -> np.ndarray:
        return bounded(self.spread.around(self.paths(inputs), units(inputs)), inputs.layout.least)

    def save(self, folder: Path) -> None:
        (folder / "spread.json").write_text(json.dumps(self.spread.to_json()), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(Spread.from_json(json.loads((folder / "spread.json").read_text(encoding="utf-8"))))


def last_value(windows: Windows) -> np.ndarray:
    """The last known value, at every step."""
    last = filled(windows.history(max(2 * windows.layout.season, 16)))[:, -1:]
    return np.repeat(last, windows.layout.horizon, axis=1)


def average(windows: Windows) -> np.ndarray:
    """The mean of the known values that a window shows, at every step; 0 where there is none."""
    length = int((windows.at - windows.start).max(initial=0)) + 1
    mean = np.empty(len(windows))
    for begin in range(0, len(windows), AT_ONCE):
        rows = slice(begin, begin + AT_ONCE)
        history = windows.history(length, rows)
        known = np.isfinite(history)
        mean[rows] = np.where(known, history, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.repeat(mean[:, None], windows.layout.horizon, axis=1)


def last_season(windows: Windows) -> np.ndarray:
    """At every step the value of the same place in the last season; the last value where there is no season."""
    season, horizon = windows.layout.season, windows.layout.horizon
    if season < 2:
        return last_value(windows)
    history = windows.history(3 * season)
    own = history[:, -season:]
    for back in (2, 1):  # a gap has the value of a season before
        own = np.where(np.isnan(own), history[:, (back - 1) * season : back * season], own)
    own = np.where(np.isnan(own), filled(history)[:, -1:], own)
    return np.tile(own, (1, -(-horizon // season)))[:, :horizon]
