"""Whom to act on, and what that is worth."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.errors import OptionError
from deepenough.judge import value
from deepenough.judge.value import Price, Values


def test_values_are_read_as_sums_of_money_and_of_the_amount() -> None:
    found = Values.read("tp = 0.9*amount - 5, fp=-5, fn=-amount")
    assert found == Values(Price(-5, 0.9), Price(-5), Price(0, -1), Price())
    assert found.by_amount and not Values.read("tp=1").by_amount


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "says nothing"),
        ("tp", "not understood"),
        ("tp=1, tp=2", "each once"),
        ("yes=1", "tp=..."),
        ("tp=many", "a number"),
        ("tp=2*3", "a number"),
        ("tp=3, fn=3", "worth the same"),
        ("tp=1e5", "a number"),
    ],
)
def test_what_is_not_understood_is_said(text: str, said: str) -> None:
    with pytest.raises(OptionError, match="--value") as error:
        Values.read(text)
    assert said in str(error.value)


def test_the_threshold_is_where_acting_begins_to_pay() -> None:
    values = Values.read("tp=100, fp=-5, fn=-40")
    assert values.threshold == pytest.approx(5 / 145)
    chances = np.array([0.0, values.threshold - 0.001, values.threshold + 0.001, 1.0])
    gains = value.expected_gain(chances, values, np.zeros(4))
    assert value.chosen(gains).tolist() == [False, False, True, True]
    assert gains[-1] == 140 and gains[0] == -5


def test_with_room_for_few_the_largest_gains_come_first_and_none_that_does_not_pay() -> None:
    gains = np.array([1.0, 5.0, -2.0, 3.0])
    assert np.flatnonzero(value.chosen(gains, 2)).tolist() == [1, 3]
    assert np.flatnonzero(value.chosen(gains, 9)).tolist() == [0, 1, 3]


def test_amounts_move_the_choice() -> None:
    values = Values.read("fp=-5, fn=-amount")
    gains = value.expected_gain(np.array([0.1, 0.1]), values, np.array([10.0, 100.0]))
    assert value.chosen(gains).tolist() == [False, True]


def simulated(rows: int, rng: np.random.Generator, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Chances as a model says them, and what came true; slope 1: it is right."""
    odds = rng.normal(-1, 1.5, rows)
    return 1 / (1 + np.exp(-odds)), rng.random(rows) < 1 / (1 + np.exp(-slope * odds))


def test_a_recalibration_finds_how_far_chances_can_be_believed() -> None:
    rng = np.random.default_rng(0)
    chances, truth = simulated(20_000, rng, slope=0.6)
    found = value.recalibration(chances, truth, np.arange(20_000))
    assert found.slope == pytest.approx(0.6, abs=0.05) and found.offset == pytest.approx(0, abs=0.07)
    few = value.recalibration(chances[:3], np.array([True, False, False]), np.arange(3))
    assert 0.5 < few.slope < 1.5  # three units move little
    doubled = value.recalibration(np.tile(chances[:300], 2), np.tile(truth[:300], 2), np.tile(np.arange(300), 2))
    once = value.recalibration(chances[:300], truth[:300], np.arange(300))
    assert doubled.covariance[1, 1] > 0.8 * once.covariance[1, 1]  # copies are one cluster, and tell no more


@pytest.mark.parametrize(("judged", "slope"), [(150, 0.6), (2_000, 1.0)])
def test_nine_in_ten_promises_hold(judged: int, slope: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value, "DRAWS", 300)
    values, kept, more_kept, tries = Values.read("tp=100, fp=-30, fn=-20"), 0, 0, 150
    for seed in range(1_000, 1_000 + tries):
        rng = np.random.default_rng(seed)
        known = value.recalibration(*simulated(judged, rng, slope), np.arange(judged))
        chances, truth = simulated(300, rng, slope)
        nothing = np.zeros(300)
        acted = value.chosen(value.expected_gain(known.of(chances), values, nothing))
        promised = value.promise(chances, {"plan": acted, "nothing": nothing > 0}, values, nothing, known, seed)
        came = value.came_true(acted, truth, values, nothing).sum()
        left = value.came_true(nothing, truth, values, nothing).sum()
        kept += promised.plans["plan"].low <= came <= promised.plans["plan"].high
        more_kept += promised.more_than["nothing"].low <= came - left <= promised.more_than["nothing"].high
    assert 0.85 * tries <= kept <= 0.97 * tries
    assert 0.85 * tries <= more_kept <= 0.97 * tries


@pytest.mark.parametrize("dear", [-1000, 1000])
def test_an_interval_holds_what_is_promised_also_where_one_in_a_hundred_moves_it(dear: int) -> None:
    sure = value.Recalibration(0.0, 1.0, np.zeros((2, 2)))
    plans = {"plan": np.array([True]), "nothing": np.array([False])}
    worth = Values.read(f"tp={dear}, fp=5")
    found = value.promise(np.array([0.01]), plans, worth, np.zeros(1), sure, seed=0)
    for money in (found.plans["plan"], found.more_than["nothing"]):
        assert money.value == pytest.approx(0.01 * dear + 0.99 * 5)
        assert (money.low, money.high) == (min(money.value, 5), max(money.value, 5))


def test_a_difference_has_the_ends_of_a_plain_t_interval() -> None:
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(0)
    own, other = rng.normal(1, 2, 40), rng.normal(0, 2, 40)
    found = value.difference(own, other, np.arange(40), 1_000)
    ends = ttest_rel(own, other).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((1_000 * ends.low, 1_000 * ends.high), rel=0.02)
