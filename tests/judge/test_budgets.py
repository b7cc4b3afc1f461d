"""The map of budgets and rows, against simulated races whose truth at other budgets is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepenough.evidence import Evidence
from deepenough.judge import budgets
from deepenough.judge.budgets import Cell, Map, budget_map
from deepenough.judge.verdict import judge
from tests.judge.simulate import Runner, World, constant, power, race

WORLD = World(
    units=4000, rows=4000, largest=3200, divisors=(32, 16, 8, 4, 2, 1), rate=False, spread=0.1,
    options={"equal_within": 0.005},
)  # fmt: skip
SMALL = replace(WORLD, units=1000, rows=1000, largest=800, spread=0.3, divisors=(16, 8, 4, 2, 1))
SLOW = 0.002
"""Seconds of a net by the row: 6.4 s at all rows, .2 s at a thirty-second of them."""


def _late(seed: int = 0) -> Evidence:
    """Deep is behind on few rows, ahead on many, and slow; a race of two minutes reaches all rows."""
    trees = Runner("trees", "classical", power(0.2, 0.02, 0.5, 3200), seconds=lambda n: n * 1e-4)
    net = Runner("net", "deep", power(0.1, 0.08, 0.6, 3200), seconds=lambda n: n * SLOW)
    return _of(120.0, race(WORLD, [trees, net], seed))


def _of(seconds: float, evidence: Evidence) -> Evidence:
    """The evidence as that of a race of so many seconds."""
    return replace(evidence, plan=replace(evidence.plan, budget_seconds=seconds))


def _map(evidence: Evidence) -> Map:
    return budget_map(evidence, judge(evidence))


def _own(found: Map) -> Cell:
    return next(cell for cell in found.axis if cell.budget_seconds == found.own_seconds)


@pytest.mark.parametrize("seed", range(3))
def test_a_late_starter_pays_from_some_budget_on(seed: int) -> None:
    found = _map(_late(seed))
    told = {cell.budget_seconds: cell for cell in found.axis}
    assert told[120.0].decision == "deep_pays" and told[120.0].known == "measured"
    assert told[15.0].n_train < told[30.0].n_train < told[120.0].n_train == 3200
    for cell in found.cells:
        truth = (0.2 + 0.02 * (cell.n_train / 3200) ** -0.5) - (0.1 + 0.08 * (cell.n_train / 3200) ** -0.6)
        if cell.known == "measured" and abs(truth) > 0.03:
            assert cell.decision == ("deep_pays" if truth > 0 else "classical_is_enough"), (cell, truth)


def test_of_equal_learners_deep_pays_nowhere() -> None:
    runners = [Runner("trees", "classical", constant(0.2)), Runner("net", "deep", constant(0.2))]
    found = _map(race(WORLD, runners, 1))
    assert (_own(found).decision, _own(found).known) == ("classical_is_enough", "measured")
    assert "deep_pays" not in {cell.decision for cell in found.cells}
    assert found.answer == "same" and found.change_seconds is None


def test_nothing_is_said_beyond_four_times_what_was_measured() -> None:
    for cell in _map(_late()).cells:
        assert (cell.known == "out_of_reach") == (cell.decision == "") == (cell.certainty is None)
        if cell.known != "out_of_reach":
            assert cell.n_train <= 4 * 3200
            assert cell.certainty is not None and 0.01 <= cell.certainty <= 0.99
        if cell.known == "measured":
            assert 100 <= cell.n_train <= 3200 and cell.budget_seconds <= 120.0 and cell.rows <= 4000


def test_a_finalist_of_few_rows_puts_the_rest_out_of_reach() -> None:
    runners = [
        Runner("trees", "classical", constant(0.2), seconds=lambda n: n * 1e-5),
        Runner("net", "deep", constant(0.2), seconds=lambda n: n * 1e-5),
    ]
    evidence = race(replace(WORLD, rows=40_000, largest=32_000, divisors=(512, 256, 128, 64)), runners, 0)
    cells = budget_map(evidence, judge(evidence), [60.0, 120.0, 3600.0]).cells
    far = [cell for cell in cells if cell.n_train > 4 * 500]
    assert far and {cell.known for cell in far} == {"out_of_reach"}
    assert {cell.known for cell in cells if cell.n_train <= 4 * 500} == {"measured", "extrapolated"}


def test_more_time_never_means_a_smaller_size() -> None:
    cells = {(cell.budget_seconds, cell.rows): cell for cell in _map(_late()).cells}
    asked, rows = (sorted({key[place] for key in cells}) for place in (0, 1))
    for count in rows:
        sizes = [cells[budget, count].n_train for budget in asked if budget >= 100]  # from there on five folds
        assert sizes == sorted(sizes) and sizes[-1] <= count


def test_the_same_evidence_has_the_same_map() -> None:
    assert _map(_late(2)) == _map(_late(2))


@settings(max_examples=12, deadline=None)
@given(gap=st.floats(-0.1, 0.1), slope=st.floats(0.01, 0.08), seconds=st.floats(20.0, 2000.0), seed=st.integers(0, 50))
def test_whatever_the_race_its_own_cell_says_what_it_said(gap: float, slope: float, seconds: float, seed: int) -> None:
    runners = [
        Runner("trees", "classical", power(0.2, 0.02, 0.5, 800), 0.003, seconds=lambda n: n * 0.01),
        Runner("net", "deep", power(0.2 - gap, slope, 0.5, 800), 0.006, seconds=lambda n: n * 0.015),
    ]
    evidence = _of(seconds, race(SMALL, runners, seed))
    verdict = judge(evidence)
    found = budget_map(evidence, verdict)
    own = _own(found)
    assert (own.decision, own.n_train, own.folds) == (verdict.under_budget, verdict.n_train, verdict.folds)
    assert own.known == "measured" and own.rows == 1000
    assert verdict.classical and verdict.deep
    assert (own.classical, own.deep) == (verdict.classical.contender, verdict.deep.contender)
    if verdict.with_time["answer"] != "same":
        assert found.answer != "same"


@pytest.mark.parametrize(
    ("waiting", "answer", "seconds"),
    [
        ({"answer": "could_change", "seconds": 400.0}, "could_change", 500.0),
        ({"answer": "could_change", "seconds": None}, "could_change", None),
        ({"answer": "unknown", "seconds": 400.0}, "unknown", None),
        ({"answer": "same", "seconds": None}, "same", None),
    ],
)
def test_no_answer_about_more_time_is_surer_than_the_verdicts(
    waiting: Mapping[str, object], answer: str, seconds: float | None
) -> None:
    axis = [Cell(9, b, 9, 5, "open", 0.6, 0.2, known, "a", "b") for b, known in ((100.0, "measured"), (200.0, "far"))]
    assert budgets._more(axis, 100.0, waiting) == (answer, seconds)
    turned = [axis[0], replace(axis[1], decision="deep_pays")]
    assert budgets._more(turned, 100.0, waiting) == ("could_change", 200.0)
    blank = [axis[0], replace(axis[1], known="out_of_reach", decision="")]
    assert budgets._more(blank, 100.0, {"answer": "same"}) == ("unknown", None)


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


def test_where_deep_is_the_cheaper_the_words_are_mirrored() -> None:
    runners = [Runner("trees", "classical", constant(0.2)), Runner("net", "deep", constant(0.2))]
    evidence = race(WORLD, runners, 1)
    found = _map(replace(evidence, plan=replace(evidence.plan, cheaper="deep")))
    assert _own(found).decision == "deep_is_enough"
    assert {cell.decision for cell in found.cells} <= {"deep_is_enough", "classical_pays", "open", ""}


def test_a_learner_too_slow_for_a_budget_does_not_stand_there() -> None:
    quick = Runner("linear", "classical", constant(0.25), seconds=lambda n: n * 1e-5)
    slow = Runner("forest", "classical", constant(0.2), seconds=lambda n: n * 0.004)
    net = Runner("net", "deep", constant(0.22), seconds=lambda n: n * 1e-5)
    stands = {cell.budget_seconds: cell.classical for cell in _map(_of(240.0, race(WORLD, [quick, slow, net], 0))).axis}
    assert stands[15.0] == "linear" and stands[240.0] == stands[900.0] == "forest"


def test_who_came_late_to_finals_stands_from_a_later_budget_on() -> None:
    """Twenty variants of one speed, the last the best: at a tenth of the time, a tenth of them has had a turn."""
    quick = Runner("net", "deep", constant(0.3), seconds=lambda n: n * 1e-3)
    variants = [Runner(f"v{i}", "classical", constant(0.3 - 0.01 * i), seconds=lambda n: n * 1e-3) for i in range(20)]
    axis = _map(_of(600.0, race(SMALL, [*variants, quick], 0))).axis
    stands = {cell.budget_seconds: int(cell.classical[1:]) for cell in axis}
    assert stands[600.0] == 19
    assert 0 <= stands[30.0] < stands[120.0] < stands[240.0] < 19


@pytest.mark.parametrize("divisors", [(1,), (2, 1)])
def test_too_short_a_ladder_gives_no_map_but_a_reason(divisors: tuple[int, ...]) -> None:
    runners = [Runner("trees", "classical", constant(0.2)), Runner("net", "deep", constant(0.2))]
    found = _map(race(replace(WORLD, divisors=divisors), runners, 0))
    assert found.cells == () and "too few sizes" in found.reason


def test_one_family_alone_what_interacts_and_what_is_not_trusted_have_none() -> None:
    alone = _map(race(WORLD, [Runner("trees", "classical", constant(0.2))], 0))
    evidence = _late()
    plays = _map(replace(evidence, plan=replace(evidence.plan, shape="interactive")))
    leaks = ({"flag": "leak", "reason": "a column gives it away", "severity": "distrust"},)
    leaking = _map(replace(evidence, plan=replace(evidence.plan, flags=leaks)))
    assert [found.cells for found in (alone, plays, leaking)] == [(), (), ()]
    for found, reason in ((alone, "both families"), (plays, "learns from rows"), (leaking, "trusted")):
        assert reason in found.reason


@pytest.mark.parametrize("halves", [False, True])
def test_halves_and_no_trivial_loss_have_a_map_too(halves: bool) -> None:
    world = replace(SMALL, halves=halves, rows=4000, largest=2000, folds=3 if halves else 5)
    runners = [Runner("trees", "classical", constant(0.3)), Runner("net", "deep", constant(0.2))]
    evidence = race(world, runners, 0)
    trials = tuple(trial for trial in evidence.trials if trial.family != "baseline")
    found = _map(replace(evidence, trials=trials))
    assert judge(replace(evidence, trials=trials)).trivial_loss is None
    assert _own(found).decision == "deep_pays" and len({cell.n_train for cell in found.cells}) > 3
    assert not halves or max(cell.folds for cell in found.cells) <= 3


def test_a_race_that_counts_trials_goes_by_the_seconds_that_they_took() -> None:
    evidence = _late()
    counted = replace(evidence, plan=replace(evidence.plan, budget_seconds=None, budget_trials=40))
    found = _map(counted)
    assert found.own_seconds == pytest.approx(sum(t.wall_seconds for t in evidence.trials), rel=0.2)
    assert _own(found).n_train == 3200


def test_other_budgets_can_be_asked_for() -> None:
    evidence = _late()
    found = budget_map(evidence, judge(evidence), [45.0, 77.0])
    assert [cell.budget_seconds for cell in found.axis] == [45.0, 77.0, 120.0]


@pytest.mark.slow
def test_probabilities_are_what_races_of_that_budget_on_the_same_rows_then_say() -> None:
    """Eighty truths and noises: of cells that promise p, a share p of separate races says what they say.

    The separate races are fitted anew (other seeds, other draws) at the cell's size and folds, on the same units.
    """
    missed = []
    for seed in range(80):
        runners = _random_runners(seed)
        axis = _map(_of(240.0, race(SMALL, runners, seed))).axis
        cells = [cell for cell in axis if cell.known == "measured"]
        hits = [_separate(cell, runners, seed) == cell.decision for cell in cells]
        missed.append(float(np.mean([cell.certainty for cell in cells]) - np.mean(hits)))
    assert abs(np.mean(missed)) <= 3 * float(np.std(missed)) / math.sqrt(len(missed))


def test_a_map_promises_less_of_noisy_learners() -> None:
    sure = []
    for noise in (0.0, 0.03):
        runners = [Runner("trees", "classical", constant(0.2), draw_sd=noise), Runner("net", "deep", constant(0.17))]
        axes = [_map(race(SMALL, runners, seed)).axis for seed in range(4)]
        told = [cell.certainty or 0.0 for axis in axes for cell in axis if cell.known == "measured"]
        sure.append(float(np.mean(told)))
    assert sure[0] > 0.9 and sure[1] < sure[0] - 0.1


def _random_runners(seed: int) -> list[Runner]:
    rng = np.random.default_rng([seed, 5])
    gap, noise, slope = rng.uniform(-0.03, 0.05), rng.choice([0.003, 0.01, 0.02]), rng.choice([0.0, 0.03])
    deep = power(0.22 - gap - slope, slope, 0.5, 800)
    return [
        Runner("trees", "classical", power(0.2, 0.02, 0.5, 800), draw_sd=noise / 2, seconds=lambda n: n * 0.012),
        Runner("net", "deep", deep, draw_sd=noise, seconds=lambda n: n * 0.015),
    ]


def _separate(cell: Cell, runners: list[Runner], seed: int) -> str:
    """What a race that was judged at the cell's size, on its folds and the same units, says of the pair."""
    louder = math.sqrt(800 / cell.n_train)
    own = [replace(runner, folds=cell.folds, draw_sd=runner.draw_sd * louder) for runner in runners]
    return judge(race(replace(SMALL, largest=cell.n_train, divisors=(1,)), own, seed), curves=False).under_budget
