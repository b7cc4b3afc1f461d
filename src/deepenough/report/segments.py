"""Where each family wins, as facts: the segments that the race found, and what routing by them would bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deepenough.evidence import FAMILIES, Evidence
from deepenough.judge.called import called, said
from deepenough.report import words
from deepenough.report.chart import Facts

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict

_SEGMENT = ("words", "conditions", "family", "gap", "elsewhere", "rows", "of_rows", "p", "counts", "found")
_HYBRID = ("better", "value", "low", "high", "pays", "deep_share", "rules")


def facts(evidence: Evidence, verdict: Verdict) -> dict[str, Any] | None:
    """What was looked for and found, each in words too; null where nobody looked."""
    said = [event.data for event in evidence.events if event.what == "segmented"]
    if not said:
        return None
    data, metric, alpha = said[-1], verdict.metric, verdict.alpha
    found = [_segment(item, metric) for item in data.get("segments", ())]
    about = {name: data.get(name) for name in ("reason", "tested", "traits", "of_traits", "units", "seconds")}
    hybrid = data.get("hybrid")
    hybrid = None if hybrid is None else {name: hybrid.get(name) for name in _HYBRID}
    if hybrid is not None:
        hybrid["sentence"] = _routing(hybrid, metric, alpha)
    return {**about, "sentence": _sentence(about, found), "segments": found, "hybrid": hybrid}


def _sentence(about: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> str:
    """What came of it, first of all."""
    if about["reason"]:
        return f"It was not looked for: {str(about['reason']).rstrip('.')}."
    if not found:
        return (
            "No segment of the rows was shown in which one family is ahead, and by more than elsewhere: whoever is "
            "ahead, is so all over, or by too little to be named."
        )
    wins = {family: sum(item["family"] == family for item in found) for family in FAMILIES}
    said = [f"{family} in {count}" for family, count in wins.items() if count]
    return f"Segments in which a family is ahead, and by more than elsewhere: {' and '.join(said)}."


def _segment(item: Mapping[str, Any], metric: str) -> dict[str, Any]:
    about: dict[str, Any] = {name: item.get(name) for name in _SEGMENT}
    span = f" ({_interval(about['gap'], about['family'])})"
    rows = f"on {words.count(about['rows'])} of the {words.count(about['of_rows'])} rows that tested it"
    elsewhere = _ahead(about["elsewhere"]["value"], metric)
    more = "" if about["counts"] else ", which may be less than what counts"
    return about | {
        "sentence": f"{about['words']}: {_ahead(about['gap']['value'], metric)}{span} {rows}{more}; "
        f"elsewhere {elsewhere} ({_interval(about['elsewhere'], _leader(about['elsewhere']['value']))})."
    }


def _leader(value: float) -> str:
    return "deep" if value > 0 else "classical"


def _ahead(value: float, metric: str) -> str:
    return f"{_leader(value)} is ahead by {words.number(abs(value))} in {words.metric(metric)}"


def _interval(span: Mapping[str, Any], family: str) -> str:
    """Its ends as that family sees them."""
    sign = 1 if family == "deep" else -1
    known = [sign * end for end in (span["low"], span["high"]) if end is not None]
    return " to ".join(words.number(end) for end in sorted(known)) if len(known) == 2 else "interval not known"


def _routing(hybrid: Mapping[str, Any], metric: str, alpha: float) -> str:
    """Whether it pays to send each row to the family that is better in its segment."""
    if hybrid["deep_share"] in (0.0, 1.0):
        only = "deep" if hybrid["deep_share"] else "classical"
        return f"Routing would send every row to {only}: there is nothing to route."
    sure = f"({words.percent(1 - alpha)} certain)"
    value, low, high = (hybrid[name] for name in ("value", "low", "high"))
    does = f"gains {words.number(value)}" if value > 0 else f"loses {words.number(-value)}"
    lead = f"Sending each row to the family that is better in its segment {does} in {words.metric(metric)}"
    lead += f" against {hybrid['better']} alone ({words.percent(hybrid['deep_share'])} of the rows would go to deep)"
    if hybrid["pays"]:
        return f"{lead}, at least {words.number(low)} {sure}: it pays, at the price of keeping two models."
    return f"{lead}, at most {words.number(high)} {sure}: it is not shown to pay."


def summary(facts: Facts) -> str:
    """What the first screen says of it: the surest segment, and routing where it pays; empty without either."""
    found = facts.get("segments")
    if not found:
        return ""
    pays = "Sending each row to whoever is better there pays."
    sentences = [_short(_first(found["segments"], facts))] if found["segments"] else []
    sentences += [pays] if found["hybrid"] and found["hybrid"]["pays"] else []
    return said(" ".join(sentences), called(facts["question"]))


def _short(item: Facts) -> str:
    """A segment without its intervals, which stand in the report."""
    rows = f"{words.count(item['rows'])} of {words.count(item['of_rows'])} rows"
    return f"Where {item['words']}, {item['family']} wins ({rows})."


def _first(found: Sequence[Facts], facts: Facts) -> Facts:
    """The surest segment of the family that is behind on all rows, for that is news; without one the surest."""
    leader = _leader((facts["verdict"]["gap"] or {}).get("value") or 0.0)
    return next((item for item in found if item["family"] != leader), found[0])
