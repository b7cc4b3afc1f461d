"""How the verdict stands to what studies found; it is never moved by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deepenough.judge.verdict import judge
from deepenough.report import expectation
from tests.report.conftest import full_race


@pytest.mark.parametrize(
    ("under", "pair", "expected", "result"),
    [
        ("classical_is_enough", "classical_better", "classical", "agrees"),
        ("classical_is_enough", "classical_better", "deep", "disagrees"),
        ("classical_is_enough", "classical_better", "either", "disagrees"),
        ("classical_is_enough", "equivalent", "either", "agrees"),
        ("deep_pays", "deep_better", "classical", "disagrees"),
        ("deep_pays", "deep_better", "deep", "agrees"),
        ("open", "undecided", "classical", "open"),
        ("open", "undecided", "either", "open"),
    ],
)
def test_a_finding_is_compared(under: str, pair: str, expected: str, result: str) -> None:
    verdict = replace(judge(full_race()), under_budget=under, pair_evidence=pair)
    assert expectation.compared(expected, verdict) == result


def test_a_race_that_is_not_trusted_leaves_everything_open() -> None:
    verdict = replace(judge(full_race()), under_budget="deep_pays", trusted=False)
    assert expectation.compared("deep", verdict) == "open"


def test_what_the_plan_holds_is_told_and_nothing_else() -> None:
    evidence = full_race()
    told = expectation.facts(evidence, judge(evidence))
    assert told is not None and [each["source"] for each in told] == ["A study, 2020"]
    assert expectation.facts(full_race(setup={}), judge(full_race())) is None
