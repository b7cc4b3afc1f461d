"""What races of other budgets and rows would say, as facts and in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deepenough.evidence import Evidence
from deepenough.judge.budgets import Cell, Map, budget_map
from deepenough.judge.words import DECISIONS
from deepenough.report import words

LEAST_SURE = 0.6
"""Less probable answers are no sentence: whoever reads one takes it for what will happen."""
UNCLEAR = "unclear"

if TYPE_CHECKING:
    from deepenough.judge.verdict import Verdict


def facts(evidence: Evidence, verdict: Verdict) -> dict[str, Any]:
    """The map, its axis at all rows, and two sentences."""
    found = budget_map(evidence, verdict)
    counted = evidence.plan.budget_seconds is None
    changes = len({_answer(cell, found) for cell in _told(found)} - {UNCLEAR}) > 1
    said = {"sentence": sentence(found, counted), "more_time": more_time(found)}
    return {**dataclasses.asdict(found), "counted": counted, "changes": changes, **said}


def summary(told: Mapping[str, Any]) -> str:
    """For the terminal: the sentence where the answer hangs on the budget, else nothing."""
    return str(told["sentence"]) if told["changes"] else ""


def sentence(found: Map, counted: bool) -> str:
    """What would be said at which budget, in one go along the axis; empty where there is no map."""
    stretches = _stretches(found)
    if not stretches:
        return ""
    said = "; ".join(_stretch(answer, cells) for answer, cells in stretches)
    by = " The seconds are those that this race's trials took on this machine." if counted else ""
    return f"The probable answer of a race of these rows, by its budget: {said}.{by}"


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


def is_unclear(cell: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether a cell's answer is too improbable to be said: the same for the sentence, the map and the table. The
    race's own cell has what the race said. found: the map's facts."""
    is_own = (cell["budget_seconds"], cell["rows"]) == (found["own_seconds"], found["rows"])
    return cell["known"] != "out_of_reach" and not is_own and (cell["certainty"] or 0.0) < LEAST_SURE


def would_say(cell: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What a race would say, for the table; where it is unclear, with what is likeliest."""
    said = DECISIONS.get(cell["decision"], words.NOTHING).lower()
    return f"{UNCLEAR}, likeliest {said}" if is_unclear(cell, found) else said


def _told(found: Map) -> list[Cell]:
    return [cell for cell in found.axis if cell.known != "out_of_reach"]


def _answer(cell: Cell, found: Map) -> str:
    """What is said of a cell in a sentence: of the race's own, what it said; else what is probable enough."""
    return UNCLEAR if is_unclear(vars(cell), vars(found)) else DECISIONS[cell.decision].lower()


def _stretches(found: Map) -> list[tuple[str, list[Cell]]]:
    """Neighbouring budgets of one answer."""
    stretches: list[tuple[str, list[Cell]]] = []
    for cell in _told(found):
        answer = _answer(cell, found)
        if stretches and stretches[-1][0] == answer:
            stretches[-1][1].append(cell)
        else:
            stretches.append((answer, [cell]))
    return stretches


def _stretch(answer: str, cells: Sequence[Cell]) -> str:
    """One stretch in words, with what of it is extrapolated."""
    first, last = (words.seconds(cell.budget_seconds) for cell in (cells[0], cells[-1]))
    when = f"at {first}" if len(cells) == 1 else f"from {first} to {last}"
    return f"{answer} {when}{_extrapolated(cells)}"


def _extrapolated(cells: Sequence[Cell]) -> str:
    """What of a stretch lies beyond this race: nothing, all, or what comes after its longest measured budget."""
    beyond = [cell.known == "extrapolated" for cell in cells]
    if all(beyond):
        return " (extrapolated)"
    measured = [cell for cell in cells if cell.known == "measured"]
    return f" (beyond {words.seconds(measured[-1].budget_seconds)} extrapolated)" if beyond[-1] else ""
