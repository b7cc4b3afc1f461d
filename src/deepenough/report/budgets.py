"""What races of other budgets and rows would say, as facts and in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deepenough.evidence import Evidence
from deepenough.judge.budgets import Cell, Map, budget_map
from deepenough.judge.words import DECISIONS
from deepenough.report import words

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict


def facts(evidence: Evidence, verdict: Verdict) -> dict[str, Any]:
    """The map, its axis at all rows, and two sentences."""
    found = budget_map(evidence, verdict)
    counted = evidence.plan.budget_seconds is None
    said = {"sentence": sentence(found, counted), "more_time": more_time(found)}
    return {**dataclasses.asdict(found), "counted": counted, "changes": len(_stretches(_told(found))) > 1, **said}


def summary(told: Mapping[str, Any]) -> str:
    """For the terminal: the sentence where the answer hangs on the budget, else nothing."""
    return str(told["sentence"]) if told["changes"] else ""


def sentence(found: Map, counted: bool) -> str:
    """What would be said at which budget, in one go along the axis; empty where there is no map."""
    stretches = _stretches(_told(found))
    if not stretches:
        return ""
    parts = [_stretch(index, stretches) for index in range(len(stretches))]
    said = "; ".join(parts)
    by = " The seconds are those that this race's trials took on this machine." if counted else ""
    return f"By its budget, a race of these rows would probably say: {said}.{by}"


def more_time(found: Map) -> str:
    """Whether more time would change the answer; empty where there is no map."""
    if not found.cells:
        return ""
    if found.answer == "could_change":
        when = "" if found.change_seconds is None else f", from about {words.seconds(found.change_seconds)} on"
        return f"More time than this race had could change that{when}."
    return {
        "same": "More time than this race had would hardly change that.",
        "unknown": "Whether more time than this race had would change that is not known.",
    }[found.answer]


def _told(found: Map) -> list[Cell]:
    return [cell for cell in found.axis if cell.known != "out_of_reach"]


def _stretches(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Neighbouring budgets of one decision."""
    found: list[list[Cell]] = []
    for cell in cells:
        if found and found[-1][-1].decision == cell.decision:
            found[-1].append(cell)
        else:
            found.append([cell])
    return found


def _stretch(index: int, stretches: Sequence[Sequence[Cell]]) -> str:
    """One stretch in words, with what of it is extrapolated."""
    cells = stretches[index]
    first, last = (words.seconds(cell.budget_seconds) for cell in (cells[0], cells[-1]))
    when = f"at {first}" if len(cells) == 1 else f"from {first} to {last}"
    decision = DECISIONS[cells[0].decision].lower()
    return f"{decision} {when}{_extrapolated(cells)}"


def _extrapolated(cells: Sequence[Cell]) -> str:
    """What of a stretch lies beyond this race: nothing, all, or what comes after its longest measured budget."""
    beyond = [cell.known == "extrapolated" for cell in cells]
    if all(beyond):
        return " (extrapolated)"
    measured = [cell for cell in cells if cell.known == "measured"]
    return f" (beyond {words.seconds(measured[-1].budget_seconds)} extrapolated)" if beyond[-1] else ""
