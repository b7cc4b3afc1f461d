"""From columns as they were read to columns as learners take them: number, category, date or text, each with a reason.

Needs that the design answers:

* Strings are categories unless they are sentences; a sentence taken for a category is worth nothing to any learner.
* What is decided here on the training table is saved with the model; `conformed` then does the same to any later table,
  whatever types its cells come in.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deepenough.kinds.prose import is_prose
from deepenough.kinds.table.inputs import Column
from deepenough.task import frame as frames
from deepenough.task import parsing
from deepenough.task.frame import Raw


def typed(raw: Raw, picture: str = "") -> tuple[Column, str]:
    """The column with its role, and why it has it. picture: the column of pictures that it was measured of."""
    if picture:
        return Column(raw.name, "number", raw.values, of=picture), f"it is measured of the pictures in {picture!r}"
    if raw.form == "number":
        return Column(raw.name, "number", raw.values), "its values are numbers"
    if raw.form == "date":
        return Column(raw.name, "date", raw.values), "its values are dates"
    role, why = _role(raw)
    return Column(raw.name, role, raw.values, raw.levels), why


def _role(raw: Raw) -> tuple[str, str]:
    prose, why = is_prose(raw)
    return "text" if prose else "category", why


def conformed(name: str, role: str, reading: str, values: Sequence[Any] | np.ndarray) -> Column:
    """A column of any later table, read as the training table's was.

    reading: `Raw.reading` of the training table's column.
    values: numbers, strings, dates, None, or a mix of them. What can't be read is missing.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu" and role == "number":
        return Column(name, role, frames.finite(values))
    if isinstance(values, np.ndarray) and values.dtype.kind == "M" and role == "date":
        return Column(name, role, seconds(values))
    if isinstance(values, np.ndarray) and values.dtype.kind == "m" and role == "number":
        return Column(name, role, values / np.timedelta64(1, "s"))
    listed = values.tolist() if isinstance(values, np.ndarray) and values.dtype.kind not in "mM" else list(values)
    if role == "number":
        return Column(name, role, _numbers(listed, reading))
    if role == "date":
        return Column(name, role, _each(_date, listed, reading))
    strings = [value if value is None or type(value) is str else _as_text(value) for value in listed]
    codes, levels = frames.factorised(strings)
    raw = frames.text(name, codes, levels) if reading == "logical" else Raw(name, "words", codes, tuple(levels))
    return Column(name, role, raw.values, raw.levels)


def _as_text(value: Any) -> str | None:
    return None if is_nothing(value) else parsing.as_text(value)


def _numbers(listed: list[Any], reading: str) -> np.ndarray:
    """Plain strings all at once, as a file brings them; anything else one by one, to the same numbers."""
    if not reading and len(listed) > 1 and all(value is None or type(value) is str for value in listed):
        present = np.array([value is not None for value in listed])
        strings = [value for value in listed if value is not None]
        if "_" not in "".join(strings):  # Python reads 1_000 as a number, and nobody else does
            try:
                found = np.full(len(listed), np.nan)
                found[present] = np.array(strings, dtype=object).astype(np.float64)
                return frames.finite(found)
            except ValueError:
                pass  # some string is no plain number: each is read by itself
    return _each(_number, listed, reading)


def _each(scalar: Callable[[Any, str], float], listed: list[Any], reading: str) -> np.ndarray:
    """Each value read by itself, equal strings once."""
    known = {value: scalar(value, reading) for value in {value for value in listed if type(value) is str}}
    found = [known[value] if type(value) is str else scalar(value, reading) for value in listed]
    return np.array(found, dtype=np.float64)


def _number(value: Any, reading: str) -> float:
    if isinstance(value, str):
        return parsing.number_in_any_style(value, reading)
    try:
        found = value.total_seconds() if isinstance(value, datetime.timedelta) else float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")
    return found if np.isfinite(found) else float("nan")


def _date(value: Any, reading: str) -> float:
    if isinstance(value, str):
        found = parsing.date(value, reading or "iso")
        return parsing.date(value) if np.isnan(found) and reading not in ("", "iso") else found
    if isinstance(value, np.datetime64):
        return float(seconds(np.array([value]))[0])
    text = None if is_nothing(value) else parsing.as_text(value) if hasattr(value, "isoformat") else None
    return float("nan") if text is None else parsing.date(text)


def seconds(moments: np.ndarray) -> np.ndarray:
    """Seconds since 1970 of an array of datetime64; NaN where it holds none."""
    ticks = moments.astype("datetime64[us]")
    return np.where(np.isnat(ticks), np.nan, ticks.astype(np.int64) / 1e6)


def is_nothing(value: Any) -> bool:
    """None, NaN, NaT and pandas' NA."""
    return frames.is_nothing(value)
