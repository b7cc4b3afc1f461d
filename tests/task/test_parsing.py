"""What strings mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepenough.task import parsing


@pytest.mark.parametrize(
    ("levels", "how", "values"),
    [
        (["1", "2.5", "-3e2"], "", [1, 2.5, -300]),
        (["1,234", "0.5", "12"], "comma groups", [1234, 0.5, 12]),
        (["$1,200.50", "-$3.00"], "comma groups", [1200.5, -3]),
        (["1,5", "2,25", "-3"], "comma decimal", [1.5, 2.25, -3]),
        (["1.234,5", "7"], "comma decimal", [1234.5, 7]),
        (["0,567", "1,234"], "comma decimal", [0.567, 1.234]),
        (["1 234,5", "5"], "space groups", [1234.5, 5]),
        (["12 %", "3%"], "", [12, 3]),
        (["12.5 €", "EUR 3"], "", [12.5, 3]),
    ],
)
def test_numbers_are_read_in_the_style_that_explains_them(levels: list[str], how: str, values: list[float]) -> None:
    reading = parsing.guess(levels)
    assert (reading.form, reading.how) == ("number", how)
    assert parsing.read(levels, reading).tolist() == pytest.approx(values)


@pytest.mark.parametrize(
    ("levels", "how", "first"),
    [
        (["2020-01-02", "2021-02-03"], "iso", "2020-01-02"),
        (["2020-01-02 10:00:00", "2021-02-03T10:00:00"], "iso", "2020-01-02T10:00"),
        (["2017-03", "2018-02"], "iso", "2017-03-01"),
        (["01/02/2020", "25/12/2020"], "%d/%m/%Y", "2020-02-01"),
        (["01/02/2020", "12/25/2020"], "%m/%d/%Y", "2020-01-02"),
        (["2.1.2020", "31.12.2021"], "%d.%m.%Y", "2020-01-02"),
        (["5 Jan 2020", "6 Feb 2021"], "%d %b %Y", "2020-01-05"),
        (["12/25/2020 10:00 AM", "01/02/2020 01:30 PM"], "%m/%d/%Y %I:%M %p", "2020-12-25T10:00"),
    ],
)
def test_dates_are_read_in_their_format(levels: list[str], how: str, first: str) -> None:
    reading = parsing.guess(levels)
    assert (reading.form, reading.how) == ("date", how)
    assert parsing.read(levels, reading)[0] == np.datetime64(first, "s").astype(int)


def test_a_date_with_a_zone_is_told_in_utc() -> None:
    assert parsing.date("2020-01-01T02:00:00+02:00") == parsing.date("2020-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "levels", [["a", "b"], ["00417", "01234", "99999"], ["T1", "T2"], ["12:30", "14:00"], ["", "-"]]
)
def test_words_ids_and_clock_times_stay_text(levels: list[str]) -> None:
    assert parsing.guess(levels).form == "words"


def test_a_column_is_numbers_only_where_more_than_95_percent_are() -> None:
    numbers = [str(value) for value in range(100)]
    assert parsing.guess([*numbers, "four"]).form == "number"
    assert parsing.guess([*numbers, *(f"w{place}" for place in range(10))]).form == "words"
    assert parsing.guess(["1", "2", "x"], [50, 49, 1]).form == "number", "rows count, not different strings"


@pytest.mark.parametrize("text", ["", "NA", "n/a", "NaN", "null", "?", "NULL"])
def test_words_for_missing(text: str) -> None:
    assert parsing.is_missing(text)


def test_a_string_of_another_style_is_read_where_it_is_clear() -> None:
    assert parsing.number_in_any_style("12,5") == 12.5
    assert parsing.number_in_any_style("1.234,5") == 1234.5
    assert parsing.number_in_any_style("1.234", "comma decimal") == 1234
    assert math.isnan(parsing.number_in_any_style("1,234")), "a thousand, or a little more than one"


@given(st.floats(allow_nan=False, allow_infinity=False, width=64))
def test_a_plain_number_is_read_back(value: float) -> None:
    assert parsing.number(parsing.plain_number(value)) == value


@given(st.text(max_size=30), st.sampled_from(["", "comma groups", "comma decimal", "space groups"]))
def test_any_string_is_a_finite_number_or_none(text: str, how: str) -> None:
    assert not math.isinf(parsing.number(text, how))


@given(st.text(max_size=30))
def test_any_string_is_a_date_or_none(text: str) -> None:
    assert not math.isinf(parsing.date(text))


def test_names_of_files_that_are_numbers_carry_no_unit() -> None:
    assert not parsing.units(["017.png", "018.png"])
    assert parsing.units(["12 kg", "3kg."]) == {"kg": 2}
