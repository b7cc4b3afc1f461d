"""How a table is encoded, as an ONNX graph: an input a column, and what `prepare`, `dense` and `scaling` make of it.

Needs that this module answers:

* The same numbers as in the race, in the same types: float64 where numpy has float64, float32 where it has float32.
* NaN and infinity are told apart before any arithmetic: runtimes differ in what a bound makes of NaN.
* What no operator does as Python does it (words of texts, pictures) is refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from deepenough.errors import ModelError
from deepenough.graph import ML, Graph, Value
from deepenough.kinds.table.inputs import Table
from deepenough.kinds.table.prepare import HUGE, LARGEST, LAST_SECOND, SECONDS_A_DAY, Encoder
from deepenough.kinds.table.scaling import CLIP, Scaling

if TYPE_CHECKING:
    from deepenough.kinds.table.dense import Dense

_UNREADABLE = {
    "text": "holds texts, and no ONNX operator finds their words as Python does",
    "picture": "is measured of pictures, and no ONNX operator measures them",
}


def feed(table: Table) -> dict[str, np.ndarray]:
    """The inputs of the graph for the rows of a table, by column, shape (n, 1)."""
    fed = {}
    for column in table.columns:
        if column.role == "category":
            words = np.array([*column.levels, ""], dtype=object)
            fed[column.name] = words[column.values][:, None]
        else:
            fed[column.name] = np.asarray(column.values, dtype=np.float64)[:, None]
    return fed


def declare(graph: Graph, columns: Iterable[tuple[str, str]]) -> None:
    """An input a column, in their order. columns: (name, role). Raises ModelError where one can't be an input."""
    for name, role in columns:
        if role in _UNREADABLE:
            raise ModelError(f"The column {name!r} {_UNREADABLE[role]}: a model of it can't be exported as ONNX.")
        if role == "category":
            graph.words(name)
        else:
            graph.number(name)


def encoded(graph: Graph, encoder: Encoder) -> tuple[Value | None, Value | None]:
    """Numbers (float32, shape (n, p), NaN where missing) and codes (int64, shape (n, q)); None where there are none."""
    numbers, codes = [], []
    for name, role in encoder.columns:
        if role == "category":
            codes.append(_code(graph, graph.words(name), list(encoder.levels[name])))
        elif role == "number":
            numbers.append(graph.number(name))
        elif role == "date":
            numbers += _date_parts(graph, graph.number(name), encoder.with_hours[name])
    return (
        _scaled(graph, graph.joined(numbers), encoder) if numbers else None,
        graph.joined(codes) if codes else None,
    )


def _code(graph: Graph, words: Value, levels: list[str]) -> Value:
    known = {level: code for code, level in enumerate(levels, start=1)} or {"": 0}
    return graph.put(
        "LabelEncoder",
        words,
        domain=ML,
        keys_strings=list(known),
        values_int64s=list(known.values()),
        default_int64=0,
    )


def _scaled(graph: Graph, numbers: Value, encoder: Encoder) -> Value:
    missing = _missing(graph, numbers)
    known = _within(graph, graph.put("Where", missing, graph.constant(0.0), numbers), HUGE)
    shifted = graph.put("Sub", known, graph.constant(encoder.shifts[None]))
    scaled = _within(graph, graph.put("Div", shifted, graph.constant(encoder.units[None])), LARGEST)
    return graph.cast(graph.put("Where", missing, graph.constant(np.nan), scaled), np.float32)


def _missing(graph: Graph, numbers: Value) -> Value:
    return graph.put("Or", graph.put("IsNaN", numbers), graph.put("IsInf", numbers))


def _within(graph: Graph, numbers: Value, bound: float, dtype: type = np.float64) -> Value:
    return graph.put("Clip", numbers, graph.constant(-bound, dtype), graph.constant(bound, dtype))


def _date_parts(graph: Graph, seconds: Value, with_hours: bool) -> list[Value]:
    """As `prepare` has them. The day's place in the calendar: days_to_civil, Hinnant, 2013 (public domain)."""

    def number(value: float) -> Value:
        return graph.constant(float(value))

    def times(value: Value, factor: float) -> Value:
        return graph.put("Mul", value, number(factor))

    def plus(value: Value, *others: Value | float) -> Value:
        for other in others:
            value = graph.put("Add", value, other if isinstance(other, Value) else number(other))
        return value

    def minus(value: Value, other: Value) -> Value:
        return graph.put("Sub", value, other)

    def whole(value: Value, of: float) -> Value:
        return graph.put("Floor", graph.put("Div", value, number(of)))

    far = graph.put("Greater", graph.put("Abs", seconds), number(LAST_SECOND))
    missing = graph.put("Or", _missing(graph, seconds), far)
    known = graph.put("Where", missing, number(0), seconds)
    days = whole(known, SECONDS_A_DAY)
    since = plus(days, 719_468)  # days from 0000-03-01
    era = whole(since, 146_097)  # of 400 years
    day = minus(since, times(era, 146_097))
    year = whole(minus(plus(minus(day, whole(day, 1_460)), whole(day, 36_524)), whole(day, 146_096)), 365)
    before = minus(plus(times(year, 365), whole(year, 4)), whole(year, 100))
    of_year = minus(day, before)
    from_march = whole(plus(times(of_year, 5), 2), 153)
    of_month = plus(minus(of_year, whole(plus(times(from_march, 153), 2), 5)), 1)
    is_late = graph.put("Less", from_march, number(10))
    month = plus(from_march, graph.put("Where", is_late, number(3), number(-9)))
    carried = graph.put("Where", is_late, number(0), number(1))
    years = plus(year, times(era, 400), carried)
    weekday = minus(plus(days, 3), times(whole(plus(days, 3), 7), 7))
    parts = [years, month, of_month, weekday, known]
    if with_hours:
        parts.append(graph.put("Div", minus(known, times(days, SECONDS_A_DAY)), number(3600)))
    return [graph.put("Where", missing, number(np.nan), part) for part in parts]


