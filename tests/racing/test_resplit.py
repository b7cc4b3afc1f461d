"""Both finalists judged again under other splits, after a race of stubs; and what the analysis may take."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from deepenough.errors import OptionError
from deepenough.evidence import Event, Journal, read
from deepenough.judge.verdict import judge
from deepenough.racing import analysis
from deepenough.racing.loop import Loop
from deepenough.racing.resplit import NO_TIME, resplits
from deepenough.racing.standing import Race
from deepenough.task.task import OtherSplit, Task
from tests.racing.test_loop import EXECUTOR, pair, plan_for, race
from tests.stubs.supervised import StubSupervised


class Splittable(StubSupervised):
    """A stub that can be split in other ways, one of which can't be used."""

    def other_splits(self) -> Sequence[OtherSplit]:
        return (
            OtherSplit("random", "", lambda: StubSupervised(rows=500, folds=3)),
            OtherSplit("group", "the owner/s", _refused),
            OtherSplit("time", "day", lambda: StubSupervised(rows=300, folds=2)),
        )


def _refused() -> Task:
    raise OptionError("One group only.")


TASK = Splittable(rows=600, folds=3)


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("race")
    race(folder, TASK, plan_for(TASK, pair()))
    return folder


@contextlib.contextmanager
def opened(folder: Path, **changed: Any) -> Iterator[Loop]:
    evidence, journal = read(folder), Journal(folder)
    plan = dataclasses.replace(evidence.plan, **changed)
    yield Loop(TASK, dataclasses.replace(evidence, plan=plan), journal, EXECUTOR, lambda: 1.0)
    journal.close()


def _said(loop: Loop, allowed: float = math.inf) -> dict[str, Event]:
    events = list(resplits(loop, judge(loop.evidence), allowed))
    return {event.data["splitting"]: event for event in events if event.what == "resplit"}


def test_no_time_is_said_and_tried_again_then_each_split_is_judged_once(raced: Path) -> None:
    with opened(raced) as loop:
        assert {event.data["reason"] for event in _said(loop, 1.0).values()} == {NO_TIME}
        told = {name: event.data for name, event in _said(loop).items()}
        assert told["group"]["reason"] == "One group only."
        assert (told["random"]["folds"], told["time"]["folds"]) == (2, 2)
        assert told["random"]["judged_rows"] == 2 * 500 // 3 + 1 and told["time"]["judged_rows"] == 300
        own = judge(loop.evidence)
        assert told["random"]["n_train"] == min(own.n_train, StubSupervised(rows=500, folds=3).largest)
        assert _said(loop) == {}, "nothing is judged twice"
        after = judge(read(raced))
    assert after == own, "no split moves the verdict"


def test_a_split_is_evidence_that_any_judge_reads(raced: Path) -> None:
    with opened(raced) as loop:
        _said(loop)
    evidence = read(raced / "splits" / "time-day")
    told = next(
        e.data for e in read(raced).events if e.what == "resplit" and e.data["by"] == "day" and e.data.get("gap")
    )
    verdict = judge(evidence, curves=False)
    assert verdict.gap is not None and verdict.gap.value == told["gap"]["value"]
    assert {trial.purpose for trial in evidence.trials} == {"resplit"}
    finalists = judge(read(raced))
    assert finalists.classical is not None and finalists.deep is not None
    raced_again = {trial.contender for trial in evidence.trials if trial.family != "baseline"}
    assert raced_again == {finalists.classical.contender, finalists.deep.contender}


def test_a_split_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    race(tmp_path, TASK, plan_for(TASK, pair()))
    with opened(tmp_path) as loop:
        events = resplits(loop, judge(loop.evidence), math.inf)
        ended = 0
        for event in events:  # killed after its fourth trial
            ended += event.what == "trial_ended"
            if ended == 4:
                break
        events.close()
    before = read(tmp_path / "splits" / "random").trials
    with opened(tmp_path) as loop:
        _said(loop)
    after = read(tmp_path / "splits" / "random").trials
    assert len(before) == 4 and after[:4] == before and len(after) == 6


def test_as_many_folds_as_the_trials_that_are_allowed(tmp_path: Path) -> None:
    race(tmp_path, TASK, plan_for(TASK, pair(), trials=30))
    with opened(tmp_path) as loop:
        assert judge(loop.evidence).folds == 3
        told = _said(loop, 18.0)  # six trials each: two folds of two finalists and the trivial learner
        assert told["random"].data["folds"] == 2
        assert told["time"].data["folds"] == 2


def test_a_race_that_can_not_be_trusted_is_not_checked_further(tmp_path: Path) -> None:
    race(tmp_path, TASK, plan_for(TASK, pair()))
    doubt = {"flag": "leak", "severity": "distrust", "reason": "a column gives the target away"}
    with opened(tmp_path, flags=(doubt,)) as loop:
        assert _said(loop) == {}


@pytest.mark.parametrize(("given", "share"), [("20%", 0.2), (0.1, 0.1), ("0", 0.0), ("50 %", 0.5)])
def test_the_share_is_read(given: str | float, share: float) -> None:
    assert analysis.share(given) == pytest.approx(share)


@pytest.mark.parametrize("given", ["half", "60%", "-1%", "nan", ""])
def test_a_share_that_can_not_be_is_refused(given: str) -> None:
    with pytest.raises(OptionError, match="--analysis"):
        analysis.share(given)


def test_the_analysis_takes_no_more_than_its_share(raced: Path) -> None:
    setup = {"analysis": {"share": 0.0, "splits": []}}
    with opened(raced, setup=setup) as loop:
        assert list(analysis.analyses(loop, judge(loop.evidence), ())) == []
    assert analysis.unhurried(read(raced).plan).setup["analysis"]["share"] == math.inf


def test_time_is_kept_for_other_splits_only_where_the_share_holds_it(raced: Path) -> None:
    evidence = read(raced)
    kept = {}
    for budget in (0.001, 1000.0):
        setup = {"analysis": {"share": 0.2, "splits": [{"splitting": "random", "by": ""}]}}
        plan = dataclasses.replace(evidence.plan, budget_trials=None, budget_seconds=budget, setup=setup)
        kept[budget] = Race(dataclasses.replace(evidence, plan=plan), 0.0).resplit_seconds
    assert kept[0.001] == 0.0
    assert 0 < kept[1000.0] <= 200.0
