"""Roles of columns, and later tables read like the first."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepenough.kinds.table import columns
from deepenough.task.frame import from_values


@pytest.mark.parametrize(
    ("values", "role"),
    [
        ([1.5, 2.5, None] * 20, "number"),
        (["red", "blue"] * 30, "category"),
        (["2020-01-01", "2020-03-01"] * 30, "date"),
        ([f"the {n} parcel came {n * 7} days late again" for n in range(60)], "text"),
        ([f"T{n}" for n in range(60)], "category"),
        (["a long sentence that comes often enough", "another sentence of many words"] * 30, "category"),
        ([True, False, None] * 20, "category"),
    ],
)
def test_roles(values: list[Any], role: str) -> None:
    column, why = columns.typed(from_values("x", values)[0])
    assert column.role == role
    assert why


@pytest.mark.parametrize(
    ("role", "reading", "values", "expected"),
    [
        ("number", "", ["1.5", " 2 ", "x", None, "NA", 3, True, math.inf], [1.5, 2, None, None, None, 3, 1, None]),
        ("number", "comma decimal", ["1,5", "1.234,5", "2.5", 7], [1.5, 1234.5, 2.5, 7]),
        ("date", "iso", ["1970-01-02", datetime.date(1970, 1, 2), None, "soon"], [86400, 86400, None, None]),
        ("date", "%d/%m/%Y", ["02/01/1970", "1970-01-02", pd.NaT], [86400, 86400, None]),
        ("date", "iso", [pd.Timestamp("1970-01-02"), np.datetime64("1970-01-02")], [86400, 86400]),
    ],
)
def test_numbers_and_dates_of_any_type(role: str, reading: str, values: list[Any], expected: list[Any]) -> None:
    found = columns.conformed("x", role, reading, values).values.tolist()
    assert [None if math.isnan(value) else value for value in found] == expected


def test_levels_of_any_type() -> None:
    column = columns.conformed("x", "category", "", ["a", 1, 1.0, None, math.nan, "NA", " a "])
    words = [None if code < 0 else column.levels[code] for code in column.values]
    assert words == ["a", "1", "1", None, None, None, "a"]


def test_true_and_false_in_any_spelling() -> None:
    column = columns.conformed("x", "category", "logical", [True, "False", "TRUE", None])
    assert [None if code < 0 else column.levels[code] for code in column.values] == ["true", "false", "true", None]


def test_arrays_of_numbers_and_dates_pass_at_once() -> None:
    numbers = columns.conformed("x", "number", "", np.array([1, 2], dtype=np.int8))
    assert numbers.values.dtype == np.float64
    dates = columns.conformed("x", "date", "iso", np.array(["1970-01-02", "NaT"], dtype="datetime64[ns]"))
    assert dates.values[0] == 86400
    assert math.isnan(dates.values[1])


@given(st.lists(st.one_of(st.none(), st.text("0123456789.,-+eE_ NAinf$%", max_size=8)), min_size=2, max_size=20))
def test_a_string_is_the_same_number_alone_and_in_a_batch(values: list[str | None]) -> None:
    together = columns.conformed("x", "number", "", values).values
    alone = [columns.conformed("x", "number", "", [value]).values[0] for value in values]
    np.testing.assert_array_equal(together, alone)
