"""What is said of other sizes and of more time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepenough.judge import ladder, outlook
from deepenough.judge.finals import gather
from deepenough.judge.verdict import judge
from tests.judge.simulate import Runner, World, constant, power, race

LADDER = World(units=4000, rows=5000, largest=3200, divisors=(16, 8, 4, 2, 1))


def _late(name: str = "net", **values: object) -> Runner:
    """Behind at small sizes, far ahead at the largest."""
    return replace(Runner(name, "deep", power(0.03, 0.07, 0.8, 3200)), **values)


def test_a_crossing_inside_the_ladder_is_measured() -> None:
    verdict = judge(race(LADDER, [Runner("trees", "classical", constant(0.2)), _late()], 0))
    assert verdict.crossing is not None
    assert verdict.crossing["word"] == "crossed"
    # .03 + .07 (n/3200)^-.8 = .2 at n = 1,056
    assert verdict.crossing["low"] <= 1056 <= verdict.crossing["high"]


def test_parallel_curves_are_not_said_to_cross() -> None:
    trees = Runner("trees", "classical", power(0.10, 0.04, 0.5, 3200))
    net = Runner("net", "deep", power(0.16, 0.04, 0.5, 3200))
    words = []
    for seed in range(10):
        crossing = judge(race(LADDER, [trees, net], seed)).crossing
        assert crossing is not None
        words.append(crossing["word"])
    assert words.count("not in reach") >= 5
    assert words.count("likely") == words.count("crossed") == 0


def test_enough_time_could_change_what_a_slow_learner_lost() -> None:
    trees = Runner("trees", "classical", power(0.15, 0.03, 0.5, 3200))
    slow = _late(sizes=(16, 8, 4, 2), seconds=lambda n: n / 100)
    verdict = judge(race(LADDER, [trees, slow], 0))
    assert verdict.n_train == 1600
    assert verdict.with_time["answer"] == "could_change" or verdict.decision == "deep_pays"


def test_seconds_are_those_of_the_missing_fits() -> None:
    trees = Runner("trees", "classical", power(0.15, 0.03, 0.5, 3200))
    behind = Runner("net", "deep", power(0.02, 0.11, 0.9, 3200), sizes=(16, 8, 4), seconds=lambda n: n / 100)
    verdict = judge(race(LADDER, [trees, behind], 0))
    assert verdict.n_train == 800
    assert verdict.decision == "classical_is_enough"
    assert verdict.with_time["answer"] == "could_change"
    # Five fits of 3,200 rows at 32 s each, half as much to spare.
    assert verdict.with_time["seconds"] == pytest.approx(1.5 * 5 * 32, rel=0.01)


def test_time_changes_nothing_once_everyone_has_finished() -> None:
    runners = [Runner("trees", "classical", constant(0.1)), Runner("net", "deep", constant(0.2))]
    assert judge(race(LADDER, runners, 0)).with_time["answer"] == "same"


def test_a_finalist_that_was_cut_short_leaves_the_question_open() -> None:
    evidence = race(LADDER, [Runner("trees", "classical", constant(0.1)), Runner("net", "deep", constant(0.2))], 0)
    trials = tuple(replace(trial, planned=0.5 if trial.contender == "net" else 1.0) for trial in evidence.trials)
    with_time = judge(replace(evidence, trials=trials)).with_time
    assert with_time["answer"] == "could_change"
    assert "50%" in with_time["reason"]


def test_seconds_grow_as_they_did() -> None:
    runner = Runner("trees", "classical", constant(0.1), sizes=(16, 8, 4), seconds=lambda n: 0.001 * n**1.5)
    judged = gather(race(LADDER, [runner], 0))
    assert outlook.predicted_seconds(judged, "trees", 3200) == pytest.approx(0.001 * 3200**1.5, rel=1e-6)


def test_the_chance_to_beat_the_leader() -> None:
    runners = [
        Runner("good", "classical", power(0.10, 0.05, 0.5, 3200)),
        Runner("bad", "classical", power(0.30, 0.05, 0.5, 3200)),
    ]
    evidence = race(replace(LADDER, divisors=(16, 8, 4)), runners, 0)
    assert ladder.chance_to_beat(evidence, "bad", "good", 3200) < 0.05
    assert ladder.chance_to_beat(evidence, "good", "bad", 3200) > 0.95
    assert ladder.chance_to_beat(evidence, "good", "absent", 3200) is None


def test_the_largest_size_sets_the_level_of_the_curve() -> None:
    evidence = race(LADDER, [Runner("trees", "classical", power(0.1, 0.05, 0.5, 3200))], 0)
    rungs = ladder.rungs_of(gather(evidence), ("trees",), 0.5)
    assert rungs is not None
    finals = [trial.loss for trial in evidence.trials if trial.contender == "trees" and trial.n_train == 3200]
    assert rungs.ladders[0].losses[-1] == pytest.approx(np.mean(finals))


def test_the_noise_of_a_ladder_is_about_what_it_is() -> None:
    truth, misses, errors = power(0.1, 0.05, 0.5, 3200), [], []
    for seed in range(30):
        rungs = ladder.rungs_of(gather(race(LADDER, [Runner("trees", "classical", truth)], seed)), ("trees",), 0.5)
        assert rungs is not None
        misses.append(rungs.ladders[0].losses - [truth(n) for n in rungs.ladders[0].sizes])
        errors.append(rungs.covariance.diagonal())
    assert np.std(misses, axis=0) == pytest.approx(np.sqrt(np.mean(errors, axis=0)), rel=0.5)
