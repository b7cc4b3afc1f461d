"""A window as numbers, for learners that see rows: its last values, the seasons before, simple paths, the calendar,
what is known.

Needs that this module answers:

* Series of any size are told alike: values are counted from the window's own level, in its own unit.
* One step ahead is one question: of it the same place in earlier seasons is told, its calendar and its covariates.
* What is missing is told as missing (NaN); who can't bear that fills it with 0, the window's level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from deepenough.kinds.forecast.inputs import Windows
from deepenough.kinds.forecast.simple import nearest_path, paths
from deepenough.kinds.forecast.spread import filled, units

FEWEST, MOST = 8, 64


def _most_back(season: int) -> int:
    """How many earlier seasons are told at most: of long ones, windows show too few to learn more from."""
    return 3 if season <= MOST else 2


@dataclass(frozen=True)
class Lags:
    """How windows become numbers.

    recent: how many of the last values are told; by default no more than half of the training windows know.
    centres, scales: of the covariates, float64, shape (c,), from training windows.
    seen: seconds that these spanned, which says what of the calendar can be told.
    backs: how many earlier seasons of each length are told: as many as half of the training windows know.
    length: steps of history by which the simple paths rise or fall; 0: these are not told, as models that were saved
        before there were any expect.
    start: the simple path that targets are counted from; None: from the window's level.
    """

    recent: int
    centres: np.ndarray
    scales: np.ndarray
    seen: float
    backs: tuple[int, ...]
    length: int = 0
    start: int | None = None

    @classmethod
    def fit(cls, windows: Windows, recent: int | None = None, near: np.ndarray | None = None) -> Self:
        """Learn how covariates are spread.

        recent: None: by the horizon and the season. near: targets, shape (n, steps), which are then counted from the
            simple path that is the nearest to them.
        """
        layout = windows.layout
        known_steps = np.median(windows.at - windows.start + 1) if len(windows) else 0
        if recent is None:
            season = layout.season if layout.season <= MOST - 4 else 1
            recent = int(np.clip(min(max(season + 4, layout.horizon, 12), known_steps), FEWEST, MOST))
        known = windows.covariates
        present = np.isfinite(known)
        count = np.maximum(present.sum(axis=0), 1)
        centres = np.where(present, known, 0.0).sum(axis=0) / count
        deviations = np.sqrt(np.where(present, (known - centres) ** 2, 0.0).sum(axis=0) / count)
        backs = tuple(int(min(_most_back(season), known_steps // season)) for season in layout.seasons)
        length = layout.look
        start = None if near is None else nearest_path(windows, near, length)
        return cls(recent, centres, np.where(deviations > 0, deviations, 1.0), windows.span, backs, length, start)

    def told(self, windows: Windows) -> Told:
        """What these windows are told as."""
        return Told(self, windows)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        lists = {name: getattr(self, name).tolist() for name in ("centres", "scales")}
        told = {"recent": self.recent, "seen": self.seen, "backs": list(self.backs), **lists}
        return told | {"length": self.length, "start": self.start}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Itself again."""
        centres, scales = (np.array(facts[name], dtype=np.float64) for name in ("centres", "scales"))
        paths = facts.get("length", 0), facts.get("start")
        return cls(facts["recent"], centres, scales, facts["seen"], tuple(facts["backs"]), *paths)


class Told:
    """Windows as numbers, each from its own level and in its own unit.

    level, unit: shape (n,) both.
    """

    def __init__(self, lags: Lags, windows: Windows) -> None:
        self.lags, self.windows = lags, windows
        season = windows.layout.season
        history = windows.history(max(season, 4) if season <= 400 else 4)
        known = np.isfinite(history)
        mean = np.where(known, history, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        self.level = np.where(known.any(axis=1), mean, filled(windows.history(64))[:, -1])
        self.unit = units(windows)
        told = zip(windows.layout.seasons, lags.backs, strict=True)
        self._seasons = [(length, self._relative(windows.history(back * length))) for length, back in told if back]
        count = len(windows.layout.known)
        self._ahead = (windows.ahead() - lags.centres[:count]) / lags.scales[:count]
        self._angles = windows.layout.step.angles(windows.times_ahead(), lags.seen)
        self._simple = (
            paths(windows, lags.length) if lags.length else np.empty((len(windows), windows.layout.horizon, 0))
        )

    def common(self) -> np.ndarray:
        """What is the same for all steps: the last values, the past covariates, float32, shape (n, columns)."""
        last = self._relative(self.windows.history(self.lags.recent))
        past = (self.windows.past(1)[:, 0] - self.lags.centres) / self.lags.scales
        return np.concatenate([last, past], axis=1).astype(np.float32)

    def of_step(self, step: int) -> np.ndarray:
        """What is told of one step ahead, counted from 0: the calendar, what is known of it, the same place in earlier
        seasons, where simple paths are; float32, shape (n, columns)."""
        columns = [self._angles[:, step], self._ahead[:, step]]
        for length, history in self._seasons:
            told = history[:, step % length :: length][:, ::-1].copy()
            for back in range(1, told.shape[1]):  # a season that is not known was as the one after it
                told[:, back] = np.where(np.isnan(told[:, back]), told[:, back - 1], told[:, back])
            columns.append(told)
        columns.append(self._relative(self._simple[:, step]))
        return np.concatenate(columns, axis=1).astype(np.float32)

    def relative(self, targets: np.ndarray) -> np.ndarray:
        """Targets as they are told, from where they start, shape (n, steps); NaN where unknown."""
        return np.asarray((targets - self._start()) / self.unit[:, None])

    def absolute(self, paths: np.ndarray) -> np.ndarray:
        """Told paths in the series' own unit, shape (n, steps)."""
        return np.asarray(self._start() + self.unit[:, None] * paths)

    def _start(self) -> np.ndarray:
        """What targets are counted from, shape (n, steps) or (n, 1)."""
        return self.level[:, None] if self.lags.start is None else self._simple[:, :, self.lags.start]

    def _relative(self, values: np.ndarray) -> np.ndarray:
        return np.asarray((values - self.level[:, None]) / self.unit[:, None])


def age(windows: Windows) -> np.ndarray:
    """A moment for each window by which windows can be put in order, shape (n,)."""
    return np.asarray(windows.times[windows.at])


def known_by(windows: Windows, targets: np.ndarray, moment: float) -> np.ndarray:
    """Targets as they were known at that moment: NaN where they came later; all of them where hardly any would be left.

    Windows before a moment have targets after it, which are those of windows that are held out from that moment on.
    """
    left = np.where(windows.times_ahead() > moment, np.nan, targets)
    return left if 2 * np.isfinite(left).sum() >= np.isfinite(targets).sum() else targets
