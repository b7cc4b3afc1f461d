"""The page of several targets: a row each, with the decision and the way to its report."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deepenough.evidence import FAMILIES
from deepenough.files import write_whole
from deepenough.report import words
from deepenough.report.text import WIDTH, headline


def row(target: str, folder: str, facts: Mapping[str, Any] | None, error: str) -> dict[str, Any]:
    """What a target's race found, as plain data; without facts, why there is none."""
    if facts is None:
        return {"target": target, "folder": folder, "decision": None, "sentence": "", "error": error}
    gap = facts["verdict"]["gap"]
    return {
        "target": target,
        "folder": folder,
        "decision": facts["decision"],
        "headline": headline(facts),
        "sentence": facts["decision_sentence"],
        "metric": facts["verdict"]["metric"],
        "gap": gap and {name: gap[name] for name in ("value", "low", "high")},
        **{family: _finalist(facts["costs"][family]) for family in FAMILIES},
        "error": "",
    }


def _finalist(costs: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if costs is None else {"contender": costs["contender"], "shown": costs["shown"]}


def table(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The rows as cells, the first row what they are."""
    head = ["target", "decision", "metric", *FAMILIES, "gap, deep better if positive"]
    return [head, *(_cells(each) for each in rows)]


def _cells(each: Mapping[str, Any]) -> list[str]:
    if each["decision"] is None:
        return [words.plain(each["target"]), "not raced", *[words.NOTHING] * (len(FAMILIES) + 2)]
    gap, shown = words.NOTHING, []
    for family in FAMILIES:
        side = each[family]
        shown.append(f"{side['contender']} {words.number(side['shown'])}" if side else words.NOTHING)
    if each["gap"]:
        value, low, high = (words.number(each["gap"][name]) for name in ("value", "low", "high"))
        gap = f"{value} ({low} to {high})"
    return [words.plain(each["target"]), each["headline"], words.metric(each["metric"]), *shown, gap]


def summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table and each target's sentence, for the terminal."""
    cells = table(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells]
    for each in rows:
        said = words.plain(f"{each['target']}: {each['sentence'] or each['error']}")
        lines += ["", *textwrap.wrap(said, WIDTH)]
    return "\n".join(lines)


def page(rows: Sequence[Mapping[str, Any]]) -> str:
    """The page of these rows."""
    from deepenough.report.html import environment

    shown = [words.harmless(dict(each)) for each in rows]
    links = [f"{quote(each['folder'])}/report.html" for each in rows]
    template = environment().get_template("index.html.jinja")
    return template.render(
        rows=list(zip(shown, links, [_cells(each) for each in shown], strict=True)), head=table([])[0]
    )


def write(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the page, whole or not at all."""
    write_whole(path, page(rows).encode())
