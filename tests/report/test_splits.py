"""How other splits stand to the race's own answer, and what the analysis took and left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deepenough.evidence import Event, Evidence
from deepenough.judge.verdict import judge
from deepenough.report import html, splits, text
from deepenough.report.facts import facts as gather
from tests.report.conftest import full_race, resplit


def _facts(*events: Event, gap: float = 0.12) -> dict[str, Any]:
    evidence = full_race(gap=gap)
    return gather(replace(evidence, events=events), judge(evidence))


@pytest.mark.parametrize(
    ("there", "word"), [("deep_pays", "same"), ("classical_is_enough", "flips"), ("open", "left_open")]
)
def test_a_split_agrees_flips_or_leaves_open(there: str, word: str) -> None:
    facts = _facts(resplit("group", "city", decision=there, gap=-0.05))
    assert facts["verdict"]["under_budget"] == "deep_pays"
    assert facts["splits"][0]["word"] == word


def test_what_flips_is_on_the_first_screen() -> None:
    facts = _facts(resplit("time", "day", decision="classical_is_enough", gap=-0.05))
    assert "turns to classical is enough" in text.summary(facts)
    assert "later in 'day'" in text.summary(facts)
    assert "turns to" not in text.summary(_facts(resplit("time", "day", decision="deep_pays", gap=0.1)))


def test_a_split_may_decide_what_the_race_leaves_open() -> None:
    evidence = full_race()
    verdict = replace(judge(evidence), under_budget="open")
    found = splits.facts(replace(evidence, events=(resplit("group", "city", "deep_pays", 0.1),)), verdict)
    assert found[0]["word"] == "decides"


def test_a_much_harder_split_is_said_to_be() -> None:
    found = _facts(resplit("group", "city", decision="deep_pays", gap=0.05))["splits"][0]
    assert "times the loss there" in found["sentence"]


def test_the_last_word_about_a_split_counts_and_what_waits_has_its_command() -> None:
    waiting = resplit("group", "city", reason="no time was left to judge under it")
    facts = _facts(waiting)
    assert facts["splits"][0]["word"] == "not_judged"
    assert facts["analysis"]["waiting"] == ["the split by 'city'"]
    assert "deepenough analyse RUN" in text.summary(facts) and "deepenough analyse RUN" in html.page(facts)
    later = _facts(waiting, Event("done", 82.0), resplit("group", "city", "deep_pays", 0.1))
    assert later["splits"][0]["word"] == "same" and len(later["splits"]) == 1
    assert later["analysis"]["waiting"] == []
    assert "deepenough analyse RUN" not in text.summary(later)
    assert "deepenough analyse RUN" not in html.page(later)


def test_what_was_done_later_is_not_in_the_budget(evidence: Evidence) -> None:
    found = splits.analysis(replace(evidence, events=(*evidence.events, resplit("random", "", "open", 0.0))))
    inside = splits.analysis(evidence)
    assert found["later_seconds"] == pytest.approx(1.5) and inside["later_seconds"] == 0
    assert found["seconds"] == inside["seconds"] == pytest.approx(0.4 + 0.4 + 0.2 + 1.5 + 1.5)
    wall = gather(evidence, judge(evidence))["wall"]
    assert wall["analysis_seconds"] == pytest.approx(inside["seconds"])
