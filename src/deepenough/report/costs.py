"""What both finalists cost, side by side: time, memory, electricity (and the money of both), data.

Needs that this module answers:

* Both sides are priced at the same training size, so that the numbers may be compared.
* Every price says how it was known, and money says what was assumed.
* The price in data is a number of rows: how many each side needs for the quality that both of them reach.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from deepenough.evidence import FAMILIES, Evidence, Trial
from deepenough.judge.cost import Amount, Bill, Prices, bill, energy_ratio
from deepenough.judge.metrics import named

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict

_MEASURES = (
    "fit_wall_seconds",
    "fit_cpu_seconds",
    "peak_bytes",
    "joules",
    "predict_one_ms_p50",
    "predict_one_ms_p95",
    "predict_rows_per_second",
    "model_bytes",
)


def of_trials(trials: Sequence[Trial], evidence: Evidence) -> dict[str, Any]:
    """Medians over trials of one size: one busy moment of the machine does not move them."""
    found: dict[str, Any] = {name: middle(getattr(trial, name) for trial in trials) for name in _MEASURES}
    sources = {trial.joules_source for trial in trials if trial.joules is not None}
    paid = bill(trials, _prices(evidence))
    found["money_training"] = None if paid is None else paid.train_money.value
    found["money_thousand_predictions"] = None if paid is None else paid.predict_money.value
    return found | {"joules_source": sources.pop() if len(sources) == 1 else "mixed" if sources else "unknown"}


def _prices(evidence: Evidence) -> Prices:
    return Prices(**evidence.plan.setup.get("prices", {}))


def frontier(evidence: Evidence, verdict: Verdict) -> list[dict[str, Any]]:
    """Everybody who was trained at the judged size: how well, at what price, and whether nobody is better and cheaper.

    The baseline is not among them: it is nearly free, and of no use.
    """
    rows = []
    for name in dict.fromkeys(trial.contender for trial in evidence.trials if trial.family != "baseline"):
        own = [trial for trial in trials_at(evidence, name, verdict.n_train) if trial.purpose != "refit"]
        paid = middle(trial.fit_cpu_seconds or trial.cpu_seconds for trial in own)
        if own and paid:
            loss = fmean(trial.loss for trial in own if trial.loss is not None)
            learner = next((c.learner for c in evidence.plan.contenders if c.name == name), "")
            about = {"name": name, "family": own[0].family, "variant": bool(learner) and learner != name}
            rows.append(about | {"loss": loss, "shown": _shown(evidence, loss), "fit_cpu_seconds": paid})
    return [row | {"on_frontier": not any(_beats(other, row) for other in rows)} for row in rows]


def _beats(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """As good and as cheap at least, and better in one of the two."""
    ours, theirs = ((row["loss"], row["fit_cpu_seconds"]) for row in (one, other))
    return bool(ours[0] <= theirs[0] and ours[1] <= theirs[1] and ours != theirs)


def middle(values: Iterable[float | None]) -> float | None:
    """The median of what is known."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def side_by_side(evidence: Evidence, verdict: Verdict) -> dict[str, Any]:
    """The prices of both finalists at the judged size, how each is known, and what is assumed."""
    prices = _prices(evidence)
    names = {family: side.contender for family in FAMILIES if (side := getattr(verdict, family)) is not None}
    trials = {family: trials_at(evidence, name, verdict.n_train) for family, name in names.items()}
    bills = {family: found for family, own in trials.items() if (found := bill(own, prices)) is not None}
    ladders = {family: ladder(evidence, names[family]) for family in bills}
    level = _level(ladders, verdict.n_train)
    sides: dict[str, Any] = dict.fromkeys(FAMILIES)
    for family, own in bills.items():
        finalist = getattr(verdict, family)
        scores = {"shown": finalist.shown, "scores": dict(finalist.scores)}
        sides[family] = _side(own, trials[family]) | scores | {"data": _data(ladders[family], level)}
    return {
        **sides,
        "level": {"loss": level, "shown": _shown(evidence, level)},
        "cheaper": verdict.cheaper,
        "ratios": _ratios(bills),
        "known": _known(sides),
        "assumptions": _assumptions(prices),
    }


def trials_at(evidence: Evidence, name: str, n_train: int) -> list[Trial]:
    """A contender's finished trials of this size."""
    return [t for t in evidence.trials if t.contender == name and t.n_train == n_train and t.finished]


