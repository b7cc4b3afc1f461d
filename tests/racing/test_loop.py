"""Races of stubs in all three shapes, from the plan to the last blend, and what the journal holds of them."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepenough import kinds
from deepenough.evidence import Contender, Event, Evidence, Journal, Plan, read
from deepenough.judge.verdict import judge
from deepenough.learner import Learner
from deepenough.racing.executors import local
from deepenough.racing.executors.local import LocalExecutor
from deepenough.racing.loop import Loop
from deepenough.racing.planning import contenders
from tests.stubs import faulty, interactive, supervised, unlabelled
from tests.stubs.kind import contender

EXECUTOR = LocalExecutor({"classical": ("deepenough.racing.trial", "tests.stubs.supervised")})


def plan_for(task: Any, contenders: list[Contender], trials: int | None = 12, seconds: float | None = None) -> Plan:
    return Plan(
        kind="stub",
        question={},
        source={},
        contenders=tuple(contenders),
        seed=1,
        budget_seconds=seconds,
        budget_trials=trials,
        rows=getattr(task, "rows", task.largest),
        largest=task.largest,
        smallest=task.smallest,
        folds=task.folds,
        judging=getattr(task, "judging", "folds"),
        splitting="random",
        units=tuple(len(task.units(fold).ids) for fold in range(task.folds)),
        threads=1,
        memory_bytes=2**33,
        shape=task.shape,
        judge_options={"looks": 1, "bootstrap_seed": 1},
    )


def race(folder: Path, task: Any, plan: Plan, stop_after: int | None = None) -> tuple[Evidence, list[Event]]:
    """Race into the folder, or go on there; `stop_after` ends the sitting after so many events, as a crash would."""
    if not (folder / "evidence.jsonl").exists():
        journal = Journal(folder)
        for fold in range(task.folds):
            journal.units(fold, task.units(fold))
        journal.append(plan)
        journal.close()
    ticks = itertools.count()
    loop = Loop(task, read(folder), Journal(folder), EXECUTOR, lambda: next(ticks) * 0.001)
    events = list(itertools.islice(loop.run(), stop_after))
    loop.journal.close()
    return read(folder), events


LANES = LocalExecutor(
    {
        "classical": ("deepenough.racing.trial", "tests.stubs.supervised"),
        "deep": ("deepenough.racing.trial", "tests.stubs.supervised", "tests.stubs.kind"),
    }
)
"""Each family has a server of its own, as the families of real kinds have."""


def pair(**settings: Any) -> list[Contender]:
    stubs: list[type[Learner]] = [supervised.Classical, supervised.Second, supervised.Deep, supervised.Trivial]
    return [contender(cls, **(settings if cls is not supervised.Trivial else {})) for cls in stubs]


def test_a_supervised_race_ends_with_finals_of_both_families_at_the_same_size(tmp_path: Path) -> None:
    task = supervised.StubSupervised(rows=600)
    evidence, events = race(tmp_path, task, plan_for(task, pair()))
    verdict = judge(evidence)
    assert verdict.classical is not None and verdict.deep is not None
    assert verdict.classical.n_train == verdict.deep.n_train == task.largest
    assert verdict.folds >= 2
    assert {event.what for event in events} >= {"trial_started", "trial_ended", "rung_done", "verdict_so_far"}
    for family in ("classical", "deep"):
        assert sum(t.family == family for t in evidence.trials) == 6


def side_by_side(folder: Path, listen: Callable[[Loop, Event], None] = lambda loop, event: None) -> Evidence:
    """A race of eight seconds in two lanes, of learners that take half a second at the largest size."""
    task = supervised.StubSupervised(rows=600)
    plan = plan_for(task, pair(seconds_per_1000_rows=1.0), None, 8.0)
    with contextlib.closing(Journal(folder)) as journal:
        for fold in range(task.folds):
            journal.units(fold, task.units(fold))
        journal.append(dataclasses.replace(plan, lanes=2, threads=2))
        began = time.monotonic()
        loop = Loop(task, read(folder), journal, LANES, lambda: time.monotonic() - began)
        with contextlib.closing(loop.run()) as events:
            for event in events:
                listen(loop, event)
    return read(folder)


def test_families_run_side_by_side_and_what_ended_first_is_written_first(tmp_path: Path) -> None:
    most: list[int] = []
    evidence = side_by_side(tmp_path, lambda loop, event: most.append(len(loop.running)))
    assert max(most) == 2
    verdict = judge(evidence)
    assert verdict.gap is not None and verdict.folds >= 2
    spans = {
        family: [
            (t.started_seconds, t.started_seconds + t.startup_seconds + t.wall_seconds)
            for t in evidence.trials
            if t.family == family and t.purpose != "blend"
        ]
        for family in ("classical", "deep")
    }
    together = [(a, b) for a in spans["classical"] for b in spans["deep"] if a[0] < b[1] and b[0] < a[1]]
    assert len(together) > 5
    numbers = [trial.number for trial in evidence.trials]
    assert len(set(numbers)) == len(numbers)
    assert not (tmp_path / "work").exists() or not list((tmp_path / "work").iterdir())


def test_who_stops_listening_leaves_nothing_running(tmp_path: Path) -> None:
    def tired(loop: Loop, event: Event) -> None:
        if len(loop.running) == 2 and len(loop.trials) > 3:
            raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        side_by_side(tmp_path, tired)
    assert all(not server.busy.locked() for server in local._servers.values())


def test_ctrl_c_stops_both_lanes_and_the_race_goes_on_from_its_journal(tmp_path: Path) -> None:
    def pressed(loop: Loop, event: Event) -> None:
        if len(loop.running) == 2 and len(loop.trials) > 3:
            loop.stop.asked = True

    cut = side_by_side(tmp_path, pressed)
    assert [event.what for event in cut.events][-1] == "interrupted"
    assert all(trial.status in ("ok", "truncated") for trial in cut.trials)
    assert all(not server.busy.locked() for server in local._servers.values())


def test_what_is_journaled_is_what_happened(tmp_path: Path) -> None:
    task = supervised.StubSupervised(rows=300)
    evidence, _ = race(tmp_path, task, plan_for(task, pair()))
    numbers = [trial.number for trial in evidence.trials]
    assert numbers == sorted(set(numbers))
    for trial in evidence.trials:
        if trial.finished:
            records = evidence.records[trial.number]
            assert len(records) == len(task.units(trial.fold).ids)
            assert trial.loss == pytest.approx(task.metric.evaluate(records)[0])


def test_an_interactive_race_gets_every_rung_from_one_run(tmp_path: Path) -> None:
    task = interactive.StubEnvironment()
    contenders = [contender(interactive.Greedy), contender(interactive.PolicyGradient)]
    evidence, _ = race(tmp_path, task, plan_for(task, contenders))
    rungs = [t for t in evidence.trials if t.contender == contenders[0].name and t.fold == 0]
    assert len({trial.n_train for trial in rungs}) == len(task.rungs(task.largest)) > 1
    verdict = judge(evidence)
    assert verdict.gap is not None and verdict.n_train == task.largest


def test_an_unlabelled_race_with_a_planted_truth_is_judged(tmp_path: Path) -> None:
    task = unlabelled.StubUnlabelled()
    evidence, _ = race(tmp_path, task, plan_for(task, unlabelled_pair()))
    assert judge(evidence).gap is not None


def test_an_unlabelled_race_without_truth_has_no_verdict_and_says_so(tmp_path: Path) -> None:
    task = unlabelled.StubUnlabelled(has_truth=False)
    evidence, _ = race(tmp_path, task, plan_for(task, unlabelled_pair()))
    verdict = judge(evidence)
    assert verdict.decision == "open" and verdict.gap is None
    assert "no_truth" in {flag["flag"] for flag in verdict.flags}


def unlabelled_pair() -> list[Contender]:
    learners = [
        cls
        for cls in vars(unlabelled).values()
        if isinstance(cls, type) and issubclass(cls, Learner) and cls is not Learner and "family" in vars(cls)
    ]
    return [contender(cls) for cls in learners]


@pytest.mark.parametrize("stop_after", [1, 2, 5, 9, 16])
def test_a_race_that_was_cut_goes_on_and_ends_the_same(tmp_path: Path, stop_after: int) -> None:
    task = supervised.StubSupervised(rows=300)
    whole, _ = race(tmp_path / "whole", task, plan_for(task, pair()))
    race(tmp_path / "cut", task, plan_for(task, pair()), stop_after)
    resumed, _ = race(tmp_path / "cut", task, plan_for(task, pair()))
    assert [key(trial) for trial in resumed.trials] == [key(trial) for trial in whole.trials]
    assert judge(resumed).gap == judge(whole).gap


def key(trial: Any) -> tuple[Any, ...]:
    return (trial.number, trial.contender, trial.n_train, trial.fold, trial.seed, trial.status, trial.loss)


@pytest.mark.parametrize(
    "cls", [faulty.Raises, faulty.Exits, faulty.WritesNaN, faulty.WrongShape], ids=lambda cls: cls.__name__
)
def test_a_faulty_learner_never_ends_the_race(tmp_path: Path, cls: type[Learner]) -> None:
    task = supervised.StubSupervised(rows=300)
    first = contender(cls)
    evidence, _ = race(tmp_path, task, plan_for(task, [first, *pair()], trials=16))
    assert judge(evidence).gap is not None
    failed = [trial for trial in evidence.trials if trial.contender == first.name]
    assert failed and all(trial.status == "error" and trial.error for trial in failed)


def test_labels_of_what_is_judged_are_not_within_a_learners_reach(tmp_path: Path) -> None:
    task = supervised.StubSupervised(rows=300, signal=False)
    evidence, _ = race(tmp_path, task, plan_for(task, [contender(faulty.FindsLabels), *pair()], trials=16))
    thief = [t for t in evidence.trials if t.contender == contender(faulty.FindsLabels).name and t.finished]
    assert thief
    assert float(np.mean([trial.scores["accuracy"] for trial in thief])) < 0.65


def test_no_variant_is_drawn_twice_and_none_is_the_default() -> None:
    entry = next(entry for entry in kinds.find_learners("text") if entry.name == "nbsvm")  # few settings to draw from
    drawn = [dict(contender.settings) for contender in contenders([entry], plan_seed=0, variants=48)]
    assert 1 < len(drawn) < 49
    assert all(settings not in drawn[:place] for place, settings in enumerate(drawn))


def test_seconds_that_are_kept_for_later_are_not_raced(tmp_path: Path) -> None:
    task = supervised.StubSupervised(rows=600)
    plan = plan_for(task, pair(), trials=None, seconds=60.0)
    loop = Loop(task, Evidence(plan, (), {}, {}), Journal(tmp_path), EXECUTOR, lambda: 1.0)
    assert not [event for event in loop.run(lambda: 58.0) if event.what == "trial_started"]
    loop.journal.close()
