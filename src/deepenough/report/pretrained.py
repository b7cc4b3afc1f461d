"""Who starts from weights that were trained elsewhere, and what is decided without them, as facts and as sentences."""

from __future__ import annotations

from typing import Any

from deepenough.evidence import Contender, Evidence
from deepenough.judge import pretrained
from deepenough.judge.verdict import Verdict
from deepenough.judge.words import DECISIONS, decision_sentence


def facts(evidence: Evidence, verdict: Verdict) -> dict[str, Any] | None:
    """The weights, each once, and the decision without them; None where nobody started from any."""
    found = pretrained.contenders(evidence)
    without = pretrained.without(evidence)
    if without is None:
        return None
    return {
        "weights": [{"contender": each.learner, "family": each.family, **each.pretrained} for each in _once(found)],
        "decision_without": without.decision,
        "sentence_without": decision_sentence(without),
        "same": without.decision == verdict.decision,
        "sentence": f"{_named(_once(found))} {_compared(verdict, without)}",
    }


def _once(found: list[Contender]) -> list[Contender]:
    """The contenders without the variants of a learner."""
    return list({each.learner: each for each in reversed(found)}.values())[::-1]


def _named(found: list[Contender]) -> str:
    said = [
        f"{each.learner} starts from {each.pretrained['name']} ({each.pretrained['parameters'] / 1e6:,.3g} million "
        f"parameters; {each.pretrained['source']}; licence: {each.pretrained['licence']})"
        for each in found
    ]
    return f"{'; '.join(said)}: that training was paid for elsewhere, and is in none of the prices here."


def _compared(verdict: Verdict, without: Verdict) -> str:
    if without.decision == verdict.decision:
        return f"Without such weights the decision is the same: {DECISIONS[without.decision].lower()}."
    return f"Without such weights the decision is another. {decision_sentence(without)}"
