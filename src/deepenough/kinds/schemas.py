"""JSON Schema of what saved models accept and answer, as far as kinds need it: a few words of draft 2020-12.

Needs that this module answers:

* What a service says that it takes is what it checks: a schema here is both its documentation and its test.
* What codecs read leniently in a file is asked for plainly by a service: a number, a text, a date, a list of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

DATA_ADDRESS = "^data:[-\\w.+/;=]*;base64,"
"""What a file in JSON begins with."""
LARGEST = 1e15
"""Of a series' numbers: beyond it their sums of squares would be none."""


def row(fields: Mapping[str, Schema], required: Sequence[str]) -> Schema:
    """An object of these fields; others may be there, and are not looked at."""
    return {"type": "object", "properties": dict(fields), "required": list(required)}


def number(about: str = "") -> Schema:
    """A number, a text that reads as one, or null where it is not known."""
    return _told({"type": ["number", "string", "null"]}, about or "A number; null where it is not known.")


def plain_number(about: str = "") -> Schema:
    """A number, or null where it is not known."""
    return _told({"type": ["number", "null"]}, about or "A number; null where it is not known.")


def text(about: str = "") -> Schema:
    """A text, or null."""
    return _told({"type": ["string", "null"]}, about)


def date(about: str = "") -> Schema:
    """A date as text, or null."""
    return _told({"type": ["string", "null"]}, about or "A date, such as 2026-01-31 or 2026-01-31T12:00:00.")


def level(about: str = "") -> Schema:
    """One of the values of a category, however it is written, or null."""
    return _told({"type": ["string", "number", "boolean", "null"]}, about)


def numbers(about: str = "") -> Schema:
    """A list of numbers, null where one is not known. Their squares must be numbers too."""
    item = {"type": ["number", "null"], "minimum": -LARGEST, "maximum": LARGEST}
    return _told({"type": "array", "items": item, "minItems": 1}, about)


def file(about: str = "") -> Schema:
    """A file's content as a `data:` address in base64; never a path of the machine that answers."""
    return _told({"type": "string", "pattern": DATA_ADDRESS}, about)


def file_or_nothing(about: str = "") -> Schema:
    """The same, or null where there is none."""
    return _told({"type": ["string", "null"], "pattern": DATA_ADDRESS}, about)


def answer(target: str, classes: Sequence[str], written: str) -> Schema:
    """One answer: the class and the probability of each, or a number."""
    if not classes:
        return row({target: {"type": "number"}}, [target])
    form = {"integer": "integer", "number": "number", "logical": "boolean"}.get(written, "string")
    chances = {f"probability_{name}": {"type": "number", "minimum": 0, "maximum": 1} for name in classes}
    return row({target: {"type": form}, **chances}, [target, *chances])


def listed(item: Schema, about: str = "") -> Schema:
    """A list of such, perhaps empty."""
    return _told({"type": "array", "items": item}, about)


def of_example(example: Any) -> Schema:
    """What can be said of rows by one of them alone."""
    if not isinstance(example, Mapping):
        return {}
    return row({name: {"examples": [value]} for name, value in example.items()}, list(example))


def records(frame: Any) -> list[dict[str, Any]]:
    """The rows of a frame of answers as plain values; what is no number is None."""
    columns = [_cells(frame[name].to_numpy()) for name in frame.columns]
    names = list(map(str, frame.columns))
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _cells(array: Any) -> list[Any]:
    if array.dtype.kind == "M":
        return [None if told == "NaT" else told for told in array.astype("datetime64[s]").astype(str).tolist()]
    values: list[Any] = array.tolist()
    return [value if math.isfinite(value) else None for value in values] if array.dtype.kind == "f" else values


def _told(schema: Schema, about: str) -> Schema:
    return schema | ({"description": about} if about else {})
