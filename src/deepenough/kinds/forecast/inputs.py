"""What a model sees of a window: the history of a series up to a moment, and what is known of the steps after it.

Needs that this module answers:

* Windows overlap, so histories are held once, in a pool that windows point into; what a window may look at lies between
  its `start` and its origin `at`, covariates known in advance also in the steps after.
* What is judged carries pools of its own that end with the origin: no answer is in them.
* How far back a model looks is measured by hiding: parts are what is older than so many steps, and the covariates.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np

from deepenough.kinds.forecast.steps import Step
from deepenough.kinds.strings import packed, unpacked

SHORTEST, LONGEST = 32, 336
"""Steps of history that are read, unless a learner is told otherwise."""


@dataclass(frozen=True)
class Layout:
    """What all windows of a task have in common.

    horizon: steps to forecast. levels: of the quantiles, ascending, the middle one .5.
    seasons: lengths of seasons in steps, the main one first; empty where there is none.
    step: what one step of time is.
    known: names of covariates that are known in advance; past: of those that are known up to the origin.
    least: 0 where no value was ever negative, else None.
    """

    horizon: int
    levels: tuple[float, ...]
    seasons: tuple[int, ...] = ()
    step: Step = field(default_factory=lambda: Step("number", 1.0))
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    least: float | None = None

    @property
    def season(self) -> int:
        """The main season; 1 where there is none."""
        return self.seasons[0] if self.seasons else 1

    @property
    def look(self) -> int:
        """How many steps of history are read: two seasons and the horizon, or four horizons."""
        return int(np.clip(max(2 * self.season + self.horizon, 4 * self.horizon), SHORTEST, LONGEST))

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Itself again."""
        facts: dict[str, Any] = json.loads(text)
        facts["step"] = Step.from_json(facts["step"])
        facts = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
        return cls(**facts)


