"""Simulated races by the hundred: what the scheduler begins, and when."""

from __future__ import annotations

import dataclasses
from random import Random
from typing import Any

import numpy as np
import pytest

from deepenough.evidence import FAMILIES, Trial
from deepenough.racing.order import Order
from deepenough.racing.scheduler import dropped, next_order
from deepenough.racing.standing import Race
from tests.racing.worlds import LEARNERS, WORLD, World, evidence, finals, in_lanes, plan, simulated

WORLDS = [
    (random.uniform(0.05, 4.0), random.uniform(0.01, 1.0), int(10 ** random.uniform(2.3, 5.4)))
    for random in map(Random, range(12))
]


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("budget", [30.0, 60.0, 120.0])
@pytest.mark.parametrize(
    ("mlp", "trees", "largest"),
    [*WORLDS[:6], *(pytest.param(*world, marks=pytest.mark.slow) for world in WORLDS[6:])],
)
def test_both_families_are_judged_at_the_same_size_inside_the_budget(
    mlp: float, trees: float, largest: int, budget: float, lanes: int
) -> None:
    subject = in_lanes(plan(budget, None, largest), lanes)
    trials, elapsed = simulated(subject, World(WORLD.seconds | {"mlp": mlp, "trees": trees}, WORLD.loss))
    common = finals(trials, "classical") & finals(trials, "deep")
    assert len({fold for _, fold in common}) >= 2
    assert len({size for size, _ in common}) == 1
    assert elapsed <= budget


@pytest.mark.parametrize("largest", [2000, 8000, 30_000, 200_000])
@pytest.mark.parametrize("mlp", [0.2, 1.0, 3.0])
def test_the_shares_are_equal(mlp: float, largest: int) -> None:
    """Within 10 %, or within the one trial that no longer fitted."""
    trials, _ = simulated(plan(60.0, None, largest), World(WORLD.seconds | {"mlp": mlp}, WORLD.loss))
    spent = {family: sum(t.wall_seconds for t in trials if t.family == family) for family in FAMILIES}
    longest = max(t.wall_seconds for t in trials)
    assert abs(spent["classical"] - spent["deep"]) <= max(0.1 * max(spent.values()), longest)


def test_where_five_folds_leave_few_rows_three_have_more() -> None:
    """Of a net that is slow for the budget; a quick one has all five."""
    folds = {}
    for seconds in (0.1, 12.0):
        subject, world = (
            plan(120.0, largest=16_000),
            dataclasses.replace(WORLD, seconds=WORLD.seconds | {"mlp": seconds}),
        )
        trials, _ = simulated(subject, world)
        begun = next(place for place, trial in enumerate(trials) if trial.purpose == "final")
        folds[seconds] = Race(evidence(subject, trials[:begun])).fewest_folds
    assert folds == {0.1: 5, 12.0: 3}


def test_three_folds_of_all_rows_go_before_five_of_half() -> None:
    """A final of half of the rows takes 4.2 s of the 5.2 that one of five may: five folds would be judged at half."""
    subject = plan(120.0, largest=1280)
    known = [
        Trial(n, name, family, "probe", rows, 0, n, "ok", loss=0.4, wall_seconds=seconds)
        for n, (name, family, rows, seconds) in enumerate(
            [("trees", "classical", 320, 2.1), ("trees", "classical", 640, 4.2), ("mlp", "deep", 320, 1.0)]
        )
    ]
    race = Race(evidence(subject, known), 20.0)
    assert race.seconds_for(subject.contender("trees"), 640) < 0.6 * race.share / 5
    assert (race.fewest_folds, race.size) == (3, 1280)


def test_a_champion_that_may_not_fit_shows_on_twice_the_rows_how_its_time_grows() -> None:
    """Fitted once, it would be held to grow linearly, and be judged at fewer rows than it has the time for."""
    probes = {}
    for seconds in (0.2, 12.0):
        world = dataclasses.replace(WORLD, seconds=WORLD.seconds | {"mlp": seconds})
        trials, _ = simulated(plan(120.0, largest=4000), world)
        probes[seconds] = [t.n_train for t in trials if t.contender == "mlp" and t.purpose == "probe"]
    assert probes == {0.2: [1000], 12.0: [1000, 2000]}


