"""What a race of a given budget may spend where, beside the scheduler whose rules are restated."""

from __future__ import annotations

import dataclasses

import pytest

from deepenough.evidence import Evidence, Trial
from deepenough.judge import timetable
from deepenough.judge.timetable import Clock, Terms
from deepenough.racing import standing
from tests.judge.simulate import Runner, World, constant, race

WORLD = World(units=500, rows=8000, largest=6400)
RUNNERS = [Runner("trees", "classical", constant(0.2)), Runner("net", "deep", constant(0.2))]


def _evidence(budget: float, halves: bool = False, lanes: int = 1) -> Evidence:
    plan = race(dataclasses.replace(WORLD, halves=halves), RUNNERS, 0).plan
    return Evidence(dataclasses.replace(plan, budget_seconds=budget, lanes=lanes), (), {}, {})


def _probed(evidence: Evidence, seconds: float) -> Evidence:
    """Both learners were probed and take so long at all rows."""
    base = {"n_train": 1000, "fold": 0, "seed": 0, "status": "ok", "loss": 0.3, "wall_seconds": seconds * 1000 / 6400}
    trials = (Trial(0, "trees", "classical", "probe", **base), Trial(1, "net", "deep", "probe", **base))
    return dataclasses.replace(evidence, trials=trials)


def test_the_restated_rules_are_the_schedulers() -> None:
    for name in ("REFIT_MARGIN", "REFIT_SHARE", "FINALS_SHARE", "CHEAP_SHARE", "BETWEEN_SECONDS"):
        assert getattr(timetable, name) == getattr(standing, name), name
    assert timetable.REPORT_SECONDS == standing.SAVE_SECONDS + standing.JUDGE_SECONDS
    assert timetable.REPORT_SHARE == standing.EXPLAIN_SHARE


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("halves", [False, True])
@pytest.mark.parametrize("budget", [20.0, 44.0, 46.0, 99.0, 101.0, 600.0])
@pytest.mark.parametrize("seconds", [0.1, 2.0, 40.0])
def test_share_and_folds_are_what_the_scheduler_plans(budget: float, halves: bool, seconds: float, lanes: int) -> None:
    evidence = _probed(_evidence(budget, halves, lanes), seconds)
    planned = standing.Race(evidence)
    clock = dataclasses.replace(Clock.of(evidence), start_seconds=0.0)
    refit = planned.seconds_for(planned.champion("deep"), 8000)
    slowest = planned.seconds_for(planned.champion("deep"), 6400)
    share = clock.share(budget, refit)
    paid = sum(trial.wall_seconds for trial in evidence.trials) / 2  # the scheduler adds what is left to what is spent
    assert share == pytest.approx(planned.share - paid, rel=0.1)
    if not halves or seconds == 40.0:
        assert clock.folds(budget, planned.share, slowest) == planned.fewest_folds


def test_a_final_may_take_its_part_of_the_share() -> None:
    terms = Terms(rows=8000, budget=60.0, largest=6400, share=20.0, folds=3)
    assert terms.final_seconds == pytest.approx(0.6 * 20 / 3)


def test_a_race_without_a_clock_has_the_seconds_of_its_trials() -> None:
    evidence = _probed(_evidence(60.0), 6.4)
    counted = dataclasses.replace(evidence, plan=dataclasses.replace(evidence.plan, budget_seconds=None))
    assert Clock.of(counted).own_seconds == pytest.approx(2 * (1.0 + 0.05) + timetable.REPORT_SECONDS, abs=0.05)
    assert Clock.of(evidence).own_seconds == 60.0
