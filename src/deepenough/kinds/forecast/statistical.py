"""A statistical model of each series by itself: fitted on its history, asked from any of its windows.

Needs that this module answers:

* Fitting is `statsforecast`'s; answering takes a few numbers a series and nothing else (see `smoothing`), so that a
  saved model is small, open and quick.
* A thousand series may not fit into the time: those that were not reached, and those that nobody ever saw, get what
  most of the others got.
* Long seasons (of hours, of weeks) are taken off before fitting: with them a search would take minutes a series.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.forecast import smoothing
from deepenough.kinds.forecast.inputs import Windows
from deepenough.kinds.forecast.points import PointsModel
from deepenough.kinds.forecast.simple import last_season
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Limits

MOST_HISTORY = 400
"""Steps of a history that are filtered or fitted, or three seasons where these are longer."""
FEWEST = 8
"""Steps of history under which the last season is all that is said."""

Settings = Mapping[str, Any]


def length_of(windows: Windows) -> int:
    """How many steps of history are looked at."""
    return max(MOST_HISTORY, 3 * max(windows.layout.seasons, default=1))


class LocalPoints:
    """What was fitted on each series, by its name, and what stands in for those that have none of their own."""

    def __init__(self, settings: Mapping[str, Settings], common: Settings, planned: float = 1.0) -> None:
        self.settings, self.common, self.planned = settings, common, planned

    @staticmethod
    def fitted_on(history: np.ndarray, season: int) -> Settings:
        """What is fitted on one history without gaps."""
        raise NotImplementedError

    @staticmethod
    def default(season: int) -> Settings:
        """Where nothing could be fitted at all."""
        raise NotImplementedError

    @staticmethod
    def filtered(values: np.ndarray, steps: int, season: int, settings: list[Settings]) -> np.ndarray:
        """Paths of windows, each with its settings."""
        raise NotImplementedError

    @classmethod
    def longest_season(cls) -> int:
        """Longer ones are taken off before fitting."""
        return 24

    @classmethod
    def learn(cls, examples: Examples, rows: np.ndarray, limits: Limits, before: Self | None = None) -> Self:
        """On the history of each series, up to the last of these windows.

        before: what was learnt on a part of it: what a series has there, it keeps, for a filter goes on by itself.
        """
        windows: Windows = examples.inputs.take(rows)
        season = _within(windows, cls.longest_season())
        last: dict[int, int] = {}
        for place in range(len(windows)):
            code = int(windows.series[place])
            if code not in last or windows.at[place] > windows.at[last[code]]:
                last[code] = place
        found: dict[str, Settings] = {}
        for code, place in sorted(last.items()):
            if found and limits.seconds_left() <= 0:
                break
            if before is not None and windows.names[code] in before.settings:
                found[windows.names[code]] = before.settings[windows.names[code]]
                continue
            one = windows.take(np.array([place]))
            history, _ = _prepared(one, cls.longest_season())
            own = history[0][np.isfinite(history[0])]
            if len(own) >= FEWEST and np.ptp(own) > 0:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        found[windows.names[code]] = cls.fitted_on(own, season)
                    except Exception:
                        continue
        late = len(found) < len(last) and limits.seconds_left() <= 0
        return cls(found, _most_common(found) or cls.default(season), len(found) / len(last) if late else 1.0)

    def paths(self, windows: Windows) -> np.ndarray:
        """One path a window."""
        steps = windows.layout.horizon
        season = _within(windows, self.longest_season())
        history, seasons = _prepared(windows, self.longest_season())
        settings = [self.settings.get(windows.names[code], self.common) for code in windows.series.tolist()]
        found = self.filtered(history, steps, season, settings)
        found = found if seasons is None else seasons.on(found)
        short = smoothing.lengths(history) < FEWEST
        simple = last_season(windows)
        bad = short | ~np.isfinite(found).all(axis=1) | _runs_away(found, history, seasons)
        return np.where(bad[:, None], simple, found)

    def save(self, folder: Path) -> None:
        """JSON."""
        write(folder, "settings", {"settings": dict(self.settings), "common": dict(self.common)}, {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again."""
        facts, _ = read(folder, "settings")
        return cls(facts["settings"], facts["common"])


def _within(windows: Windows, longest: int) -> int:
    """The main season, if it is no longer than that; else 1."""
    return windows.layout.season if windows.layout.season <= longest else 1


def _prepared(windows: Windows, longest: int) -> tuple[np.ndarray, smoothing.Seasons | None]:
    """Histories without gaps, and without their season where that is too long to be fitted."""
    history = smoothing.histories(windows.history(length_of(windows)))
    long = max(windows.layout.seasons, default=1)
    if long <= longest:
        return history, None
    shown = int(smoothing.lengths(history).max(initial=0))
    fitting = [season for season in windows.layout.seasons if season > longest and 2 * season <= shown]
    seasons = smoothing.seasons(history, max(fitting, default=windows.layout.season))
    return seasons.off(history), seasons


def _runs_away(paths: np.ndarray, history: np.ndarray, seasons: smoothing.Seasons | None) -> np.ndarray:
    """Whether a path leaves what the window showed by more than three times its whole range."""
    if seasons is not None:
        history = np.where(seasons.times[:, None], history * seasons.profile.max(axis=1, initial=1.0)[:, None], history)
    known = np.isfinite(history)
    low = np.where(known, history, np.inf).min(axis=1, initial=np.inf)
    high = np.where(known, history, -np.inf).max(axis=1, initial=-np.inf)
    reach = 3 * np.maximum(high - low, 1e-9)
    return np.asarray((paths.max(axis=1) > high + reach) | (paths.min(axis=1) < low - reach))


def _most_common(found: Mapping[str, Settings]) -> Settings | None:
    """The settings of the form that most series have: their medians where they are numbers."""
    if not found:
        return None
    forms = Counter(str(each.get("form")) for each in found.values())
    own = [each for each in found.values() if str(each.get("form")) == forms.most_common(1)[0][0]]
    return {
        name: float(np.median([each[name] for each in own])) if isinstance(value, float) else value
        for name, value in own[len(own) // 2].items()
    }


class LocalModel(PointsModel):
    """Settings by series, and how far off they were."""