def test_who_is_likely_to_win_does_not_wait_for_a_dear_learners_rungs() -> None:
    """The second by priority is the best; the third takes nearly all that is left."""
    seconds = WORLD.seconds | {"trees": 0.1, "linear": 0.4, "forest": 25.0}
    world = dataclasses.replace(WORLD, seconds=seconds, loss=WORLD.loss | {"trees": 0.6, "linear": 0.3, "forest": 0.7})
    trials, _ = simulated(plan(60.0), world)
    own = [t.contender for t in trials if t.family == "classical" and t.purpose in ("final", "breadth")]
    begun = [t.contender for t in trials if t.family == "classical" and t.purpose == "final"]
    assert "linear" in begun
    assert own.index("linear", own.index("linear") + 4) < own.index("forest")


def test_with_a_budget_in_trials_each_family_gets_half_and_no_clock_is_read() -> None:
    subject = plan(None, 40)
    trials, _ = simulated(subject)
    counts = {family: sum(t.family == family for t in trials) for family in FAMILIES}
    assert counts == {"classical": 20, "deep": 20}
    for cut in range(0, len(trials), 7):
        here = evidence(subject, trials[:cut])
        order = next_order(here, 0.0)
        assert order == next_order(here, 1e9)
        assert order is not None and order.limit_seconds is None and order.kill_seconds is None


def test_asking_again_gives_the_same_order() -> None:
    subject = plan()
    trials, _ = simulated(subject)
    for cut in range(len(trials)):
        first, again = (next_order(evidence(subject, trials[:cut]), 20.0) for _ in range(2))
        assert first == again


def test_nothing_is_run_twice() -> None:
    for subject in (plan(60.0), plan(None, 60), plan(30.0, None, 300)):
        trials, _ = simulated(subject)
        keys = [(t.contender, t.n_train, t.fold, t.seed) for t in trials]
        assert len(keys) == len(set(keys))
        assert [t.number for t in trials] == list(range(1, len(trials) + 1))


def test_a_champion_that_errs_is_followed_by_the_next_learner() -> None:
    trials, _ = simulated(plan(), World(WORLD.seconds, WORLD.loss, frozenset({"mlp"})))
    assert {t.contender for t in trials if t.family == "deep" and t.purpose == "final" and t.finished} == {"tab"}
    assert sum(t.contender.startswith("mlp") for t in trials) == 1


def test_a_hopeless_learner_climbs_its_rungs_and_is_dropped() -> None:
    world = World(WORLD.seconds | {"linear": 2.0}, WORLD.loss)
    trials, _ = simulated(plan(120.0), world)
    linear = [t for t in trials if t.contender == "linear"]
    assert len({t.n_train for t in linear}) >= 3
    assert not any(t.purpose == "final" for t in linear)
    assert "linear" in dict(dropped(evidence(plan(120.0), trials)))


def test_a_learner_whose_rungs_take_as_long_as_a_final_runs_that() -> None:
    """What it takes hardly hangs on its rows, as that of boosted trees for many classes: a final tells more."""
    world = World(WORLD.seconds | {"forest": 1.5}, WORLD.loss, constant={"forest": 1.5})
    trials, _ = simulated(plan(120.0), world)
    forest = [t.purpose for t in trials if t.contender == "forest"]
    assert forest[:3] == ["probe", "breadth", "final"]


def test_the_cheap_are_looked_at_before_the_dear_where_there_is_a_clock() -> None:
    """Linear comes before the forest by priority, and takes ten times as long."""
    world = World(WORLD.seconds | {"linear": 2.0, "forest": 0.2}, WORLD.loss)
    for subject, first in ((plan(120.0), "forest"), (plan(None, 40, 2000), "linear")):
        trials, _ = simulated(subject, world)
        looks = [t.contender for t in trials if t.contender in ("linear", "forest") and t.purpose != "probe"]
        assert looks[0] == first


def test_a_hopeless_learner_whose_finals_are_cheap_runs_one_and_is_dropped() -> None:
    trials, _ = simulated(plan(120.0))
    linear = [t for t in trials if t.contender == "linear"]
    assert [t.purpose for t in linear] == ["probe", "final"]
    assert "linear" in dict(dropped(evidence(plan(120.0), trials)))


