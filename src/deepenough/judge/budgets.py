"""The verdict as a function of the budget: what a race of less or more time, on fewer or more rows, would say.

Needs that this module answers:

* "Would it have been another answer in 30 seconds, and will it be another in an hour?" is asked of one race's evidence.
* A race judges both families at one size: the largest at which the finals of both fit its budget. The rule is the
  scheduler's (`racing.standing`), restated here from what every learner's seconds were; a learner takes part from the
  size on that its time allows.
* What a race would say is not what is true: it has judging noise of its own, from fewer rows and folds.
* What was measured stands apart from what is extrapolated; beyond four times the measured size nothing is said.

Checked against separate races by `benchmarks/agreement.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtr

from deepenough.evidence import FAMILIES, Evidence, Plan
from deepenough.judge import court as courts
from deepenough.judge import ladder, outlook, stats
from deepenough.judge.court import Court
from deepenough.judge.curves import Fit
from deepenough.judge.metrics import practically_equal
from deepenough.judge.verdict import Verdict

BUDGETS = (15, 30, 60, 120, 300, 600, 1200, 3600, 7200, 14_400, 36_000, 86_400)
"""Seconds that are asked about, where they lie between these multiples of the race's own."""
REACH_OF_TIME = (1 / 40, 8.0)
ROWS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Shares of the rows that are asked about."""
REPORT_SECONDS, REPORT_SHARE, REFIT_SHARE = 2.5, 0.01, 0.15
"""Reserve of a race: seconds, a share of the budget (of 600 s at most), and at most so much of it for the refit."""
FINALS_SHARE, BREADTH_SHARE = 0.6, 0.4
"""Of a family's share: the champion's finals, and what is left for the finals of others."""
FEW_FOLDS, MORE_FOLDS, ALL_FOLDS = (45.0, 2), (100.0, 3), 5
MOST_HALVES = 3


@dataclass(frozen=True)
class Cell:
    """One race that is asked about.

    rows: of the table. n_train: rows that both families would be judged at; 0 where no finals fit.
    decision: what it would most probably say of the pair; certainty: how probably. deep_pays: probability that deep is
    truly better there by more than counts. known: `measured` (the size lies on both ladders, and the time was spent),
    `extrapolated`, or `out_of_reach`, and then nothing is said.
    """

    rows: int
    budget_seconds: float
    n_train: int
    decision: str
    certainty: float | None
    deep_pays: float | None
    known: str
    classical: str
    deep: str


@dataclass(frozen=True)
class Map:
    """Cells by budget and rows. reason: why there is none; empty where there is one.

    own_seconds: what the race itself took. axis: the cells at all rows, by rising budget. answer: `same`,
    `could_change` (and `change_seconds`, the first budget at which the cell says something else), or `unknown`.
    """

    cells: tuple[Cell, ...] = ()
    axis: tuple[Cell, ...] = ()
    own_seconds: float = 0.0
    rows: int = 0
    answer: str = "unknown"
    change_seconds: float | None = None
    reason: str = ""


def budget_map(evidence: Evidence, verdict: Verdict) -> Map:
    """The map of this evidence; without cells, and with the reason, where it can't be drawn."""
    court = courts.court_of(evidence, verdict.alpha)
    if court is None or verdict.gap is None:
        return Map(reason="both families must be judged first")
    if evidence.plan.shape != "supervised":
        return Map(reason="only what learns from rows has a size that time decides")
    drawing = _Drawing(evidence, verdict, court, _Clock.of(evidence))
    if any(not drawing.able[family] for family in FAMILIES):
        return Map(reason="a family was measured at too few sizes to say what others would give")
    own = drawing.clock.own_seconds
    asked = sorted(
        {float(b) for b in BUDGETS if REACH_OF_TIME[0] * own <= b <= REACH_OF_TIME[1] * own} | {round(own, 1)}
    )
    rows = evidence.plan.rows
    cells = tuple(drawing.cell(round(share * rows), budget) for budget in asked for share in ROWS)
    axis = tuple(cell for cell in cells if cell.rows == rows)
    answer, change = _more(axis, own)
    return Map(cells, axis, own, rows, answer, change)


