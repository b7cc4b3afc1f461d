"""Evidence to verdict and decision: a pure function.

Needs that this module answers:

* Two layers. The decision says what to do (take classical, take deep, take both, or: open); the evidence under it says
  what is known of the pair. The pair's own answer is never hidden by a flag or by a blend.
* A family is declared only if the gap's one-sided 95 % bound is beyond what counts as practically equal, not beyond
  zero, so that at most one race in twenty declares it falsely at the boundary itself.
* Looking again at the same units costs certainty: each look has half of the alpha of the one before; a verdict while
  the race goes on has an eighth.
* The same evidence gives the same verdict: all that is drawn is drawn from the plan's seed.
* Any beginning of the evidence has a verdict, if only that nothing can be said yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deepenough.evidence import FAMILIES, FINISHED, Evidence, Trial
from deepenough.judge import court as courts
from deepenough.judge import finals, ladder, outlook, stats
from deepenough.judge import mine as presents
from deepenough.judge.court import Court
from deepenough.judge.finals import TOGETHER, Judged
from deepenough.judge.lineup import Lineup
from deepenough.judge.metrics import practically_equal

ALPHA = 0.05
ALPHA_SIGNAL = 0.01
INTERIM_LOOKS = 8
FEWEST_UNITS = 50
FEWEST_CLUSTERS = 10
PART_OF_ROWS = 0.5
"""Judged with less than so much of what there is to learn from, a verdict says that it is one of a part."""


@dataclass(frozen=True)
class Gap:
    """How much better the second is than the first, in the metric's loss: positive means better.

    low, high: one-sided bounds on these rows, each missed with probability alpha. low_fresh, high_fresh: on a fresh
    sample like this one. Infinite where too few units judge.
    """

    value: float
    low: float
    high: float
    low_fresh: float
    high_fresh: float
    metric: str
    standard_error: float
    degrees_of_freedom: float


@dataclass(frozen=True)
class Finalist:
    """Who stands for a family (or a blend) at the judged size.

    picks: contender by part, in the order of the parts. contender: the most credible over all parts, who is handed
        over. shown: the loss as a person reads the metric. scores: the metrics beside it, averaged over the folds.
    """

    family: str
    picks: tuple[str, ...]
    contender: str
    loss: float
    shown: float
    scores: Mapping[str, float]
    n_train: int
    folds: int


@dataclass(frozen=True)
class Verdict:
    """What the evidence says. Of losses, lower is better; a positive gap means that deep (or the blend) is better.

    decision: `no_signal`, `together_pays`, `classical_is_enough`, `deep_pays`, `deep_is_enough`, `classical_pays` or
        `open`.
    evidence: `deep_better`, `classical_better`, `equivalent`, `leaning_deep`, `leaning_classical`, `undecided`,
        `no_signal`, `not_trusted`. pair_evidence: the same without the last two.
    flags: {flag, reason, severity}; one of severity `distrust` takes the trust away.
    under_budget: the pair's own decision at the judged size. with_time: {answer, reason, seconds, rows}.
    equal_within_source: `default`, `user`, or `worth` (what changing costs over what a unit of the metric is worth).
    winner: contenders that are handed over, with winner_weights.
    curves: by contender, see `ladder.curve_facts`. crossing: see `outlook.crossing`.
    mine: the person's own model, where it raced along; gaps_mine: by family, how much its finalist is ahead of it.
    more_rows: what would decide: {judged_rows, more, reason}; judged_rows is None where no number of rows would.
    smallest_gap_visible: what a gap had to be for four races in five to see it.
    """

    decision: str = "open"
    evidence: str = "undecided"
    pair_evidence: str = "undecided"
    trusted: bool = True
    flags: tuple[Mapping[str, str], ...] = ()
    metric: str = ""
    higher_is_better: bool = False
    alpha: float = ALPHA
    gap: Gap | None = None
    equal_within: float | None = None
    equal_within_source: str = "default"
    trivial_loss: float | None = None
    classical: Finalist | None = None
    deep: Finalist | None = None
    together: Finalist | None = None
    gap_together: Gap | None = None
    gap_signal: Gap | None = None
    mine: Finalist | None = None
    gaps_mine: Mapping[str, Gap] = field(default_factory=dict)
    under_budget: str = "open"
    with_time: Mapping[str, Any] = field(default_factory=dict)
    judged_rows: int = 0
    judged_clusters: int = 0
    n_train: int = 0
    folds: int = 0
    judging: str = "folds"
    looks: int = 1
    cheaper: str = "classical"
    winner: tuple[str, ...] = ()
    winner_family: str = ""
    winner_weights: tuple[float, ...] = ()
    curves: Mapping[str, Any] = field(default_factory=dict)
    crossing: Mapping[str, Any] | None = None
    more_rows: Mapping[str, Any] = field(default_factory=dict)
    smallest_gap_visible: float | None = None
    provisional: bool = False


def judge(evidence: Evidence, *, final: bool = True, curves: bool = True) -> Verdict:
    """The verdict.

    final: False while the race goes on: an eighth of the alpha, and `provisional`. curves: False leaves out the curves,
    the crossing and what more time would do, which cost most of the time.
    """
    judged = finals.gather(evidence)
    court = courts.court_of(evidence, _alpha(evidence, final))
    values = _frame(judged, final) | {"flags": _flags(judged, court, final)}
    values["trusted"] = not any(flag.get("severity") == "distrust" for flag in values["flags"])
    if court is not None:
        values |= _decide(court, values["trusted"])
    else:
        values["evidence"] = "undecided" if values["trusted"] else "not_trusted"
    if curves:
        values |= _outlook(judged, values, court)
    return Verdict(**values)


def _alpha(evidence: Evidence, final: bool) -> float:
    options = evidence.plan.judge_options
    alpha = float(options.get("alpha", ALPHA)) * 0.5 ** (max(int(options.get("looks", 1)), 1) - 1)
    return alpha if final else alpha / INTERIM_LOOKS


def _frame(judged: Judged, final: bool) -> dict[str, Any]:
    """What stands in the verdict before anyone is judged."""
    plan = judged.evidence.plan
    return {
        "metric": judged.metric.name,
        "higher_is_better": judged.metric.higher_is_better,
        "alpha": _alpha(judged.evidence, final),
        "judging": plan.judging,
        "looks": int(plan.judge_options.get("looks", 1)),
        "cheaper": plan.cheaper,
        "provisional": not final,
        "equal_within_source": "default"
        if plan.judge_options.get("equal_within") is None
        else str(plan.judge_options.get("equal_within_source", "user")),
    }


def _decide(court: Court, trusted: bool) -> dict[str, Any]:
    """Everything that is said of the judged units."""
    lineups, plan = court.lineups, court.judged.evidence.plan
    given = plan.judge_options.get("equal_within")
    rho = practically_equal(court.best.measured.loss, court.trivial_loss) if given is None else float(given)
    cheaper = courts.cheaper(court)
    pair = courts.pair(court)
    signal = courts.signal(court)
    blend = courts.blend(court)
    gap = None if pair is None else _gap(pair, court)
    gap_together = None if blend is None else _gap(blend, court)
    under = "open" if gap is None else pair_decision(gap.low, gap.high, rho, cheaper)
    said = "undecided" if gap is None else pair_evidence(gap, rho)
    signal_low = None if signal is None else signal.bounds(signal_alpha(court.alpha))[0]
    ruled = decision_of(under, signal_low, None if gap_together is None else gap_together.low, rho)
    decision = ruled if trusted else "open"
    return {
        "decision": decision,
        "evidence": "not_trusted" if not trusted else "no_signal" if ruled == "no_signal" else said,
        "pair_evidence": said,
        "gap": gap,
        "equal_within": rho,
        "trivial_loss": court.trivial_loss,
        **{family: _finalist(court, lineup) for family, lineup in lineups.items()},
        "together": None if court.together is None else _finalist(court, court.together),
        "gap_together": gap_together,
        "gap_signal": None if signal is None else _gap(signal, court),
        "under_budget": under,
        "judged_rows": len(court.panel),
        "judged_clusters": stats.count_clusters(court.panel.clusters),
        "n_train": court.panel.n_train,
        "folds": len(court.panel.folds),
        "cheaper": cheaper,
        "more_rows": _more_rows(pair, rho if cheaper == "classical" else -rho, len(court.panel), under),
        "smallest_gap_visible": None if gap is None else rho + stats.Z_DECIDE * gap.standard_error,
        **_winner(court, decision, cheaper if decision == "no_signal" else to_take(under, gap, rho, cheaper)),
        **_mine(court),
    }


def _mine(court: Court) -> dict[str, Any]:
    """The person's own model, if it raced along; it has no say in what is decided."""
    lineup = presents.line_up_mine(court)
    if lineup is None:
        return {}
    ahead = presents.ahead_of(court, lineup)
    return {"mine": _finalist(court, lineup), "gaps_mine": {family: _gap(gap, court) for family, gap in ahead.items()}}


