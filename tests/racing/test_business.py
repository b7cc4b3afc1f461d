"""What a person says of the use: read, or refused with what was expected."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepenough.errors import OptionError
from deepenough.judge.business import SECONDS_A_YEAR
from deepenough.racing.business import OPTIONS, equal_within, read


@pytest.mark.parametrize(
    ("said", "name", "value"),
    [
        ({"traffic": "50/s"}, "per_second", 50.0),
        ({"traffic": "1,200 / min"}, "per_second", 20.0),
        ({"traffic": "86400/day"}, "per_second", 1.0),
        ({"max_latency": "20ms"}, "max_latency_ms", 20.0),
        ({"max_latency": "0.5 s"}, "max_latency_ms", 500.0),
        ({"max_latency": "20"}, "max_latency_ms", 20.0),
        ({"worth": "0.01=500/month"}, "worth_a_year", 600_000.0),
        ({"worth": "1 = 2/year"}, "worth_a_year", 2.0),
        ({"switch_cost": "200/month"}, "switch_cost_a_year", 2400.0),
    ],
)
def test_what_is_said_is_read(said: dict[str, str], name: str, value: float) -> None:
    assert read(said) == {name: pytest.approx(value)}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize(
    "text", ["", "often", "-5/s", "0/s", "5/fortnight", "1e999/s", "0.01=", "=5/s", "5=x/s", "0=5/s"]
)
def test_what_can_not_be_read_is_refused(name: str, text: str) -> None:
    with pytest.raises(OptionError, match=f"--{name.replace('_', '-')}"):
        read({name: text})


@given(st.text(max_size=20))
def test_anything_is_read_or_refused(text: str) -> None:
    for name in OPTIONS:
        try:
            [found] = read({name: text}).values()
        except OptionError:
            continue
        assert 0 < found < float("inf")


def test_an_unknown_word_is_named() -> None:
    with pytest.raises(OptionError, match="'trafic' is no part"):
        read({"trafic": "50/s"})


def test_worth_and_switch_cost_together_say_what_counts() -> None:
    found = read({"worth": "0.01=500/month", "switch_cost": "200/month"})
    assert equal_within(found, None) == (pytest.approx(0.004), {"equal_within_source": "worth"})
    assert equal_within(read({"worth": "0.01=500/month"}), 0.02) == (0.02, {})
    with pytest.raises(OptionError, match="--equal-within"):
        equal_within(found, 0.02)


def test_what_changing_costs_says_nothing_without_what_quality_is_worth() -> None:
    with pytest.raises(OptionError, match="only with --worth"):
        equal_within(read({"switch_cost": "200/month"}), None)


TINY, HUGE = f"0.{'0' * 318}1", "9" * 308


@pytest.mark.parametrize(
    ("name", "text"),
    [("worth", f"{TINY}={HUGE}/s"), ("switch_cost", f"{HUGE}/s"), ("traffic", f"{TINY}/year"), ("max_latency", "0ms")],
)
def test_numbers_beyond_all_counting_are_refused(name: str, text: str) -> None:
    with pytest.raises(OptionError):
        read({name: text})


@given(
    st.sampled_from(["s", "min", "h", "day", "month", "year"]),
    st.decimals("0.001", "1e9", places=3),
    st.decimals("0.0001", "1000", places=4),
)
def test_what_is_typed_comes_back(unit: str, money: Decimal, step: Decimal) -> None:
    """Thousands may stand apart, and worth is per unit of the metric."""
    plain = read({"switch_cost": f"{money}/{unit}"})["switch_cost_a_year"]
    assert read({"switch_cost": f"{money:,} / {unit.upper()}"})["switch_cost_a_year"] == plain
    assert read({"worth": f"{step}={money}/{unit}"})["worth_a_year"] == pytest.approx(plain / float(step))


def test_a_year_has_as_many_seconds_as_one() -> None:
    assert read({"traffic": f"{SECONDS_A_YEAR}/year"}) == {"per_second": pytest.approx(1.0)}
