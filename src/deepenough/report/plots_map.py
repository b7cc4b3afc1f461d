"""The map of where deep learning starts to pay: rows across, time up, who wins, how surely, and how that is known."""

from __future__ import annotations

from typing import Any

from deepenough.report import svg, words
from deepenough.report.chart import Chart, Facts

LEFT, TOP, WIDTH, HEIGHT = 92, 40, 98, 38
_FAMILIES = {
    "deep_pays": "deep",
    "deep_is_enough": "deep",
    "classical_is_enough": "classical",
    "classical_pays": "classical",
    "open": "open",
}
TITLE = "Where deep learning starts to pay"


def budget_map(facts: Facts) -> Chart | None:
    """One cell a budget and number of rows."""
    found = facts["budgets"]
    if not found["cells"]:
        return None
    rows = sorted({cell["rows"] for cell in found["cells"]})
    budgets = sorted({cell["budget_seconds"] for cell in found["cells"]}, reverse=True)
    parts = [svg.text(4, 14, "budget of the race", style="label")]
    for index, budget in enumerate(budgets):
        own = budget == round(found["own_seconds"], 1)
        shown = words.seconds(budget) + (" (this)" if own else "")
        parts.append(svg.text(LEFT - 8, TOP + index * HEIGHT + HEIGHT / 2 + 4, shown, "end", "tick"))
    parts += [_cell(cell, rows, budgets) for cell in found["cells"]]
    bottom = TOP + len(budgets) * HEIGHT
    for index, count in enumerate(rows):
        middle = LEFT + index * WIDTH + WIDTH / 2
        parts.append(svg.text(middle, bottom + 17, words.short(count), "middle", "tick"))
    parts.append(svg.text(LEFT + len(rows) * WIDTH / 2, bottom + 36, "rows of the table", "middle", "label"))
    about = _about(facts)
    header = ("budget", "rows", "judged at", "would say", "probability", "deep truly pays", "known by", "finalists")
    body = tuple(_row(cell) for cell in found["cells"])
    drawn = svg.picture(LEFT + len(rows) * WIDTH + 8, bottom + 46, parts, about, TITLE)
    return Chart("map", TITLE, drawn, about, header, body)


def _cell(cell: Any, rows: list[int], budgets: list[float]) -> str:
    x = LEFT + rows.index(cell["rows"]) * WIDTH
    y = TOP + budgets.index(cell["budget_seconds"]) * HEIGHT
    if cell["known"] == "out_of_reach":
        return svg.text(x + WIDTH / 2, y + HEIGHT / 2 + 4, "·", "middle", "tick")
    family = _FAMILIES.get(cell["decision"], "open")
    told = f"{words.short(cell['rows'])} rows, {words.seconds(cell['budget_seconds'])}: {_said(cell)}"
    filled = svg.tile(x + 2, y + 2, WIDTH - 4, HEIGHT - 4, cell["certainty"], cell["known"] == "extrapolated", told)
    label = svg.text(x + WIDTH / 2, y + HEIGHT / 2 + 4, f"{family} {round(100 * cell['certainty'])} %", "middle")
    return svg.group(family, filled) + label


def _said(cell: Any) -> str:
    return f"{cell['decision'].replace('_', ' ')} with {words.percent(cell['certainty'])}, {cell['known']}"


def _about(facts: Facts) -> str:
    measured = sum(cell["known"] == "measured" for cell in facts["budgets"]["cells"])
    blank = sum(cell["known"] == "out_of_reach" for cell in facts["budgets"]["cells"])
    beyond = f" {blank} cells are left blank: nothing can be said of them." if blank else ""
    return (
        f"Each cell is a race of that budget on so many rows: what it would most probably say, and how probably. "
        f"{measured} of {len(facts['budgets']['cells'])} cells lie where this race measured; the dashed ones are "
        f"extrapolated.{beyond} {facts['budgets']['sentence']}"
    )


def _row(cell: Any) -> tuple[str, ...]:
    sides = " / ".join(name for name in (cell["classical"], cell["deep"]) if name)
    said = cell["decision"].replace("_", " ") or words.NOTHING
    sure, truth = (words.percent(cell[name]) for name in ("certainty", "deep_pays"))
    size = words.count(cell["n_train"])
    return (
        words.seconds(cell["budget_seconds"]), words.count(cell["rows"]), size, said, sure, truth,
        cell["known"].replace("_", " "), sides,
    )  # fmt: skip
