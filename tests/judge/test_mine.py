"""A person's own model beside the finalists: judged on their units, without a say in the verdict."""

from __future__ import annotations

import dataclasses

import pytest

from deepenough.evidence import MINE, Contender, Evidence
from deepenough.judge.mine import standing
from deepenough.judge.verdict import judge
from deepenough.report import mine as told
from tests.judge.simulate import Runner, World, constant, race

FINALISTS = (Runner("trees", "classical", constant(0.20)), Runner("net", "deep", constant(0.21)))


def _judged(error: float, folds: int | None = None, halves: bool = False, units: int = 3000) -> Evidence:
    own = Runner(MINE, MINE, constant(error), folds=folds)
    evidence = race(World(units=units, rows=units, halves=halves), (*FINALISTS, own), seed=1)
    known = [c for c in evidence.plan.contenders if c.family != MINE]
    mine = Contender(MINE, MINE, "m:C", MINE, {"path": "there:model"})
    return dataclasses.replace(evidence, plan=dataclasses.replace(evidence.plan, contenders=(*known, mine)))


@pytest.mark.parametrize("halves", [False, True])
@pytest.mark.parametrize(
    ("error", "said", "words"),
    [
        (0.30, "behind", "Your present model is behind trees: changing gains"),
        (0.20, "as_good", "Your present model is as good as trees"),
        (0.10, "ahead", "Keep your present model: it is ahead of trees"),
    ],
)
def test_what_changing_would_bring(error: float, said: str, words: str, halves: bool) -> None:
    evidence = _judged(error, halves=halves, units=12_000)
    facts = told.facts(evidence, judge(evidence))
    assert facts is not None and facts["judged"]
    assert facts["gaps"]["classical"]["standing"] == said
    assert facts["sentence"].startswith(words), facts["sentence"]
    gap = facts["gaps"]["classical"]
    assert gap["low"] < gap["value"] < gap["high"]
    assert abs(gap["value"] - (error - 0.20)) < 0.02
    assert facts["path"] == "there:model"


def test_few_units_leave_it_open() -> None:
    evidence = _judged(0.22, units=150)
    facts = told.facts(evidence, judge(evidence))
    assert facts is not None
    assert facts["sentence"].startswith("Whether trees is better than your present model is open")


@pytest.mark.parametrize("error", [0.05, 0.5])
def test_it_changes_no_verdict(error: float) -> None:
    beside = judge(_judged(error), curves=False)
    alone = race(World(units=3000, rows=3000), FINALISTS, seed=1)
    kept = dataclasses.replace(beside, mine=None, gaps_mine={})
    assert kept == judge(alone, curves=False)


def test_one_that_did_not_finish_is_said() -> None:
    evidence = _judged(0.2, folds=2)
    facts = told.facts(evidence, judge(evidence))
    assert facts is not None and not facts["judged"]
    assert facts["sentence"] == "Your present model was not judged: it had no time to finish every judged fold."


def test_no_own_model_no_facts() -> None:
    evidence = race(World(), FINALISTS, seed=1)
    assert told.facts(evidence, judge(evidence)) is None


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.2, 0.3, "behind"), (0.0, 0.3, "open"), (-0.05, 0.05, "as_good"), (-0.3, -0.2, "ahead"), (-0.3, 0.3, "open")],
)
def test_standing(low: float, high: float, said: str) -> None:
    assert standing(low, high, 0.1) == said
