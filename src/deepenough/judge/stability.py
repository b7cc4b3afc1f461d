"""How stable the decision is: would it be the same with other seeds, other folds, a tenth fewer rows?

Needs that this module answers:

* An interval says how far the gap may be off; whoever acts asks whether the decision would be another one. Both follow
  from the same evidence, by the same rule (`verdict.decision_of`).
* What was measured is itself one draw: a race with other seeds differs from this one by the luck of both, so that its
  gap varies around ours with twice the variance that the seeds give to one.
* Closed form and a few hundred draws from the plan's seed: no model is fitted.

What varies in each: `seed`: the seeds of both finalists, on the same rows and folds, never more than `fold`. `fold`:
the folds are dealt anew, so that seeds and training draws differ: what they do to all units alike (what the folds'
spread says of it, pooled with its prior) and to each unit by itself (REACTION). `fewer_rows`: a random tenth of the
judged clusters is left out, the finalists learn from a tenth fewer rows (their losses move along their curves' last
step), and are fitted anew. The variances are themselves uncertain, and the next race would estimate them anew: both are
drawn (scaled chi-squared), and with them the width of the bounds. The luck of the gaps to the blend and to the trivial
answer is drawn apart from that of the pair, but for the rows that are left out.

What it leaves out: the same finalists stand for their families, the same learners had the time to finish, and what
counts as equal and who is cheaper stay. A real race with another seed may differ there too, so that its decision
changes rather more often than is said here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepenough.evidence import FAMILIES, Evidence
from deepenough.judge import court as courts
from deepenough.judge import ladder, stats
from deepenough.judge.court import Court
from deepenough.judge.lineup import Lineup
from deepenough.judge.verdict import Verdict, decision_of, pair_decision, signal_alpha

DRAWS = 400
LEFT_OUT = 0.1
"""Share of the rows without which it is asked again."""
REACTION = 0.35
"""Share of the units' paired variance that is anew with every fit. Fitting the same pair again gave .12 to .59, on
average .35 (a small net against a linear model and against boosted trees, german_credit and credit_data, with other
seeds and with other folds)."""


@dataclass(frozen=True)
class Stable:
    """One way to ask again: the probability that the decision is another, and which one is then the likeliest."""

    changes: float
    instead: str


@dataclass(frozen=True)
class _Compared:
    """One of the judge's three comparisons, and what varies in it.

    seeds: variance that the seeds give to one fold's value. reaction: that the units' own reactions to a fit give to
    the value. seeded: share of the fits that a seed changes. influence: of each unit on the value, shape (m,); None
    where the units aren't those of the panel. slope: how far the value moves with a tenth fewer rows to learn from.
    """

    gap: stats.Difference
    alpha: float
    seeds: float
    reaction: float
    seeded: float
    influence: np.ndarray | None
    slope: float = 0.0

    @property
    def refitted(self) -> float:
        """Variance of one fold's value where its models are fitted anew."""
        return self.gap.fits.variance + self.gap.folds * self.reaction

    @property
    def reseeded(self) -> float:
        """The same where only their seeds are other ones."""
        return min(self.seeds, self.gap.fits.variance) + self.gap.folds * self.reaction * self.seeded


@dataclass(frozen=True)
class _Again:
    """A comparison asked again: values and half widths of its bound, shape (draws,) each."""

    values: np.ndarray
    widths: np.ndarray


def stability(evidence: Evidence, verdict: Verdict) -> Mapping[str, Stable]:
    """By what is asked (`seed`, `fold`, `fewer_rows`): how probably the decision changes; nothing without a decision.

    A race that can't be trusted has none that could change.
    """
    court = courts.court_of(evidence, verdict.alpha) if verdict.trusted else None
    if court is None or verdict.gap is None or verdict.equal_within is None:
        return {}
    compared = _comparisons(court, verdict)
    rng = np.random.default_rng([ladder.seed_of(evidence), 17])
    drawn = {
        "seed": {name: _again(each, each.reseeded, rng) for name, each in compared.items()},
        "fold": {name: _again(each, each.refitted, rng) for name, each in compared.items()},
        "fewer_rows": _fewer(court, compared, rng),
    }
    return {asked: _stable(verdict, again) for asked, again in drawn.items()}


