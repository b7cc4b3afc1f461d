"""Sentences of insights, from evidence that a race could leave."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deepenough.evidence import Evidence
from deepenough.judge.verdict import judge
from deepenough.report import insights
from tests.report.conftest import full_race

EFFECT = {"outcome": 1, "form": "number", "start": 0, "end": 2, "one_way": True, "shown": ["20", "40", "60"]}


def told(**changed: Any) -> dict[str, Any]:
    """What is said of a race whose event of insights is changed so."""
    evidence = full_race()
    events = [replace(e, data={**e.data, **changed}) if e.what == "insights" else e for e in evidence.events]
    found = insights.facts(replace(evidence, events=tuple(events)), judge(evidence))
    assert found is not None
    return found


def sentence(effect: dict[str, Any], **question: Any) -> str:
    driver = {"name": "age", "rise": 0.1, "low": 0.05, "high": 0.15, "p": 0.001, "effect": EFFECT | effect}
    evidence = full_race()
    plan = replace(evidence.plan, question={**evidence.plan.question, **question})
    events = [replace(e, data={**e.data, "drivers": [driver]}) if e.what == "insights" else e for e in evidence.events]
    changed: Evidence = replace(evidence, plan=plan, events=tuple(events))
    found = insights.facts(changed, judge(changed))
    assert found is not None
    return str(found["items"][0]["sentence"])


def test_a_direction_that_is_not_sure_still_says_what_was_seen() -> None:
    said = sentence({"value": 0.35, "low": -0.23, "high": 0.94})
    assert "From 20 to 60 the probability that churn is yes rises by 35.0 points (-23.0 to 94.0), so that" in said
    said = sentence({"value": -0.35, "low": -0.94, "high": 0.23})
    assert "falls by 35.0 points (-23.0 to 94.0)" in said
    said = sentence({"value": 0.35, "low": -0.23, "high": 0.94, "form": "category"})
    assert (
        "If it is 60 rather than 20, the probability that churn is yes is 35.0 points (-23.0 to 94.0) higher, so"
        in said
    )
    said = sentence({"value": -0.35, "low": None, "high": None})
    assert "falls by 35.0 points, so that the direction is not sure" in said


def test_of_many_classes_only_a_sure_direction_is_told() -> None:
    many = ["a", "b", "c"]
    assert sentence({"value": 0.35, "low": -0.2, "high": 0.9}, classes=many).endswith("in log loss (0.0500 to 0.150).")
    assert "rises by 35.0 points (20.0 to 50.0)" in sentence({"value": 0.35, "low": 0.2, "high": 0.5}, classes=many)


def test_groups_that_say_the_same_of_each_other_are_told_once() -> None:
    young = {"words": "age <= 40", "inside": _span(0.5), "elsewhere": _span(0.2), "rows": 10, "of_rows": 50}
    old = {"words": "age > 40", "inside": _span(0.2), "elsewhere": _span(0.5), "rows": 40, "of_rows": 50}
    items = told(outcomes=[young, old], errors=[])["items"]
    assert [item["words"] for item in items if item["about"] == "outcome"] == ["age <= 40"]


def _span(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


@pytest.mark.parametrize(
    ("lacks", "advised"), [(insights.NO_TIME, True), ("the model could not be asked: it broke", False)]
)
def test_what_lacked_time_can_be_had_later(lacks: str, advised: bool) -> None:
    said = told(lacks=lacks)["sentence"]
    assert lacks in said and ("deepenough analyse does it" in said) == advised
