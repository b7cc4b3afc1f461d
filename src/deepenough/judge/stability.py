"""How stable the decision is: would it be the same with other seeds, other folds, a tenth fewer rows?

Needs that this module answers:

* An interval says how far the gap may be off; whoever acts asks whether the decision would be another one. Both follow
  from the same evidence, by the same rule (`verdict.decision_of`).
* What was measured is itself one draw: a race with other seeds differs from this one by the luck of both, so that its
  gap varies around ours with twice the variance that the seeds give to one.
* Closed form and a few hundred draws from the plan's seed: no model is fitted.

What varies in each: `seed`: the seeds of both finalists, on the same rows and folds. `fold`: the folds are dealt anew,
so that seeds and training draws differ (what the folds' spread says of them, pooled with its prior). `fewer_rows`: a
random tenth of the judged clusters is left out, the finalists learn from a tenth fewer rows (their losses move along
their curves' last step), and are fitted anew. The variances are themselves uncertain, and the next race would estimate
them anew: both are drawn (scaled chi-squared), and with them the width of the bounds. The luck of the gaps to the blend
and to the trivial answer is drawn apart from that of the pair, but for the rows that are left out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepenough.evidence import FAMILIES, Evidence
from deepenough.judge import court as courts
from deepenough.judge import ladder, stats
from deepenough.judge.court import Court
from deepenough.judge.verdict import Verdict, decision_of, pair_decision, signal_alpha

DRAWS = 400
LEFT_OUT = 0.1
"""Share of the rows without which it is asked again."""


@dataclass(frozen=True)
class Stable:
    """One way to ask again: the probability that the decision is another, and which one is then the likeliest."""

    changes: float
    instead: str


@dataclass(frozen=True)
class _Compared:
    """One of the judge's three comparisons, and what varies in it.

    seeds: variance that the seeds give to one fold's value. influence: of each unit on the value, shape (m,); None
    where the units aren't those of the panel. slope: how far the value moves with a tenth fewer rows to learn from.
    """

    gap: stats.Difference
    alpha: float
    seeds: float
    influence: np.ndarray | None
    slope: float = 0.0


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
    fixed = all(each.seeds == 0 for each in compared.values())
    drawn = {
        "seed": {name: _again(each, 0.0 if fixed else each.seeds, rng) for name, each in compared.items()},
        "fold": {name: _again(each, each.gap.fits.variance, rng) for name, each in compared.items()},
        "fewer_rows": _fewer(court, compared, rng),
    }
    return {asked: _stable(verdict, again) for asked, again in drawn.items()}


def _comparisons(court: Court, verdict: Verdict) -> dict[str, _Compared]:
    pair, blend, signal = courts.pair(court), courts.blend(court), courts.signal(court)
    classical, deep = (court.lineups[family] for family in FAMILIES)
    slope = {family: _last_step(verdict, court.lineups[family].contender) for family in FAMILIES}
    seeds = sum(courts.seed_luck(court, court.lineups[family]) for family in FAMILIES)
    found = {}
    if pair is not None:
        apart = classical.measured.influence - deep.measured.influence
        found["pair"] = _Compared(pair, court.alpha, seeds, apart, slope["classical"] - slope["deep"])
    if blend is not None and court.together is not None:
        apart = court.best.measured.influence - court.together.measured.influence
        found["together"] = _Compared(blend, court.alpha, seeds / 4, apart)
    if signal is not None:
        own = courts.seed_luck(court, court.best)
        found["signal"] = _Compared(signal, signal_alpha(court.alpha), own, None, -slope[court.best.family])
    return found


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
    _, code = np.unique(court.panel.clusters, return_inverse=True)
    clusters = int(code.max()) + 1
    kept = np.array([rng.permutation(clusters) >= LEFT_OUT * clusters for _ in range(DRAWS)])
    units = kept @ np.bincount(code, minlength=clusters)
    found = {}
    for name, each in compared.items():
        again = _again(each, each.gap.fits.variance, rng, 1 - LEFT_OUT)
        values = again.values + each.slope
        if each.influence is not None:
            sums = np.bincount(code, weights=each.influence, minlength=clusters)
            values = values + kept @ sums / np.maximum(units, 1) - each.gap.value
        found[name] = _Again(values, again.widths)
    return found


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
