"""The map of budgets and rows in words and as a picture."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from deepenough.judge.budgets import Cell, Map
from deepenough.judge.verdict import judge
from deepenough.report import budgets, html, plots_map, text
from tests.judge.simulate import World, pair, race

Facts = dict[str, Any]


def _cell(budget: float, decision: str, known: str = "measured") -> Cell:
    sure = None if known == "out_of_reach" else 0.8
    return Cell(1000, budget, 800, 5, decision, sure, sure, known, "trees", "net")


AXIS = (
    _cell(30, "classical_is_enough"), _cell(60, "classical_is_enough"), _cell(120, "open"),
    _cell(300, "deep_pays"), _cell(600, "deep_pays", "extrapolated"), _cell(3600, "", "out_of_reach"),
)  # fmt: skip


def test_the_sentence_names_the_stretches_of_the_axis() -> None:
    said = budgets.sentence(Map(AXIS, AXIS, 60.0, 1000), counted=False)
    assert said == (
        "The probable answer of a race of these rows, by its budget: classical is enough from 30 s to 60 s; "
        "open at 2.0 min; deep pays from 5.0 min to 10 min (beyond 5.0 min extrapolated)."
    )
    beyond = (AXIS[0], AXIS[4])
    assert "deep pays at 10 min (extrapolated)" in budgets.sentence(Map(beyond, beyond, 60.0, 1000), counted=False)
    assert budgets.sentence(Map(reason="too few"), counted=False) == ""
    assert "trials took on this machine" in budgets.sentence(Map(AXIS, AXIS, 60.0, 1000), counted=True)


@pytest.mark.parametrize(
    ("answer", "seconds", "said"),
    [
        ("could_change", 240.0, "could change that, from about 4.0 min on."),
        ("could_change", None, "could change that."),
        ("same", None, "hardly change that."),
        ("unknown", None, "is not known."),
    ],
)
def test_more_time_in_words(answer: str, seconds: float | None, said: str) -> None:
    assert budgets.more_time(Map(AXIS, AXIS, 60.0, 1000, answer, seconds)).endswith(said)


def test_the_terminal_has_it_only_where_the_answer_hangs_on_the_budget(facts: Facts) -> None:
    for changes in (True, False):
        told = {**facts, "budgets": {**facts["budgets"], "changes": changes, "sentence": "By its budget, so and so."}}
        assert ("By its budget, so and so." in text.summary(told)) == changes


def test_an_answer_that_is_hardly_probable_is_no_sentence_but_the_races_own_is() -> None:
    weak = tuple(dataclasses.replace(cell, certainty=0.55) for cell in AXIS[:4])
    said = budgets.sentence(Map(weak, weak, 300.0, 1000), counted=False)
    assert said.endswith("by its budget: unclear from 30 s to 2.0 min; deep pays at 5.0 min.")


@pytest.mark.parametrize(("second", "sure", "changes"), [("deep_pays", 0.8, True), ("deep_pays", 0.5, False)])
def test_facts_say_whether_the_answer_hangs_on_the_budget(
    monkeypatch: pytest.MonkeyPatch, second: str, sure: float, changes: bool
) -> None:
    axis = (AXIS[0], dataclasses.replace(_cell(60, second), certainty=sure))
    monkeypatch.setattr(budgets, "budget_map", lambda *_: Map(axis, axis, 30.0, 1000, "unknown"))
    evidence = race(World(), pair(0.0), 0)
    told = budgets.facts(evidence, judge(evidence, curves=False))
    assert told["changes"] == changes and told["more_time"] and not told["reason"]


def test_the_map_is_drawn_with_every_cell_and_without_colour_alone(facts: Facts) -> None:
    chart = plots_map.budget_map(facts)
    assert chart is not None
    cells = facts["budgets"]["cells"]
    drawn = [cell for cell in cells if cell["known"] != "out_of_reach"]
    assert chart.svg.count('class="cell"') == len(drawn) and len(chart.rows) == len(cells)
    assert chart.svg.count('class="edge dashed"') == sum(cell["known"] == "extrapolated" for cell in cells)
    assert chart.svg.count('class="own"') == 1
    for cell in drawn:
        family = plots_map.FAMILY_OF[cell["decision"]]
        asked = "?" if budgets.is_unclear(cell, facts["budgets"]) else ""
        assert f">{family}{asked} {round(100 * cell['certainty'])} %<" in chart.svg


def test_what_the_sentence_calls_unclear_the_map_and_the_tables_do_too(facts: Facts) -> None:
    own = dataclasses.asdict(_cell(60, "deep_pays"))
    weak, sure = own | {"budget_seconds": 120.0, "certainty": 0.54}, own | {"budget_seconds": 300.0}
    cells = [own | {"certainty": 0.46}, weak, sure, own | {"rows": 500, "certainty": 0.46}]
    found = facts["budgets"] | {"cells": cells, "axis": cells[:3], "own_seconds": 60.0, "rows": 1000}
    chart = plots_map.budget_map({**facts, "budgets": found})
    assert chart is not None and [row[3] for row in chart.rows] == [
        "deep pays", "unclear, likeliest deep pays", "deep pays", "unclear, likeliest deep pays"
    ]  # fmt: skip
    assert all(label in chart.svg for label in (">deep 46 %<", ">deep? 54 %<", ">deep 80 %<", ">deep? 46 %<"))
    assert "A question mark stands where that is unclear: under 60 %" in chart.about
    page = html.page({**facts, "budgets": found})
    assert page.count(">unclear, likeliest deep pays</td>") == 3, "the table by the budget, and that of the chart"


def test_what_can_not_be_said_is_a_dot(facts: Facts) -> None:
    found = facts["budgets"]
    blank = dataclasses.asdict(_cell(found["own_seconds"], "", "out_of_reach")) | {"rows": found["rows"]}
    chart = plots_map.budget_map({**facts, "budgets": {**found, "cells": [blank]}})
    assert chart is not None and ">·<" in chart.svg and 'class="cell"' not in chart.svg
    assert "1 cell is left blank" in chart.about


def test_the_page_has_the_axis_as_a_table(facts: Facts) -> None:
    page = html.page(facts)
    part = page[page.index('id="when-deep-starts-to-pay"') :]
    table = part[part.index("<caption>By the budget") : part.index("</table>", part.index("<caption>By the budget"))]
    assert len(re.findall(r"<tr><th scope=\"row\">", table)) == len(facts["budgets"]["axis"])
    assert table.count("(this race)") == 1


def test_no_map_no_picture_but_the_reason(facts: Facts) -> None:
    empty = {
        "cells": [],
        "axis": [],
        "sentence": "",
        "more_time": "",
        "reason": "a family was measured at too few sizes",
    }
    told = {**facts, "budgets": {**facts["budgets"], **empty}}
    assert plots_map.budget_map(told) is None
    assert "There is no map of budgets here: a family was measured at too few sizes." in html.page(told)