def signal_alpha(alpha: float) -> float:
    """The alpha of the question whether there is a signal at all, beside that of the gap."""
    return alpha * ALPHA_SIGNAL / ALPHA


def decision_of(under: str, signal_low: float | None, together_low: float | None, rho: float) -> str:
    """The decision from the pair's own answer and the lower bounds of two gaps; None where one was not judged.

    signal_low: of what the better finalist gains over the trivial answer. together_low: of what the blend gains over
    the better finalist.
    """
    if signal_low is not None and not signal_low > 0:
        return "no_signal"
    return "together_pays" if together_low is not None and together_low > rho else under


def pair_decision(low: float, high: float, rho: float, cheaper: str) -> str:
    """What to do about a gap within [low, high], positive where deep is better, if one family is the cheaper."""
    if cheaper == "deep":
        return "classical_pays" if high < -rho else "deep_is_enough" if low > -rho else "open"
    return "deep_pays" if low > rho else "classical_is_enough" if high < rho else "open"


def pair_evidence(gap: Gap, rho: float) -> str:
    """What is known of the pair; a family is the better only if a fresh sample would not take it back."""
    if gap.low > rho and gap.low_fresh > 0:
        return "deep_better"
    if gap.high < -rho and gap.high_fresh < 0:
        return "classical_better"
    if -rho < gap.low and gap.high < rho:
        return "equivalent"
    return "leaning_deep" if gap.low > 0 else "leaning_classical" if gap.high < 0 else "undecided"


