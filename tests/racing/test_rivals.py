"""How sure it is that a rival beats its family's leader."""

from __future__ import annotations

import dataclasses

import numpy as np

from deepenough.evidence import Evidence, Trial, Units
from deepenough.racing.rivals import chance
from deepenough.racing.standing import Race
from tests.racing.worlds import plan

UNITS = 400


def _race(clusters: np.ndarray, splitting: str) -> Race:
    """Trees lead; linear is worse by a little on most of 400 units, by the same in each stretch of 100."""
    subject = dataclasses.replace(plan(120.0), splitting=splitting)
    seed = Race(Evidence(subject, (), {}, {})).seed(0)
    base = {"n_train": 8000, "fold": 0, "seed": seed, "purpose": "final", "status": "ok", "wall_seconds": 1.0}
    apart = np.repeat([0.09, -0.05, 0.07, -0.03], UNITS // 4)[:, None]
    records = {1: np.full((UNITS, 1), 0.4), 2: 0.4 + apart}
    trials = tuple(
        Trial(number, name, "classical", loss=float(records[number].mean()), **base)  # type: ignore[arg-type]  # of all kinds
        for number, name in ((1, "trees"), (2, "linear"))
    )
    ids = np.arange(UNITS)
    return Race(Evidence(subject, trials, records, {0: Units(ids, ids % 5, clusters)}))


def _chance(race: Race) -> float:
    leader = race.leader("classical")
    assert leader is not None and leader.name == "trees"
    return chance(race, leader, race.plan.contender("linear"))


def test_units_of_one_stretch_of_time_tell_no_more_than_one() -> None:
    stretches = np.repeat(np.arange(4), UNITS // 4)
    alone, together = _chance(_race(stretches, "random")), _chance(_race(stretches, "time"))
    assert alone < 0.05 < 0.2 < together < 0.5


def test_units_that_stand_alone_tell_the_same_by_groups_and_at_random() -> None:
    each = np.arange(UNITS)
    assert abs(_chance(_race(each, "random")) - _chance(_race(each, "group"))) < 1e-3


def test_one_stretch_of_time_leaves_another_learner_a_chance_but_not_a_variant_of_the_same() -> None:
    each = np.arange(UNITS)
    race = _race(each, "time")
    assert _chance(_race(each, "random")) < 0.05 < 0.2 < _chance(race) < 0.5
    leader = race.plan.contender("trees")
    variant = dataclasses.replace(race.plan.contender("linear"), learner="trees")
    assert chance(_race(each, "time"), leader, variant) < 0.05
