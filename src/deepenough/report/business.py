"""What a year of each finalist costs at the person's traffic, and what their difference is worth, as facts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deepenough.evidence import FAMILIES, Evidence
from deepenough.judge.business import Business, Worth, Year, dearer, worth, year_of
from deepenough.judge.cost import Amount, Prices, bill
from deepenough.judge.words import DECISIONS
from deepenough.report import costs, words

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict


def facts(evidence: Evidence, verdict: Verdict, use: Mapping[str, float] | None = None) -> dict[str, Any] | None:
    """The year of both, the difference, and one sentence; None where nothing was said of the use.

    use: takes the place of what was said before the race.
    """
    said = {**evidence.plan.setup.get("business", {}), **(use or {})}
    if not said:
        return None
    business, prices = Business.of(said), Prices(**evidence.plan.setup.get("prices", {}))
    years = {family: _year(evidence, verdict, family, business, prices) for family in FAMILIES}
    classical, deep = years["classical"], years["deep"]
    more = dearer(classical, deep) if classical and deep else None
    found = worth(verdict.gap, business, more, verdict.cheaper) if verdict.gap is not None else None
    told = {
        "said": dict(said),
        "currency": prices.currency,
        "equal_within": business.equal_within,
        **{family: None if year is None else dataclasses.asdict(year) for family, year in years.items()},
        "more": None if more is None else dataclasses.asdict(more),
        "worth": None if found is None else dataclasses.asdict(found),
    }
    return told | {"sentences": _sentences(verdict, business, prices.currency, years, more, found)}


def _year(evidence: Evidence, verdict: Verdict, family: str, business: Business, prices: Prices) -> Year | None:
    side = getattr(verdict, family)
    own = None if side is None else bill(costs.trials_at(evidence, side.contender, verdict.n_train), prices)
    return None if own is None else year_of(own, business)


def _sentences(
    verdict: Verdict,
    business: Business,
    currency: str,
    years: Mapping[str, Year | None],
    more: Amount | None,
    found: Worth | None,
) -> list[str]:
    """What it comes to, in plain words."""
    told = [_late(year, business) for year in years.values() if year is not None and year.in_time is False]
    classical, deep = years["classical"], years["deep"]
    if classical and deep and more is not None and more.value is not None:
        told.append(_costs(classical, deep, business, currency))
        told.append(_saves(verdict, more.value, business, currency))
    elif found is not None:
        told.append(_capital(_brings(verdict, business, currency)) + ".")
    if found is not None:
        told.append(_left(found, more, business, currency))
    return told


def _late(year: Year, business: Business) -> str:
    took, allowed = words.milliseconds(year.latency_ms), words.milliseconds(business.max_latency_ms)
    return f"{year.contender} answers within {took} (95th percentile), over the {allowed} that are allowed."


def _costs(classical: Year, deep: Year, business: Business, currency: str) -> str:
    """What a year of each costs."""
    first, second = (f"{_money(year.total.value, currency)} on {_cores(year)}" for year in (classical, deep))
    how = "one at a time" if classical.alone else "in batches"
    names = (classical.contender, deep.contender)
    return f"A year of {names[0]} costs {first}, one of {names[1]} {second}, at {_rate(business)} ({how})."


def _rate(business: Business) -> str:
    return f"{words.number(business.per_second)} predictions a second"


def _cores(year: Year) -> str:
    return f"{year.cores:,} {'core' if year.cores == 1 else 'cores'}"


def _saves(verdict: Verdict, more: float, business: Business, currency: str) -> str:
    """What the decision saves or costs a year, and what the better predictions would bring.

    more: what a year of deep costs more.
    """
    own = "deep" if verdict.winner_family == "deep" else "classical"
    other = getattr(verdict, "classical" if own == "deep" else "deep")
    saved = more if own == "classical" else -more
    said = "saves" if saved >= 0 else "costs"
    against = "against" if saved >= 0 else "more than"
    head = f"{DECISIONS[verdict.decision]}: {'it' if own in verdict.decision else own}"
    brings = "" if business.worth_a_year is None else f"; {_brings(verdict, business, currency)}"
    price = _money(abs(saved), currency)
    return f"{head} {said} {price} a year {against} {other.contender} at {_rate(business)}{brings}."


def _brings(verdict: Verdict, business: Business, currency: str) -> str:
    """What the gap is worth a year at most or at least, by the side that was decided."""
    gap, unit = verdict.gap, business.worth_a_year
    assert gap is not None and unit is not None
    pays = {"deep_pays": ("deep", gap.low), "classical_pays": ("classical", -gap.high)}
    if verdict.decision in pays:
        family, least = pays[verdict.decision]
        return f"{family}'s better predictions bring at least {_money(unit * least, currency)} a year"
    family, most = ("deep", gap.high) if verdict.cheaper == "classical" else ("classical", -gap.low)
    if most <= 0:
        return f"{family} does not predict better"
    shown = f"{_money(unit * most, currency)} a year" if math.isfinite(most) else "nobody knows how much"
    return f"{family}'s better predictions would bring at most {shown}"


def _capital(content: str) -> str:
    return content[:1].upper() + content[1:]


def _left(found: Worth, more: Amount | None, business: Business, currency: str) -> str:
    """What taking deep instead of classical comes to, with its interval."""
    paid = ["machines"] if more is not None and more.value is not None else []
    paid += ["changing"] if business.switch_cost_a_year is not None else []
    after = f" after what {' and '.join(paid)} cost" if paid else ""
    value, low, high = (_signed(each, currency) for each in (found.net.value, found.net.low, found.net.high))
    return f"All in all deep instead of classical comes to {value} a year{after} ({low} to {high})."


def _signed(value: float | None, currency: str) -> str:
    if value is None or not math.isfinite(value):
        return "unlimited"
    return f"{'minus ' if value < 0 else ''}{_money(abs(value), currency)}"


def _money(amount: float | None, currency: str) -> str:
    """From a hundred on nobody counts cents."""
    if amount is None or amount < 100:
        return words.money(amount, currency)
    return f"{currency} {amount:,.0f}"
