"""Charts of what drives the predictions and of where they are wrong: drivers, confusions, calibration, residuals."""

from __future__ import annotations

from typing import Any

from deepenough.evidence import FAMILIES
from deepenough.report import svg, words
from deepenough.report.chart import Chart, Facts

MOST_DRIVERS = 14
LABEL_LETTERS = 26
PANELS = {"classical": 0, "deep": 360}
"""Where each family's half of a picture begins."""


def drivers(facts: Facts) -> Chart | None:
    """How far the loss rises when one input is shuffled, for both finalists, with intervals."""
    sides = {family: side for family in FAMILIES if (side := facts["drivers"][family]) and side["inputs"]}
    if not sides:
        return None
    known = {family: {item["name"]: item for item in side["inputs"]} for family, side in sides.items()}
    names = _strongest(known)
    ends = [end for own in known.values() for name in names if name in own for end in _ends(own[name])]
    left = 34 + 7.2 * max(len(words.cut(name, LABEL_LETTERS)) for name in names)
    x = svg.Scale(*svg.spread([0.0, *ends], 0.04), left, 704)
    bottom = 34 + 30 * len(names)
    parts = [svg.axis_x(x, bottom, f"rise of {_loss(facts)} when the input is shuffled", top=20)]
    parts.append(svg.legend(704, 10, {family: side["contender"] for family, side in sides.items()}))
    parts.append(svg.line(x(0), 20, x(0), bottom))
    for index, name in enumerate(names):
        middle = 37 + 30 * index
        parts.append(svg.text(left - 10, middle + 4, words.cut(name, LABEL_LETTERS), "end"))
        for family, own in known.items():
            if name in own:
                parts.append(_driver(family, own[name], x, middle + (-5 if family == "classical" else 5)))
    about = _drivers_about(facts, sides)
    rows = tuple(_driver_row(family, item) for family, side in sides.items() for item in side["inputs"])
    header = ("input", "family", f"rise of {_loss(facts)}", "95 % interval")
    title = "What the predictions depend on"
    return Chart("drivers", title, svg.picture(720, bottom + 44, parts, about, title), about, header, rows)


def _loss(facts: Facts) -> str:
    """What rises: the metric, or its loss where a person reads it the other way round."""
    metric = facts["question"]["metric"]
    name = words.metric(metric["name"])
    return f"{name} lost" if metric["higher_is_better"] else name


def _strongest(known: Facts) -> list[str]:
    rises: dict[str, float] = {}
    for own in known.values():
        for name, item in own.items():
            rises[name] = max(rises.get(name, item["rise"]), item["rise"])
    return sorted(rises, key=lambda name: (-rises[name], name))[:MOST_DRIVERS]


def _ends(item: Facts) -> list[float]:
    return [end for end in (item["rise"], item["low"], item["high"]) if end is not None]


def _driver(family: str, item: Facts, x: svg.Scale, y: float) -> str:
    hint = f"{item['name']}, {family}: {words.number(item['rise'])} ({_interval(item)})"
    drawn = [svg.mark(family, x(item["rise"]), y, hint, 4)]
    if item["low"] is not None and item["high"] is not None:
        drawn.insert(0, svg.line(x(item["low"]), y, x(item["high"]), y, "line"))
    return svg.group(family, *drawn)


def _interval(item: Facts) -> str:
    return f"{words.number(item['low'])} to {words.number(item['high'])}"


def _driver_row(family: str, item: Facts) -> tuple[str, ...]:
    return (item["name"], family, words.number(item["rise"]), _interval(item))


def _drivers_about(facts: Facts, sides: Facts) -> str:
    said = []
    for family, side in sides.items():
        first = [f"{item['name']} ({words.number(item['rise'])})" for item in side["inputs"][:3]]
        said.append(f"{side['contender']} ({family}) depends most on {', '.join(first)}")
    return f"{'; '.join(said)}: so far its {_loss(facts)} rises when that input is shuffled."


def _sides(facts: Facts, what: str) -> dict[str, Any]:
    """By family, the finalist's mistakes of that sort."""
    found = {family: facts["mistakes"][family] for family in FAMILIES}
    return {family: side | side[what] for family, side in found.items() if side and side[what]}


