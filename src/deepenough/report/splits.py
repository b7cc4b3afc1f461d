"""Whether the verdict survives other honest splits, and what the analysis of a race took and left, as facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deepenough.evidence import Event, Evidence
from deepenough.judge.words import DECISIONS, amount
from deepenough.racing.analysis import SHARE
from deepenough.racing.resplit import NO_TIME

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict

_NUMBERS = ("decision", "gap", "equal_within", "n_train", "folds", "judged_rows", "losses", "trivial_loss", "flags")
_TIMED = ("explained", "resplit", "segmented", "tested")
"""Events that say how many seconds they took."""


def facts(evidence: Evidence, verdict: Verdict) -> list[dict[str, Any]]:
    """One item a split: what it says of the pair, and how that stands to the race's own answer.

    word: `same`, `flips` (both decide, and not alike), `left_open` (only the race decides), `decides` (only the split
    does) or `not_judged`, with its reason.
    """
    last = {(e.data.get("splitting"), e.data.get("by")): e.data for e in evidence.events if e.what == "resplit"}
    return [_split(data, verdict) for data in last.values()]


def _split(data: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    about = {name: data.get(name) for name in ("splitting", "by", "reason", "seconds", *_NUMBERS)}
    about["word"] = _word(data, verdict)
    return about | {"sentence": _sentence(about, verdict)}


def _word(data: Mapping[str, Any], verdict: Verdict) -> str:
    own, there = verdict.under_budget, data.get("decision")
    if data.get("reason") or there is None or data.get("gap") is None:
        return "not_judged"
    if own == there:
        return "same"
    return "decides" if own == "open" else "left_open" if there == "open" else "flips"


def _sentence(split: Mapping[str, Any], verdict: Verdict) -> str:
    how = _how(split)
    if split["word"] == "not_judged":
        return f"{how}: not judged; {split['reason'] or 'too little was finished to judge'}."
    gap, metric = split["gap"]["value"], verdict.metric
    lead = f"{'deep' if gap > 0 else 'classical'} is ahead by {amount(abs(gap), metric)}"
    there = DECISIONS[split["decision"]].lower()
    said = {
        "same": f"the answer stays ({there}): {lead}",
        "flips": f"the answer turns to {there}: {lead}",
        "left_open": f"the question is open: {lead}, and neither answer is sure",
        "decides": f"the answer would be: {there}; {lead}",
    }[split["word"]]
    return f"{how}, {said}.{_harder(split, verdict)}"


def _how(split: Mapping[str, Any]) -> str:
    if split["splitting"] == "group":
        return f"For values of {split['by']!r} that no model has seen"
    if split["splitting"] == "time":
        return f"Judged on what comes later in {split['by']!r}"
    return "Split at random"


def _named(split: Mapping[str, Any]) -> str:
    return f"the split by {split['by']!r}" if split["by"] else "the random split"


def _harder(split: Mapping[str, Any], verdict: Verdict) -> str:
    """Where the better finalist does clearly worse or better there, that is news of its own."""
    own = [side.loss for side in (verdict.classical, verdict.deep) if side is not None]
    there = list((split["losses"] or {}).values())
    if not own or not there or min(own) <= 0 or min(there) <= 0:
        return ""
    times = min(there) / min(own)
    if 0.8 < times < 1.25:
        return ""
    return f" The better of the two has {times:.2g} times the loss there."


def flips(splits: Sequence[Mapping[str, Any]]) -> list[str]:
    """In short, the splits under which the answer turns."""
    return [
        f"{_how(split)}, the answer turns to {DECISIONS[split['decision']].lower()}"
        for split in splits
        if split["word"] == "flips"
    ]


def analysis(evidence: Evidence) -> dict[str, Any]:
    """What the analysis was allowed, what it took inside the budget, and what waits for `deepenough analyse`."""
    plan = evidence.plan
    share = float(plan.setup.get("analysis", {}).get("share", SHARE))
    return {
        "share": share,
        "allowed_seconds": None if plan.budget_seconds is None else share * plan.budget_seconds,
        "seconds": sum(_seconds(event) for event in _during(evidence)),
        "later_seconds": sum(_seconds(event) for event in evidence.events[len(_during(evidence)) :]),
        "waiting": _waiting(evidence),
    }


def _seconds(event: Event) -> float:
    return float(event.data.get("seconds") or 0.0) if event.what in _TIMED else 0.0


def _during(evidence: Evidence) -> Sequence[Event]:
    """The race's own events: what comes after its end was done later."""
    ends = [place for place, event in enumerate(evidence.events) if event.what == "done"]
    return evidence.events[: ends[-1] + 1] if ends else evidence.events


def _waiting(evidence: Evidence) -> list[str]:
    """What only lacked time, in words."""
    last = {(e.what, e.data.get("family"), e.data.get("splitting"), e.data.get("by")): e.data for e in evidence.events}
    waiting = []
    for (what, family, *_), data in last.items():
        reason = str(data.get("reason") or "")
        if what == "resplit" and reason == NO_TIME:
            waiting.append(_named(data))
        elif what in _TIMED and reason.startswith("no time"):
            waiting.append(
                {"explained": f"what drives {family}", "segmented": "where each family wins"}.get(what, what)
            )
    return waiting