def _side(own: Bill, trials: Sequence[Trial]) -> dict[str, Any]:
    rates = middle(trial.predict_rows_per_second for trial in trials)
    return {
        "contender": own.contender,
        "n_train": own.n_train,
        "fits": own.fits,
        "time": {
            "fit_wall_seconds": own.train_wall_seconds,
            "fit_wall_seconds_low": own.train_wall_low,
            "fit_wall_seconds_high": own.train_wall_high,
            "fit_cpu_seconds": own.train_cpu_seconds,
            "predict_one_ms_p50": own.one_ms_p50,
            "predict_one_ms_p95": own.one_ms_p95,
            "predict_rows_per_second": rates,
        },
        "memory": {"peak_bytes": own.peak_bytes or None, "model_bytes": own.model_bytes},
        "electricity": _amount(own.train_joules, "joules"),
        "money": {
            "currency": own.prices.currency,
            **_amount(own.train_money, "training"),
            **_amount(own.predict_money, "thousand_predictions"),
        },
    }


def _amount(amount: Amount, name: str) -> dict[str, Any]:
    return {
        name: amount.value,
        f"{name}_low": amount.low,
        f"{name}_high": amount.high,
        f"{name}_known": amount.known,
    }


def ladder(evidence: Evidence, name: str) -> list[tuple[int, float]]:
    """A contender's training sizes, rising, each with the mean loss of its finished trials."""
    losses: dict[int, list[float]] = {}
    for trial in evidence.trials:
        if trial.contender == name and trial.finished and trial.loss is not None:
            losses.setdefault(trial.n_train, []).append(trial.loss)
    return [(n_train, fmean(own)) for n_train, own in sorted(losses.items())]


def _level(ladders: Mapping[str, list[tuple[int, float]]], n_train: int) -> float | None:
    """The loss that both families reach at the judged size: the worse of the two."""
    reached = [loss for own in ladders.values() for size, loss in own if size == n_train]
    return max(reached) if len(reached) == len(FAMILIES) else None


def _data(steps: list[tuple[int, float]], level: float | None) -> dict[str, Any]:
    """Rows with which a curve first comes down to the level, between the measured sizes on a logarithmic scale.

    bound: `measured`, `about` (between two sizes), `at most` (the smallest size does better already) or `unknown`.
    """
    if level is None:
        return {"rows_to_level": None, "bound": "unknown"}
    if steps[0][1] <= level:
        only = len(steps) == 1
        return {"rows_to_level": steps[0][0], "bound": "unknown" if only else "at most"}
    for (few, worse), (many, better) in pairwise(steps):
        if better == level:
            return {"rows_to_level": many, "bound": "measured"}
        if better < level < worse:
            share = (worse - level) / (worse - better)
            rows = math.exp(math.log(few) + share * (math.log(many) - math.log(few)))
            return {"rows_to_level": round(rows), "bound": "about"}
    return {"rows_to_level": None, "bound": "unknown"}


def _shown(evidence: Evidence, level: float | None) -> float | None:
    question = evidence.plan.question
    return None if level is None else named(str(question.get("metric", "")), question).show(level)


def _ratios(bills: Mapping[str, Bill]) -> dict[str, float | None] | None:
    """How many times the deep side takes what the classical one takes; energy only where the numbers carry it."""
    if set(bills) != set(FAMILIES):
        return None
    ours, theirs = bills["classical"], bills["deep"]
    return {
        "train_cpu_seconds": _ratio(theirs.train_cpu_seconds, ours.train_cpu_seconds),
        "predict_cpu_seconds": _ratio(theirs.predict_cpu_seconds, ours.predict_cpu_seconds),
        "peak_bytes": _ratio(theirs.peak_bytes, ours.peak_bytes),
        "joules": energy_ratio(theirs.train_joules, ours.train_joules),
    }


def _ratio(first: float | None, second: float | None) -> float | None:
    return first / second if first and second else None


def _known(sides: Mapping[str, Any]) -> dict[str, str]:
    """How each of the prices was known, in words."""
    there = [side for side in sides.values() if side]
    sources = {str(side["electricity"]["joules_known"]) for side in there} or {"unknown"}
    energy = "measured" if sources == {"measured"} else "modelled" if "modelled" in sources else "unknown"
    return {
        "time": "measured",
        "memory": "measured",
        "electricity": _ENERGY[energy],
        "money": "computed from time and electricity",
        "data": "read off the measured curves",
    }


_ENERGY = {
    "measured": "measured by a counter",
    "modelled": "modelled, right within a factor of 2.5",
    "unknown": "not known on this machine",
}


def _assumptions(prices: Prices) -> str:
    return (
        f"Money assumes {prices.currency} {prices.kwh:.2f} per kilowatt hour and {prices.currency} "
        f"{prices.core_hour:.2f} per processor core and hour ({prices.source})."
    )