def _more(axis: Sequence[Cell], own_seconds: float) -> tuple[str, float | None]:
    """Whether more time would change what is said, and from when on."""
    now = next((cell for cell in axis if cell.budget_seconds >= own_seconds - 0.1), None)
    later = [cell for cell in axis if cell.budget_seconds > own_seconds + 0.1 and cell.known != "out_of_reach"]
    if now is None or now.known == "out_of_reach" or not later:
        return "unknown", None
    change = next((cell.budget_seconds for cell in later if cell.decision != now.decision), None)
    return ("same", None) if change is None else ("could_change", change)


@dataclass(frozen=True)
class _Clock:
    """What a race of this kind spends where. start_seconds: until its first trial. used: share of its trials' time that
    families pay for (the rest starts processes)."""

    plan: Plan
    own_seconds: float
    start_seconds: float
    used: float

    @classmethod
    def of(cls, evidence: Evidence) -> _Clock:
        trials = evidence.trials
        spent = sum(trial.wall_seconds for trial in trials)
        between = sum(trial.startup_seconds + 0.05 for trial in trials)
        start = min((trial.started_seconds for trial in trials), default=0.0)
        counted = start + spent + between + REPORT_SECONDS
        own = evidence.plan.budget_seconds or max(counted, 1.0)
        return cls(evidence.plan, float(own), start, spent / max(spent + between, 1e-9))

    def share(self, budget: float, refit_seconds: float) -> float:
        """Seconds of each family."""
        reserve = REPORT_SECONDS + REPORT_SHARE * min(budget, 600) + min(1.2 * refit_seconds, REFIT_SHARE * budget)
        return max(self.used * (budget - self.start_seconds - reserve) / len(FAMILIES), 0.0)

    def folds(self, budget: float) -> int:
        few, more = FEW_FOLDS, MORE_FOLDS
        wanted = few[1] if budget < few[0] else more[1] if budget < more[0] else ALL_FOLDS
        wanted = min(wanted, MOST_HALVES) if self.plan.judging == "halves" else wanted
        return max(min(wanted, self.plan.folds), 1)


