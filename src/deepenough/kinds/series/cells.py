"""What stands in cells: a series of numbers, written as a list, an array, or a string of numbers with marks between.

Needs that this module answers:

* `[0.1, 0.2]`, `0.1;0.2`, `0,1;0,2` and `0.1 0.2` are the same series, in a file and in a frame.
* A thousand series of a thousand steps are read in a second or two.
* What is no number is counted, so that whoever reads it can say so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deepenough.kinds import numbered
from deepenough.task import frame as frames
from deepenough.task import parsing

LEAST_STEPS = 8
"""Steps from which a cell of numbers is taken for a series, unless a person says that it is one."""
_MARKS = (";", ",", "|")


def parsed(cell: Any) -> tuple[np.ndarray, int]:
    """The numbers of a cell, float64, NaN where missing or no number; and how many are no number."""
    if cell is None:
        return np.empty(0), 0
    if isinstance(cell, str):
        return _of_text(cell)
    if isinstance(cell, np.ndarray) and cell.dtype.kind in "fiub" and cell.ndim == 1:
        return frames.finite(cell), 0
    if isinstance(cell, np.ndarray | list | tuple):
        return _of_items(cell.tolist() if isinstance(cell, np.ndarray) else cell)
    if frames.is_nothing(cell):
        return np.empty(0), 0
    return _of_items([cell])


def is_listed(cell: Any) -> bool:
    """Whether a cell holds several values: a list, an array, or a string of numbers with marks between them."""
    if isinstance(cell, list | tuple | np.ndarray):
        return True
    if not isinstance(cell, str):
        return False
    body = cell.strip()
    if body.startswith("[") and body.endswith("]"):
        return True
    numbers, strange = _of_text(body)
    return len(numbers) >= 2 and not strange


def _of_text(text: str) -> tuple[np.ndarray, int]:
    body = text.strip()
    if body[:1] in ("[", "(") and body[-1:] in ("]", ")"):
        body = body[1:-1].strip()
    if not body:
        return np.empty(0), 0
    mark = next((mark for mark in _MARKS if mark in body), None)
    if mark == ";" and "," in body:
        body = body.replace(",", ".")
    tokens = body.split(mark)
    try:
        return frames.finite(np.array(tokens, dtype=np.float64)), 0
    except ValueError:
        return _of_items([token.strip() for token in tokens])


def _of_items(items: Sequence[Any]) -> tuple[np.ndarray, int]:
    try:
        return frames.finite(np.array(items, dtype=np.float64).reshape(len(items))), 0
    except (TypeError, ValueError, OverflowError):
        pass
    numbers, strange = np.full(len(items), np.nan), 0
    for place, item in enumerate(items):
        value, is_number = _of_item(item)
        numbers[place] = value
        strange += not is_number
    return numbers, strange


def _of_item(item: Any) -> tuple[float, bool]:
    """The number, and whether it is one, or missing."""
    if isinstance(item, str):
        body = item.strip().strip("\"'")
        if parsing.is_missing(body) or parsing.is_gap(body):
            return math.nan, True
        value = parsing.number(body)
        return value, not math.isnan(value) or body.lower().lstrip("+-") in ("inf", "infinity")
    if isinstance(item, int | float | np.integer | np.floating):
        try:
            value = float(item)
        except OverflowError:
            return math.nan, True
        return value if math.isfinite(value) else math.nan, True
    return math.nan, not isinstance(item, parsing.NESTED) and frames.is_nothing(item)


def as_numbers(values: Any, reading: str = "") -> np.ndarray:
    """The numbers of a column of single values, read in the style `reading` where they are strings; NaN otherwise."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    if array.dtype.kind in "fiub":
        return frames.finite(array)
    return np.array([_number(value, reading) for value in array.tolist()], dtype=np.float64)


def _number(value: Any, reading: str) -> float:
    if isinstance(value, str):
        return parsing.number_in_any_style(value, reading)
    return _of_item(value)[0]


def as_moments(values: Any, form: str, reading: str = "", written: str = "") -> np.ndarray:
    """The times of a column: seconds since 1970 of dates, or of numbers so written, else the numbers themselves; NaN
    where they are neither."""
    array = values if isinstance(values, np.ndarray) else None
    if array is not None and array.dtype.kind == "M":
        return seconds(array)
    listed = values.tolist() if array is not None else list(values)
    if form != "date":
        numbers = as_numbers(listed, reading)
        return numbered.seconds(numbers, written) if written else numbers
    return np.array([_moment(value, reading or "iso") for value in listed], dtype=np.float64)


def seconds(moments: np.ndarray) -> np.ndarray:
    """Datetimes of numpy as seconds since 1970, NaN where missing."""
    ticks = moments.astype("datetime64[us]")
    return np.where(np.isnat(ticks), np.nan, ticks.astype(np.int64) / 1e6)


def as_datetimes(moments: np.ndarray) -> np.ndarray:
    """Seconds since 1970 as datetimes of numpy, which are missing where it is NaN."""
    known = np.isfinite(moments)
    ticks = np.rint(np.where(known, moments, 0.0) * 1e6).astype("datetime64[us]")
    return np.where(known, ticks, np.datetime64("NaT"))


def _moment(value: Any, reading: str) -> float:
    if isinstance(value, np.datetime64):
        return float(seconds(np.array([value]))[0])
    text = parsing.as_text(value) if not frames.is_nothing(value) else None
    if text is None:
        return math.nan
    found = parsing.date(text, reading)
    return parsing.date(text, "iso") if math.isnan(found) and reading != "iso" else found
