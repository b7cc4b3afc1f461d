"""Simulated races: what is left for the finals, the refit and the report, and how long a trial may take."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from deepenough.evidence import FAMILIES, Trial
from deepenough.racing.scheduler import next_order
from deepenough.racing.standing import SAVE_SECONDS, Race, explain_seconds
from deepenough.racing.time_law import time_law
from tests.racing.worlds import OVERHEAD_SECONDS, WORLD, World, evidence, finals, plan, simulated


def test_answers_that_take_long_leave_time_for_every_planned_fold() -> None:
    slow = {"mlp": 40.0, "tab": 60.0}
    answering = {"mlp": 3.0, "tab": 3.0, "trees": 2.0}
    world = dataclasses.replace(WORLD, seconds=WORLD.seconds | slow, answering=answering)
    trials, elapsed = simulated(plan(60.0), world)
    assert len(finals(trials, "deep")) == 3 and elapsed < 60
    fits = [t.wall_seconds - 3.0 for t in trials if t.family == "deep" and t.purpose == "final"]
    assert min(fits) > 0.5 * max(fits), "the last is not cut to nothing by what the first took"


def test_what_ended_says_how_long_more_rows_take_at_least_though_a_larger_fit_was_cut() -> None:
    learner = next(c for c in plan().contenders if c.name == "trees")
    told = [(1000, 8.0, "ok"), (4000, 6.0, "truncated")]
    trials = [
        Trial(n, "trees", "classical", "probe", rows, 0, n, status, loss=1.0, wall_seconds=seconds)
        for n, (rows, seconds, status) in enumerate(told)
    ]
    race = Race(evidence(plan(), trials))
    assert race.seconds_for(learner, 2000) == pytest.approx(8.0)
    assert race.seconds_for(learner, 8000) > 8.0


def test_a_slow_family_is_not_probed_beyond_its_part() -> None:
    world = dataclasses.replace(WORLD, seconds={**WORLD.seconds, "mlp": 30.0, "tab": 30.0})
    trials, _ = simulated(plan(120.0), world)
    probed = [t.contender for t in trials if t.family == "deep" and t.purpose == "probe"]
    assert "tab" not in probed
    quick, _ = simulated(plan(120.0))
    assert "tab" in [t.contender for t in quick if t.family == "deep" and t.purpose == "probe"]


@pytest.mark.parametrize("budget", [30.0, 60.0, 120.0, 600.0])
def test_what_the_refit_and_the_report_need_is_left_over(budget: float) -> None:
    """By the rules of `finalize`, after a second and a half for the verdict and what lies between two trials."""
    for seed in range(3):
        trials, elapsed = simulated(plan(budget), seed=seed)
        race = Race(evidence(plan(budget), trials))
        leaders = [leader for family in FAMILIES if (leader := race.leader(family))]
        ahead = min(leaders, key=lambda leader: race.mean_loss(leader, 1))
        left = budget - elapsed - 1.5 - SAVE_SECONDS - explain_seconds(budget)
        assert left + 2 * OVERHEAD_SECONDS >= min(race.seconds_for(ahead, race.plan.rows), 0.15 * budget)


def test_once_both_are_judged_a_slow_leader_gets_time_to_learn_from_all_rows() -> None:
    """The net is far ahead, and its refit takes more than what was kept for it before the finals."""
    budget, world = 120.0, World(WORLD.seconds | {"mlp": 6.0}, WORLD.loss | {"mlp": 0.1})
    subject = plan(budget, None, 3000)
    trials, elapsed = simulated(subject, world)
    race = Race(evidence(subject, trials))
    leader = race.leader("deep")
    assert leader is not None and leader.name == "mlp" and race.finals(leader) >= 3
    wanted = race.seconds_for(leader, race.plan.rows)
    assert 0.15 * budget < 1.2 * wanted < 0.3 * budget, "what was kept before the finals would not do"
    assert budget - elapsed - 1.5 - SAVE_SECONDS - explain_seconds(budget) >= 1.2 * wanted


def test_no_rung_takes_the_time_in_which_the_leader_would_learn_from_all_rows() -> None:
    """Once both families are judged, not only once each has gone on: a rung more, and the refit had too little time."""
    budget, world = 120.0, World(WORLD.seconds | {"mlp": 5.0}, WORLD.loss | {"mlp": 0.1})
    for seed in range(3):
        trials, _ = simulated(plan(budget, None, 3200), world, seed)
        judged = max(t.started_seconds + t.wall_seconds for t in trials if t.purpose == "final")
        later = [t for t in trials if t.started_seconds > judged and t.purpose != "baseline"]
        assert later == [], "what is left is less than half as much again as the refit takes"


@pytest.mark.parametrize("budget", [10.0, 30.0, 60.0])
@pytest.mark.parametrize("deaf", [("mlp",), ("trees", "linear", "forest", "mlp", "tab")])
def test_learners_that_no_signal_stops_overrun_the_budget_by_three_seconds_at_most(
    deaf: tuple[str, ...], budget: float
) -> None:
    """Each of their trials lasts until it is killed."""
    random, subject = np.random.default_rng(0), plan(budget, None, 8000)
    trials: list[Trial] = []
    elapsed = 3.0
    while (order := next_order(evidence(subject, trials), elapsed)) is not None:
        trial = WORLD.run(order, random)
        if order.contender.split("-")[0] in deaf:
            assert order.kill_seconds is not None
            trial = dataclasses.replace(trial, status="timeout", loss=None, wall_seconds=order.kill_seconds)
        trials.append(trial)
        elapsed += trial.wall_seconds + OVERHEAD_SECONDS
    assert any(trial.status == "timeout" for trial in trials)
    assert elapsed <= budget + 3


def test_a_refit_on_more_rows_than_were_measured_is_given_linear_growth() -> None:
    """Seconds of small rungs hardly grow; the refit sees four times the rows of the largest trial."""
    flat = [
        Trial(number, "trees", "classical", "final", rows, 0, 1, "ok", wall_seconds=seconds)
        for number, (rows, seconds) in enumerate([(250, 1.0), (500, 1.2), (1000, 1.5)])
    ]
    law = time_law(flat)
    assert law is not None
    assert law.seconds(4000) < 3.0 < law.refit_seconds(4000) == pytest.approx(6.0, rel=0.05)
    assert law.refit_seconds(1000) == law.seconds(1000)


def test_a_learner_that_nobody_knows_may_answer_as_long_as_it_fits() -> None:
    order = next_order(evidence(plan(60.0), []), 3.0)
    assert order is not None and order.limit_seconds is not None
    assert order.kill_seconds == pytest.approx(2 * order.limit_seconds + 2.0)
    known = [Trial(1, order.contender, order.family, "probe", 500, 0, 1, "ok", loss=0.4, wall_seconds=0.5)]
    later = next_order(evidence(plan(60.0), known), 5.0)
    while later is not None and later.contender != order.contender:
        known.append(
            Trial(len(known) + 1, later.contender, later.family, "probe", later.n_train, 0, later.seed, "error")
        )
        later = next_order(evidence(plan(60.0), known), 5.0)
    assert later is not None and later.limit_seconds is not None
    assert later.kill_seconds == pytest.approx(later.limit_seconds + 2.0)
