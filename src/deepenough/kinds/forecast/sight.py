"""A window as a net sees it: its history as channels, what is told of each step ahead, and a few facts of the whole.

Needs that this module answers:

* Series of any size look alike: values in the window's own mean and deviation, answers in its own unit, counted from a
  simple path, so that a net that learnt nothing repeats the last season.
* Windows overlap: they are read from the pool batch by batch, never all at once.
* Nothing breaks for gaps, for what never changes, and where hardly any history is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from deepenough.kinds.forecast.inputs import Windows
from deepenough.kinds.forecast.simple import nearest_path, paths
from deepenough.kinds.forecast.spread import units

FURTHEST = 12.0
"""What is told in units or deviations is clipped here."""
AT_ONCE = 2_048
"""Windows whose scales are computed at once."""


@dataclass(frozen=True)
class Sight:
    """How windows become a net's arrays.

    length: steps of history that are read. centres, scales: of the covariates, float64, shape (c,).
    chosen: which of the simple paths is the reference.
    seen: seconds that the training windows spanned, which says what of the calendar can be told.
    """

    length: int
    centres: np.ndarray
    scales: np.ndarray
    chosen: int
    seen: float

    @classmethod
    def fit(cls, windows: Windows, targets: np.ndarray, length: int) -> Self:
        """Learn how covariates are spread, and which simple path is the nearest at each step."""
        longest = int((windows.at - windows.start).max(initial=0)) + 1
        length = max(4, min(length, longest))
        known = np.isfinite(windows.covariates)
        count = np.maximum(known.sum(axis=0), 1)
        centres = np.where(known, windows.covariates, 0.0).sum(axis=0) / count
        spreads = np.sqrt(np.where(known, (windows.covariates - centres) ** 2, 0.0).sum(axis=0) / count)
        chosen = nearest_path(windows, targets, length)
        return cls(length, centres, np.where(spreads > 0, spreads, 1.0), chosen, windows.span)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        lists = {name: getattr(self, name).tolist() for name in ("centres", "scales")}
        return {"length": self.length, "chosen": self.chosen, "seen": self.seen, **lists}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Itself again."""
        numbers = [np.array(facts[name], dtype=np.float64) for name in ("centres", "scales")]
        return cls(facts["length"], numbers[0], numbers[1], facts["chosen"], facts["seen"])


class Seen:
    """Windows through a sight. level, deviation, unit: of each window, float64, shape (n,)."""

    def __init__(self, sight: Sight, windows: Windows) -> None:
        self.sight, self.windows, self.layout = sight, windows, windows.layout
        self.level, self.deviation, self.unit = np.empty((3, len(windows)))
        for rows in _pieces(len(windows)):
            self.level[rows], self.deviation[rows], self.unit[rows] = _sizes(windows.take(rows), sight.length)
        steps = len(windows) * (sight.length + self.layout.horizon)
        pooled = len(windows.times) <= steps
        self._calendar = self.layout.step.angles(windows.times, sight.seen) if pooled else None

    def reference(self) -> np.ndarray:
        """The simple path of each window, float64, shape (n, steps)."""
        found = np.empty((len(self.windows), self.layout.horizon))
        for rows in _pieces(len(self.windows)):
            found[rows] = self._reference(paths(self.windows.take(rows), self.sight.length))
        return found

    def arrays(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Float32: of each step of history what was (n, length, channels), of each step ahead what is told of it
        (n, steps, columns), and facts of the window (n, facts)."""
        windows = self.windows.take(rows)
        level, deviation, unit = self.level[rows], self.deviation[rows], self.unit[rows]
        simple = paths(windows, self.sight.length)
        behind = self._behind(windows, level, deviation, unit)
        ahead = self._ahead(windows, simple, level, deviation, unit)
        drift = (simple[:, 0, 0] - level) / deviation
        whole = np.stack(
            [np.log(deviation / unit), np.clip(drift, -FURTHEST, FURTHEST), behind[:, :, 1].mean(axis=1)], 1
        )
        return behind, ahead, whole.astype(np.float32)

    def _behind(self, windows: Windows, level: np.ndarray, deviation: np.ndarray, unit: np.ndarray) -> np.ndarray:
        length, season = self.sight.length, self.layout.season
        longer = windows.history(length + season)
        values, before = longer[:, season:], longer[:, :length]
        known = np.isfinite(values)
        scaled = (values - level[:, None]) / deviation[:, None]
        turned = (values - before) / unit[:, None]
        parts = [np.stack([_bounded(scaled), known, _bounded(turned)], axis=2).astype(np.float32)]
        if windows.covariates.shape[1]:
            parts.append(_bounded((windows.past(length) - self.sight.centres) / self.sight.scales).astype(np.float32))
        parts.append(self._angles(windows, -length, 0))
        return np.concatenate(parts, axis=2)

    def _ahead(
        self, windows: Windows, simple: np.ndarray, level: np.ndarray, deviation: np.ndarray, unit: np.ndarray
    ) -> np.ndarray:
        horizon, known = self.layout.horizon, len(self.layout.known)
        reference = self._reference(simple)
        away = _bounded((simple - reference[:, :, None]) / unit[:, None, None])
        height = _bounded((reference - level[:, None]) / deviation[:, None])[:, :, None]
        parts = [away.astype(np.float32), height.astype(np.float32)]
        if known:
            told = (windows.ahead() - self.sight.centres[:known]) / self.sight.scales[:known]
            parts.append(_bounded(told).astype(np.float32))
        parts.append(self._angles(windows, 0, horizon))
        return np.concatenate(parts, axis=2)

    def _reference(self, simple: np.ndarray) -> np.ndarray:
        return np.asarray(simple[:, :, self.sight.chosen])

    def _angles(self, windows: Windows, first: int, last: int) -> np.ndarray:
        """The calendar of the steps first + 1 ... last from the origins."""
        places = np.maximum(windows.at[:, None] + np.arange(first + 1, last + 1), 0)
        if self._calendar is not None:
            return self._calendar[places]
        return windows.layout.step.angles(windows.times[places], self.sight.seen)


def _sizes(windows: Windows, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and deviation of what is read, and the unit in which it is answered; the last two always above 0."""
    history = windows.history(length)
    known = np.isfinite(history)
    count = np.maximum(known.sum(axis=1), 1)
    level = np.where(known, history, 0.0).sum(axis=1) / count
    spread = np.sqrt(np.where(known, (history - level[:, None]) ** 2, 0.0).sum(axis=1) / count)
    unit = np.maximum(units(windows), 0.02 * spread)
    return level, np.where(spread > 1e-9 * np.abs(level), spread, unit), unit


def _bounded(told: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(np.nan_to_num(told), -FURTHEST, FURTHEST))


def _pieces(count: int) -> Iterator[np.ndarray]:
    for start in range(0, count, AT_ONCE):
        yield np.arange(start, min(start + AT_ONCE, count))
