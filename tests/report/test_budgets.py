"""The map of budgets and rows in words and as a picture."""

from __future__ import annotations

from typing import Any

from deepenough.judge.budgets import Cell, Map
from deepenough.report import budgets, plots_map


def _cell(budget: float, decision: str, known: str = "measured") -> Cell:
    sure = None if known == "out_of_reach" else 0.8
    return Cell(1000, budget, 800, decision, sure, sure, known, "trees", "net")


def test_the_sentence_names_the_stretches_of_the_axis() -> None:
    axis = (
        _cell(30, "classical_is_enough"), _cell(60, "classical_is_enough"), _cell(600, "deep_pays", "extrapolated"),
        _cell(3600, "", "out_of_reach"),
    )  # fmt: skip
    said = budgets.sentence(Map(axis, axis, 60.0, 1000), counted=False)
    assert "classical is enough from 30 s to 60 s; deep pays at 10 min (extrapolated)" in said
    assert budgets.sentence(Map(reason="too few"), counted=False) == ""
    assert "trials took" in budgets.sentence(Map(axis, axis, 60.0, 1000), counted=True)


def test_the_map_is_drawn_with_every_cell_and_without_colour_alone(facts: dict[str, Any]) -> None:
    chart = plots_map.budget_map(facts)
    assert chart is not None
    cells = facts["budgets"]["cells"]
    drawn = [cell for cell in cells if cell["known"] != "out_of_reach"]
    assert chart.svg.count('class="cell"') == len(drawn) and len(chart.rows) == len(cells)
    assert chart.svg.count('class="edge dashed"') == sum(cell["known"] == "extrapolated" for cell in cells)
    for cell in drawn:
        family = plots_map._FAMILIES[cell["decision"]]
        assert f">{family} {round(100 * cell['certainty'])} %<" in chart.svg


def test_no_map_no_picture(facts: dict[str, Any]) -> None:
    assert plots_map.budget_map({**facts, "budgets": {**facts["budgets"], "cells": []}}) is None
