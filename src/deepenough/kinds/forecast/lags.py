"""A window as numbers, for learners that see rows: its last values, the seasons before, the calendar, what is known.

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
from deepenough.kinds.forecast.spread import filled, units

FEWEST, MOST = 8, 64
SEASONS_BACK = 2


@dataclass(frozen=True)
class Lags:
    """How windows become numbers.

    recent: how many of the last values are told.
    centres, scales: of the covariates, float64, shape (c,), from training windows.
    """

    recent: int
    centres: np.ndarray
    scales: np.ndarray

    @classmethod
    def fit(cls, windows: Windows, recent: int | None = None) -> Self:
        """Learn how covariates are spread. recent: None: by the horizon and the season."""
        layout = windows.layout
        if recent is None:
            season = layout.season if layout.season <= MOST - 4 else 1
            recent = int(np.clip(max(season + 4, layout.horizon, 12), FEWEST, MOST))
        known = windows.covariates
        present = np.isfinite(known)
        count = np.maximum(present.sum(axis=0), 1)
        centres = np.where(present, known, 0.0).sum(axis=0) / count
        deviations = np.sqrt(np.where(present, (known - centres) ** 2, 0.0).sum(axis=0) / count)
        return cls(recent, centres, np.where(deviations > 0, deviations, 1.0))

    def levels(self, windows: Windows) -> tuple[np.ndarray, np.ndarray]:
        """The level and the unit of each window, shape (n,) both."""
        season = windows.layout.season
        history = windows.history(max(season, 4) if season <= 400 else 4)
        known = np.isfinite(history)
        mean = np.where(known, history, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        level = np.where(known.any(axis=1), mean, filled(windows.history(64))[:, -1])
        return level, units(windows)

    def common(self, windows: Windows) -> np.ndarray:
        """What is the same for all steps: the last values, the past covariates, float32, shape (n, columns)."""
        level, unit = self.levels(windows)
        last = (windows.history(self.recent) - level[:, None]) / unit[:, None]
        past = (windows.past(1)[:, 0] - self.centres) / self.scales
        return np.concatenate([last, past], axis=1).astype(np.float32)

    def of_step(self, windows: Windows, step: int) -> np.ndarray:
        """What is told of one step ahead, counted from 0: the same place in earlier seasons, the calendar, what is
        known of it; float32, shape (n, columns)."""
        layout = windows.layout
        level, unit = self.levels(windows)
        parts = []
        for season in layout.seasons:
            length = SEASONS_BACK * season
            history = windows.history(length)
            for back in range(1, SEASONS_BACK + 1):
                place = length - back * season + step % season
                parts.append((history[:, place] - level) / unit)
        columns = [np.stack(parts, axis=1)] if parts else []
        columns.append(layout.step.angles(windows.times_ahead()[:, step]))
        known = len(layout.known)
        columns.append((windows.ahead()[:, step] - self.centres[:known]) / self.scales[:known])
        return np.concatenate(columns, axis=1).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"recent": self.recent, "centres": self.centres.tolist(), "scales": self.scales.tolist()}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Itself again."""
        return cls(
            facts["recent"], np.array(facts["centres"], dtype=np.float64), np.array(facts["scales"], dtype=np.float64)
        )


def age(windows: Windows) -> np.ndarray:
    """A moment for each window by which windows can be put in order, shape (n,)."""
    return np.asarray(windows.times[windows.at])


def relative_targets(lags: Lags, windows: Windows, targets: np.ndarray) -> np.ndarray:
    """Targets from each window's level, in its unit, shape (n, steps); NaN where unknown."""
    level, unit = lags.levels(windows)
    return np.asarray((targets - level[:, None]) / unit[:, None])
