"""Paths that are read off the history, and quantiles of how far such paths were off: what simple forecasts share."""

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
SEASONS_BACK = 3
"""Simple paths repeat each of so many seasons."""
LOOKED_AT = 2_000
"""Windows on which the nearest of the simple paths is chosen."""
FURTHEST = 12.0
"""A path is counted as no further off than so many units."""


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


def nearest_path(windows: Windows, targets: np.ndarray, length: int) -> int:
    """Which of the simple paths of these windows is the nearest to what came."""
    some = np.linspace(0, len(windows) - 1, min(len(windows), LOOKED_AT)).astype(np.int64)
    few, wanted = windows.take(some), targets[some]
    off = np.abs(wanted[:, :, None] - paths(few, length)) / units(few)[:, None, None]
    there = np.isfinite(off)
    mean = np.where(there, np.minimum(off, FURTHEST), 0.0).sum(axis=(0, 1)) / max(1, int(there[:, :, 0].sum()))
    return int(mean.argmin())


def paths(windows: Windows, length: int) -> np.ndarray:
    """Simple paths, float64, shape (n, steps, paths), all of them numbers: the last value, drift or the last season
    with it, the same place in each of the seasons before, and the mean of these."""
    layout, ahead = windows.layout, np.arange(1, windows.layout.horizon + 1)
    last = filled(windows.history(max(16, min(length, 64))))[:, -1]
    whole = np.broadcast_to(last[:, None], (len(windows), layout.horizon))
    before = []
    for season in layout.seasons:
        found = [_at(windows, ahead - season * (-(-ahead // season) + back)) for back in range(SEASONS_BACK)]
        for place in range(SEASONS_BACK):  # a gap has what stands there in the nearest season that is known
            order = sorted(range(SEASONS_BACK), key=lambda other: (abs(other - place), other))
            before.append(_first_known([found[other] for other in order], whole))
        before.append(np.mean(before[-SEASONS_BACK:], axis=0))
    drift, per = _drift(windows, length)
    start = before[0] if before else whole
    return np.stack([whole, start + drift[:, None] * -(-ahead // per), *before], axis=2)


def _drift(windows: Windows, length: int) -> tuple[np.ndarray, int]:
    """By how much values rise in so many steps: from the season before the last to the last, or on the whole."""
    season = windows.layout.season
    if season > 1:
        history = windows.history(2 * season)
        rise = history[:, season:] - history[:, :season]
        known = np.isfinite(rise)
        mean = np.where(known, rise, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        return np.where(2 * known.sum(axis=1) >= season, mean, 0.0), season
    history = windows.history(length)
    rise = np.diff(history, axis=1)
    known = np.isfinite(rise)
    count = known.sum(axis=1)
    return np.where(known, rise, 0.0).sum(axis=1) / np.maximum(count, 8), 1


def _at(windows: Windows, steps: np.ndarray) -> np.ndarray:
    """Values so many steps after the origins (0 or less), shape (n, steps); NaN before a window's start."""
    places = windows.at[:, None] + steps
    found = windows.values[np.maximum(places, 0)].astype(np.float64)
    return np.where(places < windows.start[:, None], np.nan, found)


def _first_known(options: list[np.ndarray], otherwise: np.ndarray) -> np.ndarray:
    found = options[0]
    for other in (*options[1:], otherwise):
        found = np.where(np.isnan(found), other, found)
    return found
