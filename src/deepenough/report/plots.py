"""The charts of a report, drawn from the facts. Each carries its description and, as a table, the numbers it shows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from deepenough.evidence import FAMILIES, MINE
from deepenough.judge import metrics
from deepenough.report import plots_examples, plots_map, plots_segments, plots_why, svg, words
from deepenough.report.chart import Chart, Facts


def charts(facts: Facts) -> dict[str, Chart]:
    """All charts that these facts allow, by name."""
    why = (plots_why.drivers, plots_why.confusion, plots_why.calibration, plots_why.residuals)
    units = (plots_examples.steps, plots_examples.forecasts, plots_examples.curves)
    first = (gap, curves, plots_map.budget_map, price, shares, plots_segments.segments)
    drawn = (draw(facts) for draw in (*first, *why, *units))
    return {chart.name: chart for chart in drawn if chart is not None}


def gap(facts: Facts) -> Chart | None:
    """The difference of both finalists, its intervals, and the zone in which it does not matter."""
    found = facts["verdict"]["gap"]
    if found is None or None in (found["value"], found["low"], found["high"]):
        return None
    zone = facts["verdict"]["equal_within"]
    spans = [(f"on your {words.units(facts)}", found["low"], found["high"])]
    if None not in (found["low_fresh"], found["high_fresh"]):
        spans.append(("on a fresh sample", found["low_fresh"], found["high_fresh"]))
    ends = [found["value"], zone, -zone, *(end for _, low, high in spans for end in (low, high))]
    reach = 1.12 * max(abs(end) for end in ends)
    scale = svg.Scale(-reach, reach, 36, 684)
    about = _gap_about(found, zone, facts["verdict"]["alpha"])
    parts = [svg.box(scale(-zone), 30, scale(zone) - scale(-zone), 118, "zone"), svg.line(scale(0), 30, scale(0), 148)]
    parts.append(svg.text(8, 20, "← classical better", style="label"))
    parts.append(svg.text(712, 20, "deep better →", "end", "label"))
    parts.append(svg.text(scale(0), 20, "equal", "middle", "label"))
    for index, (label, low, high) in enumerate(spans):
        parts.append(_span(scale, found["value"], low, high, 76 + 52 * index, label, "thick" if index == 0 else "line"))
    parts.append(svg.axis_x(scale, 148, f"difference in {words.metric(found['metric'])}"))
    rows = [(label, words.number(found["value"]), words.number(low), words.number(high)) for label, low, high in spans]
    header = ("", "difference", "at least", "at most")
    return Chart(
        "gap",
        "How far apart they are",
        svg.picture(720, 194, parts, about, "How far apart they are"),
        about,
        header,
        tuple(rows),
    )


def _gap_about(found: Facts, zone: float, alpha: float) -> str:
    better = "deep" if found["value"] > 0 else "classical"
    return (
        f"The {better} side is ahead by {words.number(abs(found['value']))} in {words.metric(found['metric'])}; "
        f"the difference is above {words.number(found['low'])} and below {words.number(found['high'])}, each with "
        f"{words.percent(1 - alpha)} certainty (above zero deep is better). "
        f"Differences up to {words.number(zone)} count as practically equal."
    )


def _span(scale: svg.Scale, middle: float, low: float, high: float, y: float, label: str, style: str) -> str:
    family = "deep" if middle > 0 else "classical"
    marks = svg.line(scale(low), y, scale(high), y, style) + svg.mark(family, scale(middle), y)
    beside = min(max(scale(middle), 92), 628)  # the words stay on the picture, in a phone's larger type too
    return svg.text(beside, y - 12, label, "middle", "tick") + svg.group(family, marks)


def curves(facts: Facts) -> Chart | None:
    """Quality against training rows: what was measured with its error, and apart from it what is extrapolated."""
    known = [curve for curve in facts["curves"] if curve["points"] and curve["family"] in FAMILIES]
    if not known:
        return None
    first = _finalists(facts)
    ends = metrics.reach(facts["question"]["metric"]["name"])
    known = [_within_reach(curve, *ends) for curve in known]
    lines = sorted(known, key=lambda curve: curve["contender"] in first)  # the finalists are drawn on top
    sizes = [point["n_train"] for curve in lines for point in (*curve["points"], *curve["forecasts"])]
    heights = [height for curve in lines if curve["contender"] in first for height in _heights(curve)]
    heights += [point["shown"] for curve in lines for point in curve["points"][-2:]]
    x = svg.Scale(*svg.spread(sizes, log=True), 62, 600, log=True)
    y = svg.Scale(*_bounded(svg.spread(heights), lines, facts), 282, 26)
    measured = max(point["n_train"] for curve in lines for point in curve["points"])
    parts = [svg.axis_y(y, 62, 600, _axis(facts))]
    units = words.units(facts)
    parts += [svg.axis_x(x, 282, f"{units} to train on", ticks=_sizes(x, lines)), _horizon(x(measured), lines)]
    parts += [_curve(curve, x, y, curve["contender"] in first, units) for curve in lines]
    parts += _ends(lines, first, x, y)
    about = _curves_about(facts, lines, first)
    header = ("learner", "family", units, "score", "90 % interval", "known by")
    body = tuple(row for curve in reversed(lines) for row in _curve_rows(curve))
    return Chart(
        "curves",
        "What more data brings",
        svg.picture(720, 326, parts, about, "What more data brings"),
        about,
        header,
        body,
    )


def _axis(facts: Facts) -> str:
    """What the vertical axis shows, and which way is good."""
    metric = facts["question"]["metric"]
    return f"{words.metric(metric['name'])} ({'higher' if metric['higher_is_better'] else 'lower'} is better)"


def _bounded(ends: tuple[float, float], lines: list[Any], facts: Facts) -> tuple[float, float]:
    """The ends of the scale without what the metric can't reach: no loss under zero where none was seen, no share
    above one."""
    seen = [point["shown"] for curve in lines for point in curve["points"]]
    floor = 0.0 if min(seen) >= 0 and not facts["question"]["metric"]["higher_is_better"] else ends[0]
    low, high = metrics.reach(facts["question"]["metric"]["name"])
    return max(ends[0], floor, low), min(ends[1], high)


def _sizes(x: svg.Scale, lines: list[Any]) -> list[float]:
    """The sizes themselves as ticks (of the forecasts, whole multiples), those that stand apart enough to be read."""
    measured = {point["n_train"] for curve in lines for point in curve["points"]}
    ahead = {step["n_train"] for curve in lines for step in curve["forecasts"]}
    kept: list[float] = []
    for size in sorted(measured | {size for size in ahead if size % max(measured) == 0}):
        if not kept or x(size) - x(kept[-1]) > 44:
            kept.append(size)
    return kept


def _finalists(facts: Facts) -> set[str]:
    sides = (facts["verdict"][family] for family in FAMILIES)
    return {side["contender"] for side in sides if side}


def _heights(curve: Facts) -> list[float]:
    measured = [end for point in curve["points"] for end in point["ends"]]
    return measured + [end for ahead in curve["forecasts"] for end in ahead["ends_shown"]]


def _horizon(x: float, lines: list[Any]) -> str:
    """Where measuring ends and extrapolating begins."""
    if not any(curve["forecasts"] for curve in lines):
        return ""
    return svg.line(x, 26, x, 282, "horizon") + svg.text(x + 5, 38, "extrapolated", style="tick")


def _curve(curve: Facts, x: svg.Scale, y: svg.Scale, finalist: bool, units: str) -> str:
    points = [(x(point["n_train"]), y(_within(y, point["shown"]))) for point in curve["points"]]
    parts = [svg.path(points, "line")]
    if not finalist:
        return svg.group(curve["family"], *parts, style="faint")
    ahead = curve["forecasts"]
    if ahead:
        upper = [points[-1], *((x(step["n_train"]), y(_within(y, step["ends_shown"][1]))) for step in ahead)]
        lower = [points[-1], *((x(step["n_train"]), y(_within(y, step["ends_shown"][0]))) for step in ahead)]
        middle = [points[-1], *((x(step["n_train"]), y(_within(y, step["shown"]))) for step in ahead)]
        parts += [svg.band(upper, lower), svg.path(middle, "line dashed")]
    for point, (place, height) in zip(curve["points"], points, strict=True):
        low, high = (y(_within(y, end)) for end in point["ends"])
        hint = f"{curve['contender']}, {words.count(point['n_train'])} {units}: {words.number(point['shown'])}"
        parts += [svg.line(place, low, place, high, "line"), svg.mark(curve["family"], place, height, hint, 4.5)]
    return svg.group(curve["family"], *parts)


def _within(scale: svg.Scale, value: float) -> float:
    return min(max(value, scale.low), scale.high)


def _ends(lines: list[Any], first: set[str], x: svg.Scale, y: svg.Scale) -> list[str]:
    """The finalists' names at the right end of their curves, apart from one another."""
    ends = []
    for curve in lines:
        if curve["contender"] in first:
            last = curve["forecasts"][-1] if curve["forecasts"] else curve["points"][-1]
            ends.append((y(_within(y, last["shown"])), curve))
    heights = _apart([height for height, _ in ends])
    return [
        svg.group(curve["family"], svg.text(608, height + 4, curve["contender"], style="name"))
        for height, (_, curve) in zip(heights, ends, strict=True)
    ]


