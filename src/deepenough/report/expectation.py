"""What studies found on data like this, fixed before the race, and whether the result agrees with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepenough.evidence import Evidence

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict

_CLASSICAL = ("classical_is_enough", "classical_pays")
_DEEP = ("deep_pays", "deep_is_enough")
_SAID = {
    "agrees": "Your result agrees",
    "disagrees": "Your result disagrees",
    "open": "Your result leaves it open",
}


def facts(evidence: Evidence, verdict: Verdict) -> list[dict[str, str]] | None:
    """Each expectation that the plan holds, with `result` (`agrees`, `disagrees`, `open`) and `said`; None without any.

    The verdict moves what is said here, never the other way round.
    """
    fixed = evidence.plan.setup.get("expectation") or ()
    told = []
    for item in fixed:
        result = compared(str(item["expected"]), verdict)
        named = {name: str(item[name]) for name in ("sentence", "source", "expected")}
        told.append({**named, "result": result, "said": _SAID[result]})
    return told or None


def compared(expected: str, verdict: Verdict) -> str:
    """`agrees`, `disagrees` or `open`.

    expected: `classical`, `deep`, or `either` where little is between them. A race that can't be trusted, or that found
    nothing to predict, leaves everything open.
    """
    if not verdict.trusted or verdict.decision == "no_signal":
        return "open"
    if expected == "either":
        settled = {"equivalent": "agrees", "classical_better": "disagrees", "deep_better": "disagrees"}
        return settled.get(verdict.pair_evidence, "open")
    theirs, others = (_CLASSICAL, _DEEP) if expected == "classical" else (_DEEP, _CLASSICAL)
    if verdict.under_budget in theirs:
        return "agrees"
    return "disagrees" if verdict.under_budget in others else "open"