def dense(graph: Graph, made: Dense) -> Value:
    """The matrix of `Dense.transform`: float32, shape (n, width)."""
    from deepenough.kinds.table.dense import LARGEST_SCORE

    numbers, codes = encoded(graph, made.encoder)
    measured = _measured(graph, made, numbers, codes)
    parts = []
    if measured is not None:
        scores = graph.put("Sub", measured, graph.constant(made.centres[None].astype(np.float64)))
        scores = graph.put("Div", scores, graph.constant(made.scales[None].astype(np.float64)))
        scores = scores if made.scaling == "raw" else _within(graph, scores, LARGEST_SCORE)
        parts.append(graph.cast(scores, np.float32))
    for place, size in enumerate(made.encoder.cardinalities):
        if 1 < size <= made.one_hot_up_to and codes is not None:
            own = graph.put("Equal", graph.columns(codes, [place]), graph.constant(np.arange(1, size)[None], np.int64))
            parts.append(graph.cast(own, np.float32))
    if not parts:
        raise ModelError("None of its columns held anything in training: there is nothing to export.")
    return graph.joined(parts)


def _measured(graph: Graph, made: Dense, numbers: Value | None, codes: Value | None) -> Value | None:
    parts = []
    if numbers is not None:
        missing = graph.put("IsNaN", numbers)
        medians = graph.constant(made.medians[None].astype(np.float64))
        filled = graph.put("Where", missing, medians, graph.cast(numbers, np.float64))
        parts += [] if made.scaling == "ranks" else [filled]
        parts += [_ranks(graph, made, filled)] if len(made.knots) else []
        if len(made.indicators):
            parts.append(graph.cast(graph.columns(missing, made.indicators.tolist()), np.float64))
    many = [place for place, size in enumerate(made.encoder.cardinalities) if size > made.one_hot_up_to]
    for place, effects in zip(many, made.effects, strict=True):
        if codes is not None:
            looked_up = graph.gather(effects.astype(np.float64), graph.columns(codes, [place]))
            parts.append(graph.shaped(looked_up, (-1, effects.shape[1])))
    return graph.joined(parts) if parts else None


def _ranks(graph: Graph, made: Dense, filled: Value) -> Value:
    """Linear between the knots: the sum of what each stretch between two knots adds."""
    curves = made._curves
    most = max(max(len(knots) for knots, _ in curves) - 1, 1)
    begin, length, slope = (np.zeros((len(curves), most)) for _ in range(3))
    for place, (knots, shares) in enumerate(curves):
        own = len(knots) - 1
        begin[place, :own], length[place, :own] = knots[:-1], np.diff(knots)
        slope[place, :own] = np.diff(shares) / np.diff(knots)
    across = graph.put("Unsqueeze", filled, graph.constant([2], np.int64))
    along = graph.put("Max", graph.put("Sub", across, graph.constant(begin[None])), graph.constant(0.0))
    along = graph.put("Min", along, graph.constant(length[None]))
    risen = graph.total(graph.put("Mul", along, graph.constant(slope[None])), axis=2)
    return graph.put("Add", risen, graph.constant(np.array([shares[0] for _, shares in curves])[None]))


def scaled(graph: Graph, encoder: Encoder, scaling: Scaling) -> tuple[Value | None, Value | None, Value | None]:
    """The arrays of `Scaling.arrays`: numbers and flags as float32, codes as int64; None where there are none."""
    numbers, codes = encoded(graph, encoder)
    bent = flags = coded = None
    parts = []
    if numbers is not None and len(scaling.used):
        used = graph.cast(graph.columns(numbers, scaling.used.tolist()), scaling.centre.dtype)
        scores = graph.put("Sub", used, graph.constant(scaling.centre[None]))
        scores = graph.put("Mul", scores, graph.constant(scaling.scale[None]))
        missing = graph.put("IsNaN", scores)
        scores = graph.put("Where", missing, graph.constant(0, scaling.centre.dtype), scores)
        shares = graph.put("Div", scores, graph.constant(CLIP, scaling.centre.dtype))
        squares = graph.put("Add", graph.put("Mul", shares, shares), graph.constant(1, scaling.centre.dtype))
        bent = graph.cast(graph.put("Div", scores, graph.put("Sqrt", squares)), np.float32)
    if numbers is not None and len(scaling.filled):
        gaps = graph.put("IsNaN", graph.columns(numbers, scaling.filled.tolist()))
        parts.append(graph.cast(gaps, np.float32))
    if codes is not None and len(scaling.flagged):
        own = graph.columns(codes, scaling.flagged[:, 0].tolist())
        same = graph.put("Equal", own, graph.constant(scaling.flagged[:, 1][None], np.int64))
        parts.append(graph.cast(same, np.float32))
    flags = graph.joined(parts) if parts else None
    if codes is not None and len(scaling.coded):
        coded = graph.columns(codes, scaling.coded.tolist())
    return bent, flags, coded
