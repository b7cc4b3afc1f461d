"""A person's own estimator in simulated races: where the finalists are, and at the expense of neither family."""

from __future__ import annotations

import dataclasses

import pytest

from deepenough.evidence import FAMILIES, MINE, Contender, Plan
from tests.racing.worlds import WORLD, World, evidence, finals, in_lanes, plan, simulated


def _with_mine(subject: Plan) -> Plan:
    return dataclasses.replace(subject, contenders=(*subject.contenders, Contender(MINE, MINE, "m:C", MINE)))


def _world(seconds: float, fails: frozenset[str] = frozenset()) -> World:
    return World({**WORLD.seconds, MINE: seconds}, {**WORLD.loss, MINE: 0.4}, fails)


@pytest.mark.parametrize("seconds", [0.01, 0.3, 2.0])
@pytest.mark.parametrize("judging", ["folds", "halves"])
@pytest.mark.parametrize("budget", [30.0, 120.0])
def test_it_is_judged_where_both_families_are(seconds: float, judging: str, budget: float) -> None:
    trials, elapsed = simulated(_with_mine(plan(budget, judging=judging)), _world(seconds))
    shared = set.intersection(*(finals(trials, family) for family in FAMILIES))
    assert finals(trials, MINE) <= shared
    if seconds < 1:
        assert finals(trials, MINE) == shared and len(shared) >= 2
    assert elapsed <= budget


@pytest.mark.parametrize("seconds", [0.01, 0.3, 2.0])
def test_both_families_lose_the_same(seconds: float) -> None:
    trials, _ = simulated(_with_mine(plan(60.0)), _world(seconds))
    used = [sum(t.wall_seconds for t in trials if t.family == family) for family in FAMILIES]
    assert max(used) <= 1.15 * min(used)
    assert sum(t.wall_seconds for t in trials if t.family == MINE) <= 0.25 * 60


def test_one_that_would_take_for_ever_takes_its_part_at_most() -> None:
    trials, elapsed = simulated(_with_mine(plan(60.0)), _world(1000.0))
    assert sum(t.wall_seconds for t in trials if t.family == MINE) <= 0.25 * 60
    assert len(set.intersection(*(finals(trials, family) for family in FAMILIES))) >= 2
    assert elapsed <= 60


@pytest.mark.parametrize(("seconds", "trials"), [(60.0, None), (None, 40)])
def test_one_that_fails_is_not_asked_again(seconds: float | None, trials: int | None) -> None:
    ended, _ = simulated(_with_mine(plan(seconds, trials)), _world(0.1, frozenset({MINE})))
    assert [t.status for t in ended if t.family == MINE] == ["error"]


def test_counted_races_give_the_families_what_they_had() -> None:
    without, _ = simulated(plan(None, 40))
    beside, _ = simulated(_with_mine(plan(None, 40)), _world(0.1))
    asked = [[(t.contender, t.n_train, t.fold, t.seed) for t in run if t.family != MINE] for run in (without, beside)]
    assert asked[0] == asked[1]
    assert finals(beside, MINE) == set.intersection(*(finals(beside, family) for family in FAMILIES))


def test_it_runs_alone() -> None:
    """Beside one family it would have half of the machine, and cost the other one more."""
    trials, elapsed = simulated(in_lanes(_with_mine(plan(60.0))), _world(0.5))
    own = [t for t in trials if t.family == MINE]
    assert {t.purpose for t in own} == {"probe", "final"} and elapsed < 60
    for mine in own:
        others = [t for t in trials if t.family != MINE]
        apart = [t.started_seconds + t.wall_seconds <= mine.started_seconds for t in others]
        after = [t.started_seconds >= mine.started_seconds + mine.wall_seconds for t in others]
        assert all(before or later for before, later in zip(apart, after, strict=True))


def test_its_models_are_not_kept() -> None:
    from deepenough.racing.scheduler import next_order

    subject = _with_mine(plan(None, 40))
    ended, _ = simulated(subject, _world(0.1))
    first = next(index for index, trial in enumerate(ended) if trial.family == MINE)
    order = next_order(evidence(subject, ended[:first]), 0.0)
    assert order is not None and order.family == MINE and not order.keep
