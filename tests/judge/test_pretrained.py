"""Weights that were trained elsewhere: named with source and licence, and the verdict is given without them too."""

from __future__ import annotations

import dataclasses

from deepenough.evidence import Evidence
from deepenough.judge import pretrained
from deepenough.judge.verdict import judge
from deepenough.report import pretrained as told
from tests.judge.simulate import Runner, World, constant, race

WEIGHTS = {"name": "Enc-1", "parameters": 22_700_000, "source": "trained by others on books", "licence": "Apache-2.0"}
TREES, NET = Runner("trees", "classical", constant(0.20)), Runner("net", "deep", constant(0.21))
ENCODER = Runner("encoder", "deep", constant(0.10))


def _race(*runners: Runner) -> Evidence:
    evidence = race(World(units=6000, rows=6000), runners, seed=1)
    known = [
        dataclasses.replace(each, pretrained=WEIGHTS) if each.learner == "encoder" else each
        for each in evidence.plan.contenders
    ]
    return dataclasses.replace(evidence, plan=dataclasses.replace(evidence.plan, contenders=tuple(known)))


def test_without_them_it_is_as_if_they_had_never_raced() -> None:
    evidence = _race(TREES, NET, ENCODER)
    without = pretrained.without(evidence)
    assert judge(evidence).decision == "deep_pays"
    assert without is not None and without.decision == "classical_is_enough"
    assert without == judge(_race(TREES, NET), curves=False)


def test_the_report_names_them_and_says_what_is_decided_without() -> None:
    evidence = _race(TREES, NET, ENCODER)
    facts = told.facts(evidence, judge(evidence))
    assert facts is not None and not facts["same"]
    assert facts["weights"] == [{"contender": "encoder", "family": "deep", **WEIGHTS}]
    assert facts["decision_without"] == "classical_is_enough"
    named = "encoder starts from Enc-1 (22.7 million parameters; trained by others on books; licence: Apache-2.0)"
    assert named in facts["sentence"]
    assert "Without such weights the decision is another. Classical is enough" in facts["sentence"]


def test_a_race_without_them_says_nothing() -> None:
    evidence = _race(TREES, NET)
    assert pretrained.without(evidence) is None
    assert told.facts(evidence, judge(evidence)) is None


def test_a_family_of_pretrained_alone_leaves_nothing_to_compare_with() -> None:
    facts = told.facts(evidence := _race(TREES, ENCODER), judge(evidence))
    assert facts is not None and facts["decision_without"] == "open"
    assert "no deep learner finished" in facts["sentence"]
