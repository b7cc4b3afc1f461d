"""The map of budgets and rows, against simulated races whose truth at other budgets is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepenough.evidence import Evidence
from deepenough.judge.budgets import Cell, Map, budget_map
from deepenough.judge.verdict import judge
from tests.judge.simulate import Runner, World, constant, power, race

WORLD = World(
    units=4000, rows=4000, largest=3200, divisors=(32, 16, 8, 4, 2, 1), rate=False, spread=0.1,
    options={"equal_within": 0.005},
)  # fmt: skip
SLOW = 0.002
"""Seconds of a net by the row: 6.4 s at all rows, .2 s at a thirty-second of them."""


def _late(seed: int = 0) -> Evidence:
    """Deep is behind on few rows, ahead on many, and slow; a race of a minute reaches all rows."""
    trees = Runner("trees", "classical", power(0.2, 0.02, 0.5, 3200), seconds=lambda n: n * 1e-4)
    net = Runner("net", "deep", power(0.1, 0.08, 0.6, 3200), seconds=lambda n: n * SLOW)
    evidence = race(WORLD, [trees, net], seed)
    return replace(evidence, plan=replace(evidence.plan, budget_seconds=120.0))


def _map(evidence: Evidence) -> Map:
    return budget_map(evidence, judge(evidence))


@pytest.mark.parametrize("seed", range(3))
def test_a_late_starter_pays_from_some_budget_on(seed: int) -> None:
    found = _map(_late(seed))
    told = {cell.budget_seconds: cell for cell in found.axis}
    assert told[120.0].decision == "deep_pays" and told[120.0].known == "measured"
    assert told[15.0].n_train < told[30.0].n_train < told[120.0].n_train == 3200
    crossing = 3200 * (0.02 / 0.1) ** 2
    for cell in found.cells:
        truth = (0.2 + 0.02 * (cell.n_train / 3200) ** -0.5) - (0.1 + 0.08 * (cell.n_train / 3200) ** -0.6)
        if cell.known == "measured" and abs(truth) > 0.03:
            assert cell.decision == ("deep_pays" if truth > 0 else "classical_is_enough"), (cell, truth, crossing)


def test_of_equal_learners_deep_pays_nowhere() -> None:
    runners = [Runner("trees", "classical", constant(0.2)), Runner("net", "deep", constant(0.2))]
    evidence = race(WORLD, runners, 1)
    found = _map(evidence)
    own = next(cell for cell in found.axis if cell.budget_seconds == found.own_seconds)
    assert (own.decision, own.known) == ("classical_is_enough", "measured")
    assert "deep_pays" not in {cell.decision for cell in found.cells}
    assert found.answer == "same" and found.change_seconds is None


def test_nothing_is_said_beyond_four_times_what_was_measured() -> None:
    for cell in _map(_late()).cells:
        assert (cell.known == "out_of_reach") == (cell.decision == "")
        if cell.known != "out_of_reach":
            assert cell.n_train <= 4 * 3200
            assert cell.certainty is not None and 1 / 3 <= cell.certainty <= 1
        if cell.known == "measured":
            assert 100 <= cell.n_train <= 3200 and cell.budget_seconds <= 120.0 and cell.rows <= 4000


def test_more_time_never_means_a_smaller_size_and_more_rows_neither() -> None:
    cells = {(cell.budget_seconds, cell.rows): cell for cell in _map(_late()).cells}
    budgets, rows = (sorted({key[place] for key in cells}) for place in (0, 1))
    for count in rows:
        sizes = [cells[budget, count].n_train for budget in budgets if budget >= 100]  # from there on five folds
        assert sizes == sorted(sizes)


def test_the_same_evidence_has_the_same_map() -> None:
    assert _map(_late(2)) == _map(_late(2))


def test_mirrored_families_mirror_the_map() -> None:
    curves = (power(0.2, 0.02, 0.5, 3200), power(0.1, 0.05, 0.5, 3200))
    told = []
    for first, second in (curves, curves[::-1]):
        runners = [Runner("a", "classical", first), Runner("b", "deep", second)]
        evidence = race(replace(WORLD, options={"equal_within": 0.0}), runners, 0)
        told.append({(c.budget_seconds, c.rows): c for c in _map(evidence).cells if c.known == "measured"})
    swapped = {"deep_pays": "classical_is_enough", "classical_is_enough": "deep_pays", "open": "open"}
    assert told[0] and set(told[0]) == set(told[1])
    clear = {key: cell for key, cell in told[0].items() if (cell.certainty or 0.0) > 0.7}
    assert len(clear) >= 5
    for key, cell in clear.items():
        assert told[1][key].decision == swapped[cell.decision]


def test_a_learner_too_slow_for_a_budget_does_not_stand_there() -> None:
    quick = Runner("linear", "classical", constant(0.25), seconds=lambda n: n * 1e-5)
    slow = Runner("forest", "classical", constant(0.2), seconds=lambda n: n * 0.004)
    net = Runner("net", "deep", constant(0.22), seconds=lambda n: n * 1e-5)
    evidence = race(WORLD, [quick, slow, net], 0)
    evidence = replace(evidence, plan=replace(evidence.plan, budget_seconds=240.0))
    stands = {cell.budget_seconds: cell.classical for cell in _map(evidence).axis}
    assert stands[15.0] == "linear" and stands[600.0] == "forest"


@pytest.mark.parametrize("divisors", [(1,), (2, 1)])
def test_too_short_a_ladder_gives_no_map_but_a_reason(divisors: tuple[int, ...]) -> None:
    runners = [Runner("trees", "classical", constant(0.2)), Runner("net", "deep", constant(0.2))]
    found = _map(race(replace(WORLD, divisors=divisors), runners, 0))
    assert found.cells == () and "too few sizes" in found.reason


def test_one_family_alone_gives_none() -> None:
    found = _map(race(WORLD, [Runner("trees", "classical", constant(0.2))], 0))
    assert found.cells == () and found.reason


def test_a_race_that_counts_trials_goes_by_the_seconds_that_they_took() -> None:
    evidence = _late()
    counted = replace(evidence, plan=replace(evidence.plan, budget_seconds=None, budget_trials=40))
    assert _map(counted).own_seconds == pytest.approx(sum(t.wall_seconds for t in evidence.trials), rel=0.2)


def test_certainties_are_what_races_of_that_size_then_say() -> None:
    """Of 60 truths: what the map says with p of a quarter of the rows, p of such races say."""
    promised, said = [], []
    small = replace(WORLD, units=1000, rows=1000, largest=800, divisors=(1,))
    for seed, gap in enumerate(np.linspace(-0.02, 0.04, 60)):
        runners = [
            Runner("trees", "classical", constant(0.2), 0.002),
            Runner("net", "deep", constant(0.2 - gap), 0.004),
        ]
        long = race(WORLD, runners, seed)
        cell = _at(_map(long), 1000)
        short = judge(race(small, runners, 1000 + seed), curves=False)
        promised.append(cell.certainty or 0.0)
        said.append(short.under_budget == cell.decision)
    assert abs(np.mean(promised) - np.mean(said)) <= 3 * np.sqrt(0.25 / 60)


def _at(found: Map, rows: int) -> Cell:
    return max((cell for cell in found.cells if cell.rows == rows), key=lambda cell: cell.budget_seconds)
