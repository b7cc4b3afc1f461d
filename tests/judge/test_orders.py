"""How much to order."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.errors import OptionError
from deepenough.judge import orders
from deepenough.judge.orders import Costs


@pytest.mark.parametrize("text", ["over=1", "over=1, under=0", "over=1, under=x", "tp=1"])
def test_both_costs_are_needed(text: str) -> None:
    with pytest.raises(OptionError, match="--value"):
        Costs.read(text)


def test_no_other_shift_of_the_prediction_costs_less() -> None:
    rng = np.random.default_rng(0)
    errors, costs = rng.gamma(2, 3, 4_000) - 6, Costs.read("over=2, under=5")
    predictions = np.full(4_000, 50.0)
    ordered = orders.quantities(predictions, np.ones(4_000), errors, costs)
    best = costs.of(ordered, predictions + errors).mean()
    shifts = np.linspace(-5, 10, 61)
    assert best <= min(costs.of(predictions + shift, predictions + errors).mean() for shift in shifts)
    assert costs.of(np.array([3.0, 3.0]), np.array([5.0, 1.0])).tolist() == [10.0, 4.0]


def test_the_chance_beyond_a_limit_is_the_share_of_errors_that_lead_there() -> None:
    errors = np.linspace(-1, 1, 999)
    found = orders.chance_beyond(10.0, np.array([10.0, 9.5, 20.0, 0.0]), np.ones(4), errors)
    assert found == pytest.approx([0.5, 0.25, 1.0, 0.0], abs=0.002)
    assert found.min() > 0 and found.max() < 1


def test_nine_in_ten_promises_hold() -> None:
    costs, kept, tries = Costs.read("over=1, under=4"), 0, 50
    for seed in range(tries):
        rng = np.random.default_rng(seed)
        errors, predictions = rng.gamma(2, 3, 200) - 6, rng.uniform(20, 90, 150)
        ordered = orders.quantities(predictions, np.ones(150), errors, costs)
        plans = {"plan": ordered, "prediction": predictions}
        promised = orders.promise(predictions, np.ones(150), errors, 200, plans, costs, seed)
        came = -costs.of(ordered, predictions + rng.gamma(2, 3, 150) - 6).sum()
        kept += promised.plans["plan"].low <= came <= promised.plans["plan"].high
        assert promised.more_than["prediction"].value > 0
    assert 0.83 * tries <= kept <= 0.98 * tries