def _apart(heights: list[float], least: float = 15, lowest: float = 278) -> list[float]:
    """The same heights, moved until no two are nearer than `least` pixels: down first, then up from `lowest`."""
    moved = list(heights)
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + least)
    for place, index in enumerate(reversed(order)):
        moved[index] = min(moved[index], lowest - place * least)
    return moved


def _curves_about(facts: Facts, lines: list[Any], first: set[str]) -> str:
    said, units = [], words.units(facts)
    for curve in lines:
        if curve["contender"] in first:
            start, end = curve["points"][0], curve["points"][-1]
            first_size, last_size = words.count(start["n_train"]), words.count(end["n_train"])
            said.append(
                f"{curve['contender']} ({curve['family']}) goes from {words.number(start['shown'])} at {first_size} "
                f"{units} to {words.number(end['shown'])} at {last_size}"
            )
    crossing = facts["crossing"]
    return "; ".join(said) + "." + (f" {words.sentence(crossing['sentence'])}" if crossing else "")


def _curve_rows(curve: Facts) -> list[tuple[str, ...]]:
    about: tuple[str, ...] = (curve["contender"], curve["family"])
    measured: list[tuple[str, ...]] = [
        (*about, words.count(p["n_train"]), words.number(p["shown"]), _between(p["ends"]), "measured")
        for p in curve["points"]
    ]
    ahead = [
        (*about, words.count(f["n_train"]), words.number(f["shown"]), _between(f["ends_shown"]), "extrapolated")
        for f in curve["forecasts"]
    ]
    return measured + ahead