def confusion(facts: Facts) -> Chart | None:
    """What was said of which class, a square for each pair."""
    sides = {family: side for family, side in _sides(facts, "classes").items() if side["confusion"]}
    if not sides:
        return None
    parts, rows = [], []
    for family, side in sides.items():
        parts.append(_confusion_panel(family, side, PANELS[family]))
        rows += _confusion_rows(family, side)
    about = " ".join(_confusion_about(family, side) for family, side in sides.items())
    title = "Which classes are taken for which"
    header = ("truth", "said", "family", "cases", "share of the truth")
    height = 84 + max(_cell_size(side) * len(side["confusion"]) for side in sides.values())
    return Chart("confusion", title, svg.picture(720, height, parts, about, title), about, header, tuple(rows))


def _cell_size(side: Facts) -> float:
    """Pixels of a square: all of them fit into the family's half of the picture."""
    return min(264 / len(side["confusion"]), 72.0)


def _confusion_panel(family: str, side: Facts, left: float) -> str:
    table, names = side["confusion"], side["names"]
    size = _cell_size(side)
    parts = [svg.text(left + 76, 14, f"{family}: {side['contender']}", style="name")]
    for row, counts in enumerate(table):
        top = 44 + size * row
        letters = 10 if size > 9 else 4
        parts.append(svg.text(left + 70, top + size / 2 + 4, words.cut(names[row], letters), "end", "tick"))
        place = left + 76 + size * (row + 0.5)
        parts.append(svg.text(place, 38, words.cut(names[row], max(int(size / 7), 1)), "middle", "tick"))
        for column, count in enumerate(counts):
            parts.append(_confusion_cell(left + 76 + size * column, top, size, counts, column, names, row))
            if size > 30:
                shown = svg.text(left + 76 + size * (column + 0.5), top + size / 2 + 4, words.count(count), "middle")
                parts.append(shown)
    foot = 44 + size * len(table) + 22
    parts.append(svg.text(left + 76, foot, "down: the truth; across: what was said", style="label"))
    return svg.group(family, *parts)


def _confusion_cell(x: float, y: float, size: float, counts: list[int], column: int, names: list[str], row: int) -> str:
    share = counts[column] / max(sum(counts), 1)
    hint = f"{names[row]}, said to be {names[column]}: {words.count(counts[column])} ({words.percent(share)})"
    return svg.cell(round(x, 1), round(y, 1), round(size - 1, 1), share, hint)


def _confusion_rows(family: str, side: Facts) -> list[tuple[str, ...]]:
    """All pairs of few classes; of many the most frequent mistakes."""
    table, names = side["confusion"], side["names"]
    totals = [max(sum(counts), 1) for counts in table]
    pairs = [(row, column) for row in range(len(table)) for column in range(len(table))]
    if len(table) > 6:
        pairs = [(item["truth"], item["said"]) for item in side["confusions"]]
    return [
        (names[r], names[c], family, words.count(table[r][c]), words.percent(table[r][c] / totals[r])) for r, c in pairs
    ]


def _confusion_about(family: str, side: Facts) -> str:
    right = sum(counts[index] for index, counts in enumerate(side["confusion"]))
    said = f"{side['contender']} ({family}) names {words.percent(right / max(side['rows'], 1))} of the cases rightly"
    if not side["confusions"]:
        return f"{said}."
    worst = side["confusions"][0]
    truth, named = side["names"][worst["truth"]], side["names"][worst["said"]]
    return f"{said}; its most frequent mistake is {truth} taken for {named} ({words.count(worst['count'])} cases)."


def calibration(facts: Facts) -> Chart | None:
    """What probabilities were given, to classes or to finds, and how often it happened."""
    sides = _sides(facts, "classes") or _sides(facts, "lists")
    bins = [item for side in sides.values() for item in side["calibration"]]
    if not bins:
        return None
    ends = svg.spread([end for item in bins for end in (item["said"], item["low"], item["high"])], 0.03)
    low, high = max(ends[0], 0.0), min(ends[1], 1.0)
    x, y = svg.Scale(low, high, 62, 690), svg.Scale(low, high, 282, 30)
    parts = [svg.axis_y(y, 62, 690, _happened(sides)), svg.axis_x(x, 282, "the probability that was given")]
    parts.append(svg.path([(x(low), y(low)), (x(high), y(high))], "ideal"))
    parts.append(svg.legend(690, 14, {family: side["contender"] for family, side in sides.items()}))
    for family, side in sides.items():
        points = [_calibration_point(family, item, x, y) for item in side["calibration"]]
        parts.append(svg.group(family, *points))
    about = " ".join(_calibration_about(family, side) for family, side in sides.items())
    rows = tuple(_calibration_row(family, item) for family, side in sides.items() for item in side["calibration"])
    header = ("family", "given", "happened", "95 % interval", "cases")
    title = "Whether probabilities can be trusted"
    return Chart("calibration", title, svg.picture(720, 326, parts, about, title), about, header, rows)


