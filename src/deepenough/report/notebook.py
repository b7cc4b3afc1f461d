"""A race below a notebook's cell: the decision, the gap, the prices side by side, and where the report lies.

Needs that this module answers:

* Small: one look, in light and dark notebooks alike, so it brings no colours of text or paper of its own.
* No script and no style sheet: a notebook that isn't trusted shows it too.
* What comes from the user's data is text here and never markup.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deepenough.evidence import FAMILIES
from deepenough.report import text, words


def card(facts: Mapping[str, Any], report: str = "") -> str:
    """The facts of a race as a piece of HTML.

    report: address of the whole report; empty where there is none.
    """
    said = [text.advice(facts), *(f"Careful: {reason}." for reason in text.warnings(facts)), text.gap_sentence(facts)]
    parts = [f"<strong>{_safe(text.headline(facts))}</strong>", *(f"<div>{_safe(each)}</div>" for each in said if each)]
    parts.append(_prices(facts))
    if report:
        parts.append(f'<div><a href="{escape(report)}" target="_blank" rel="noopener">The whole report</a></div>')
    return f'<div style="max-width: 60em; padding-left: .8em; border-left: 3px solid">{"".join(parts)}</div>'


def _prices(facts: Mapping[str, Any]) -> str:
    """The finalists side by side, as a table; empty where neither finished."""
    if not any(facts["costs"][family] for family in FAMILIES):
        return ""
    head, *rows = text.side_by_side(facts, complete=False)
    titles = "".join(f'<th scope="col">{_safe(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row" style="text-align: left">{_safe(row[0])}</th>'
        + "".join(f'<td style="text-align: left">{_safe(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"


def address(report: Path, here: Path) -> str:
    """The report as a notebook in the folder `here` links to it: relative below that folder, else as a file."""
    try:
        return quote(report.absolute().relative_to(here.absolute()).as_posix())
    except ValueError:
        return Path(os.path.abspath(report)).as_uri()


def _safe(content: str) -> str:
    return escape(words.plain(content))
