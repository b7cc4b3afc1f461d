"""Charts show what the facts say, and say it in words and as a table too."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from deepenough.report import plots, words

Facts = dict[str, Any]


def test_a_finished_race_has_every_chart(facts: Facts) -> None:
    assert set(plots.charts(facts)) == {"gap", "curves", "price", "shares"}


def test_a_race_of_nothing_has_only_what_it_has(facts_by_case: dict[str, Facts]) -> None:
    assert plots.charts(facts_by_case["nothing"]) == {}
    assert set(plots.charts(facts_by_case["early"])) == {"shares"}


@pytest.mark.parametrize("case", ["tie", "deep", "early", "nothing", "one family"])
def test_charts_are_well_formed_described_and_tabled(case: str, facts_by_case: dict[str, Facts]) -> None:
    for chart in plots.charts(facts_by_case[case]).values():
        root = ElementTree.fromstring(chart.svg)
        assert root.get("role") == "img" and root.get("aria-label") == chart.about
        assert chart.rows and all(len(row) == len(chart.header) for row in chart.rows)


def test_nothing_is_drawn_outside_the_picture(facts_by_case: dict[str, Facts]) -> None:
    for facts in facts_by_case.values():
        for chart in plots.charts(facts).values():
            root = ElementTree.fromstring(chart.svg)
            width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
            for node in root.iter():
                for name, most in (
                    ("x", width),
                    ("x1", width),
                    ("cx", width),
                    ("y", height),
                    ("y1", height),
                    ("cy", height),
                ):
                    assert -1 <= float(node.get(name, 0)) <= most + 1, (chart.name, node.attrib)


def test_curves_keep_what_is_extrapolated_apart(facts: Facts) -> None:
    chart = plots.charts(facts)["curves"]
    assert {row[-1] for row in chart.rows} == {"measured", "extrapolated"}
    assert chart.svg.count("dashed") == 2
    measured = [row for row in chart.rows if row[0] == "lightgbm" and row[-1] == "measured"]
    known = next(curve for curve in facts["curves"] if curve["contender"] == "lightgbm")
    assert [row[3] for row in measured] == [words.number(point["shown"]) for point in known["points"]]


def test_gap_points_to_the_better_side(facts_by_case: dict[str, Facts]) -> None:
    tie, deep = (plots.charts(facts_by_case[case])["gap"] for case in ("tie", "deep"))
    assert "The classical side is ahead" in tie.about
    assert "The deep side is ahead" in deep.about


def test_many_labels_stay_above_the_axis() -> None:
    assert max(plots._apart([270.0] * 12)) <= 278


def test_labels_are_moved_apart() -> None:
    moved = plots._apart([10.0, 12.0, 11.0, 90.0])
    ordered = sorted(moved)
    assert all(after - before >= 15 for before, after in pairwise(ordered))
    assert moved[0] < moved[2] < moved[1] < moved[3]