def _gap(found: stats.Difference, court: Court) -> Gap:
    low, high = found.bounds(court.alpha)
    low_fresh, high_fresh = found.bounds(court.alpha, fresh=True)
    metric = court.judged.metric.name
    return Gap(found.value, low, high, low_fresh, high_fresh, metric, found.standard_error, found.df)


def _finalist(court: Court, lineup: Lineup) -> Finalist:
    judged, panel, loss = court.judged, court.panel, lineup.measured.loss
    picks = tuple(lineup.picks[part] for part in sorted(lineup.picks))
    shown = float(judged.metric.show(loss))
    scores = _mean_scores([trial for fold in panel.folds for trial in _fits(court, lineup, fold)])
    return Finalist(lineup.family, picks, lineup.contender, loss, shown, scores, panel.n_train, len(panel.folds))


def _fits(court: Court, lineup: Lineup, fold: int) -> Sequence[Trial]:
    """The fits that judged the fold's units."""
    name = lineup.contender if court.judged.halves else lineup.picks.get(fold, lineup.contender)
    return court.judged.trials[name][court.panel.n_train][fold]


def _mean_scores(fits: Sequence[Trial]) -> dict[str, float]:
    names = sorted({name for fit in fits for name in fit.scores})
    told = {name: [fit.scores[name] for fit in fits if fit.scores.get(name) is not None] for name in names}
    return {name: float(np.mean(values)) for name, values in told.items() if values}


def to_take(under: str, gap: Gap | None, rho: float, cheaper: str) -> str:
    """The family to take by the pair's own answer. While that is open it is the cheaper; the dearer where that is
    surely better and was ahead by more than what counts, if not surely by so much."""
    if under != "open":
        return under.split("_")[0]
    if gap is None:
        return cheaper
    ahead, least = (gap.value, gap.low) if cheaper == "classical" else (-gap.value, -gap.high)
    dearer = next(family for family in FAMILIES if family != cheaper)
    return dearer if ahead > rho and least > 0 else cheaper


def _winner(court: Court, decision: str, family: str) -> dict[str, Any]:
    """Who is handed over: the blend where it pays, else the family's finalist, or the other's if it has none."""
    if decision == "together_pays" and court.together is not None:
        names, weights = blend_of(court.together.contender)
        return {"winner": names, "winner_weights": weights, "winner_family": TOGETHER}
    family = family if family in court.lineups else next(iter(court.lineups))
    return {"winner": (court.lineups[family].contender,), "winner_weights": (1.0,), "winner_family": family}


