"""Money of a year by closed forms, and what counts as equal where it is a business's number."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepenough.judge.business import HOURS_A_YEAR, MAY_WAIT, Business, cores_for, dearer, worth, year_of
from deepenough.judge.cost import Amount, Bill, Prices, measured
from deepenough.judge.verdict import Gap, judge
from tests.judge.simulate import World, pair, race

PRICES = Prices(kwh=0.3, core_hour=0.05, watts_per_core=5.0)


def _bill(one_ms: float = 1.0, thousand_seconds: float = 0.1, training: float = 2.0) -> Bill:
    return Bill(
        "net", 1000, 3, 1.0, 1.0, 1.0, 1.0, measured(5.0), measured(training), thousand_seconds, Amount(None), one_ms,
        2 * one_ms, 1e6, 1e5, PRICES,
    )  # fmt: skip


def test_a_year_is_rent_electricity_and_trainings() -> None:
    year = year_of(_bill(one_ms=30.0), Business(per_second=50.0, max_latency_ms=100.0))
    assert year is not None
    assert year.busy_cores == pytest.approx(1.5) and year.cores == 3
    assert year.training.value == pytest.approx(24.0)
    power = 1.5 * HOURS_A_YEAR * 0.005 * 0.3
    assert year.serving.value == pytest.approx(3 * HOURS_A_YEAR * 0.05 + power)
    assert year.total.value == pytest.approx(24.0 + 3 * HOURS_A_YEAR * 0.05 + power)
    assert year.total.low is not None and year.total.low < year.total.value


@pytest.mark.parametrize(("allowed", "in_time"), [(60.0, True), (59.0, False)])
def test_the_limit_is_held_by_the_95th_percentile(allowed: float, in_time: bool) -> None:
    year = year_of(_bill(one_ms=30.0), Business(per_second=1.0, max_latency_ms=allowed))
    assert year is not None and year.in_time is in_time and year.alone


def test_without_a_limit_predictions_come_in_batches() -> None:
    year = year_of(_bill(thousand_seconds=0.2), Business(per_second=10_000.0))
    assert year is not None and not year.alone and year.in_time is None
    assert year.busy_cores == pytest.approx(2.0)
    assert year_of(_bill(), Business()) is None


@pytest.mark.parametrize(
    ("busy", "slack", "cores"),
    [
        (0.5, 0.0, 2),  # M/M/1 waits half of the time; of two cores both are busy one time in ten
        (0.5, 0.05, 1),  # one time in two, but longer than five services .5 exp(-2.5) = .041
        (0.01, 0.0, 1),  # one in a hundred waits at all
        (0.0, 0.0, 1),
    ],
)
def test_cores_by_erlang_in_closed_form(busy: float, slack: float, cores: int) -> None:
    waits = {1: busy, 2: busy**2 / (2 + busy), 3: 3 * busy**3 / ((3 - busy) * (6 + 4 * busy + busy**2)) * 2}
    expected = next(c for c in (1, 2, 3) if waits[c] * math.exp(-(c - busy) * slack / 0.01) <= MAY_WAIT)
    assert cores_for(busy, 0.01, slack) == expected


@given(st.floats(1e-6, 1e5), st.floats(1e-6, 10.0), st.floats(0.0, 100.0))
def test_cores_are_more_than_are_busy_and_fall_with_patience(busy: float, seconds: float, slack: float) -> None:
    own = cores_for(busy, seconds, slack)
    assert own > busy
    assert cores_for(busy, seconds, 2 * slack + seconds) <= own


def test_who_is_too_slow_alone_is_not_given_cores_that_would_not_help() -> None:
    year = year_of(_bill(one_ms=30.0), Business(per_second=50.0, max_latency_ms=59.0))
    assert year is not None and year.in_time is False and year.cores == 2


def test_no_traffic_is_too_large_to_answer() -> None:
    assert year_of(_bill(), Business(per_second=1.7e308, max_latency_ms=1e300)) is not None
    assert year_of(_bill(thousand_seconds=1e9), Business(per_second=1.7e308)) is None


def _gap(value: float) -> Gap:
    return Gap(value, value - 0.01, value + 0.01, 0, 0, "log_loss", 0.005, 10)


def test_what_quality_is_worth_less_what_it_costs() -> None:
    business = Business(per_second=50.0, worth_a_year=600_000.0)
    cheap, dear = year_of(_bill(training=1.0), business), year_of(_bill(training=11.0), business)
    assert cheap is not None and dear is not None
    more = dearer(cheap, dear)
    assert more.value == pytest.approx(120.0)
    found = worth(_gap(0.02), business, more)
    assert found is not None
    assert (found.quality.value, found.quality.low, found.quality.high) == pytest.approx((12_000, 6_000, 18_000))
    assert found.net.value == pytest.approx(12_000 - 120)
    assert found.net.low is not None and more.high is not None
    assert found.net.low == pytest.approx(6_000 - more.high)
    assert worth(_gap(0.02), Business(per_second=50.0), more) is None


@pytest.mark.parametrize(("cheaper", "net"), [("classical", 12_000 - 2400), ("deep", 12_000 + 2400)])
def test_the_dearer_family_pays_for_the_change(cheaper: str, net: float) -> None:
    business = Business(worth_a_year=600_000.0, switch_cost_a_year=2400.0)
    found = worth(_gap(0.02), business, None, cheaper)
    assert found is not None
    assert found.net.value == pytest.approx(net)
    assert (found.net.low, found.net.high) == pytest.approx((net - 6000, net + 6000))


@given(st.floats(1e-3, 1e6), st.floats(1e-3, 1e6))
def test_what_changing_costs_over_what_a_unit_is_worth_counts_as_equal(unit: float, switch: float) -> None:
    found = Business(worth_a_year=unit, switch_cost_a_year=switch).equal_within
    assert found == pytest.approx(switch / unit)
    assert Business(worth_a_year=unit).equal_within is None


@pytest.mark.parametrize("seed", range(3))
def test_a_decision_turns_just_where_its_bound_is_what_changing_costs(seed: int) -> None:
    """Deep pays while the surely gained quality is worth more than the change, and not a cent beyond."""
    world = World(units=2000, rows=2000, largest=1600, rate=False, spread=0.1)
    decisions = []
    gap = judge(race(replace(world, options={"equal_within": 0.01}), pair(0.05), seed), curves=False).gap
    assert gap is not None
    for factor in (0.999, 1.001):
        business = Business(worth_a_year=100_000.0, switch_cost_a_year=100_000.0 * gap.low * factor)
        options = {"equal_within": business.equal_within, "equal_within_source": "worth"}
        verdict = judge(race(replace(world, options=options), pair(0.05), seed), curves=False)
        decisions.append(verdict.under_budget)
        found = worth(gap, business, None)
        assert found is not None and found.net.low is not None
        assert (found.net.low > 0) == (verdict.under_budget == "deep_pays")
    assert decisions[0] == "deep_pays" and decisions[1] != "deep_pays"


def test_the_same_gap_pays_or_not_by_what_changing_costs() -> None:
    world = World(units=2000, rows=2000, largest=1600, rate=False, spread=0.1)
    decisions = {}
    for name, switch in (("cheap", 100.0), ("dear", 10_000.0)):
        options = {"equal_within": Business(worth_a_year=100_000.0, switch_cost_a_year=switch).equal_within}
        options |= {"equal_within_source": "worth"}
        verdict = judge(race(replace(world, options=options), pair(0.05), 0), curves=False)
        assert verdict.equal_within_source == "worth"
        decisions[name] = verdict.under_budget
    assert decisions == {"cheap": "deep_pays", "dear": "classical_is_enough"}