def _within_reach(curve: Facts, low: float, high: float) -> dict[str, Any]:
    """The curve with the 90 % interval of each measured point as `ends`; none goes beyond what the metric can reach."""

    def cut(ends: Iterable[float]) -> list[float]:
        return [min(max(end, low), high) for end in ends]

    points = []
    for point in curve["points"]:
        half = 1.645 * (point["standard_error"] or 0.0)
        points.append({**point, "ends": cut((point["shown"] - half, point["shown"] + half))})
    ahead = [
        {**each, "shown": cut([each["shown"]])[0], "ends_shown": cut(each["ends_shown"])} for each in curve["forecasts"]
    ]
    return {**curve, "points": points, "forecasts": ahead}


def _between(ends: list[float]) -> str:
    return f"{words.number(ends[0])} to {words.number(ends[1])}"


def price(facts: Facts) -> Chart | None:
    """Quality against what one training run costs, of all that were judged at the judged size."""
    rows = [row for row in facts["frontier"] if row["shown"] is not None]
    if len(rows) < 2:
        return None
    x = svg.Scale(*svg.spread([row["fit_cpu_seconds"] for row in rows], log=True), 62, 690, log=True)
    y = svg.Scale(*svg.spread([row["shown"] for row in rows], 0.12), 282, 26)
    parts = [svg.axis_y(y, 62, 690, _axis(facts))]
    parts.append(svg.axis_x(x, 282, "processor seconds for one training run"))
    parts += [_frontier(rows, x, y), *_points(facts, rows, x, y)]
    metric = words.metric(facts["question"]["metric"]["name"])
    about = (
        f"{len(rows)} learners, each trained on {words.count(facts['n_train'])} {words.units(facts)}: their "
        f"{metric} against the processor seconds of one training run. "
        f"Nobody is both better and cheaper than {', '.join(row['name'] for row in rows if row['on_frontier'])}."
    )
    header = ("learner", "family", metric, "processor seconds", "frontier")
    body = tuple(_price_row(row) for row in sorted(rows, key=lambda row: (row["loss"], row["name"])))
    title = "What quality costs"
    return Chart("price", title, svg.picture(720, 326, parts, about, title), about, header, body)


