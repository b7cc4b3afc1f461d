"""What races of other budgets and rows would say, as facts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from deepenough.evidence import Evidence
from deepenough.judge.budgets import Cell, Map, budget_map
from deepenough.judge.words import DECISIONS
from deepenough.report import words

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict


def facts(evidence: Evidence, verdict: Verdict) -> dict[str, Any]:
    """The map, its axis at all rows, and one sentence."""
    found = budget_map(evidence, verdict)
    counted = evidence.plan.budget_seconds is None
    return {**dataclasses.asdict(found), "counted": counted, "sentence": sentence(found, counted)}


def sentence(found: Map, counted: bool) -> str:
    """What would be said at which budget, in one go along the axis; empty where there is no map."""
    told = [cell for cell in found.axis if cell.known != "out_of_reach"]
    if not told:
        return ""
    parts = [_stretch(stretch, found) for stretch in _stretches(told)]
    by = " (by the seconds that this race's trials took)" if counted else ""
    return f"By budget, a race of these rows would probably say{by}: {'; '.join(parts)}."


def _stretches(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Neighbouring budgets of one decision."""
    found: list[list[Cell]] = []
    for cell in cells:
        if found and found[-1][-1].decision == cell.decision:
            found[-1].append(cell)
        else:
            found.append([cell])
    return found


def _stretch(cells: Sequence[Cell], found: Map) -> str:
    first, last = (words.seconds(cell.budget_seconds) for cell in (cells[0], cells[-1]))
    when = f"at {first}" if len(cells) == 1 else f"from {first} to {last}"
    beyond = all(cell.known == "extrapolated" for cell in cells)
    return f"{DECISIONS[cells[0].decision].lower()} {when}{' (extrapolated)' if beyond else ''}"
