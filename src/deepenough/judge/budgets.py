"""The verdict as a function of the budget: what a race of less or more time, on fewer or more rows, would say.

Needs that this module answers:

* "Would it have been another answer in 30 seconds, and will it be another in an hour?" is asked of one race's evidence.
* A race judges both families at one size: the largest at which the finals of both fit its budget (see `timetable`);
  a learner takes part from the budget on that has the time for it, in the order in which this race came to it.
* What a race would say is not what is true: it has noise of its own. It judges the same rows as this one, so that the
  units' luck is common to both; the luck of seeds and draws, and of fewer folds, is not.
* The size that a race finds is not known to better than a factor of two, for machines are busier at one time than at
  another: a cell's probabilities are those of its size, of half and of twice of it.
* What was measured stands apart from what is extrapolated; beyond four times the measured size nothing is said.
* The race's own cell says what the race said, and no answer about more time is surer than `outlook.with_time`.

Only the pair is asked about: a blend, or that there is no signal at all, is not foreseen. Checked against separate
races by `benchmarks/map_cells.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtr

from deepenough.evidence import FAMILIES, Evidence
from deepenough.judge import court as courts
from deepenough.judge import ladder, outlook, stats
from deepenough.judge.court import Court
from deepenough.judge.curves import DRAWS, Fit
from deepenough.judge.metrics import practically_equal
from deepenough.judge.timetable import Clock, Terms
from deepenough.judge.verdict import Verdict

BUDGETS = (15, 30, 60, 120, 240, 480, 900, 1800, 3600, 7200, 14_400, 28_800, 57_600, 86_400)
"""Seconds that are asked about, doublings as people say them."""
REACH_OF_TIME = (1 / 40, 8.0)
"""They lie between these multiples of the race's own, which stands in the place of one that is nearer than this:"""
NEAR = 1.3
ROWS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Shares of the rows that are asked about."""
SUREST = 0.99
"""No probability that is read off one race is nearer to 1 or 0: it knows the luck of the fits, not of the clock."""


@dataclass(frozen=True)
class Cell:
    """One race that is asked about.

    rows: of the table. n_train: rows that both families would be judged at, 0 where no finals fit; folds: of them.
    decision: what it would most probably say of the pair (of the race's own cell: what it said); certainty: how
    probably. deep_pays: probability that deep is truly better there by more than counts. known: `measured` (the size
    lies on both ladders, and the time was spent), `extrapolated`, or `out_of_reach`, and then nothing is said.
    """

    rows: int
    budget_seconds: float
    n_train: int
    folds: int
    decision: str
    certainty: float | None
    deep_pays: float | None
    known: str
    classical: str
    deep: str


@dataclass(frozen=True)
class Map:
    """Cells by budget and rows. reason: why there is none; empty where there is one.

    own_seconds: what the race itself took. axis: the cells at all rows, by rising budget. answer: whether more time
    would change what is said: `same`, `could_change` (and `change_seconds`, the budget from which on), or `unknown`.
    """

    cells: tuple[Cell, ...] = ()
    axis: tuple[Cell, ...] = ()
    own_seconds: float = 0.0
    rows: int = 0
    answer: str = "unknown"
    change_seconds: float | None = None
    reason: str = ""


def budget_map(evidence: Evidence, verdict: Verdict, budgets: Sequence[float] = ()) -> Map:
    """The map of this evidence; without cells, and with the reason, where it can't be drawn.

    budgets: seconds that are asked about in place of the usual ones; the race's own is always among them.
    """
    reason = _no_map(evidence, verdict)
    court = None if reason else courts.court_of(evidence, verdict.alpha)
    if court is None:
        return Map(reason=reason)
    drawing = _Drawing(evidence, verdict, court, Clock.of(evidence))
    if any(not drawing.able[family] for family in FAMILIES):
        return Map(reason="a family was measured at too few sizes to say what others would give")
    own, rows = drawing.clock.own_seconds, evidence.plan.rows
    counts = sorted({max(round(share * rows), 1) for share in ROWS})
    cells = tuple(drawing.cell(count, budget) for budget in _asked(own, budgets) for count in counts)
    axis = tuple(cell for cell in cells if cell.rows == rows)
    answer, change = _more(axis, own, verdict.with_time)
    return Map(cells, axis, own, rows, answer, change)


def _no_map(evidence: Evidence, verdict: Verdict) -> str:
    """Why there can be no map; empty where there can."""
    if evidence.plan.shape != "supervised":
        return "only what learns from rows has a size that time decides"
    if verdict.gap is None:
        return "both families must be judged first"
    return "" if verdict.trusted else "this race can't be trusted, and so not what is read off it"


def _asked(own: float, budgets: Sequence[float]) -> list[float]:
    least, most = (own * times for times in REACH_OF_TIME)
    usual = [b for b in BUDGETS if least <= b <= most and not own / NEAR < b < own * NEAR]
    return sorted({float(b) for b in budgets or usual} | {own})


def _capped(probability: float) -> float:
    return min(max(probability, 1 - SUREST), SUREST)


def _more(axis: Sequence[Cell], own_seconds: float, with_time: Mapping[str, Any]) -> tuple[str, float | None]:
    """Whether more time would change what is said, and from which budget on.

    What `outlook.with_time` leaves open stays open here: the map knows only who was measured well enough.
    """
    now = next(cell for cell in axis if cell.budget_seconds == own_seconds)
    told = [cell for cell in axis if cell.known != "out_of_reach"] if now.known != "out_of_reach" else []
    later = [cell for cell in told if cell.budget_seconds > own_seconds]
    changes = [cell.budget_seconds for cell in later if cell.decision != now.decision]
    waiting, more = with_time.get("answer", "unknown"), with_time.get("seconds")
    if waiting == "could_change" and more is not None:
        changes.append(own_seconds + more)
    if changes or waiting == "could_change":
        return "could_change", min(changes, default=None)
    return ("same" if waiting == "same" and later else "unknown"), None


@dataclass(frozen=True)
class _Drawing:
    """All that cells share; what was worked out for one is kept for the others."""

    evidence: Evidence
    verdict: Verdict
    court: Court
    clock: Clock
    _fits: dict[tuple[str, str], Fit | None] = field(default_factory=dict)
    _laws: dict[tuple[str, int], float] = field(default_factory=dict)
    _spreads: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)

    @cached_property
    def order(self) -> Mapping[str, list[str]]:
        """By family, the contenders in the order in which they came to finals, then those that did not."""
        finals, trials = {}, {}
        for trial in reversed(self.evidence.trials):
            trials[trial.contender] = trial.number
            if trial.purpose == "final":
                finals[trial.contender] = trial.number
        judged = self.court.judged
        return {
            family: sorted(judged.of_family(family), key=lambda name: (finals.get(name, math.inf), trials[name]))
            for family in FAMILIES
        }

    @cached_property
    def able(self) -> Mapping[str, list[str]]:
        """Those of known curve, in the same order."""
        return {f: [n for n in names if len(self._sizes(n)) >= ladder.FIT_SIZES] for f, names in self.order.items()}

    @cached_property
    def champions(self) -> list[str]:
        return [self.able[family][0] for family in FAMILIES]

    def _sizes(self, name: str) -> list[int]:
        """The sizes of its curve."""
        return [point[0] for point in self.verdict.curves.get(name, {"points": []})["points"]]

    # What a race would do

    def cell(self, rows: int, budget: float) -> Cell:
        """What a race of this budget on so many rows would say."""
        terms = self._terms(rows, budget)
        size = self._size(terms.largest, self.correction * terms.final_seconds)
        if size is None or size < self.evidence.plan.smallest:
            return Cell(rows, budget, 0, 0, "", None, None, "out_of_reach", "", "")
        stands = {family: self._stands(family, size, terms) for family in FAMILIES}
        return self._told(terms, size, stands["classical"], stands["deep"])

    def _terms(self, rows: int, budget: float) -> Terms:
        plan = self.evidence.plan
        share = self.clock.share(budget, max(self._seconds(name, rows) for name in self.champions))
        largest = max(round(rows * plan.largest / plan.rows), 1)
        slowest = max(self._seconds(name, largest) for name in self.champions)
        return Terms(rows, budget, largest, share, self.clock.folds(budget, share, slowest))

    @cached_property
    def own(self) -> Terms:
        """The terms of the race itself."""
        return self._terms(self.evidence.plan.rows, self.clock.own_seconds)

    @cached_property
    def correction(self) -> float:
        """What the rule allows at the race's own budget is made to give the size that the race was judged at: its
        probes may have been slower or faster than the fits that came after them."""
        allowed, judged = self.own.final_seconds, self.verdict.n_train
        if allowed <= 0 or self._size(self.own.largest, allowed) == judged:
            return 1.0
        return max(self._seconds(name, judged) for name in self.champions) / allowed * 1.001

    def _size(self, largest: int, allowed: float) -> int | None:
        """The largest size, in steps of root two below all rows, at which a final of each champion is allowed."""
        steps = (int(largest / 2 ** (step / 2)) for step in range(40))
        fits = (n for n in steps if n >= 1 and max(self._seconds(name, n) for name in self.champions) <= allowed)
        return next(fits, None)

    def _seconds(self, name: str, n_train: int) -> float:
        if (name, n_train) not in self._laws:
            found = outlook.predicted_seconds(self.court.judged, name, n_train)
            self._laws[name, n_train] = math.inf if found is None else found
        return self._laws[name, n_train]

    def _stands(self, family: str, size: int, terms: Terms) -> str:
        """Who stands for a family: this race's finalist where it is in time at the judged size, else who is best."""
        names = self._in_time(family, size, terms)
        near = [name for name in self.able[family] if name in names and size <= ladder.REACH * self._sizes(name)[-1]]
        finalist = self.court.lineups[family].contender
        if finalist in near and size == self.verdict.n_train:
            return finalist
        return min(near or self.able[family][:1], key=lambda name: (self._loss(name, size), name))

    def _in_time(self, family: str, size: int, terms: Terms) -> set[str]:
        """Who would come to finals: one after the other, as this race did, as long as the same part of the share lasts
        that it spent on finals. The champion always does."""
        left = self._spent[family] * terms.share / max(self.own.share, 1e-9)
        enough = terms.budget >= self.clock.own_seconds and size <= self.verdict.n_train
        found = self._ran_finals(family) if enough else {self.able[family][0]}
        for name in self.order[family]:
            left -= self._seconds(name, size) * terms.folds
            if left < 0:
                break
            found.add(name)
        return found

    @cached_property
    def _spent(self) -> Mapping[str, float]:
        """Seconds of a family's finals at the judged size, on the planned folds."""
        size, folds = self.verdict.n_train, self.own.folds
        return {f: folds * sum(self._seconds(name, size) for name in self._ran_finals(f)) for f in FAMILIES}

    def _ran_finals(self, family: str) -> set[str]:
        trials = self.court.judged.trials
        return {name for name in self.order[family] if self.verdict.n_train in trials[name]}

    def _loss(self, name: str, size: int) -> float:
        """A contender's loss at this size, between its measured sizes and its forecasts."""
        curve = self.verdict.curves[name]
        points = sorted([*(point[:2] for point in curve["points"]), *(each[:2] for each in curve["forecasts"])])
        sizes, losses = np.array(points, dtype=np.float64).T
        return float(np.interp(math.log(size), np.log(sizes), losses))

    # What it would say

    def _told(self, terms: Terms, size: int, classical: str, deep: str) -> Cell:
        rows, budget, folds = terms.rows, terms.budget, self._judged_folds(terms)
        last = min(self._sizes(name)[-1] for name in (classical, deep))
        fit = self._fit(classical, deep)
        if fit is None or size > ladder.REACH * last:
            return Cell(rows, budget, size, folds, "", None, None, "out_of_reach", classical, deep)
        own = (rows, budget) == (self.evidence.plan.rows, self.clock.own_seconds)
        said, pays = self._said(fit, terms, size, (classical, deep))
        if not own:
            said = self._blurred(said, fit, terms, size, (classical, deep))
        decision = self.verdict.under_budget if own else max(said, key=lambda name: said[name])
        first = max(self._sizes(name)[0] for name in (classical, deep))
        spent = rows <= self.evidence.plan.rows and budget <= self.clock.own_seconds
        known = "measured" if own or (spent and first <= size <= last) else "extrapolated"
        return Cell(rows, budget, size, folds, decision, _capped(said[decision]), _capped(pays), known, classical, deep)

    def _blurred(
        self, said: dict[str, float], fit: Fit, terms: Terms, size: int, pair: tuple[str, str]
    ) -> dict[str, float]:
        """Half of it from this size, a quarter each from half and from twice of it, as far as there are rows."""
        most = min(terms.largest, ladder.REACH * min(self._sizes(name)[-1] for name in pair))
        near = (max(size // 2, self.evidence.plan.smallest), int(min(2 * size, most)))
        half, twice = (self._said(fit, terms, other, pair)[0] for other in near)
        return {name: said[name] / 2 + half[name] / 4 + twice[name] / 4 for name in said}

    def _fit(self, classical: str, deep: str) -> Fit | None:
        pair = (classical, deep)
        if pair not in self._fits:
            rungs = ladder.rungs_of(self.court.judged, pair, self.court.trivial_loss)
            self._fits[pair] = None if rungs is None else ladder.fitted(rungs, ladder.seed_of(self.evidence))
        return self._fits[pair]

    def _counts(self, best_loss: float) -> float:
        """What counts as practically equal at that quality."""
        given = self.evidence.plan.judge_options.get("equal_within")
        return practically_equal(best_loss, self.court.trivial_loss) if given is None else float(given)

    def _said(self, fit: Fit, terms: Terms, size: int, pair: tuple[str, str]) -> tuple[dict[str, float], float]:
        """Probability of each of the pair's decisions, by the rule of `verdict.pair_decision`; and that deep pays."""
        ours, theirs = fit.losses(np.array([float(size)]))[:, :, 0]
        gap, counts = ours - theirs, self._counts(float(min(ours.mean(), theirs.mean())))
        luck, width = (each[: len(gap)] for each in self._noise(terms, size, pair))
        cheaper_deep = self.verdict.cheaper == "deep"
        threshold = -counts if cheaper_deep else counts
        above = float(ndtr((gap - threshold - width) / luck).mean())
        below = float(ndtr((threshold - gap - width) / luck).mean())
        names = ("deep_is_enough", "classical_pays") if cheaper_deep else ("deep_pays", "classical_is_enough")
        said = {names[0]: above, names[1]: below, "open": max(1 - above - below, 0.0)}
        return said, float((gap > counts).mean())

    def _noise(self, terms: Terms, size: int, pair: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
        """Sd of such a race's gap around the curves of these rows, and how far from the gap its bound lies; a value a
        draw. The variance of the fits is itself uncertain, and the next race would estimate it anew, from the judge's
        prior and as many folds as it has: a race of two folds mostly believes the prior."""
        panel, own, folds = self.court.panel, self._pair, self._judged_folds(terms)
        units = len(panel) * terms.rows / self.evidence.plan.rows
        if not self.court.judged.halves:
            units *= folds / len(panel.folds)
        one_unit = own.units.variance * len(panel) * self._louder(pair, size)
        scale, squares = self._luck
        fits = own.fits.variance * panel.n_train / size * scale
        other_units = one_unit * max(1 / max(units, 1.0) - 1 / len(panel), 0.0)
        df = stats.SEED_PRIOR_DF + folds - 1
        told = (stats.SEED_PRIOR_DF * self._seeds + fits * squares[:, folds - 1]) / df
        parts = [
            stats.Component(one_unit / max(units, 1.0), own.units.df),
            stats.Component(float(told.mean()) / folds, df),
        ]
        away = stats.t_quantile(self.court.alpha, stats.satterthwaite(parts))
        return np.sqrt(other_units + fits / folds) + 1e-12, away * np.sqrt(parts[0].variance + told / folds)

    @cached_property
    def _luck(self) -> tuple[np.ndarray, np.ndarray]:
        """By draw: what the fits' variance is multiplied by, for it is uncertain; and by how many folds, less one, the
        sum of squares from which the next race estimates it, shape (draws, folds)."""
        df, rng = max(self._pair.fits.df, 1.0), np.random.default_rng([ladder.seed_of(self.evidence), 23])
        normal = rng.standard_normal((DRAWS, max(self.evidence.plan.folds, self.verdict.folds)))
        normal[:, 0] = 0.0
        return df / rng.chisquare(df, DRAWS), np.cumsum(normal**2, axis=1)

    @cached_property
    def _seeds(self) -> float:
        """What the judge expects the seeds to do before it sees a race's folds."""
        return sum(courts.seed_luck(self.court, lineup) for lineup in self.court.lineups.values())

    @cached_property
    def _pair(self) -> stats.Difference:
        found = courts.pair(self.court)
        assert found is not None  # the verdict has a gap
        return found

    def _judged_folds(self, terms: Terms) -> int:
        """A race of this budget or more gets at least the folds that this one came to."""
        return max(terms.folds, self.verdict.folds) if terms.budget >= self.clock.own_seconds else terms.folds

    def _louder(self, pair: tuple[str, str], size: int) -> float:
        """How many times the variance of a unit's gap at this size is that at the judged size."""
        if pair not in self._spreads:
            self._spreads[pair] = ladder.gap_variances(self.court.judged, *pair)
        known = {n: spread for n, spread in self._spreads[pair].items() if spread > 0}
        if not known:
            return 1.0
        sizes, spreads = np.log(np.array(sorted(known.items()), dtype=np.float64)).T
        there, here = np.interp(np.log([size, self.verdict.n_train]), sizes, spreads)
        return float(np.exp(there - here))