@dataclass(frozen=True)
class _Drawing:
    """All that cells share; fits of pairs are kept."""

    evidence: Evidence
    verdict: Verdict
    court: Court
    clock: _Clock
    _fits: dict[tuple[str, str], Fit | None] = field(default_factory=dict)

    @cached_property
    def able(self) -> Mapping[str, list[str]]:
        """By family, the contenders of known curve, whoever ran its finals first in front."""
        curves = self.verdict.curves
        known = {
            f: [n for n in self.court.judged.of_family(f) if len(_sizes(curves, n)) >= ladder.FIT_SIZES]
            for f in FAMILIES
        }
        first = {trial.contender: trial.number for trial in reversed(self.evidence.trials) if trial.purpose == "final"}
        return {family: sorted(names, key=lambda n: (first.get(n, math.inf), n)) for family, names in known.items()}

    def cell(self, rows: int, budget: float) -> Cell:
        """What a race of this budget on so many rows would say."""
        plan = self.evidence.plan
        champions = {family: names[0] for family, names in self.able.items()}
        folds = self.clock.folds(budget)
        refit = max(self._seconds(name, rows) for name in champions.values())
        share = self.clock.share(budget, refit)
        largest = max(round(rows * plan.largest / plan.rows), 1)
        size = self._size(list(champions.values()), largest, self.correction * FINALS_SHARE * share / folds)
        if size is None or size < plan.smallest:
            return Cell(rows, budget, 0, "", None, None, "out_of_reach", "", "")
        stands = {
            family: self._stands(names, champions[family], size, BREADTH_SHARE * share / folds)
            for family, names in self.able.items()
        }
        return self._told(rows, budget, size, folds, stands["classical"], stands["deep"])

    @cached_property
    def correction(self) -> float:
        """What the rule allows at the race's own budget is made to give the size that the race was judged at: its
        probes may have been slower or faster than the fits that came after them."""
        own, plan = self.clock.own_seconds, self.evidence.plan
        champions = [names[0] for names in self.able.values()]
        refit = max(self._seconds(name, plan.rows) for name in champions)
        allowed = FINALS_SHARE * self.clock.share(own, refit) / self.clock.folds(own)
        judged = self.verdict.n_train
        if allowed <= 0 or self._size(champions, plan.largest, allowed) == judged:
            return 1.0
        return max(self._seconds(name, judged) for name in champions) / allowed * 1.001

    def _size(self, champions: Sequence[str], largest: int, allowed: float) -> int | None:
        """The largest size, in steps of root two below all rows, at which a final of each champion is allowed."""
        steps = (int(largest / 2 ** (step / 2)) for step in range(40))
        return next((n for n in steps if n >= 1 and max(self._seconds(c, n) for c in champions) <= allowed), None)

    def _seconds(self, name: str, n_train: int) -> float:
        found = outlook.predicted_seconds(self.court.judged, name, n_train)
        return math.inf if found is None else found

    def _stands(self, names: Sequence[str], champion: str, size: int, allowed: float) -> str:
        """Who stands for a family: the best there of those that its time allows beside the champion."""
        curves = self.verdict.curves
        near = [name for name in names if size <= ladder.REACH * _sizes(curves, name)[-1]]
        able = [name for name in near if name == champion or self._seconds(name, size) <= allowed] or [champion]
        return min(able, key=lambda name: (_loss_at(curves, name, size), name))

    def _told(self, rows: int, budget: float, size: int, folds: int, classical: str, deep: str) -> Cell:
        reach = min(_sizes(self.verdict.curves, name)[-1] for name in (classical, deep))
        fit = self._fit(classical, deep)
        if fit is None or size > ladder.REACH * reach:
            return Cell(rows, budget, size, "", None, None, "out_of_reach", classical, deep)
        ours, theirs = fit.losses(np.array([float(size)]))[:, :, 0]
        gap = ours - theirs
        counts = self._counts(float(min(ours.mean(), theirs.mean())))
        decision, certainty = self._says(gap, counts, self._noise(rows, size, folds))
        lowest = max(_sizes(self.verdict.curves, name)[0] for name in (classical, deep))
        spent = rows <= self.evidence.plan.rows and budget <= self.clock.own_seconds + 0.1
        known = "measured" if spent and lowest <= size <= reach else "extrapolated"
        return Cell(rows, budget, size, decision, certainty, float((gap > counts).mean()), known, classical, deep)

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

    def _noise(self, rows: int, size: int, folds: int) -> tuple[float, float]:
        """Standard error of such a race's gap, and how many of them its bound lies away."""
        pair, panel = courts.pair(self.court), self.court.panel
        assert pair is not None
        units = len(panel) * rows / self.evidence.plan.rows
        if not self.court.judged.halves:
            units *= folds / len(panel.folds)
        fits = pair.fits.variance * panel.n_train / size / folds
        error = math.sqrt(pair.units.variance * len(panel) / max(units, 1.0) + fits)
        return error, stats.t_quantile(self.court.alpha, pair.df)

    def _says(self, gap: np.ndarray, counts: float, noise: tuple[float, float]) -> tuple[str, float]:
        """The likeliest of the pair's decisions, by the rule of `verdict.pair_decision`, and its probability."""
        error, away = noise
        cheaper_deep = self.verdict.cheaper == "deep"
        threshold = -counts if cheaper_deep else counts
        above = float(ndtr((gap - threshold) / error - away).mean())
        below = float(ndtr((threshold - gap) / error - away).mean())
        names = ("deep_is_enough", "classical_pays") if cheaper_deep else ("deep_pays", "classical_is_enough")
        said = {names[0]: above, names[1]: below, "open": max(1 - above - below, 0.0)}
        decision = max(said, key=lambda name: said[name])
        return decision, said[decision]


def _sizes(curves: Mapping[str, Any], name: str) -> list[int]:
    return [point[0] for point in curves[name]["points"]] if name in curves else []


def _loss_at(curves: Mapping[str, Any], name: str, size: int) -> float:
    """A contender's loss at this size, between its measured sizes and its forecasts."""
    points = [point[:2] for point in curves[name]["points"]] + [each[:2] for each in curves[name]["forecasts"]]
    sizes, losses = np.array(sorted(points)).T
    return float(np.interp(math.log(size), np.log(sizes), losses))
