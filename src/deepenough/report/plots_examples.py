"""Charts of forecasts and of single units: how far off each step is, forecasts against what happened, whole curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepenough.evidence import FAMILIES
from deepenough.report import svg, words
from deepenough.report.chart import Chart, Facts
from deepenough.report.plots_why import PANELS

WIDTH, HEIGHT = 336, 150
"""Of one panel, with what stands around it."""
MOST_HISTORY = 60


def steps(facts: Facts) -> Chart | None:
    """Of paths: how far the median is off at each step ahead."""
    sides = _sides(facts, "paths")
    if not sides:
        return None
    told = {family: side["paths"]["steps"] for family, side in sides.items()}
    x = svg.Scale(*svg.spread([item["step"] for own in told.values() for item in own], 0.02), 62, 690)
    y = svg.Scale(*svg.spread([0.0, *(item["error"] for own in told.values() for item in own)]), 262, 36)
    parts = [svg.axis_y(y, 62, 690, "mean absolute error, in the unit of each path")]
    parts.append(svg.axis_x(x, 262, "steps ahead", ticks=[tick for tick in x.ticks(9) if tick == int(tick)]))
    parts.append(svg.legend(690, 14, {family: side["contender"] for family, side in sides.items()}))
    for family, own in told.items():
        points = [(x(item["step"]), y(item["error"])) for item in own]
        marks = [svg.mark(family, *point, f"step {item['step']}", 3.5) for point, item in zip(points, own, strict=True)]
        parts.append(svg.group(family, svg.path(points, "line"), *marks))
    about = " ".join(_steps_about(family, sides[family], own) for family, own in told.items())
    rows = tuple(_step_row(family, item) for family, own in told.items() for item in own)
    header = ("step", "family", "mean error", "bias", "share inside", "95 % interval", "paths")
    title = "How far off each step is"
    return Chart("steps", title, svg.picture(720, 306, parts, about, title), about, header, rows)


def _sides(facts: Facts, what: str) -> dict[str, Any]:
    found = {family: facts["mistakes"][family] for family in FAMILIES}
    return {family: side for family, side in found.items() if side and side.get(what)}


def _steps_about(family: str, side: Facts, own: Sequence[Facts]) -> str:
    paths = sum(item["rows"] for item in own)
    held = words.percent(sum(item["held"] * item["rows"] for item in own) / max(paths, 1))
    first, last = (f"by {words.number(item['error'])} at step {item['step']}" for item in (own[0], own[-1]))
    promised = words.percent(side["paths"]["promised"])
    off = first if own[0] is own[-1] else f"{first} and {last}"
    return f"{side['contender']} ({family}): off {off}; {held} of what came lay inside its {promised} intervals."


def _step_row(family: str, item: Facts) -> tuple[str, ...]:
    numbers = (words.number(item["error"]), words.number(item["bias"]), words.percent(item["held"]))
    span = f"{words.percent(item['low'])} to {words.percent(item['high'])}"
    return (str(item["step"]), family, *numbers, span, words.count(item["rows"]))


def forecasts(facts: Facts) -> Chart | None:
    """Forecasts with their intervals against what happened, from the worst to a middling one."""
    about = "From each finalist the worst of its forecasts, one of the worst tenth, and a middling one"
    return _panels(facts, "path", "forecasts", "Forecasts and what happened", about, _forecast)


def curves(facts: Facts) -> Chart | None:
    """Whole series whose answer was wrong."""
    about = "The series of each finalist whose answers were furthest off"
    return _panels(facts, "curve", "examples", "Series that they got wrong", about, _curve)


def _panels(facts: Facts, form: str, name: str, title: str, about: str, draw: Any) -> Chart | None:
    """One panel an example, a column a family."""
    sides = {family: side for family, side in _sides(facts, "examples").items() if _of_form(side, form)}
    if not sides:
        return None
    parts, rows = [], []
    for family, side in sides.items():
        left = PANELS[family] + 12
        parts.append(svg.group(family, svg.text(left, 16, f"{family}: {side['contender']}", style="name")))
        for index, item in enumerate(_of_form(side, form)):
            drawn, row = draw(item, side, left, 30 + index * (HEIGHT + 24))
            parts.append(svg.group(family, drawn))
            rows.append((family, *row))
    most = max(len(_of_form(side, form)) for side in sides.values())
    picture = svg.picture(720, 30 + most * (HEIGHT + 24), parts, f"{about}.", title)
    return Chart(name, title, picture, f"{about}.", ("family", "which", "what came", "what was said"), tuple(rows))


def _of_form(side: Facts, form: str) -> list[Any]:
    return [item for item in side["examples"] if item["shown"].get("form") == form]


def _scales(values: Sequence[float], count: int, left: float, top: float) -> tuple[svg.Scale, svg.Scale]:
    x = svg.Scale(0, max(count - 1, 1), left + 40, left + WIDTH - 12)
    return x, svg.Scale(*svg.spread(values, 0.06), top + HEIGHT - 14, top + 22)


def _frame(y: svg.Scale, x: svg.Scale, left: float, top: float, caption: str) -> str:
    ticks = [svg.line(x.start, y(tick), x.end, y(tick), "grid") for tick in y.ticks(3)]
    ticks += [svg.text(x.start - 5, y(tick) + 4, words.short(tick), "end", "tick") for tick in y.ticks(3)]
    return "".join([svg.text(left, top + 10, words.cut(caption, 52), style="tick"), *ticks])


def _forecast(item: Facts, side: Facts, left: float, top: float) -> tuple[str, tuple[str, ...]]:
    shown, truth, said = item["shown"], item["truth"], item["said"]
    history = list(shown["history"])[-MOST_HISTORY:]
    known = [value for value in (*history, *truth, *(value for step in said for value in step)) if value is not None]
    x, y = _scales(known, len(history) + len(said), left, top)
    first, middle = len(history), len(said[0]) // 2
    lines = [
        [(x(first + step), y(quantiles[level])) for step, quantiles in enumerate(said)] for level in range(len(said[0]))
    ]
    parts = [_frame(y, x, left, top, f"{shown['name']} from {shown['starts']}" if shown["name"] else shown["starts"])]
    parts += [svg.band(lines[-1 - level], lines[level]) for level in range(middle)]
    parts += [svg.path(run, "own") for run in _runs([*history, *truth], x, y)]
    parts += [svg.path(lines[middle], "line dashed"), svg.line(x(first - 0.5), y.start, x(first - 0.5), y.end)]
    held = sum(q[0] <= t <= q[-1] for t, q in zip(truth, said, strict=True) if t is not None)
    steps = sum(t is not None for t in truth)
    numbers = (", ".join(words.number(t) for t in truth[:6]), ", ".join(words.number(q[middle]) for q in said[:6]))
    which = f"{shown['name']} {shown['starts']} ({held} of {steps} inside)".strip()
    return "".join(parts), (which, *numbers)


def _runs(values: Sequence[float | None], x: svg.Scale, y: svg.Scale) -> list[list[tuple[float, float]]]:
    """Unbroken stretches of a line that has gaps; a single point is a very short one."""
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((x(place), y(value)))
    return [run if len(run) > 1 else [run[0], (run[0][0] + 0.5, run[0][1])] for run in runs if run]


def _curve(item: Facts, side: Facts, left: float, top: float) -> tuple[str, tuple[str, ...]]:
    shown = item["shown"]
    channels = list(shown["channels"].values())
    known = [value for values in channels for value in values if value is not None] or [0.0]
    x, y = _scales(known, max((len(values) for values in channels), default=1), left, top)
    truth, said = answered(item, side)
    parts = [_frame(y, x, left, top, f"{shown['name']}: {truth}, said {said}".removeprefix(": "))]
    for number, values in enumerate(channels):
        style = "line" if number == 0 else "thin"
        parts += [svg.path(run, style) for run in _runs(values, x, y)]
    return "".join(parts), (str(shown["name"]), truth, said)


def answered(item: Facts, side: Facts) -> tuple[str, str]:
    """What came and what was said of an example, in words."""
    if side["classes"] is None:
        return words.number(item["truth"]), words.number(item["said"])
    names = side["classes"]["names"]
    return str(names[item["truth"]]), f"{names[item['said']]} ({words.percent(item['chance'])})"
