"""What was found of actions, in sentences that a leader can act on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deepenough.judge.called import said
from deepenough.report.words import number, percent

A_CENT = 0.01
FEW_STRETCHES = 10

AGAINST = {
    "nothing": "doing nothing",
    "all": "acting on all",
    "rule": "today's rule",
    "prediction": "ordering what is predicted",
    "median": "ordering the median that is forecast",
}


def sentences(facts: Mapping[str, Any]) -> list[str]:
    """What to do first, then what it is worth, then how that was found."""
    what = {"order": _order, "path": _path}.get(facts["what"], _choice)
    names = (facts["called"][0], facts["called"][1])
    return [said(each, names) for each in (*what(facts), *_worth(facts), *_judged(facts), *_families(facts))]


def _unread(facts: Mapping[str, Any]) -> Iterator[str]:
    for name, count in facts["unread"].items():
        yield f"Careful: column {name!r}: {count:,} cells could not be read and count as missing."


def _choice(facts: Mapping[str, Any]) -> Iterator[str]:
    acted, of = facts["acted"], facts["rows"]
    positive = facts["positive"]
    if not acted:
        yield f"Act on none of {of:,}: nowhere is acting expected to pay."
    else:
        where = "where acting is expected to pay"
        if facts["threshold"] is not None and facts["beyond_capacity"] == 0:
            where += f", which is from a chance of {percent(facts['threshold'])} on"
        yield f"Act on {acted:,} of {of:,}: {where}. The largest expected gains stand first."
    if facts["beyond_capacity"] > 0:
        yield f"{facts['beyond_capacity']:,} more would pay, were there room for them."
    yield f"What is acted on: {facts['target']} = {positive['name']} ({positive['why']})."
    if facts["no_reasons"]:
        yield f"Why each of them can't be said: {facts['no_reasons']}"
    yield from _unread(facts)
    if facts["no_signal"]:
        yield "Careful: this race found no signal, so whom it chooses is hardly better than chance."


def _order(facts: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Order {number(facts['ordered'])} in all for {facts['rows']:,} cases, where {number(facts['predicted'])} is "
        f"predicted: so much that it suffices in {percent(facts['level'])} of the cases, which costs least."
    )
    yield from _unread(facts)


def _path(facts: Mapping[str, Any]) -> Iterator[str]:
    several = f"{facts['paths']:,} series" if facts["paths"] > 1 else "one series"
    yield (
        f"Order {number(facts['ordered'])} in all for {several} and {facts['steps']:,} steps, where the medians are "
        f"{number(facts['predicted'])}: at each step so much that it suffices in {percent(facts['level'])} of the "
        "cases, which costs least."
    )
    for name, count in facts["unread"].items():
        yield f"Careful: of {name!r} {count:,} cells are not known or could not be read; the forecasts lack them."
    for sentence in facts["unanswered"]:
        yield f"Careful: {sentence}"
    if facts["judged"]["stretches"] < FEW_STRETCHES:
        yield (
            f"Careful: the judged forecasts lie in {facts['judged']['stretches']} stretches of time of "
            f"{facts['steps']:,} steps each. So few tell little of the next one, and the intervals are wide for it."
        )


def _worth(facts: Mapping[str, Any]) -> Iterator[str]:
    money = facts["currency"]
    plan = facts["plans"]["plan"]
    sure = percent(facts["certainty"])
    yield f"It is expected to come to {_sum(plan, money)} ({sure} certain)."
    for name, more in facts["more_than"].items():
        yield f"Against {AGAINST[name]} that is {_more(more, money)}."
    if len(facts.get("by_step", ())) > 1:
        first, *_, last = (_sum(each, money) for each in facts["by_step"])
        yield f"Of it the first step comes to {first}; the last one to {last}."


def _amount(value: float) -> str:
    """A sum of money; what is less than half a cent is nothing."""
    return number(value if abs(value) >= A_CENT / 2 else 0.0)


def _sum(found: Mapping[str, float], money: str) -> str:
    return f"{money} {_amount(found['value'])}, between {_amount(found['low'])} and {_amount(found['high'])}"


def _more(found: Mapping[str, float], money: str) -> str:
    way = "more" if found["value"] > -A_CENT / 2 else "less"
    ends = sorted((found["low"], found["high"])) if way == "more" else sorted((-found["low"], -found["high"]))
    return f"{money} {_amount(abs(found['value']))} {way} (between {_amount(ends[0])} and {_amount(ends[1])})"


def _judged(facts: Mapping[str, Any]) -> Iterator[str]:
    found, money = facts["judged"], facts["currency"]
    if found is None:
        yield "The raced data are gone or were changed, so the same choice could not be tried on judged rows."
        return
    each = found["per_thousand"]
    others = ", ".join(f"{AGAINST[name]} {number(each[name])}" for name in found["more_than"])
    yield (
        f"Tried on the {found['units']:,} {_units(facts)} that judged the models, and of which the truth is known, the "
        f"same way came to {money} {number(each['winner'])} per 1,000 {_counted(facts)}; {others}."
    )


def _families(facts: Mapping[str, Any]) -> Iterator[str]:
    found, money = (facts["judged"] or {}).get("families"), facts["currency"]
    if found is None:
        return
    running = facts["running_per_thousand"]
    costs = None if None in running.values() else running["deep"] - running["classical"]
    ends = {end: value - (costs or 0.0) for end, value in found.items()}
    if ends["low"] > 0:
        say = "in money deep pays"
    elif ends["high"] < 0:
        say = "in money classical is ahead"
    else:
        say = "in money neither is ahead for certain"
    less = ""
    if costs is not None:
        much = "less than a cent" if abs(costs) < A_CENT else f"{money} {number(abs(costs))}"
        less = f", what its predictions cost {'more' if costs > 0 else 'less'} ({much}) counted in"
    more = f"{_more(ends, money)} per 1,000 {_counted(facts)}"
    yield f"Deep against classical on those {_units(facts)}: {more}{less}: {say}."


def _units(facts: Mapping[str, Any]) -> str:
    """What judged."""
    return "forecasts" if facts["what"] == "path" else "rows"


def _counted(facts: Mapping[str, Any]) -> str:
    """What money is counted by."""
    return "steps" if facts["what"] == "path" else "rows"
