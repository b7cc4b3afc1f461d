"""The judged size opened: both families' finalists, the blend and the trivial learner, and how they compare.

Needs that this module answers:

* Only three comparisons are made, fixed in advance: classical against deep, the better of them against the trivial
  learner, the better of them against the best blend.
* What the seeds do to a finalist is known from repeated fits of its family and a prior, never from a single run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from deepenough.evidence import FAMILIES, Evidence
from deepenough.judge import cost, finals, stats
from deepenough.judge.finals import TOGETHER, Judged, Panel, Trivial
from deepenough.judge.lineup import Lineup, line_up


@dataclass(frozen=True)
class Court:
    """Everything that the comparisons share."""

    judged: Judged
    alpha: float
    panel: Panel
    lineups: Mapping[str, Lineup]
    together: Lineup | None
    trivial: Trivial | None
    trivial_loss: float | None

    @property
    def best(self) -> Lineup:
        """The better of the families' finalists."""
        return min(self.lineups.values(), key=lambda lineup: (lineup.measured.loss, lineup.family))


def court_of(evidence: Evidence, alpha: float) -> Court | None:
    """The court of this evidence, opened once; None where nobody can be judged."""
    key = ("court", alpha)
    if key not in evidence.memo:
        judged = finals.gather(evidence)
        n_train, folds = judged.size_and_folds
        evidence.memo[key] = open_court(judged, n_train, folds, alpha) if folds else None
    found: Court | None = evidence.memo[key]
    return found


def open_court(judged: Judged, n_train: int, folds: int, alpha: float) -> Court | None:
    """The court at this size and on so many folds; None where nobody can be judged."""
    panel = finals.panel_of(judged, n_train, range(folds))
    trivial = finals.trivial(judged, panel)
    loss = judged.metric.trivial
    if trivial is not None:
        loss = finals.measure(judged, panel, trivial.table, trivial.rows).loss
    loss = loss if loss is not None and math.isfinite(loss) else None
    lineups = {}
    for family in FAMILIES:
        spread = _seed_variance(judged, n_train, family, loss, deterministic=False).variance
        lineup = line_up(judged, panel, family, spread)
        if lineup is not None:
            lineups[family] = lineup
    if not lineups:
        return None
    together = line_up(judged, panel, TOGETHER, 0.0) if len(lineups) == len(FAMILIES) else None
    return Court(judged, alpha, panel, lineups, together, trivial if loss is not None else None, loss)


def pair(court: Court) -> stats.Difference | None:
    if len(court.lineups) < 2:
        return None
    first, second = (court.lineups[family] for family in FAMILIES)
    return compared(court, first, second)


def blend(court: Court) -> stats.Difference | None:
    """The better finalist against the best blend; half of the seeds' variance is common to both."""
    if court.together is None:
        return None
    seeds = _seeds(court, *court.lineups.values())
    return _compare(court, court.best, court.together, stats.Component(seeds.variance / 4, seeds.df))


def compared(court: Court, first: Lineup, second: Lineup) -> stats.Difference:
    """How much the second is ahead of the first on the judged units."""
    return _compare(court, first, second, _seeds(court, first, second))


def _compare(court: Court, first: Lineup, second: Lineup, prior: stats.Component) -> stats.Difference:
    floor = stats.rate_floor(len(court.panel)) if court.judged.metric.is_rate else 0.0
    panel = court.panel
    return stats.difference(first.measured, second.measured, panel.clusters, prior, panel.overlap, floor)


def signal(court: Court) -> stats.Difference | None:
    """The trivial learner against the better finalist, on the units that both judged."""
    if court.trivial is None:
        return None
    panel, best, rows = court.panel, court.best, court.trivial.rows
    trivial = finals.measure(court.judged, panel, court.trivial.table, rows)
    measured = finals.measure(court.judged, panel, best.table, rows)
    floor = stats.rate_floor(len(rows)) if court.judged.metric.is_rate else 0.0
    return stats.difference(trivial, measured, panel.clusters[rows], _seeds(court, best), panel.overlap, floor)


def _seeds(court: Court, *lineups: Lineup) -> stats.Component:
    """Variance that the seeds of these finalists give to one fold's difference, from prior and repeated fits."""
    found = []
    for lineup in lineups:
        fixed = court.judged.is_deterministic(lineup.contender)
        found.append(_seed_variance(court.judged, court.panel.n_train, lineup.family, court.trivial_loss, fixed))
    return stats.added(found, [lineup.repeats for lineup in lineups])


def seed_luck(court: Court, lineup: Lineup) -> float:
    """Variance that its seeds give to the family's loss in one fold; 0 for a learner that no seed changes."""
    if court.judged.is_deterministic(lineup.contender):
        return 0.0
    n_train = court.panel.n_train
    found = _seed_variance(court.judged, n_train, lineup.family, court.trivial_loss, deterministic=False)
    return found.variance / lineup.repeats


def _seed_variance(
    judged: Judged, n_train: int, family: str, trivial_loss: float | None, deterministic: bool
) -> stats.Component:
    """Variance that a seed gives to one fit of the family at this size, pooled over fits that differ by seed alone."""
    losses, groups, weights = [], [], []
    for name in judged.of_family(family):
        for size, folds in judged.trials[name].items():
            for fits in folds.values():
                groups.append([fit.loss for fit in fits if fit.loss is not None])
                weights.append(size / n_train)
                losses += groups[-1] if size == n_train else []
    prior = stats.seed_prior(family, deterministic, min(losses, default=0.0), trivial_loss)
    return prior if deterministic else stats.reseeded(prior, groups, weights)


def cheaper(court: Court) -> str:
    """The family whose finalist is clearly cheaper, to train and to predict; else the plan's.

    A race that counts trials must give the same decision on every machine, so there only the plan says.
    """
    plan = court.judged.evidence.plan
    if plan.budget_trials is not None or plan.cheaper == "deep" or len(court.lineups) < 2:
        return plan.cheaper
    bills = []
    for family in FAMILIES:
        folds = court.judged.trials[court.lineups[family].contender][court.panel.n_train]
        bills.append(cost.bill([trial for fits in folds.values() for trial in fits]))
    return "deep" if cost.clearly_cheaper(*bills) == court.lineups["deep"].contender else plan.cheaper
