"""All series in one row of arrays, and windows into them: which origins may be learnt from, which can be judged.

Needs that this module answers:

* Nothing that is learnt from lies beyond a cut in time, whatever it is: values, past covariates, targets.
* Each series is followed by as many empty steps as are forecast, so that windows never reach into the next one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepenough.kinds.forecast import clocks
from deepenough.kinds.forecast.grid import Series
from deepenough.kinds.forecast.inputs import Layout, Windows

FOLDS = 5
STRETCHES = 5
"""Of the length of a horizon, that a fold should hold: a short race judges two folds, and has ten of them then."""
JUDGED_SHARE = 0.5
"""Share of what is known, the latest, that is judged."""
FEWEST = 8
"""Windows under which nothing can be learnt."""
SHORTEST_LOOK, LONGEST_LOOK = 256, 2_048
"""Steps of history that a window shows, at most, whatever the season."""


class Pool:
    """All series in one row of arrays, each followed by as many empty steps as are forecast.

    owner: which series a place belongs to. places: which step of time it is. is_series: not one of the empty steps.
    """

    def __init__(self, series: Sequence[Series], layout: Layout) -> None:
        self.layout = layout
        ahead, width = layout.horizon, len(layout.known) + len(layout.past)
        lengths = np.array([len(own.values) for own in series])
        self.begins = np.concatenate([[0], np.cumsum(lengths + ahead)[:-1]]).astype(np.int64)
        total = int((lengths + ahead).sum())
        self.values = np.full(total, np.nan)
        self.covariates = np.full((total, width), np.nan)
        self.places, self.owner = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
        self.is_series, late = np.zeros(total, dtype=bool), np.zeros(total)
        for code, (own, begin, length) in enumerate(zip(series, self.begins.tolist(), lengths.tolist(), strict=True)):
            self.values[begin : begin + length] = own.values
            given = own.covariates[: length + ahead]
            self.covariates[begin : begin + len(given)] = given
            self.places[begin : begin + length + ahead] = own.first + np.arange(length + ahead)
            self.owner[begin : begin + length + ahead] = code
            self.is_series[begin : begin + length] = True
            late[begin : begin + length + ahead] = clocks.continued(own.late, length + ahead, layout.step.year)
        self.times = layout.step.times(self.places) + late
        self.names = tuple(own.name for own in series)
        self.known = np.isfinite(self.values)
        self._counted = np.concatenate([[0], np.cumsum(self.known)])
        longest = max((4 * max(layout.seasons, default=1), 8 * layout.horizon, SHORTEST_LOOK))
        self.look = min(longest, LONGEST_LOOK)

    def learnable(self, cut: int | None) -> np.ndarray:
        """Origins that can be learnt from: of their steps at least half are known, none of it beyond the cut."""
        last = self._ends(cut)
        at = np.flatnonzero(self.is_series & (np.arange(len(self.values)) < last))
        return self._informed(at, np.minimum(at + self.layout.horizon, last[at]))

    def judgeable(self, first: int, end: int) -> np.ndarray:
        """Origins from a place on and before another, of whose steps at least half are known."""
        at = np.flatnonzero(self.is_series & (self.places >= first) & (self.places < end))
        return self._informed(at, at + self.layout.horizon)

    def _informed(self, at: np.ndarray, until: np.ndarray) -> np.ndarray:
        """Those with two known values in sight, and with half of the steps known that come until some places."""
        before = self._counted[at + 1] - self._counted[self._starts(at)]
        after = self._counted[until + 1] - self._counted[at + 1]
        return np.asarray(at[(before >= 2) & (2 * after >= self.layout.horizon)])

    def _starts(self, at: np.ndarray) -> np.ndarray:
        """The first places that windows with these origins show."""
        return np.asarray(np.maximum(self.begins[self.owner[at]], at - self.look + 1))

    def _ends(self, cut: int | None) -> np.ndarray:
        """For each place of the pool, the last place of its series that may be learnt from."""
        lengths = np.bincount(self.owner[self.is_series], minlength=len(self.names))
        last: np.ndarray = self.begins + lengths - 1
        if cut is not None:
            last = np.minimum(last, self.begins + cut - self.places[self.begins])
        return np.asarray(last[self.owner])

    def windows(self, at: np.ndarray, cut: int | None) -> Windows:
        """Windows with these origins, into a pool that holds no value after the cut."""
        values, covariates = self.values, self.covariates
        if cut is not None:
            after = self.places > cut
            values = np.where(after, np.nan, values)
            if self.layout.past:
                covariates = covariates.copy()
                covariates[after, len(self.layout.known) :] = np.nan
        return Windows(values, self.times, covariates, at, self._starts(at), self.owner[at], self.names, self.layout)

    def targets(self, at: np.ndarray, cut: int | None) -> np.ndarray:
        """What came after the origins, shape (n, horizon); NaN where it is not known, or lies beyond the cut."""
        places = at[:, None] + np.arange(1, self.layout.horizon + 1)
        found = self.values[places]
        return found if cut is None else np.where(self.places[places] > cut, np.nan, found)

    def scales(self, cut: int) -> np.ndarray:
        """By series, how far last season's value is off on average up to the cut; the others' typical unit where that
        is 0 or not known."""
        found = np.full(len(self.names), np.nan)
        for code in range(len(self.names)):
            begin = self.begins[code]
            own = self.values[begin : begin + max(0, cut - int(self.places[begin]) + 1)]
            for season in (self.layout.season, 1):
                off = np.abs(own[season:] - own[:-season]) if len(own) > season else own[:0]
                if np.isfinite(off).any() and np.nanmean(off) > 0:
                    found[code] = float(np.nanmean(off))
                    break
        typical = float(np.nanmedian(found)) if np.isfinite(found).any() else 1.0
        return np.where(np.isfinite(found), found, typical)


@dataclass(frozen=True)
class Fold:
    """cut: the last place that is learnt from. learnt, judged: origins, in the order of the pool."""

    cut: int
    learnt: np.ndarray
    judged: np.ndarray


def folds(pool: Pool) -> list[Fold]:
    """The latest half of what is known in up to five blocks, each judged by who learnt from all before it.

    Empty where nothing is left to learn from, or to judge.
    """
    horizon, places = pool.layout.horizon, np.sort(pool.places[pool.known])
    first, last = int(places[0]), int(places[-1])
    begin = int(places[round((1 - JUDGED_SHARE) * (len(places) - 1))]) + 1
    if begin - first <= horizon or last - first + 1 < 2 * horizon:
        return []
    length = last - begin + 1
    count = min(int(np.clip(length // (STRETCHES * horizon), 2, FOLDS)), length // -(-horizon // 2))
    edges = np.linspace(begin, last + 1, max(1, count) + 1).astype(int).tolist()
    found = []
    for edge, end in itertools.pairwise(edges):
        fold = Fold(edge - 1, pool.learnable(edge - 1), pool.judgeable(edge - 1, end - 1))
        if len(fold.learnt) >= FEWEST and len(fold.judged):
            found.append(fold)
    return found


def longest(series: Sequence[Series], layout: Layout) -> int:
    """The longest horizon below the layout's own that can be judged; 0 where there is none."""
    low, high = 0, layout.horizon
    while high - low > 1:
        middle = (low + high) // 2
        able = bool(folds(Pool(series, replace(layout, horizon=middle))))
        low, high = (middle, high) if able else (low, middle)
    return low