@dataclass(frozen=True)
class Windows:
    """Windows into a pool of histories, each step of which is one unit of time after the one before.

    values: of the target, float64, shape (p,); NaN in gaps and after the end.
    times: of the steps, float64, seconds since 1970 (UTC), shape (p,).
    covariates: float64, shape (p, known + past), in the order of the layout; NaN where unknown.
    at, start: places in the pool of a window's last known step and of its first, int64, shape (n,); `layout.horizon`
        places after `at` belong to the window too, and only the known covariates and the times may be read there.
    series: place of each window's series in `names`, int64, shape (n,).
    """

    values: np.ndarray
    times: np.ndarray
    covariates: np.ndarray
    at: np.ndarray
    start: np.ndarray
    series: np.ndarray
    names: tuple[str, ...]
    layout: Layout

    def __len__(self) -> int:
        return len(self.at)

    @property
    def span(self) -> float:
        """Seconds from the first window's origin to the end of the last one."""
        return float(np.ptp(self.times[np.concatenate([self.at, self.at + self.layout.horizon])])) if len(self) else 0.0

    def take(self, rows: np.ndarray) -> Self:
        """These windows, in this order, into the same pool."""
        return replace(self, at=self.at[rows], start=self.start[rows], series=self.series[rows])

    def history(self, length: int, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """The last so many values of each window, oldest first, shape (n, length); NaN before its start."""
        return self._gathered(self.values, -length, 0, rows)

    def past(self, length: int, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """All covariates in the last so many steps, shape (n, length, known + past); NaN before the window's start."""
        return self._gathered(self.covariates, -length, 0, rows)

    def ahead(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """The known covariates in the steps to forecast, shape (n, horizon, known)."""
        known = self.covariates[:, : len(self.layout.known)]
        return self._gathered(known, 0, self.layout.horizon, rows)

    def times_ahead(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """The moments to forecast, seconds since 1970, shape (n, horizon)."""
        return self._gathered(self.times, 0, self.layout.horizon, rows)

    def _gathered(self, pool: np.ndarray, first: int, last: int, rows: np.ndarray | slice) -> np.ndarray:
        """What stands at the steps first + 1 ... last from the origins."""
        at, start = self.at[rows], self.start[rows]
        places = at[:, None] + np.arange(first + 1, last + 1)
        found = pool[np.maximum(places, 0)].astype(np.float64)
        found[places < start[:, None]] = np.nan
        return found

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays: the part of the pool that these windows see, their places in one row, names and layout."""
        places = len(self.values) + 1
        ends = np.bincount(self.at + self.layout.horizon + 1, minlength=places)
        seen = np.bincount(self.start, minlength=places) - ends
        used: Any = np.flatnonzero(np.cumsum(seen[:-1]) > 0)
        if len(used) == len(self.values):
            used = slice(None)  # all of it: no copy
        place = np.zeros(len(self.values), dtype=np.int64)
        place[used] = np.arange(len(place[used]))
        names = np.unique(self.series)
        windows = np.concatenate([place[self.at], place[self.start], np.searchsorted(names, self.series)])
        return {
            "values": self.values[used],
            "times": self.times[used],
            "covariates": self.covariates[used].ravel(),  # flat: what has as many rows as windows would be taken apart
            "windows": windows.astype(np.int64),
            "names": packed(self.names[code] for code in names.tolist()),
            "layout": packed([self.layout.to_json()]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The windows again."""
        layout = Layout.from_json(unpacked(arrays["layout"])[0])
        width = len(layout.known) + len(layout.past)
        at, start, series = arrays["windows"].reshape(3, -1)
        covariates = arrays["covariates"].reshape(len(arrays["values"]), width)
        names = tuple(unpacked(arrays["names"]))
        return cls(arrays["values"], arrays["times"], covariates, at, start, series, names, layout)

    def parts(self) -> Sequence[str]:
        """What can be hidden: the history older than 1, 2, 3, 5, 8, 13 ... steps, and each covariate."""
        ages = [f"older than {age:,} {'step' if age == 1 else 'steps'}" for age in self._ages()]
        return [*ages, *self.layout.known, *self.layout.past]

    def shuffled(self, part: int, rows: np.ndarray) -> Self:
        """The same windows without their history older than so many steps, or with the covariate of those at `rows`."""
        ages = self._ages()
        if part < len(ages):
            return replace(self, start=np.maximum(self.start, self.at - ages[part] + 1))
        own = self._apart()
        covariates, column = own.covariates.copy(), part - len(ages)
        length, horizon = int((own.at - own.start).max()) + 1, self.layout.horizon
        for place, row in enumerate(rows.tolist()):
            steps = min(length, own.at[place] - own.start[place] + 1, own.at[row] - own.start[row] + 1)
            to = slice(own.at[place] - steps + 1, own.at[place] + horizon + 1)
            covariates[to, column] = own.covariates[own.at[row] - steps + 1 : own.at[row] + horizon + 1, column]
        return replace(own, covariates=covariates)

    def _ages(self) -> list[int]:
        """Ages to hide from: Fibonacci's numbers up to the longest history."""
        longest, ages = int((self.at - self.start).max(initial=0)), [1, 2]
        while ages[-1] + ages[-2] < longest:
            ages.append(ages[-1] + ages[-2])
        return [age for age in ages if age <= max(longest, 1)]

    def closed(self) -> Self:
        """The same windows, each with a pool of its own in which nothing is known of the target, nor of the covariates
        that are not known in advance, after the origin."""
        own = self._apart()
        places = np.arange(len(own.values))
        lengths = own.at - own.start + 1 + own.layout.horizon
        after = places > np.repeat(own.at, lengths)
        covariates = own.covariates.copy()
        covariates[after, len(own.layout.known) :] = np.nan
        return replace(own, values=np.where(after, np.nan, own.values), covariates=covariates)

    def _apart(self) -> Self:
        """The same windows, each with a stretch of the pool of its own."""
        lengths = self.at - self.start + 1 + self.layout.horizon
        ends = np.cumsum(lengths)
        start = ends - lengths
        places = np.repeat(self.start - start, lengths) + np.arange(ends[-1] if len(ends) else 0)
        at = start + (self.at - self.start)
        pools = (self.values[places], self.times[places], self.covariates[places])
        return type(self)(*pools, at, start, self.series, self.names, self.layout)
