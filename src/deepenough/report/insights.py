"""What was found in the data, as facts, a sentence each: which way inputs move the answers, and for whom things differ.

Needs that this module answers:

* A leader reads the sentence, whoever checks it the numbers beside: both are made of the same event.
* It says what the model does with an input. That changing the input would change what happens is nowhere said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepenough.evidence import Evidence
from deepenough.judge.verdict import Verdict
from deepenough.racing.insights import NO_TIME
from deepenough.report import words

_ABOUT = ("reason", "lacks", "family", "contender", "looked_at", "units", "seconds")
MOST_GROUPS = 4
"""Of each sort that are told; the surest first."""
UNWEIGHTED = "In directions and groups each row counts once, whatever its weight."
Item = dict[str, Any]
Told = Mapping[str, Any]

CAUTION = (
    "They say how the model answers and whom it is wrong about, among judged rows; that changing an input would change "
    "what happens is not shown by that."
)


def facts(evidence: Evidence, verdict: Verdict) -> dict[str, Any] | None:
    """All of them, the weightiest of each sort first; null where nobody looked."""
    said = [event.data for event in evidence.events if event.what == "insights"]
    if not said:
        return None
    data, question = said[-1], evidence.plan.question
    target, classes = str(question.get("target") or "the target"), _classes(question)
    about: Item = {name: data.get(name) for name in _ABOUT}
    outcomes, errors = (_once(data.get(name, ()))[:MOST_GROUPS] for name in ("outcomes", "errors"))
    items = [
        *(_driver(driver, verdict.metric, target, classes) for driver in data.get("drivers", ())),
        *(_of_group("outcome", risk, _happens(risk, target, classes)) for risk in outcomes),
        *(_of_group("error", risk, _wrong(risk, classes)) for risk in errors),
        *(dict(item) for item in data.get("found", ())),
        *({"about": "reach", "sentence": sentence} for sentence in _reach(evidence, data)),
    ]
    unweighted = f" {UNWEIGHTED}" if question.get("weighted") and items else ""
    return {**about, "sentence": _sentence(about, items) + unweighted, "items": items}


def _once(groups: Sequence[Told]) -> list[Told]:
    """Without those that say the same of all other units."""
    kept: list[Told] = []
    for group in groups:
        ends = group["inside"]["value"], group["elsewhere"]["value"]
        if all((own["elsewhere"]["value"], own["inside"]["value"]) != ends for own in kept):
            kept.append(group)
    return kept


def _classes(question: Told) -> Sequence[str]:
    found = question.get("classes")
    return [str(name) for name in found] if isinstance(found, list | tuple) else ()


def _reach(evidence: Evidence, data: Told) -> list[str]:
    """What the kind itself says of its drivers, where there is a signal at all."""
    if data.get("reason"):
        return []
    told = [event.data for event in evidence.events if event.what == "explained"]
    own = [event for event in told if event.get("family") == data.get("family")]
    return [str(sentence) for sentence in own[-1].get("said", ())] if own else []


def _sentence(about: Told, items: Sequence[Item]) -> str:
    if about["reason"]:
        return f"There are no insights: {str(about['reason']).rstrip('.')}."
    lacks = f" But {about['lacks']}." if about["lacks"] else ""
    lacks += " deepenough analyse does it." if about["lacks"] == NO_TIME else ""
    if not items:
        return f"Nothing was found that luck would not yield too.{lacks}"
    return f"{words.count(len(items))} {'insight' if len(items) == 1 else 'insights'}, by {about['contender']}.{lacks}"


def _driver(driver: Told, metric: str, target: str, classes: Sequence[str]) -> Item:
    """How much worse the answers are without it, and which way it moves them."""
    span = _between(driver.get("low"), driver.get("high"), words.number)
    worse = f"{words.number(driver['rise'])} in {words.metric(metric)}{span}"
    sentence = f"{driver['name']}: without it the loss grows by {worse}."
    effect = driver.get("effect")
    if effect is not None:
        sentence = f"{sentence} {_moves(effect, target, classes)}".rstrip()
    return {"about": "driver", "sentence": sentence, **driver}


def _moves(effect: Told, target: str, classes: Sequence[str]) -> str:
    """Which way an input moves the answer, and how far."""
    outcome = effect.get("outcome")
    answer = (
        f"the prediction of {target}"
        if outcome is None
        else f"the probability that {target} is {_named(classes, outcome)}"
    )
    start, end = (effect["shown"][effect[place]] for place in ("start", "end"))
    if not _is_sure(effect) and len(classes) > 2:
        return ""  # which of many classes moved most is luck
    size, unsure = _size(effect, outcome is not None), "" if _is_sure(effect) else ", so that the direction is not sure"
    higher = "higher" if effect["value"] > 0 else "lower"
    if effect["form"] == "category":
        return f"If it is {end} rather than {start}, {answer} is {size} {higher}{unsure}."
    rises = "rises" if effect["value"] > 0 else "falls"
    if effect["one_way"] or unsure:
        return f"From {start} to {end} {answer} {rises} by {size}{unsure}."
    return f"It does not move {answer} one way: at {end} it is {size} {higher} than at {start}."


def _is_sure(effect: Told) -> bool:
    low, high = effect.get("low"), effect.get("high")
    return low is not None and high is not None and (low > 0 or high < 0)


def _size(effect: Told, is_share: bool) -> str:
    """How far in its own direction, with the ends of its interval."""
    scale = (100 if is_share else 1) * (1 if effect["value"] > 0 else -1)
    ends = [None if effect[end] is None else scale * effect[end] for end in ("low", "high")]
    low, high = ends if effect["value"] > 0 else ends[::-1]
    unit = " points" if is_share else ""
    return f"{words.number(scale * effect['value'])}{unit}{_between(low, high, words.number)}"


def _of_group(about: str, risk: Told, sentence: str) -> Item:
    return {"about": about, "sentence": sentence, **risk}


def _happens(risk: Told, target: str, classes: Sequence[str]) -> str:
    """Where what is predicted happens more often, or is larger."""
    if classes:
        inside, elsewhere = _share(risk["inside"]), words.percent(risk["elsewhere"]["value"])
        happens = f"{target} is {_named(classes, 1)} in {inside} of the rows"
        return f"Where {risk['words']}, {happens}, elsewhere in {elsewhere}."
    inside, elsewhere = _mean(risk["inside"]), words.number(risk["elsewhere"]["value"])
    return f"Where {risk['words']}, {target} is {inside} on average, elsewhere {elsewhere}."


def _wrong(risk: Told, classes: Sequence[str]) -> str:
    """Where answers are worse, or better."""
    if classes:
        inside, elsewhere = _share(risk["inside"]), words.percent(risk["elsewhere"]["value"])
        return f"Where {risk['words']}, {inside} of the answers are wrong, elsewhere {elsewhere}."
    inside, elsewhere = _mean(risk["inside"]), words.number(risk["elsewhere"]["value"])
    return f"Where {risk['words']}, answers are off by {inside} on average, elsewhere by {elsewhere}."


def _share(span: Told) -> str:
    low = None if span["low"] is None else max(0.0, span["low"])
    high = None if span["high"] is None else min(1.0, span["high"])
    return f"{words.percent(span['value'])}{_between(low, high, words.percent)}"


def _mean(span: Told) -> str:
    return f"{words.number(span['value'])}{_between(span['low'], span['high'], words.number)}"


def _between(low: float | None, high: float | None, shown: Any) -> str:
    return "" if low is None or high is None else f" ({shown(low)} to {shown(high)})"


def _named(classes: Sequence[str], code: int) -> str:
    return str(classes[code]) if code < len(classes) else f"class {code}"