def _price_row(row: Facts) -> tuple[str, ...]:
    frontier = "nobody better is cheaper" if row["on_frontier"] else ""
    return (row["name"], row["family"], words.number(row["shown"]), words.number(row["fit_cpu_seconds"]), frontier)


def _frontier(rows: list[Any], x: svg.Scale, y: svg.Scale) -> str:
    """A stair along those whom nobody beats in both; each step is what is to be had for that price."""
    best = sorted((x(row["fit_cpu_seconds"]), y(row["shown"])) for row in rows if row["on_frontier"])
    if not best:
        return ""
    stairs = [best[0]]
    for place, height in best[1:]:
        stairs += [(place, stairs[-1][1]), (place, height)]
    return svg.path([*stairs, (x.end, stairs[-1][1])], "frontier")


def _points(facts: Facts, rows: list[Any], x: svg.Scale, y: svg.Scale) -> list[str]:
    """A mark for each learner; names for all but the variants, which show theirs when one points at them."""
    first = _finalists(facts)
    known = [row for row in rows if row["name"] in first or (not row["variant"] and row["family"] in FAMILIES)]
    known += [row for row in rows if row["family"] == MINE or (row["family"] == "together" and row["on_frontier"])]
    heights = dict(zip((row["name"] for row in known), _apart([y(row["shown"]) for row in known]), strict=True))
    parts = []
    for row in rows:
        place, name = x(row["fit_cpu_seconds"]), row["name"]
        drawn = [svg.mark(row["family"], place, y(row["shown"]), name)]
        if name in heights:
            left = place > 540
            drawn.append(
                svg.text(place + (-10 if left else 10), heights[name] + 4, name, "end" if left else "start", "name")
            )
        parts.append(svg.group(row["family"], *drawn))
    return parts


_SHARES_HEADER = (
    *("family", "granted", "used", "processor time", "trials", "with an answer", "of these cut short"),
    *("killed for time", "killed for memory", "failed", "skipped"),
)


def shares(facts: Facts) -> Chart | None:
    """What each family used of its share of the budget."""
    used = {family: facts["families"][family] for family in FAMILIES}
    longest = max(max(side["wall_seconds"], side["share_granted_seconds"] or 0.0) for side in used.values())
    if longest <= 0:
        return None
    x = svg.Scale(0, longest * 1.02, 8, 712)
    parts = []
    for index, (family, side) in enumerate(used.items()):
        top = 26 + 58 * index
        parts.append(svg.text(8, top - 6, family, style="label"))
        if side["share_granted_seconds"]:
            parts.append(svg.box(8, top, x(side["share_granted_seconds"]) - 8, 24, "zone"))
        parts.append(svg.group(family, svg.box(8, top + 4, x(side["wall_seconds"]) - 8, 16, "bar")))
    parts.append(svg.axis_x(x, 120, "seconds of wall-clock time used (pale: the most it might use)"))
    about = " ".join(f"{family} used {words.seconds(side['wall_seconds'])}." for family, side in used.items())
    rows = tuple(_share_row(family, side) for family, side in used.items())
    return Chart(
        "shares", "Equal shares", svg.picture(720, 166, parts, about, "Equal shares"), about, _SHARES_HEADER, rows
    )


def _share_row(family: str, side: Facts) -> tuple[str, ...]:
    times = (words.seconds(side[name]) for name in ("share_granted_seconds", "wall_seconds", "cpu_seconds"))
    ends = (side[name] for name in ("truncated", "timeout", "memory", "error", "skipped"))
    counts = (side["trials"], side["ok"] + side["truncated"], *ends)
    return (family, *times, *(words.count(value) for value in counts))