def blend_of(name: str) -> tuple[tuple[str, str], tuple[float, float]]:
    """The two contenders of a blend and their weights: `lightgbm+mlp@0.50`."""
    names, _, weight = name.rpartition("@")
    first, _, second = names.partition("+")
    return (first, second), (float(weight), 1.0 - float(weight))


def _more_rows(pair: stats.Difference | None, threshold: float, units: int, under: str) -> dict[str, Any]:
    if pair is None:
        return {"judged_rows": None, "more": None, "reason": "one family has nothing to compare with"}
    if under != "open":
        return {"judged_rows": None, "more": None, "reason": "decided"}
    wanted = stats.units_wanted(pair, threshold, units)
    more = None if wanted.units is None else wanted.units - units
    return {"judged_rows": wanted.units, "more": more, "reason": wanted.reason}


def _flags(judged: Judged, court: Court | None, final: bool) -> tuple[Mapping[str, str], ...]:
    plan = judged.evidence.plan
    flags = [{"severity": "warn", **flag} for flag in plan.flags]
    if not any(flag["flag"] == "too_few" for flag in flags):
        flags += [_distrust("too_few", reason) for reason in _too_few(judged, court)[:1]]
    answered = [trial for trial in judged.evidence.trials if trial.status in FINISHED]
    no_truth = any(flag["flag"] == "no_truth" for flag in flags)
    if answered and all(trial.loss is None for trial in answered) and not no_truth:
        flags.append(_distrust("no_truth", "there is no truth to score with, and so no verdict"))
    elif final and court is not None and len(court.lineups) < 2:
        missing = next(family for family in FAMILIES if family not in court.lineups)
        flags.append(_distrust("one_family", f"no {missing} learner finished at {court.panel.n_train:,} rows"))
    if final and court is not None and court.panel.n_train < PART_OF_ROWS * plan.largest:
        flags.append({"flag": "part_of_rows", "severity": "warn", "reason": _part_of_rows(court, plan.largest)})
    return tuple(flags)


def _part_of_rows(court: Court, largest: int) -> str:
    return (
        f"each model learnt from {court.panel.n_train:,} of the {largest:,} rows that there are to learn from, for in "
        "this budget no final on more could end; with all of them the other family may be ahead"
    )


def _distrust(flag: str, reason: str) -> dict[str, str]:
    return {"flag": flag, "reason": reason, "severity": "distrust"}


def _too_few(judged: Judged, court: Court | None) -> list[str]:
    plan, reasons = judged.evidence.plan, []
    if plan.shape != "interactive" and plan.rows < FEWEST_UNITS:
        reasons.append(f"{plan.rows} rows are too few to judge on; {FEWEST_UNITS} are the least")
    if court is not None and len(court.panel) < FEWEST_UNITS:
        reasons.append(f"only {len(court.panel)} rows were judged; {FEWEST_UNITS} are the least")
    elif court is not None and stats.count_clusters(court.panel.clusters) < FEWEST_CLUSTERS:
        what = "stretches of time" if plan.splitting == "time" else "groups"
        reasons.append(f"the judged rows are of fewer than {FEWEST_CLUSTERS} {what}")
    return reasons


def _outlook(judged: Judged, values: Mapping[str, Any], court: Court | None) -> dict[str, Any]:
    """Curves, crossing and what more time would do."""
    trivial_loss = None if court is None else court.trivial_loss
    names = [name for family in FAMILIES for name in judged.of_family(family)]
    found = {name: ladder.curve_facts(judged, name, trivial_loss) for name in names}
    curves = {name: facts for name, facts in found.items() if facts is not None}
    if court is None or len(court.lineups) < 2:
        waiting = {"answer": "unknown", "reason": "both families must be judged first", "seconds": None, "rows": None}
        return {"curves": curves, "with_time": waiting}
    finalists = {family: lineup.contender for family, lineup in court.lineups.items()}
    winner = values["winner_family"] if values["winner_family"] in FAMILIES else court.best.family
    panel = court.panel
    return {
        "curves": curves,
        "crossing": outlook.crossing(judged, finalists["classical"], finalists["deep"], trivial_loss),
        "with_time": outlook.with_time(
            judged, panel.n_train, len(panel.folds), finalists, winner, values["equal_within"]
        ),
    }
