"""Numbers as people read them."""

from __future__ import annotations

import pytest

from deepenough.report import words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, words.NOTHING),
        (float("nan"), words.NOTHING),
        (0, "0"),
        (0.01234, "0.0123"),
        (12.345, "12.3"),
        (12345.6, "12,300"),
        (999.7, "1000"),
        (-0.5, "-0.500"),
        (1e-7, "1.00e-07"),
    ],
)
def test_number_has_three_digits(value: float | None, shown: str) -> None:
    assert words.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0123, "12 ms"), (1.234, "1.2 s"), (89, "89 s"), (180, "3.0 min"), (7200, "2.0 h")]
)
def test_seconds_take_the_unit_that_fits(value: float, shown: str) -> None:
    assert words.seconds(value) == shown


def test_money_never_has_an_exponent() -> None:
    assert words.money(0.0000123) == "EUR 0.000012"
    assert words.money(3.2e-9) == "under EUR 0.000001"
    assert words.money(12.5, "USD") == "USD 12.50"


def test_bytes_and_energy() -> None:
    assert words.bytes_of_memory(612_000_000) == "610 MB"
    assert words.energy(7.2e6) == "2.0 kWh"
    assert words.energy(12.0) == "12 J"


def test_control_characters_are_not_passed_on_to_the_terminal() -> None:
    assert words.plain("a\x1b[31mb\n") == "a?[31mb?"


@pytest.mark.parametrize(
    ("seconds", "trials", "said"),
    [(30.0, None, "30s"), (120.0, None, "2m"), (3600.0, None, "1h"), (None, 40, "40trials"), (90.0, None, "90s")],
)
def test_budget_is_written_as_the_option_takes_it(seconds: float | None, trials: int | None, said: str) -> None:
    assert words.budget(seconds, trials) == said
