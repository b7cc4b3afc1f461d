"""What a year of each finalist costs at the person's traffic, and what their difference is worth, as facts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deepenough.evidence import FAMILIES, Evidence
from deepenough.judge.business import Business, Worth, Year, dearer, worth, year_of
from deepenough.judge.cost import Amount, Prices, bill
from deepenough.report import costs, words

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict

_CLASSICAL = ("classical_is_enough", "classical_pays", "open", "no_signal")


def facts(evidence: Evidence, verdict: Verdict) -> dict[str, Any] | None:
    """The year of both, the difference, and one sentence; None where nothing was said of the use."""
    said = evidence.plan.setup.get("business")
    if not said:
        return None
    business, prices = Business.of(said), Prices(**evidence.plan.setup.get("prices", {}))
    years = {family: _year(evidence, verdict, family, business, prices) for family in FAMILIES}
    classical, deep = years["classical"], years["deep"]
    more = dearer(classical, deep) if classical and deep else None
    found = worth(verdict.gap, business, more) if verdict.gap is not None else None
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
        told.append(_costs(verdict, classical, deep, more, business, currency))
    if found is not None and verdict.gap is not None:
        told.append(_brings(found, currency))
    return told


def _late(year: Year, business: Business) -> str:
    took, allowed = words.milliseconds(year.latency_ms), words.milliseconds(business.max_latency_ms)
    return f"{year.contender} answers within {took} (95th percentile), over the {allowed} that are allowed."


def _costs(verdict: Verdict, classical: Year, deep: Year, more: Amount, business: Business, currency: str) -> str:
    value = more.value or 0.0
    cheap, dear = (classical, deep) if value >= 0 else (deep, classical)
    family = "Classical" if cheap is classical else "Deep"
    rate = f"{words.number(business.per_second)} predictions a second"
    total, own = (words.money(year.total.value, currency) for year in (dear, cheap))
    saved = words.money(abs(value), currency)
    return (
        f"{family} saves {saved} a year: {cheap.contender} costs {own} on {_cores(cheap)}, {dear.contender} {total} on "
        f"{_cores(dear)}, at {rate}."
    )


def _cores(year: Year) -> str:
    return f"{year.cores:,} {'core' if year.cores == 1 else 'cores'}"


def _brings(found: Worth, currency: str) -> str:
    """What the better predictions are worth, and what is left of it."""
    quality, net = found.quality, found.net
    family = "Deep" if (quality.value or 0) >= 0 else "Classical"
    sign = 1 if family == "Deep" else -1
    span = sorted(sign * (value or 0.0) for value in (quality.low, quality.high))
    shown = [words.money(value, currency) for value in (abs(quality.value or 0.0), *span)]
    left = [words.money(value, currency) for value in (net.value, net.low, net.high)]
    return (
        f"{family}'s better predictions are worth {shown[0]} a year ({shown[1]} to {shown[2]}); taking deep leaves "
        f"{left[0]} a year after what it costs more ({left[1]} to {left[2]})."
    )
