"""Groups for whom it happens more often: found where they were planted, and nowhere else."""

from __future__ import annotations

import numpy as np

from deepenough.judge.risks import risks
from deepenough.judge.traits import Trait


def known(rng: np.random.Generator, rows: int) -> list[Trait]:
    return [
        Trait("age", rng.integers(20, 80, rows).astype(float)),
        Trait("plan", rng.integers(0, 3, rows), ("day", "month", "year"), "category"),
        Trait("noise", rng.normal(0, 1, rows)),
    ]


def test_a_planted_group_is_named_with_its_rate() -> None:
    rng = np.random.default_rng(0)
    traits = known(rng, 1500)
    inside = traits[1].values == 1
    happened = rng.random(1500) < np.where(inside, 0.5, 0.2)
    found = risks(happened.astype(float), np.arange(1500), traits, 0, is_rate=True)
    above = [risk for risk in found if risk.is_above]
    assert above and above[0].words == "plan is month"
    assert abs(above[0].inside.value - 0.5) < 0.06 and abs(above[0].elsewhere.value - 0.2) < 0.06
    assert above[0].inside.low < 0.5 < above[0].inside.high and above[0].p < 0.01
    assert all("noise" not in risk.words for risk in found)


def test_numbers_come_in_their_own_unit() -> None:
    rng = np.random.default_rng(1)
    traits = known(rng, 1200)
    price = 1000 + 300 * (traits[0].values > 50) + rng.normal(0, 100, 1200)
    found = risks(price, np.arange(1200), traits, 0, is_rate=False)
    assert {risk.is_above for risk in found} == {True, False}
    top = next(risk for risk in found if risk.is_above)
    assert "age" in top.words and abs(top.inside.value - 1300) < 40 and abs(top.elsewhere.value - 1000) < 60


def test_of_shuffled_outcomes_hardly_any_has_a_group() -> None:
    """Both sides of .025 are said to be wrong in so many of a hundred; with two outcomes that is one in twenty."""
    said = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        traits = known(rng, 400)
        said += bool(risks((rng.random(400) < 0.3).astype(float), np.arange(400), traits, seed, is_rate=True))
    assert said <= 5, f"{said} of 100"


def test_units_of_one_cluster_are_one_observation() -> None:
    """Two hundred copies of one lucky case say no more than the case."""
    rng = np.random.default_rng(3)
    traits = known(rng, 600)
    traits[1].values[:200], traits[1].values[200:] = 1, 0
    happened = np.r_[np.ones(200), rng.random(400) < 0.3].astype(float)
    clusters = np.r_[np.zeros(200, dtype=int), 1 + np.arange(400)]
    assert all("plan" not in risk.words for risk in risks(happened, clusters, traits, 0, is_rate=True))
    assert risks(happened, np.arange(600), traits, 0, is_rate=True)
