"""Charts show what the facts say, and say it in words and as a table too."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from deepenough.judge.verdict import judge
from deepenough.report import plots, words
from deepenough.report.facts import facts as gather
from tests.report.conftest import full_race

Facts = dict[str, Any]


def test_a_finished_race_has_every_chart(facts: Facts) -> None:
    why = {"segments", "drivers", "confusion", "calibration"}
    assert set(plots.charts(facts)) == {"gap", "curves", "map", "price", "shares", *why}


def test_a_race_of_nothing_has_only_what_it_has(facts_by_case: dict[str, Facts]) -> None:
    assert plots.charts(facts_by_case["nothing"]) == {}
    assert set(plots.charts(facts_by_case["early"])) == {"shares"}


@pytest.mark.parametrize("case", ["tie", "deep", "early", "nothing", "one family", "numbers"])
def test_charts_are_well_formed_described_and_tabled(case: str, facts_by_case: dict[str, Facts]) -> None:
    for chart in plots.charts(facts_by_case[case]).values():
        root = ElementTree.fromstring(chart.svg)
        assert root.get("role") == "img" and root.get("aria-label") == words.harmless(f"{chart.title}. {chart.about}")
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


def test_drivers_are_ranked_and_those_of_both_stand_side_by_side(facts: Facts) -> None:
    chart = plots.charts(facts)["drivers"]
    assert [row[2] for row in chart.rows] == ["0.110", "0.0400", "-0.00100"] * 2
    assert chart.svg.count('class="of-classical"') == chart.svg.count('class="of-deep"') == 3 + 2  # the legend's too
    assert "lightgbm (classical) depends most on" in chart.about


def test_confusions_say_who_is_taken_for_whom(facts: Facts) -> None:
    chart = plots.charts(facts)["confusion"]
    assert ("yes", "no", "deep", "200", "25 %") in chart.rows
    assert "its most frequent mistake is yes taken for no (200 cases)" in chart.about
    assert chart.svg.count('class="cell"') == 8


def test_numbers_have_residuals_and_no_confusions(facts_by_case: dict[str, Facts]) -> None:
    charts = plots.charts(facts_by_case["numbers"])
    assert "residuals" in charts and not {"confusion", "calibration", "drivers"} & set(charts)
    assert "is off by 0.100 on average; nine errors in ten lie between -3.00 and 4.00" in charts["residuals"].about


def test_the_frontier_leaves_out_who_is_beaten_in_both(facts: Facts) -> None:
    rows = facts["frontier"]
    assert {row["name"] for row in rows} == {"lightgbm", "mlp", "lightgbm+mlp@0.50"}
    for row in rows:
        best = min(other["loss"] for other in rows if other["fit_cpu_seconds"] <= row["fit_cpu_seconds"])
        assert row["on_frontier"] == (row["loss"] == best)


def test_who_went_on_to_a_larger_size_stays_on_the_frontier_of_the_judged_one() -> None:
    evidence = full_race()
    larger = [replace(trial, number=900, n_train=9000) for trial in evidence.trials if trial.contender == "mlp"][-1:]
    records = {**evidence.records, 900: evidence.records[evidence.trials[-1].number]}
    grown = replace(evidence, trials=(*evidence.trials, *larger), records=records)
    assert "mlp" in {row["name"] for row in gather(grown, judge(grown))["frontier"]}


def test_no_loss_is_drawn_under_zero() -> None:
    lines = [{"points": [{"shown": 0.2}, {"shown": 0.1}]}]
    metric = {"question": {"metric": {"name": "log_loss", "higher_is_better": False}}}
    assert plots._bounded((-0.4, 0.5), lines, metric) == (0.0, 0.5)


def test_no_share_is_drawn_above_one(facts: Facts) -> None:
    """Nor told in the table; where a metric has no end, its interval stays whole."""

    def told(name: str) -> list[str]:
        curves = [
            {**curve, "points": [{**p, "shown": 0.98, "standard_error": 0.1} for p in curve["points"]]}
            for curve in facts["curves"]
        ]
        curves = [
            {**curve, "forecasts": [{**f, "shown": 1.01, "ends_shown": [0.9, 1.2]} for f in curve["forecasts"]]}
            for curve in curves
        ]
        metric = {"name": name, "higher_is_better": True, "about": "", "unit": ""}
        chart = plots.curves({**facts, "curves": curves, "question": {**facts["question"], "metric": metric}})
        assert chart is not None
        ticks = [float(each) for each in re.findall(r'text-anchor="end" class="tick">([0-9.]+)<', chart.svg)]
        assert ticks and (max(ticks) <= 1) == (name != "other")
        return [row[4] for row in chart.rows]

    assert set(told("average_precision")) == {"0.816 to 1.00", "0.900 to 1.00"}
    assert set(told("other")) == {"0.816 to 1.14", "0.900 to 1.20"}


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


def test_forecasts_are_drawn_with_what_came_and_gaps_stay_gaps(facts_by_case: dict[str, Facts]) -> None:
    charts = plots.charts(facts_by_case["paths"])
    chart = charts["forecasts"]
    assert chart.rows[0][2:] == (f"2.50, {words.NOTHING}, 6.00", "3.00, 3.00, 3.00")
    assert "(1 of 2 inside)" in chart.rows[0][1]
    assert chart.svg.count('class="own"') == 2 * 3  # parted by a gap in the history and one in what came
    assert chart.svg.count('class="band"') == 2 * 2
    assert "off by 0.100 at step 1 and by 0.300 at step 3; 88 % of what came lay inside its 90 % intervals" in (
        charts["steps"].about
    )


def test_series_that_were_got_wrong_are_drawn_with_what_was_said(facts_by_case: dict[str, Facts]) -> None:
    chart = plots.charts(facts_by_case["numbers"])["examples"]
    assert chart.rows[0][2:] == ("3.00", "9.00")
    assert chart.svg.count('class="line"') == 2 and chart.svg.count('class="thin"') == 1
