"""Both families side by side: simulated, with stubs, and as real races from the call to the report."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

import deepenough
from deepenough.evidence import FAMILIES, Evidence, Journal, Trial
from deepenough.racing.executors.local import Outcome
from deepenough.racing.finalize import ROWS_A_THREAD
from deepenough.racing.loop import Loop
from deepenough.racing.order import Order, Running
from deepenough.racing.scheduler import next_order
from deepenough.task.task import Answer
from tests.racing.test_loop import LANES, plan_for
from tests.racing.worlds import OVERHEAD_SECONDS, WORLD, World, evidence, in_lanes, plan, simulated
from tests.stubs import interactive
from tests.stubs.kind import contender

CREDIT = Path(__file__).resolve().parents[2] / "examples" / "data" / "german_credit.csv"


@pytest.mark.parametrize("largest", [2000, 8000, 30_000, 200_000])
@pytest.mark.parametrize("mlp", [0.2, 1.0, 3.0])
def test_once_both_are_probed_no_lane_waits_for_the_other(mlp: float, largest: int) -> None:
    trials, _ = simulated(in_lanes(plan(60.0, None, largest)), World(WORLD.seconds | {"mlp": mlp}, WORLD.loss))
    probed = max(t.started_seconds + t.wall_seconds for t in trials if t.purpose == "probe")
    ends = []
    for families in (("classical", "baseline"), ("deep",)):
        own = sorted((t.started_seconds, t.wall_seconds + OVERHEAD_SECONDS) for t in trials if t.family in families)
        spans = [span for span in own if span[0] > probed]
        assert all(after - begun - lasted < 0.001 for (begun, lasted), (after, _) in itertools.pairwise(spans))
        ends.append(sum(own[-1]))
    longest = max(t.wall_seconds for t in trials)
    assert abs(ends[0] - ends[1]) <= longest + OVERHEAD_SECONDS, "but at the end, where no trial fits any more"


def test_side_by_side_each_family_has_the_whole_time() -> None:
    spent = {}
    for lanes in (1, 2):
        trials, elapsed = simulated(in_lanes(plan(60.0), lanes))
        spent[lanes] = min(sum(t.wall_seconds for t in trials if t.family == family) for family in FAMILIES)
        assert elapsed < 60
    assert spent[2] > 1.8 * spent[1]


def test_a_family_that_has_nothing_left_to_try_takes_nothing_from_the_other() -> None:
    subject = in_lanes(plan(60.0))
    alone = [c for c in subject.contenders if c.family != "classical" or c.name == "trees"]
    world = dataclasses.replace(WORLD, seconds=WORLD.seconds | {"trees": 0.01})
    subject = dataclasses.replace(subject, contenders=tuple(alone))
    trials, _ = simulated(subject, world)
    ended = {
        family: max(t.started_seconds + t.wall_seconds for t in trials if t.family == family) for family in FAMILIES
    }
    whole, _ = simulated(in_lanes(plan(60.0)), world)
    assert ended["classical"] < 20
    assert ended["deep"] > 0.95 * max(t.started_seconds + t.wall_seconds for t in whole if t.family == "deep")


def test_a_family_never_runs_two_trials_at_once_and_no_two_of_any_have_one_number() -> None:
    trials, _ = simulated(in_lanes(plan(60.0)))
    for families in (("classical", "baseline"), ("deep",)):
        own = sorted((t.started_seconds, t.wall_seconds) for t in trials if t.family in families)
        assert all(begun + lasted <= after for (begun, lasted), (after, _) in itertools.pairwise(own))
    assert len({t.number for t in trials}) == len(trials)
    assert len({(t.contender, t.n_train, t.fold, t.seed) for t in trials}) == len(trials)


def test_what_runs_has_its_part_of_threads_and_memory_and_fixes_the_size_of_the_finals() -> None:
    subject = in_lanes(plan(120.0, largest=40_000))
    trials, _ = simulated(subject)
    first = next(place for place, t in enumerate(trials) if t.purpose == "final")
    known = [t for t in trials[:first] if t.purpose != "final"]
    order = next_order(evidence(subject, known), 20.0)
    assert order is not None and order.purpose == "final"
    assert order.memory_bytes == subject.memory_bytes // 2 and order.threads == 1
    beside = next_order(evidence(subject, known), 60.0, [Running(order, 20.0)])
    assert beside is not None and beside.purpose == "final"
    assert beside.family != order.family and beside.n_train == order.n_train and beside.number == order.number + 1
    later = next_order(evidence(subject, known), 60.0)
    assert later is not None and later.n_train < order.n_train, "of its own it would be smaller by now"
    both = [Running(order, 20.0), Running(beside, 20.0)]
    assert next_order(evidence(subject, known), 60.0, both) is None


def test_rungs_of_one_run_have_numbers_that_no_trial_beside_it_has(tmp_path: Path) -> None:
    """One run of a policy answers three rungs; number 6 runs in the other lane."""
    task = interactive.StubEnvironment()
    contenders = [contender(interactive.Greedy), contender(interactive.PolicyGradient)]
    plan = dataclasses.replace(plan_for(task, contenders, None, 60.0), lanes=2, threads=2)
    asked = {"purpose": "final", "n_train": 400, "fold": 0, "limit_seconds": None, "kill_seconds": None, "threads": 1}
    ours, theirs = (Order.of(plan, c, number=5 + place, seed=place, **asked) for place, c in enumerate(contenders))
    rungs = (100, 200, 400)
    answers = tuple(Answer(rung, None, np.zeros((task.episodes, 1))) for rung in rungs)
    with contextlib.closing(Journal(tmp_path)) as journal:
        loop = Loop(task, Evidence(plan, (), {}, {}), journal, LANES, lambda: 3.0)
        loop.running[Future()] = Running(theirs, 1.0)
        for trial in loop._rows(ours, Outcome("ok", "", answers, {"rungs": [[rung, 0.1] for rung in rungs]}), 1.0):
            loop.trials.append(trial)
    assert [(trial.number, trial.n_train) for trial in loop.trials] == [(5, 100), (7, 200), (8, 400)]


def race(folder: Path, cores: int | None = None) -> deepenough.Race:
    pytest.importorskip("torch")
    pytest.importorskip("lightgbm")
    only = ["lightgbm", "linear", "mlp"]
    return deepenough.race(CREDIT, "risk", budget="24s", only=only, out=folder, listen=(), cores=cores)


@pytest.mark.usefixtures("all_cores")
def test_a_race_with_cores_for_both_has_a_lane_for_each_and_says_so(tmp_path: Path) -> None:
    run = race(tmp_path / "run")
    assert run.facts["setup"]["lanes"] == 2
    families = [[t for t in run.evidence.trials if t.family == family] for family in FAMILIES]
    assert sum(_meet(ours, theirs) for ours in families[0] for theirs in families[1]) > 3
    threads = {(trial.purpose == "refit", trial.threads) for trial in run.evidence.trials}
    assert threads == {(False, 1), (True, min(run.evidence.plan.rows // ROWS_A_THREAD, 2))}, "a refit runs alone"
    assert run.verdict.gap is not None and run.verdict.folds >= 2
    wall = run.facts["wall"]
    assert wall["total_seconds"] <= 1.05 * 24 + 3
    assert wall["fit_and_predict_seconds"] < wall["total_seconds"]
    assert sum(trial.wall_seconds for trial in run.evidence.trials) > wall["fit_and_predict_seconds"]
    report = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "side by side" in report and "at a time on the whole machine" not in report


def _meet(ours: Trial, theirs: Trial) -> bool:
    """Whether both ran at one moment."""
    return all(
        first.started_seconds < second.started_seconds + second.startup_seconds + second.wall_seconds
        for first, second in ((ours, theirs), (theirs, ours))
    )


def test_on_one_core_they_take_turns(tmp_path: Path) -> None:
    run = race(tmp_path / "run", cores=1)
    assert run.facts["setup"]["lanes"] == 1
    families = [[t for t in run.evidence.trials if t.family == family] for family in FAMILIES]
    assert not any(_meet(ours, theirs) for ours in families[0] for theirs in families[1])
    assert "at a time on the whole machine" in (run.folder / "report.html").read_text(encoding="utf-8")
