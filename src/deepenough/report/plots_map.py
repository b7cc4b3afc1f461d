"""The map of where deep learning starts to pay: rows across, time up, who wins, how surely, and how that is known."""

from __future__ import annotations

from typing import Any

from deepenough.report import svg, words
from deepenough.report.budgets import LEAST_SURE, UNCLEAR, is_unclear, would_say
from deepenough.report.chart import Chart, Facts

LEFT, TOP, WIDTH, HEIGHT = 92, 40, 98, 38
FAMILY_OF = {
    "deep_pays": "deep",
    "deep_is_enough": "deep",
    "classical_is_enough": "classical",
    "classical_pays": "classical",
    "open": "open",
}
"""Whose colour and word a cell has."""
TITLE = "Where deep learning starts to pay"
HEADER = ("judged at", "would say", "probability", "deep truly pays", "known by", "finalists")


def budget_map(facts: Facts) -> Chart | None:
    """One cell a budget and number of rows; budgets and rows double, or nearly so, from one to the next."""
    found, units = facts["budgets"], words.units(facts)
    if not found["cells"]:
        return None
    rows = sorted({cell["rows"] for cell in found["cells"]})
    budgets = sorted({cell["budget_seconds"] for cell in found["cells"]}, reverse=True)
    parts = [
        *_axes(rows, budgets, found, units),
        *(_cell(cell, rows, budgets, found, units) for cell in found["cells"]),
    ]
    if found["own_seconds"] in budgets and found["rows"] in rows:
        x, y = _place(found["rows"], found["own_seconds"], rows, budgets)
        parts.append(svg.box(x + 0.5, y + 0.5, WIDTH - 1, HEIGHT - 1, "own"))
    width, height = LEFT + len(rows) * WIDTH + 8, TOP + len(budgets) * HEIGHT + 46
    about = _about(found, units)
    body = tuple(_row(cell, found) for cell in found["cells"])
    return Chart("map", TITLE, svg.picture(width, height, parts, about, TITLE), about, ("budget", units, *HEADER), body)


def _axes(rows: list[int], budgets: list[float], found: Any, units: str) -> list[str]:
    """Budgets up the left side, rows below; the race's own in bold."""
    parts = [svg.text(4, 14, "budget of the race", style="label")]
    for index, budget in enumerate(budgets):
        style = "name" if budget == found["own_seconds"] else "tick"
        parts.append(svg.text(LEFT - 8, TOP + index * HEIGHT + HEIGHT / 2 + 4, words.seconds(budget), "end", style))
    bottom = TOP + len(budgets) * HEIGHT
    for index, count in enumerate(rows):
        style = "name" if count == found["rows"] else "tick"
        parts.append(svg.text(LEFT + index * WIDTH + WIDTH / 2, bottom + 17, words.short(count), "middle", style))
    parts.append(svg.text(LEFT + len(rows) * WIDTH / 2, bottom + 36, units, "middle", "label"))
    return parts


def _place(rows: int, budget: float, all_rows: list[int], budgets: list[float]) -> tuple[float, float]:
    return LEFT + all_rows.index(rows) * WIDTH, TOP + budgets.index(budget) * HEIGHT


def _cell(cell: Any, rows: list[int], budgets: list[float], found: Any, units: str) -> str:
    x, y = _place(cell["rows"], cell["budget_seconds"], rows, budgets)
    if cell["known"] == "out_of_reach":
        return svg.text(x + WIDTH / 2, y + HEIGHT / 2 + 4, "·", "middle", "tick")
    family = FAMILY_OF.get(cell["decision"], "open")
    told = f"{words.short(cell['rows'])} {units}, {words.seconds(cell['budget_seconds'])}: {_said(cell, found)}"
    filled = svg.tile(x + 2, y + 2, WIDTH - 4, HEIGHT - 4, cell["certainty"], cell["known"] == "extrapolated", told)
    asked = "?" if is_unclear(cell, found) else ""
    label = svg.text(x + WIDTH / 2, y + HEIGHT / 2 + 4, f"{family}{asked} {_sure(cell['certainty'])}", "middle")
    return svg.group(family, filled) + label


def _sure(probability: float | None) -> str:
    """Whole per cents: more would claim more than a map can know."""
    return words.NOTHING if probability is None else f"{round(100 * probability)} %"


def _said(cell: Any, found: Any) -> str:
    return f"{would_say(cell, found)} with {_sure(cell['certainty'])}, {cell['known']}"


def _about(found: Any, units: str) -> str:
    measured = sum(cell["known"] == "measured" for cell in found["cells"])
    blank = sum(cell["known"] == "out_of_reach" for cell in found["cells"])
    left = "cell is" if blank == 1 else "cells are"
    beyond = f" {blank} {left} left blank: nothing can be said there." if blank else ""
    unclear = any(is_unclear(cell, found) for cell in found["cells"])
    doubted = f" A question mark stands where that is {UNCLEAR}: under {words.percent(LEAST_SURE)}." if unclear else ""
    return (
        f"Each cell is a race of that budget on so many {units}: what it would most probably say, and how probably. "
        f"{measured} of {len(found['cells'])} cells lie where this race measured; the dashed ones are extrapolated."
        f"{doubted}{beyond} {found['sentence']} {found['more_time']}"
    )


def _finalists(cell: Any) -> str:
    return " / ".join(name for name in (cell["classical"], cell["deep"]) if name)


def _row(cell: Any, found: Any) -> tuple[str, ...]:
    said = would_say(cell, found)
    budget, rows = words.seconds(cell["budget_seconds"]), words.count(cell["rows"])
    size, known = words.count(cell["n_train"]), cell["known"].replace("_", " ")
    return budget, rows, size, said, _sure(cell["certainty"]), _sure(cell["deep_pays"]), known, _finalists(cell)
