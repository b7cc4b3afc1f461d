"""What is found after a race of stubs whose answers follow one input: which one, which way, and about whom."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepenough.evidence import Event, read
from deepenough.judge.traits import Trait
from deepenough.judge.verdict import judge
from deepenough.racing import insights as module
from deepenough.racing.executors.local import Outcome
from deepenough.racing.explain import explanations
from deepenough.racing.insights import NO_SIGNAL, NO_TIME, insights
from deepenough.racing.loop import Loop
from deepenough.report import insights as report
from tests.racing.test_explain import opened
from tests.racing.test_loop import EXECUTOR, pair, plan_for, race
from tests.stubs.supervised import StubSupervised


class Told(StubSupervised):
    """A stub whose inputs are told to a person, and a trait that says nothing."""

    def traits(self, fold: int) -> Sequence[Trait]:
        x, ids = self.inputs(fold).x, self.units(fold).ids
        return (Trait("answer", x[:, 0].astype(float)), Trait("noise", np.sin(ids.astype(float))))


TASKS = {"classes": Told(rows=900, folds=3), "numbers": Told(rows=900, folds=3, n_classes=None)}
Raced = tuple[Path, StubSupervised]


@pytest.fixture(scope="module", params=TASKS)
def raced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Raced:
    folder, task = tmp_path_factory.mktemp(request.param), TASKS[request.param]
    race(folder, task, dataclasses.replace(plan_for(task, pair()), question=dict(task.question_facts)))
    return folder, task


def found(loop: Loop, **changed: Any) -> list[Event]:
    return list(insights(loop, dataclasses.replace(judge(loop.evidence), **changed)))


def test_the_input_that_answers_follow_comes_with_its_direction(raced: Raced) -> None:
    with opened(raced) as loop:
        list(explanations(loop, judge(loop.evidence)))
        (event,) = found(loop)
    data = event.data
    assert data["reason"] == data["lacks"] == "" and data["looked_at"] == 3
    first = data["drivers"][0]
    assert first["name"] == "answer" and first["p"] < 0.01 and first["rise"] > 0
    effect = first["effect"]
    assert effect["low"] is not None and effect["low"] > 0, "the higher it is, the higher is the answer"
    assert effect["at"][effect["start"]] < effect["at"][effect["end"]] and len(effect["shown"]) == len(effect["at"])
    assert all(driver["effect"] is None for driver in data["drivers"][1:]), "nobody knows what units hold in the others"


def test_for_whom_it_happens_is_told_by_what_units_hold(raced: Raced) -> None:
    with opened(raced) as loop:
        data = found(loop)[0].data
    assert data["outcomes"] and all("answer" in each["words"] for each in data["outcomes"])
    assert all("noise" not in each["words"] for each in (*data["outcomes"], *data["errors"]))


def test_once_is_enough_but_what_lacked_time_is_looked_for_again(raced: Raced) -> None:
    with opened(raced, budget=60.0, clock=59.0) as loop:
        list(explanations(Loop(loop.task, read(raced[0]), loop.journal, EXECUTOR, lambda: 0.0), judge(loop.evidence)))
        (event,) = found(loop)
        assert event.data["lacks"] == NO_TIME and event.data["outcomes"], "groups take no time to speak of"
        assert event.data["drivers"][0]["effect"] is None
        later = dataclasses.replace(loop.evidence, plan=read(raced[0]).plan)
        again = Loop(loop.task, later, loop.journal, EXECUTOR, lambda: 0.0)
        (event,) = found(again)
        assert event.data["lacks"] == "" and event.data["drivers"][0]["effect"] is not None
        assert found(again) == []


def test_without_a_signal_nothing_is_looked_for(raced: Raced) -> None:
    with opened(raced) as loop:
        data = found(loop, decision="no_signal")[0].data
    assert data["reason"] == NO_SIGNAL and not data["drivers"] and not data["outcomes"] and not data["errors"]


def test_a_model_that_can_not_be_asked_leaves_the_rest(raced: Raced, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(raced) as loop:
        list(explanations(loop, judge(loop.evidence)))
        monkeypatch.setattr(loop, "beside", lambda *_: Outcome("memory", "it took too much"))
        data = found(loop)[0].data
    assert data["lacks"] == "the model could not be asked: it took too much"
    assert data["drivers"][0]["effect"] is None and data["outcomes"]


def test_what_goes_wrong_is_said_and_ends_no_race(raced: Raced, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(module, "_risks", breaks)
    with opened(raced) as loop:
        assert "RuntimeError: broken" in found(loop)[0].data["reason"]


def test_where_rows_have_weights_it_is_said_that_these_do_not_count_here(raced: Raced) -> None:
    with opened(raced) as loop:
        list(explanations(loop, judge(loop.evidence)))
        found(loop)
        evidence = read(raced[0])
    plan = dataclasses.replace(evidence.plan, question={**evidence.plan.question, "weighted": True})
    for own, said in ((evidence, False), (dataclasses.replace(evidence, plan=plan), True)):
        facts = report.facts(own, judge(evidence))
        assert facts is not None and facts["items"]
        assert (report.UNWEIGHTED in facts["sentence"]) == said
