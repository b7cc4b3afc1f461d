"""Simulated races by the hundred: what the verdict promises, counted.

The evidence is made from known truths (see `judge/simulate.py`), so that no model is fitted. Every bound is the promise
plus three binomial standard errors of the count.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from deepenough.evidence import Evidence
from deepenough.judge.verdict import Verdict, judge
from tests.judge.simulate import Runner, World, constant, pair, power, race

RHO = 0.01
EQUAL = {"equal_within": RHO}


def _shares(world: World, runners: Sequence[Runner], races: int, word: Callable[[Verdict], str]) -> dict[str, float]:
    said = Counter(word(judge(race(world, runners, seed), curves=False)) for seed in range(races))
    return {answer: count / races for answer, count in said.items()}


def _decision(verdict: Verdict) -> str:
    return verdict.decision


def _evidence(verdict: Verdict) -> str:
    return verdict.evidence


def _at_most(promise: float, races: int) -> float:
    return promise + 3 * math.sqrt(promise * (1 - promise) / races)


def _world(units: int, **values: object) -> World:
    return replace(World(units=units, rows=units, largest=4 * units // 5, options=EQUAL), **values)


@pytest.mark.parametrize("units", [200, 1000, 3000])
@pytest.mark.parametrize("seed_sd", [(0.0, 0.0), (0.002, 0.005)])
def test_a_tie_is_seldom_called_a_family(units: int, seed_sd: tuple[float, float]) -> None:
    shares = _shares(_world(units), pair(0.0, seed_sd=seed_sd), 150, _evidence)
    assert shares.get("deep_better", 0) <= _at_most(0.05, 150)
    assert shares.get("classical_better", 0) <= _at_most(0.05, 150)


@pytest.mark.parametrize("units", [200, 1000, 3000])
@pytest.mark.parametrize("rate", [True, False])
def test_at_the_boundary_each_side_is_wrong_in_one_of_twenty(units: int, rate: bool) -> None:
    shares = _shares(_world(units, rate=rate), pair(RHO, seed_sd=(0.002, 0.005)), 150, _decision)
    assert shares.get("deep_pays", 0) <= _at_most(0.05, 150)
    assert shares.get("classical_is_enough", 0) <= _at_most(0.05, 150)


@pytest.mark.parametrize(("units", "power_at_least"), [(5000, 0.5), (20_000, 0.8)])
def test_twice_what_counts_is_seen_with_enough_units(units: int, power_at_least: float) -> None:
    world = _world(units) if units < 20_000 else _world(units, halves=True, largest=50_000, rows=100_000)
    races = 100 if units < 20_000 else 25
    assert _shares(world, pair(2 * RHO, seed_sd=(0.002, 0.005)), races, _decision)["deep_pays"] >= power_at_least


@pytest.mark.parametrize("gap", [0.0, RHO])
def test_choosing_among_equals_makes_no_family(gap: float) -> None:
    """Four equal learners a family: the luckiest must not count as the best."""
    roster = [
        replace(runner, name=f"{runner.name}{number}")
        for runner in pair(gap, seed_sd=(0.003, 0.008))
        for number in range(4)
    ]
    shares = _shares(_world(1000, shared=0.8), roster, 150, _decision)
    assert shares.get("deep_pays", 0) <= _at_most(0.05, 150)


def test_choosing_among_equals_by_their_seeds_makes_no_family() -> None:
    """The same where all folds judge the same units, and a lucky fit would be lucky on both parts."""
    roster = [
        replace(runner, name=f"{runner.name}{number}")
        for runner in pair(RHO, seed_sd=(0.003, 0.008))
        for number in range(4)
    ]
    world = _world(2000, halves=True, largest=7500, rows=10_000, shared=0.8)
    assert _shares(world, roster, 80, _decision).get("deep_pays", 0) <= _at_most(0.05, 80)


def test_more_entries_are_no_advantage() -> None:
    trees, net = pair(RHO, seed_sd=(0.003, 0.008))
    roster = [trees, *(replace(net, name=f"net{number}") for number in range(8))]
    shares = _shares(_world(1000, shared=0.8), roster, 150, _decision)
    assert shares.get("deep_pays", 0) <= _at_most(0.05, 150)


def test_clusters_do_not_count_as_units() -> None:
    world = _world(1000, cluster_size=20, cluster_sd=0.5)
    shares = _shares(world, pair(RHO), 150, _decision)
    assert shares.get("deep_pays", 0) <= _at_most(0.05, 150)
    assert shares.get("classical_is_enough", 0) <= _at_most(0.05, 150)


def test_case_1_noise_has_no_signal() -> None:
    runners = [Runner("trees", "classical", constant(0.5)), Runner("net", "deep", constant(0.5))]
    assert _shares(_world(1000, shared=0.5), runners, 150, _decision)["no_signal"] >= 0.95


def test_case_4_identical_learners_are_equivalent() -> None:
    world = _world(10_000, halves=True, largest=30_000, rows=60_000)
    shares = _shares(world, pair(0.0, seed_sd=(0.002, 0.002)), 50, _evidence)
    assert shares["equivalent"] >= 0.9
    assert shares.get("deep_better", 0) + shares.get("classical_better", 0) <= 0.02


def test_case_5_a_crossing_beyond_the_data_is_not_missed() -> None:
    """Classical leads at 2,048 rows; deep overtakes at four times as many."""
    world = _world(5000, divisors=(16, 8, 4, 2, 1), largest=2048)
    trees, net = power(0.08, 0.1, 0.6, 256), power(0.04, 0.3, 0.5, 256)
    crosses = 8426
    assert trees(crosses - 1) < net(crosses - 1) and trees(crosses + 1) > net(crosses + 1)
    covered = 0
    for seed in range(12):
        verdict = judge(race(world, [Runner("trees", "classical", trees), Runner("net", "deep", net)], seed))
        assert verdict.decision == "classical_is_enough"
        assert verdict.crossing is not None
        assert (verdict.crossing["leader"], verdict.crossing["word"] != "not in reach") == ("classical", True)
        covered += verdict.crossing["low"] <= crosses <= (verdict.crossing["high"] or math.inf)
    assert covered >= 9  # 10.8 of 12 are promised; fewer than 9 has probability .03


def test_case_6_what_never_crosses_is_not_said_to() -> None:
    world = _world(5000, divisors=(16, 8, 4, 2, 1), largest=4096)
    runners = [
        Runner("trees", "classical", power(0.10, 0.04, 0.5, 4096)),
        Runner("net", "deep", power(0.15, 0.04, 0.5, 4096)),
    ]
    verdicts = [judge(race(world, runners, seed)) for seed in range(20)]
    words = Counter(verdict.crossing["word"] for verdict in verdicts if verdict.crossing is not None)
    assert all(verdict.decision == "classical_is_enough" for verdict in verdicts)
    assert words["not in reach"] >= 10
    assert words["likely"] + words["crossed"] == 0


def test_case_12_a_slow_winner_asks_for_the_time_it_needs() -> None:
    """Deep starts late and is ten times slower: it finished a quarter of the rows, where it was behind."""
    seconds = 0.01
    runners = [
        Runner("trees", "classical", power(0.14, 0.02, 0.5, 3200)),
        Runner("net", "deep", power(0.02, 0.11, 0.8, 3200), sizes=(16, 8, 4), seconds=lambda n: 10 * seconds * n),
    ]
    world = _world(4000, divisors=(16, 8, 4, 2, 1), largest=3200)
    needed = 5 * 10 * seconds * 3200
    asked = 0
    for seed in range(15):
        verdict = judge(race(world, runners, seed))
        assert verdict.n_train == 800
        assert verdict.under_budget == "classical_is_enough"
        if verdict.with_time["answer"] == "could_change":
            asked += 1
            assert needed / 3 <= verdict.with_time["seconds"] <= 3 * needed
    assert asked >= 12
    unhurried = [runners[0], replace(runners[1], sizes=None, curve=power(0.02, 0.08, 0.8, 3200))]
    assert judge(race(world, unhurried, 0), curves=False).decision == "deep_pays"


def test_no_look_along_the_way_is_a_look_too_many() -> None:
    """Eight interim verdicts of a tie, at an eighth of the alpha each."""
    called = 0
    for seed in range(40):
        evidence = race(_world(1000, divisors=(4, 2, 1), ladder_folds=5), pair(0.0), seed)
        called += any(_looks_decided(evidence, count) for count in range(11, len(evidence.trials) + 1, 3))
    assert called / 40 <= _at_most(0.05, 40)


def _looks_decided(evidence: Evidence, count: int) -> bool:
    so_far = replace(evidence, trials=evidence.trials[:count])
    return judge(so_far, final=False, curves=False).evidence in ("deep_better", "classical_better")
