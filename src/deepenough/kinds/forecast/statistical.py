"""A statistical model of each series by itself: fitted on its history, asked from any of its windows.

Needs that this module answers:

* Fitting is `statsforecast`'s; answering takes a few numbers a series and nothing else (see `smoothing`), so that a
  saved model is small, open and quick.
* A thousand series may not fit into the time: those that were not reached, those whose fit failed, and those that
  nobody ever saw, get what most of the others got. No series is begun that the slowest so far would end too late.
* Long seasons (of hours, of weeks) are taken off before fitting: with them a search would take minutes a series.
"""

from __future__ import annotations

import time
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.forecast import smoothing
from deepenough.kinds.forecast.inputs import Windows
from deepenough.kinds.forecast.simple import last_season
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Limits

MOST_HISTORY = 400
"""Steps of a history that are filtered or fitted, or four seasons where these are longer."""
FEWEST = 8
"""Steps of history under which the last season is all that is said."""
MOST_AGAIN = 20
"""Series that are fitted again when more of their history may be learnt from; of more, what was found is kept."""
FIRST_SECONDS = 0.5
"""That must be left before the first series is begun: how long one takes is not known yet."""

Settings = Mapping[str, Any]


class NoFormError(ValueError):
    """No form of a statistical model fits a history."""


def fitted(model: Any, history: np.ndarray) -> Mapping[str, Any]:
    """What a model of `statsforecast` found on a history. Raises NoFormError, whatever that library raises."""
    try:
        found: Mapping[str, Any] = model.fit(history).model_
    except Exception as error:  # it raises what it likes where no form fits
        raise NoFormError from error
    return found


def length_of(windows: Windows) -> int:
    """How many steps of history are looked at."""
    return max(MOST_HISTORY, 4 * max(windows.layout.seasons, default=1))


class LocalPaths(ABC):
    """Paths of each window by itself, with the settings of its series, or those that stand in where it has none."""

    again: float | None = None

    def __init__(self, settings: Mapping[str, Settings], common: Settings, planned: float = 1.0) -> None:
        self.settings, self.common, self.planned = settings, common, planned

    @staticmethod
    @abstractmethod
    def filtered(values: np.ndarray, steps: int, season: int, settings: list[Settings]) -> np.ndarray:
        """Paths of windows, each with its settings."""

    @classmethod
    def longest_season(cls) -> int:
        """Longer ones are taken off before fitting."""
        return 24

    def paths(self, windows: Windows) -> np.ndarray:
        """One path a window."""
        off = _taken_off(windows, self.longest_season())
        found = np.empty((len(windows), windows.layout.horizon))
        for long in np.unique(off).tolist():
            rows = np.flatnonzero(off == long)
            found[rows] = self._paths(windows.take(rows), long)
        return found

    def _paths(self, windows: Windows, long: int) -> np.ndarray:
        """Of windows from which a season of this length is taken off."""
        season = 1 if long else _within(windows, self.longest_season())  # the long one holds the shorter ones
        history, seasons = _prepared(windows, long)
        settings = [self.settings.get(windows.names[code], self.common) for code in windows.series.tolist()]
        with np.errstate(all="ignore"):  # what runs away is replaced below
            found = self.filtered(history, windows.layout.horizon, season, settings)
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


class LocalPoints(LocalPaths):
    """Those whose settings are fitted on each series."""

    @staticmethod
    @abstractmethod
    def fitted_on(history: np.ndarray, season: int) -> Settings:
        """What is fitted on one history without gaps. Raises NoFormError."""

    @staticmethod
    @abstractmethod
    def default(season: int) -> Settings:
        """Where nothing could be fitted at all."""

    @classmethod
    def learn(cls, examples: Examples, rows: np.ndarray, limits: Limits, before: Self | None = None) -> Self:
        """On the history of each series, up to the last of these windows.

        before: what was learnt on a part of it; where series are many, what one has there it keeps, for a filter goes
            on by itself.
        """
        windows: Windows = examples.inputs.take(rows)
        last: dict[int, int] = {}
        for place in range(len(windows)):
            code = int(windows.series[place])
            if code not in last or windows.at[place] > windows.at[last[code]]:
                last[code] = place
        found: dict[str, Settings] = {}
        slowest, reached = FIRST_SECONDS, 0
        for code, place in sorted(last.items()):
            if limits.seconds_left() <= slowest:
                break
            reached += 1
            if len(last) > MOST_AGAIN and before is not None and windows.names[code] in before.settings:
                found[windows.names[code]] = before.settings[windows.names[code]]
                continue
            began = time.monotonic()
            if settings := cls._tried(windows.take(np.array([place]))):
                found[windows.names[code]] = settings
            slowest = max(slowest, time.monotonic() - began)
        return cls(
            found,
            cls.common_of(found) or cls.default(_within(windows, cls.longest_season())),
            reached / max(1, len(last)),
        )

    @classmethod
    def _tried(cls, window: Windows) -> Settings | None:
        """What is fitted on one window's history; None where it is too short, constant, or no fit succeeds."""
        longest = cls.longest_season()
        long = int(_taken_off(window, longest)[0])
        history, _ = _prepared(window, long)
        own = history[0][np.isfinite(history[0])]
        if len(own) < FEWEST or np.ptp(own) == 0:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return cls.fitted_on(own, 1 if long else _within(window, longest))
            except NoFormError:
                return None

    @staticmethod
    def common_of(found: Mapping[str, Settings]) -> Settings | None:
        """What stands in for series that have no settings; None where no series has any.

        Of the form that most series have, the medians where they are numbers.
        """
        if not found:
            return None
        forms = Counter(str(each.get("form")) for each in found.values())
        own = [each for each in found.values() if str(each.get("form")) == forms.most_common(1)[0][0]]
        return {
            name: float(np.median([each[name] for each in own])) if isinstance(value, float) else value
            for name, value in own[len(own) // 2].items()
        }


def _within(windows: Windows, longest: int) -> int:
    """The main season, if it is no longer than that; else 1."""
    return windows.layout.season if windows.layout.season <= longest else 1


def _taken_off(windows: Windows, longest: int) -> np.ndarray:
    """The longest season that is too long to be fitted and that each window shows twice, shape (n,); 0 without any."""
    known = np.isfinite(windows.history(length_of(windows)))
    shown = np.where(known.any(axis=1), known.shape[1] - known.argmax(axis=1), 0)
    found = np.zeros(len(windows), dtype=np.int64)
    for season in sorted(windows.layout.seasons):
        if season > longest:
            found[2 * season <= shown] = season
    return found


def _prepared(windows: Windows, long: int) -> tuple[np.ndarray, smoothing.Seasons | None]:
    """Histories without gaps, and without a season of this length, if it is not 0."""
    history = windows.history(length_of(windows))
    history = smoothing.histories(history[:, np.isfinite(history).any(axis=0).argmax() :], windows.layout.season)
    if not long:
        return history, None
    seasons = smoothing.seasons(history, long)
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