def _comparisons(court: Court, verdict: Verdict) -> dict[str, _Compared]:
    pair, blend, signal = courts.pair(court), courts.blend(court), courts.signal(court)
    classical, deep = (court.lineups[family] for family in FAMILIES)
    slope = {family: _last_step(verdict, court.lineups[family].contender) for family in FAMILIES}
    luck = {family: courts.seed_luck(court, lineup) for family, lineup in court.lineups.items()}
    seeds, seeded = sum(luck.values()), sum(each > 0 for each in luck.values()) / len(FAMILIES)
    found = {}
    if pair is not None:
        apart = classical.measured.influence - deep.measured.influence
        react = _reaction(pair, classical, deep)
        found["pair"] = _Compared(pair, court.alpha, seeds, react, seeded, apart, slope["classical"] - slope["deep"])
    if blend is not None and court.together is not None:
        apart = court.best.measured.influence - court.together.measured.influence
        react = _reaction(blend, court.best, court.together)
        found["together"] = _Compared(blend, court.alpha, seeds / 4, react, seeded, apart)
    if signal is not None:
        own = luck[court.best.family]
        alone = REACTION * signal.units.variance / court.best.repeats
        slip = -slope[court.best.family]
        found["signal"] = _Compared(signal, signal_alpha(court.alpha), own, alone, float(own > 0), None, slip)
    return found


def _reaction(gap: stats.Difference, first: Lineup, second: Lineup) -> float:
    """Variance of the mean gap that comes from how each unit reacts to the fits by itself.

    Where all folds judge the same units it shows in them; else each unit was judged once, and REACTION is assumed.
    """
    if first.measured.by_fit is not None and second.measured.by_fit is not None:
        return stats.interaction(first.measured, second.measured) / gap.folds
    return REACTION * gap.units.variance / min(first.repeats, second.repeats)


def _last_step(verdict: Verdict, contender: str) -> float:
    """How far a contender's loss rises with a tenth fewer rows to learn from, by the last step of its curve."""
    points = (verdict.curves.get(contender) or {"points": []})["points"]
    if len(points) < 2:
        return 0.0
    (low, before, _), (high, last, _) = points[-2:]
    return float((before - last) / math.log(high / low) * -math.log(1 - LEFT_OUT)) if high > low else 0.0


def _again(each: _Compared, variance: float, rng: np.random.Generator, kept: float = 1.0) -> _Again:
    """The comparison with new luck of this variance in every fold, on this share of the units.

    The difference of two races has twice the variance of one; the scale of the luck is drawn from its posterior, and
    the next race's estimate of it around that.
    """
    gap, df = each.gap, max(each.gap.fits.df, 1.0)
    luck = rng.standard_normal(DRAWS)
    if variance == 0:
        return _Again(np.full(DRAWS, gap.value), np.full(DRAWS, gap.value - gap.bounds(each.alpha)[0]))
    scale = df / rng.chisquare(df, DRAWS)
    values = gap.value + np.sqrt(2 * variance * scale / gap.folds) * luck
    estimated = gap.fits.variance * scale * rng.chisquare(df, DRAWS) / df
    errors = np.sqrt(gap.units.variance / kept + estimated / gap.folds)
    return _Again(values, stats.t_quantile(each.alpha, gap.df) * errors)


def _fewer(court: Court, compared: Mapping[str, _Compared], rng: np.random.Generator) -> dict[str, _Again]:
    """The comparisons on nine tenths of the clusters, with models fitted anew on nine tenths of the rows."""
    again = {name: _again(each, each.refitted, rng, 1 - LEFT_OUT) for name, each in compared.items()}
    moved = dict(zip(compared, _left_out(court, list(compared.values()), rng), strict=True))
    return {name: _Again(each.values + compared[name].slope + moved[name], each.widths) for name, each in again.items()}


def _left_out(court: Court, compared: Sequence[_Compared], rng: np.random.Generator) -> np.ndarray:
    """How far leaving out a random tenth of the clusters moves the comparisons, shape (comparisons, draws).

    A mean over what is left of a finite population (Cochran, Sampling Techniques, 1977): its covariance is that of the
    sampling error times f / (1 - f), f the share left out. All on the same clusters, so that they move together.
    """
    table = np.zeros((len(compared), len(court.panel)))
    for row, each in enumerate(compared):
        if each.influence is not None:
            table[row] = each.influence
    covariance = stats.cluster_covariance(table, court.panel.clusters) * LEFT_OUT / (1 - LEFT_OUT)
    drawn: np.ndarray = rng.multivariate_normal(np.zeros(len(compared)), covariance, DRAWS, method="eigh")
    return drawn.T


def _stable(verdict: Verdict, again: Mapping[str, _Again]) -> Stable:
    """Decide every draw by the judge's rule, and count the decisions that are not ours."""
    rho = verdict.equal_within or 0.0
    lows = {name: each.values - each.widths for name, each in again.items()}
    highs = again["pair"].values + again["pair"].widths
    said: Counter[str] = Counter()
    for draw in range(DRAWS):
        low = {name: float(values[draw]) for name, values in lows.items()}
        under = pair_decision(low["pair"], float(highs[draw]), rho, verdict.cheaper)
        said[decision_of(under, low.get("signal"), low.get("together"), rho)] += 1
    others = {decision: count for decision, count in said.items() if decision != verdict.decision}
    instead = min(others, key=lambda decision: (-others[decision], decision), default="")
    return Stable(sum(others.values()) / DRAWS, instead)
