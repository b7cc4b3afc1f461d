"""The summary: short, plain, safe for a terminal, and in agreement with the facts."""

from __future__ import annotations

from typing import Any

import pytest

from deepenough.report import text, words

Facts = dict[str, Any]
CASES = ["tie", "deep", "early", "nothing", "one family"]


@pytest.mark.parametrize("case", CASES)
def test_summary_is_short_and_has_no_control_characters(case: str, facts_by_case: dict[str, Facts]) -> None:
    facts = facts_by_case[case]
    unasked = text.summary({**facts, "test": None, "business": None, "pretrained": None}, "runs/1")
    assert unasked.count("\n") + 1 < 44
    lines = text.summary(facts, "runs/1").split("\n")
    assert all(character.isprintable() or character == "\u00a0" for line in lines for character in line)


def test_decision_comes_first_without_jargon(facts_by_case: dict[str, Facts]) -> None:
    first, second = text.summary(facts_by_case["deep"]).split("\n")[:2]
    assert first == "DEEP PAYS"
    assert second.startswith("Use mlp")


def test_prices_stand_side_by_side_with_how_they_are_known(facts: Facts) -> None:
    rows = {row[0]: row[1:] for row in text.side_by_side(facts)}
    assert rows["best learner"][:2] == ("lightgbm", "mlp")
    assert rows["electricity: training"][2] == "modelled, right within a factor of 2.5"
    level = words.number(facts["costs"]["level"]["shown"])
    assert rows[f"data: rows to reach {level}"][1] == "1,600"
    assert "per kilowatt hour" in text.summary(facts)


def test_ratios_are_told_from_the_deep_side(facts: Facts) -> None:
    assert text.ratio_sentence(facts).startswith("Next to classical, deep takes 2.2 times the processor time to train")


def test_terminal_shows_less_than_the_page(facts: Facts) -> None:
    assert len(text.side_by_side(facts, complete=False)) < len(text.side_by_side(facts))


def test_gap_is_told_from_the_better_side(facts_by_case: dict[str, Facts]) -> None:
    told = text.gap_sentence(facts_by_case["tie"])
    gap = facts_by_case["tie"]["verdict"]["gap"]
    assert "classical is ahead of deep" in told
    assert f"at least {words.number(-gap['high'])}, at most {words.number(-gap['low'])}, each" in told


def test_run_folder_stands_in_the_commands(facts: Facts) -> None:
    summary = text.summary(facts, "runs/churn-1")
    assert "deepenough predict runs/churn-1 new.csv -o predictions.csv" in summary
    assert "Report: runs/churn-1/report.html" in summary


def test_who_did_not_get_to_the_end_is_named_with_the_reason(facts: Facts) -> None:
    summary = text.summary(facts)
    assert "tabm (behind mlp with" in summary and "catboost (memory" in summary


def test_a_warning_that_the_sentence_names_is_not_said_twice(facts_by_case: dict[str, Facts]) -> None:
    facts = facts_by_case["one family"]
    assert facts["verdict"]["flags"]
    assert all(reason not in facts["decision_sentence"] for reason in text.warnings(facts))


def test_outline_of_nested_data() -> None:
    told = text.outline(
        {"cores": 2, "gpu": None, "cuda": False, "packages": {"numpy": "2.4"}, "absent": [{"name": "x"}], "none": []}
    )
    assert told.split("\n") == [
        "cores: 2",
        "gpu: none",
        "cuda: no",
        "packages:",
        "  numpy: 2.4",
        "absent: name=x",
        "none: none",
    ]


def test_whose_training_others_paid_for_is_said_with_the_decision_without(facts_by_case: dict[str, Facts]) -> None:
    told = " ".join(text.summary(facts_by_case["deep"]).split())
    assert "Trained elsewhere, at a price that is not counted: mlp" in told
    assert "Without, the decision is the same: deep pays." in told
    assert "Trained elsewhere" not in text.summary(facts_by_case["tie"])