def _happened(sides: Facts) -> str:
    side = next(iter(sides.values()))
    if side["lists"]:
        return "share of finds that were right"
    return f"share that was {side['names'][1]}" if side["asked"] == "positive" else "share that was the likeliest class"


def _calibration_point(family: str, item: Facts, x: svg.Scale, y: svg.Scale) -> str:
    place = x(item["said"]) + (-2.5 if family == "classical" else 2.5)
    hint = f"{family}: {words.percent(item['said'])} given, {words.percent(item['happened'])} happened"
    span = svg.line(place, y(item["low"]), place, y(item["high"]), "thin")
    return span + svg.mark(family, place, y(item["happened"]), hint, 4.5)


def _calibration_about(family: str, side: Facts) -> str:
    bins = side["calibration"]
    held = sum(item["low"] <= item["said"] <= item["high"] for item in bins)
    return (
        f"{side['contender']} ({family}): in {held} of {len(bins)} bins what was given lies within the 95 % interval "
        "of what happened."
    )


def _calibration_row(family: str, item: Facts) -> tuple[str, ...]:
    shares = (words.percent(item[name]) for name in ("said", "happened"))
    span = f"{words.percent(item['low'])} to {words.percent(item['high'])}"
    return (family, *shares, span, words.count(item["rows"]))


def residuals(facts: Facts) -> Chart | None:
    """Truth less prediction against the prediction, both finalists on the same scales."""
    sides = _sides(facts, "numbers")
    if not sides:
        return None
    said = [item["said"] for side in sides.values() for item in side["bins"]]
    said += [point[0] for side in sides.values() for point in side["points"]]
    errors = [end for side in sides.values() for item in side["bins"] for end in (item["low"], item["high"])]
    errors += [end for side in sides.values() for end in (side["spread"][0], side["spread"][-1])]
    y = svg.Scale(*svg.spread([0.0, *errors], 0.25), 282, 40)
    parts = [svg.axis_y(y, 62, 704, "truth less prediction")]
    for family, side in sides.items():
        left = 62 if family == "classical" else 396
        parts.append(_residuals_panel(family, side, svg.Scale(*svg.spread(said, 0.02), left, left + 308), y))
    about = " ".join(_residuals_about(family, side) for family, side in sides.items())
    rows = tuple(_residuals_row(family, item) for family, side in sides.items() for item in side["bins"])
    header = ("family", "prediction", "middle error", "four fifths of the errors", "cases")
    title = "How far off numbers are"
    return Chart("residuals", title, svg.picture(720, 326, parts, about, title), about, header, rows)


def _residuals_panel(family: str, side: Facts, x: svg.Scale, y: svg.Scale) -> str:
    dots = [svg.dot(x(said), y(error)) for said, error in side["points"] if y.low <= error <= y.high]
    bins = side["bins"]
    edges = {name: [(x(item["said"]), y(item[name])) for item in bins] for name in ("low", "middle", "high")}
    drawn = [*dots, svg.band(edges["high"], edges["low"]), svg.path(edges["middle"], "line")]
    drawn.append(svg.text(x.start + 4, 32, side["contender"], style="name"))
    zero = svg.line(x.start, y(0), x.end, y(0))
    return zero + svg.group(family, *drawn) + svg.axis_x(x, 282, "prediction", ticks=x.ticks(5))


def _residuals_about(family: str, side: Facts) -> str:
    low, high = side["spread"][0], side["spread"][-1]
    return (
        f"{side['contender']} ({family}) is off by {words.number(side['bias'])} on average; nine errors in ten lie "
        f"between {words.number(low)} and {words.number(high)}."
    )


def _residuals_row(family: str, item: Facts) -> tuple[str, ...]:
    span = f"{words.number(item['low'])} to {words.number(item['high'])}"
    return (family, words.number(item["said"]), words.number(item["middle"]), span, words.count(item["rows"]))