def test_whom_one_stretch_of_time_threw_out_gets_the_others_where_time_is_left() -> None:
    subject = dataclasses.replace(plan(120.0), splitting="time")
    few = tuple(c for c in subject.contenders if c.name == c.learner)  # nothing to search in
    trials, _ = simulated(dataclasses.replace(subject, contenders=few))
    folds = [t.fold for t in trials if t.contender == "linear" and t.purpose == "final"]
    assert sorted(folds) == [0, 1, 2, 3, 4]
    others = [t.number for t in trials if t.family == "classical" and t.contender != "linear"]
    assert max(others) < min(t.number for t in trials if t.contender == "linear" and t.fold == 1), "at the very last"


def test_a_possible_winner_whose_finals_are_cheap_runs_them_before_the_dear_have_climbed() -> None:
    """Linear is a little behind the trees; the forest's rungs would take what is left of the share."""
    world = World(WORLD.seconds | {"forest": 6.0}, WORLD.loss | {"linear": WORLD.loss["trees"] + 0.004})
    trials, _ = simulated(dataclasses.replace(plan(120.0), splitting="time"), world)
    place = {t.number: index for index, t in enumerate(trials)}
    linear = [place[t.number] for t in trials if t.contender == "linear" and t.purpose == "final"]
    climbed = [place[t.number] for t in trials if t.contender == "forest" and t.purpose == "breadth"]
    assert len(linear) == 5
    assert linear[2] < climbed[-1], "all that the leader had then"


def test_of_learners_whose_probes_were_about_as_good_the_quickest_runs_the_finals() -> None:
    """Both are clearly better than the first by priority; the dearer one by a hair."""
    subject = plan(120.0)
    race, seconds_each = Race(evidence(subject, [])), (1.0, 1.9, 0.4)
    base: dict[str, Any] = {"n_train": race.probe_rows, "fold": 0, "seed": race.probe_seed, "status": "ok"}
    positive = (((0.5, 0.40, 0.41), "forest"), ((0.5, 0.40, 0.45), "linear"), ((0.5, 0.49, 0.6), "trees"))
    returns = (((-0.5, -0.60, -0.59), "forest"), ((-0.5, -0.60, -0.55), "linear"), ((-0.5, -0.49, -0.4), "trees"))
    for losses, champion in (*positive, *returns):
        trials = [
            Trial(number, name, "classical", "probe", loss=loss, wall_seconds=seconds, **base)
            for number, (name, loss, seconds) in enumerate(
                zip(LEARNERS["classical"], losses, seconds_each, strict=True)
            )
        ]
        found = Race(evidence(subject, trials)).champion("classical")
        assert found is not None and found.name == champion


def test_where_its_rungs_would_take_as_long_as_a_final_a_learner_runs_one() -> None:
    """Seconds that do not grow with the rows, as of models that are fitted on each series by itself."""

    class Flat(World):
        def run(self, order: Order, random: np.random.Generator) -> Trial:
            flat = dataclasses.replace(order, n_train=1000) if order.contender.startswith("linear") else order
            return dataclasses.replace(super().run(flat, random), n_train=order.n_train)

    trials, _ = simulated(plan(120.0), Flat(WORLD.seconds | {"linear": 5.0}, WORLD.loss))
    linear = [t.purpose for t in trials if t.contender == "linear"]
    assert linear[0] == "probe" and linear.index("final") <= 3


def test_an_equal_learner_is_not_dropped() -> None:
    world = World(WORLD.seconds, WORLD.loss | {"linear": WORLD.loss["trees"]})
    kept = 0
    for seed in range(12):
        trials, _ = simulated(plan(120.0), world, seed)
        kept += any(t.contender == "linear" and t.purpose == "final" for t in trials)
    assert kept >= 10  # dropped at 5 % by design; 12 draws, binomial slack


def test_a_family_whose_finals_can_not_end_gets_half_the_size() -> None:
    subject = plan(60.0, None, 8000)
    seed = Race(evidence(subject, [])).seed(0)
    base: dict[str, Any] = {"n_train": 8000, "fold": 0, "seed": seed, "wall_seconds": 9.0}
    trials = [
        Trial(1, "trees", "classical", "final", status="ok", loss=0.3, **base),
        Trial(2, "mlp", "deep", "final", status="memory", **base),
    ]
    assert Race(evidence(subject, trials), 25.0).size == 4000
