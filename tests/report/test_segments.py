"""Where each family wins, in words and as a picture: what the race said, and nothing where it said nothing."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest

from deepenough.evidence import Event
from deepenough.judge.verdict import judge
from deepenough.report import html, plots, segments, splits, text
from deepenough.report.facts import facts as gather
from tests.report.conftest import full_race, segmented


def gathered(*events: Event, gap: float = 0.0) -> dict[str, Any]:
    evidence = full_race(gap=gap)
    return gather(replace(evidence, events=events), judge(evidence))


def changed(**data: Any) -> Event:
    return replace(segmented(), data=segmented().data | data)


def test_a_segment_is_said_with_its_rows_and_what_holds_elsewhere() -> None:
    [segment] = gathered(segmented())["segments"]["segments"]
    assert segment["sentence"].endswith(
        "deep is ahead by 0.0500 in log loss (0.0300 to 0.0800) on 212 of the 1,000 rows that tested it; "
        "elsewhere classical is ahead by 0.0200 in log loss (0 to 0.0300)."
    )


def test_what_may_be_less_than_counts_is_said_so() -> None:
    [segment] = segmented().data["segments"]
    [shown] = gathered(changed(segments=[segment | {"counts": False}]))["segments"]["segments"]
    assert "which may be less than what counts" in shown["sentence"]


def test_the_first_screen_names_a_segment_and_a_hybrid_that_pays_and_nothing_else() -> None:
    summary = " ".join(text.summary(gathered(segmented())).split())
    assert "deep wins (212 of 1,000 rows)" in summary
    assert "Sending each row to whoever is better there pays." in summary
    hybrid = segmented().data["hybrid"] | {"pays": False}
    nothing = gathered(changed(segments=[], hybrid=hybrid))
    assert segments.summary(nothing) == "" and "No segment" in nothing["segments"]["sentence"]
    assert "not shown to pay" in nothing["segments"]["hybrid"]["sentence"]


def test_the_family_that_is_behind_comes_first_on_the_first_screen() -> None:
    [deep] = segmented().data["segments"]
    classical = deep | {"family": "classical", "words": "age > 9", "gap": {"value": -0.04, "low": -0.05, "high": -0.03}}
    both = changed(segments=[deep, classical])
    assert segments.summary(gathered(both, gap=0.12)).startswith("Where age > 9, classical wins")
    assert "age > 9" not in segments.summary(gathered(both, gap=-0.12))


@pytest.mark.parametrize(("share", "family"), [(0.0, "classical"), (1.0, "deep")])
def test_where_all_rows_go_to_one_family_there_is_nothing_to_route(share: float, family: str) -> None:
    hybrid = segmented().data["hybrid"] | {"deep_share": share, "pays": False}
    assert f"every row to {family}" in gathered(changed(hybrid=hybrid))["segments"]["hybrid"]["sentence"]


def test_what_only_lacked_time_waits_for_the_analysis() -> None:
    late = changed(segments=[], hybrid=None, reason="no time was left to look for segments")
    facts = gathered(late)
    assert "no time was left" in facts["segments"]["sentence"] and facts["segments"]["hybrid"] is None
    assert "where each family wins" in splits.analysis(replace(full_race(), events=(late,)))["waiting"]
    assert segments.summary(facts) == "" and "segments" not in plots.charts(facts)


def test_nobody_looked_nothing_is_said() -> None:
    facts = gathered()
    assert facts["segments"] is None and segments.summary(facts) == ""
    assert "Where each family wins" not in html.page(facts)


def test_the_picture_has_a_mark_for_each_side_and_the_same_numbers_as_a_table() -> None:
    chart = plots.charts(gathered(segmented()))["segments"]
    drawn = ET.fromstring(chart.svg)
    marks = [part for part in drawn.iter() if part.get("class") == "mark"]
    assert len(marks) == 2 and len(chart.rows) == 2
    assert drawn.get("class") == "tall", "a segment's name is too long for the larger type of a phone"
    assert chart.rows[1] == ("elsewhere", "-0.0200", "-0.0300", "0", "788")


def test_the_page_shows_the_section_and_escapes_names() -> None:
    page = html.page(gathered(segmented()))
    assert "Where each family wins" in page and "Who would answer where" in page
    assert "first 12 of 14 columns" in page
    assert "<script>alert" not in page
