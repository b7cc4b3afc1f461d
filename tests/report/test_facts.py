"""Facts are plain, stable, documented, and a function of the evidence."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepenough.evidence import Contender, Evidence, Trial
from deepenough.judge.verdict import judge
from deepenough.report.facts import as_plain
from deepenough.report.facts import facts as gather
from tests.report.conftest import SIZES, full_race

PAGE = Path(__file__).parents[2] / "docs" / "facts.md"


def test_same_evidence_same_bytes(evidence: Evidence, facts: dict[str, Any]) -> None:
    again = gather(evidence, judge(evidence))
    assert json.dumps(again, sort_keys=True) == json.dumps(facts, sort_keys=True)


def test_every_case_is_json_without_nan(facts_by_case: dict[str, dict[str, Any]]) -> None:
    for facts in facts_by_case.values():
        assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def test_plain_turns_what_json_has_no_word_for_into_null() -> None:
    assert as_plain({1: np.float64("nan"), "a": (np.int64(2), float("inf"))}) == {"1": None, "a": [2, None]}


def test_any_beginning_of_the_evidence_has_facts(evidence: Evidence) -> None:
    cuts = random.Random(0).sample(range(len(evidence.trials)), 8)
    for cut in cuts:
        kept = evidence.trials[:cut]
        records = {trial.number: evidence.records[trial.number] for trial in kept if trial.number in evidence.records}
        part = replace(evidence, trials=kept, records=records, events=())
        assert gather(part, judge(part))["model"]["saved"] is False


def test_shares_are_what_the_trials_cost(evidence: Evidence, facts: dict[str, Any]) -> None:
    for family in ("classical", "deep"):
        own = [t for t in evidence.trials if t.family == family]
        assert facts["families"][family]["wall_seconds"] == pytest.approx(sum(t.wall_seconds for t in own))
        assert facts["families"][family]["trials"] == len(own)
    used = [facts["families"][family]["wall_seconds"] for family in ("classical", "deep")]
    assert facts["ledger_ratio"] == pytest.approx(max(used) / min(used))
    assert facts["families"]["classical"]["memory"] == 1


def test_learners_are_ranked_and_everyone_has_an_outcome(facts: dict[str, Any]) -> None:
    rows = {row["name"]: row for row in facts["learners"]}
    assert rows["tabm"]["status"] == "dropped" and "97 %" in rows["tabm"]["why_not"]
    assert rows["catboost"]["status"] == "failed" and rows["catboost"]["loss"] is None
    assert rows["lightgbm"]["status"] == "winner"
    assert rows["lightgbm"]["n_train"] == SIZES[-1]
    at_the_top = [row["loss"] for row in facts["learners"] if row["n_train"] == SIZES[-1]]
    assert at_the_top == sorted(at_the_top)
    assert facts["learners"][-1]["name"] == "catboost"


def test_who_never_started_is_told_whether_the_share_or_the_race_was_over(evidence: Evidence) -> None:
    late = Contender("late", "late", "made.up:late", "deep", {}, 9, False)
    spent = sum(trial.wall_seconds for trial in evidence.trials if trial.family == "deep")

    def why_not(budget_seconds: float | None, trials: tuple[Trial, ...]) -> str:
        plan = replace(evidence.plan, contenders=(*evidence.plan.contenders, late), budget_seconds=budget_seconds)
        part = replace(evidence, plan=plan, trials=trials)
        row = next(row for row in gather(part, judge(part))["learners"] if row["name"] == "late")
        assert row["status"] == "not_started"
        return str(row["why_not"])

    others = tuple(trial for trial in evidence.trials if trial.family != "deep")
    assert "share of the budget was spent" in why_not(2.2 * spent, evidence.trials)
    assert "share of the budget was spent" in why_not(None, evidence.trials)
    assert why_not(20 * spent, evidence.trials) == "The race ended before its turn."
    assert why_not(2.2 * spent, others) == why_not(None, others) == "The race ended before its turn."


def test_both_sides_are_priced_at_the_judged_size(facts: dict[str, Any]) -> None:
    sides = facts["costs"]
    assert sides["classical"]["n_train"] == sides["deep"]["n_train"] == facts["n_train"] == SIZES[-1]
    assert sides["deep"]["time"]["fit_wall_seconds"] > sides["classical"]["time"]["fit_wall_seconds"]
    assert sides["deep"]["electricity"]["joules_known"] == "modelled"
    assert sides["ratios"]["train_cpu_seconds"] == pytest.approx(2.2)


def test_data_price_of_the_worse_side_is_the_judged_size(facts: dict[str, Any]) -> None:
    assert facts["costs"]["deep"]["data"] == {"rows_to_level": SIZES[-1], "bound": "measured"}
    assert facts["costs"]["classical"]["data"]["rows_to_level"] < SIZES[-1]


def test_open_question_asks_for_more_time_as_a_command(facts_by_case: dict[str, dict[str, Any]]) -> None:
    commands = [step["command"] for step in facts_by_case["nothing"]["next_steps"]]
    assert commands[0].endswith("--budget 120trials")
    assert "deepenough race customers.csv --target churn" in commands[0]


def test_hostile_names_are_quoted_in_commands() -> None:
    evidence = full_race(question={"target": "a; rm -rf .", "metric": "log_loss", "classes": 2}, budget_seconds=None)
    cut = replace(evidence, trials=(), records={}, events=())
    command = gather(cut, judge(cut))["next_steps"][0]["command"]
    assert "--target 'a; rm -rf .'" in command


def test_the_command_says_what_was_asked_for_and_no_more() -> None:
    asked = {"metric": "auc", "drop": ["a b", "c"], "equal_within": 0.02, "race_mine": "mine:model"}
    setup = {"asked": asked, "prices": {"kwh": 0.2, "source": "your prices"}}
    evidence = full_race(setup=setup)
    command = gather(evidence, judge(evidence))["repeat"]["command"]
    assert command == (
        "deepenough race customers.csv --target churn --metric auc --drop 'a b' --drop c --equal-within 0.02 "
        "--race-mine mine:model --kwh 0.2 --budget 2m"
    )
    typed = full_race(setup={"asked": {"source": "../my data/c.csv"}})
    assert gather(typed, judge(typed))["repeat"]["command"].startswith("deepenough race '../my data/c.csv' --target")
    frame = full_race(source={"name": "DataFrame", "format": "frame", "sha256": "0" * 64})
    assert gather(frame, judge(frame))["repeat"]["command"].startswith("deepenough race FRAME.parquet --target")


def test_what_the_race_said_last_of_drivers_and_mistakes_is_told(facts: dict[str, Any]) -> None:
    side = facts["drivers"]["classical"]
    assert [item["rise"] for item in side["inputs"]] == [0.11, 0.04, -0.001]
    assert facts["mistakes"]["deep"]["classes"]["names"] == ["no", "yes"]
    assert facts["mistakes"]["deep"]["numbers"] is None


def test_trials_that_did_not_end_as_planned_are_listed(evidence: Evidence, facts: dict[str, Any]) -> None:
    odd = [trial.number for trial in evidence.trials if trial.status != "ok"]
    assert [item["number"] for item in facts["incidents"]] == odd and odd
    assert facts["incidents"][0]["error"] == "too much <memory>"


def test_every_key_is_documented(facts_by_case: dict[str, dict[str, Any]]) -> None:
    documented = set(re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), flags=re.MULTILINE))
    found = set[str]()
    for facts in facts_by_case.values():
        _collect(facts, "", found)
    assert found - documented == set()
    assert documented - found == set()


SAME = {"classical": "<family>", "deep": "<family>"}
"""What is documented once for both families."""

BY_FAMILY = ("verdict", "business", "costs", "families", "drivers", "mistakes", "test")

FREE = (
    "question",
    "setup",
    "learners[].settings",
    "learners[].scores",
    "mistakes.<family>.examples[].shown",
    "verdict.more_rows",
    "crossing",
    "mine",
    "repeat.packages",
)
"""Below these the keys are the kind's, the machine's or the judge's own."""


def _collect(value: Any, at: str, found: set[str]) -> None:
    """Names of all keys: `a.b`, and `a[].b` within lists."""
    if at and not at.endswith("[]"):
        found.add(at)
    if (
        at in FREE
        or at in ("verdict.together", "verdict.gap_together", "verdict.gap_signal")
        or at.endswith((".scores", ".picks", ".serving", ".training", ".total", "business.said"))
        or at in ("business.more", "business.worth.quality", "business.worth.net")
    ):
        return
    if isinstance(value, dict):
        for name, item in value.items():
            name = name if at not in BY_FAMILY else SAME.get(name, name)
            _collect(item, f"{at}.{name}" if at else name, found)
    if isinstance(value, list):
        for item in value:
            _collect(item, f"{at}[]", found)
