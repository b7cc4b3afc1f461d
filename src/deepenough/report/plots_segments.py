"""The chart of where each family wins: in each segment and elsewhere, with intervals."""

from __future__ import annotations

from deepenough.report import svg, words
from deepenough.report.chart import Chart, Facts

LABEL_LETTERS = 92


def segments(facts: Facts) -> Chart | None:
    """How far deep is ahead in each segment and elsewhere, with intervals, and the zone in which it does not matter."""
    found = facts.get("segments")
    if not found or not found["segments"]:
        return None
    shown, zone = found["segments"], facts["verdict"]["equal_within"] or 0.0
    ends = [end for item in shown for span in (item["gap"], item["elsewhere"]) for end in span.values() if end]
    reach = 1.12 * max(abs(end) for end in (zone, *ends))
    scale = svg.Scale(-reach, reach, 96, 700)
    bottom = 34 + 74 * len(shown)
    parts = [svg.box(scale(-zone), 26, scale(zone) - scale(-zone), bottom - 26, "zone")]
    parts += [svg.line(scale(0), 26, scale(0), bottom), svg.text(scale(0), 18, "equal", "middle", "label")]
    parts.append(svg.text(8, 18, "← classical better", style="label"))
    parts.append(svg.text(712, 18, "deep better →", "end", "label"))
    for index, item in enumerate(shown):
        parts.append(_bars(item, scale, 46 + 74 * index))
    metric = words.metric(facts["question"]["metric"]["name"])
    parts.append(svg.axis_x(scale, bottom, f"difference in {metric}"))
    title, about = "Where each family wins", " ".join(item["sentence"] for item in shown)
    rows = tuple(row for item in shown for row in _rows(item))
    header = (words.units(facts), "deep ahead by", "low", "high", "judged")
    return Chart("segments", title, svg.picture(720, bottom + 44, parts, about, title, wordy=True), about, header, rows)


def _bars(item: Facts, scale: svg.Scale, y: float) -> str:
    """The segment's name above its interval, and the same elsewhere below."""
    parts = [svg.text(8, y, words.cut(item["words"], LABEL_LETTERS), style="name")]
    for label, span, height, style in (
        ("there", item["gap"], y + 18, "thick"),
        ("elsewhere", item["elsewhere"], y + 38, "line"),
    ):
        hint = f"{label}: {words.number(span['value'])}"
        bar = (
            svg.line(scale(span["low"]), height, scale(span["high"]), height, style)
            if None not in span.values()
            else ""
        )
        mark = svg.mark(_ahead(span["value"]), scale(span["value"]), height, hint)
        parts.append(svg.text(8, height + 4, label, style="tick") + svg.group(_ahead(span["value"]), bar, mark))
    return "".join(parts)


def _rows(item: Facts) -> list[tuple[str, ...]]:
    spans = (
        (item["words"], item["gap"], item["rows"]),
        ("elsewhere", item["elsewhere"], item["of_rows"] - item["rows"]),
    )
    return [
        (name, *(words.number(span[end]) for end in ("value", "low", "high")), words.count(rows))
        for name, span, rows in spans
    ]


def _ahead(value: float) -> str:
    return "deep" if value > 0 else "classical"
