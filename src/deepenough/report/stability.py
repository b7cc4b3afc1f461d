"""How stable the decision is, as facts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from deepenough.evidence import Evidence
from deepenough.judge.stability import DRAWS, Stable, stability
from deepenough.judge.words import DECISIONS

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict

_ASKED = {
    "seed": "With other seeds",
    "fold": "With other folds",
    "fewer_rows": "With a tenth fewer rows",
}


def facts(evidence: Evidence, verdict: Verdict) -> list[dict[str, Any]]:
    """One item a way to ask again, each with its sentence; empty where nothing was decided that could change."""
    found = stability(evidence, verdict)
    return [
        {"asked": asked, **dataclasses.asdict(each), "draws": DRAWS, "sentence": _sentence(asked, each)}
        for asked, each in found.items()
    ]


def _sentence(asked: str, each: Stable) -> str:
    """In races of a hundred; no share is surer than the draws that it was counted in."""
    same = round(100 * (1 - each.changes))
    if each.changes == 0:
        return f"{_ASKED[asked]} the decision would be the same in more than 99 of 100 races."
    shown = "more than 99" if same == 100 else "fewer than one" if same == 0 else f"{same}"
    other = f", else mostly: {DECISIONS[each.instead].lower()}" if each.instead else ""
    return f"{_ASKED[asked]} the decision would be the same in {shown} of 100 races{other}."
