"""JSON to inputs and back: what a saved model of a table accepts, and what it answers.

Needs that the design answers:

* A served row is read as the training table's were: the same roles, the same decimal comma, the same dates. What can't
  be read is missing; columns in another order, or more of them, change nothing; one that is absent is named.
* One row costs next to nothing: a dict becomes inputs without a data frame.
* The schema is plain JSON that a person can read: names, roles, examples of levels, one example row.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.errors import ModelError
from deepenough.graph import Graph
from deepenough.kinds import Codec, file_sources, schemas
from deepenough.kinds.table import columns as roles
from deepenough.kinds.table import drawn, pictures
from deepenough.kinds.table.inputs import Column, Table
from deepenough.kinds.table.task import TableTask
from deepenough.task import frame as frames
from deepenough.task import names as naming
from deepenough.task import parsing
from deepenough.task import source as sources
from deepenough.task.frame import Frame, Raw
from deepenough.task.target import as_frame, as_records, as_written

SHOWN_LEVELS, SHOWN_LETTERS = 50, 80
"""So many levels of a column, and so many letters of each, stand in the schema for information."""
SHOWN_IN_WORDS = 12
_READ = ("number", "date")
"""Roles of columns whose cells can fail to be what they should be."""


@dataclass(frozen=True)
class Wanted:
    """One input column of the schema.

    reading: how its strings are read, see `task.frame.Raw.reading`.
    levels: the first of its levels, for information; others are accepted.
    measured: of a picture, the columns of numbers that a model sees of it; empty for other roles.
    usual: the value in its middle (of numbers and dates), or its most frequent one; None where it is unknown or empty.
    """

    name: str
    role: str
    reading: str = ""
    levels: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    usual: Any = None


@dataclass(frozen=True)
class TableCodec(Codec):
    """What a model of a table accepts and answers.

    target: the answer's column.
    classes: names in the order of the probabilities; empty where a number is predicted.
    written: how the source wrote the classes: `text`, `logical`, `integer` or `number`; answers come likewise.
    """

    columns: tuple[Wanted, ...]
    target: str
    classes: tuple[str, ...] = ()
    written: str = "text"
    positive: str | None = None
    example: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, task: TableTask) -> Self:
        """The codec of a task."""
        wanted: dict[str, Wanted] = {}
        example: dict[str, Any] = {}
        for column in task.table.columns:
            if column.of:
                before = wanted[column.of].measured if column.of in wanted else ()
                wanted[column.of] = Wanted(column.of, pictures.ROLE, measured=(*before, column.name))
                example[column.of] = pictures.example()
            else:
                reading = task.raw[column.name].reading
                wanted[column.name] = Wanted(
                    column.name, column.role, reading, _shortened(column.levels), (), _usual(column)
                )
                example[column.name] = _shown(column, 0)
        target = task.target
        return cls(tuple(wanted.values()), target.name, target.classes, target.written, target.positive, example)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, schema: Mapping[str, Any]) -> Self:
        try:
            columns = tuple(
                Wanted(**(item | {"levels": tuple(item["levels"]), "measured": tuple(item.get("measured", ()))}))
                for item in schema["columns"]
            )
            return cls(**{**schema, "columns": columns, "classes": tuple(schema["classes"])})
        except (KeyError, TypeError) as error:
            raise ModelError(f"The model's schema can't be read: {error}. It was damaged or edited.") from error

    def encode(self, rows: Any) -> Table:
        """Inputs of rows: a pandas, polars or Arrow frame, a list of dicts, one dict, or a `Frame`.

        Raises ModelError where a column is absent; its name and the nearest ones are said.
        """
        if isinstance(rows, Mapping):
            rows = [rows]
        if isinstance(rows, list | tuple) and not rows:
            rows = [dict.fromkeys(item.name for item in self.columns)]
            return self.encode(rows).take(np.empty(0, dtype=np.int64))
        given = _columns_of(rows)
        self._check(list(given))
        return Table(tuple(column for item in self.columns for column in self._encoded(item, given[item.name])))

    def _encoded(self, wanted: Wanted, values: Any) -> Sequence[Column]:
        values = values() if callable(values) else values
        if wanted.measured:
            return pictures.columns_of(wanted.name, wanted.measured, values)
        return (roles.conformed(wanted.name, wanted.role, wanted.reading, values),)

    def placed(self, frame: Frame, source: Any) -> Frame:
        """A frame that was read from a source: its paths of pictures as they lead from there."""
        paths = {item.name for item in self.columns if item.measured}
        base = file_sources.base_of(source)
        columns = [
            _words(column.name, [file_sources.placed(cell, base) for cell in column.strings()])
            if column.name in paths
            else column
            for column in frame.columns
        ]
        return replace(frame, columns=tuple(columns)) if paths else frame

    def _check(self, names: Sequence[str]) -> None:
        known = set(names)
        absent = [item.name for item in self.columns if item.name not in known]
        if not absent:
            return
        near = difflib.get_close_matches(absent[0], names, n=3, cutoff=0.5)
        near += [name for name in names if name.lower() == absent[0].lower() and name not in near]
        hint = " Did you mean " + " or ".join(map(repr, near)) + "?" if near else ""
        more = f" ({len(absent)} are missing: {', '.join(map(repr, absent[:6]))})" if len(absent) > 1 else ""
        raise ModelError(
            f"The column {absent[0]!r} is missing from the rows{more}. The model needs {len(self.columns)} columns; a "
            f"value may be empty, but its column must be there.{hint}"
        )

    def decode(self, predictions: np.ndarray, inputs: Any) -> Any:
        return as_frame(predictions, self.target, self.classes, self.written)

    def records(self, predictions: np.ndarray, inputs: Any) -> list[dict[str, Any]]:
        return as_records(predictions, self.target, self.classes, self.written)

    def row_schema(self) -> dict[str, Any]:
        return schemas.row({item.name: _schema(item) for item in self.columns}, [item.name for item in self.columns])

    def answer_schema(self) -> dict[str, Any]:
        return schemas.answer(self.target, self.classes, self.written)

    def usual(self) -> Mapping[str, Any]:
        """Empty for models that were saved before this was kept."""
        known = {item.name: item.usual for item in self.columns}
        return known if any(value is not None for value in known.values()) else {}

    def onnx(self, graph: Graph) -> None:
        drawn.declare(graph, [(item.name, item.role) for item in self.columns])

    def fed(self, inputs: Any) -> dict[str, np.ndarray]:
        return drawn.feed(inputs)

    def labels(self) -> Sequence[Any]:
        return list(as_written(self.classes, self.written)) if self.classes else ()

    def batches(self, source: Any, size: int) -> Iterator[Any]:
        """Rows of a source, see `Codec.batches`. A file may be written otherwise than the training table was: its own
        style (a decimal comma, another order of day and month) is found on its first batch and holds for all."""
        styles: dict[str, parsing.Reading] | None = None
        for batch in sources.batches(source, size, {"columns": [item.name for item in self.columns]}):
            if isinstance(source, str | Path):
                styles = self._other_styles(batch) if styles is None else styles
                batch = batch.assign(**{name: _read_as(batch[name], style) for name, style in styles.items()})
                paths = [item.name for item in self.columns if item.measured and item.name in batch]
                base = file_sources.base_of(source)
                placed = {name: [file_sources.placed(cell, base) for cell in batch[name]] for name in paths}
                batch = batch.assign(**placed)
            yield batch

    def unread(self, rows: Any, inputs: Any) -> Mapping[str, int]:
        cells = _cells_of(rows)
        if cells is None:
            return {}
        absent = {column.part: np.isnan(column.values) for column in inputs.columns if column.role in _READ}
        counts = {name: sum(map(_holds_something, cells(name, where))) for name, where in absent.items() if where.any()}
        return {name: count for name, count in counts.items() if count}

    def _other_styles(self, batch: Any) -> dict[str, parsing.Reading]:
        """How a file writes those columns that it writes otherwise than the training table."""
        styles: dict[str, parsing.Reading] = {}
        for item in self.columns:
            if item.role in ("number", "date") and item.name in batch and batch[item.name].dtype == object:
                cells = [cell for cell in batch[item.name].tolist() if isinstance(cell, str)]
                levels = frames.factorised(cells)[1]
                own = parsing.Reading(item.role, item.reading or ("iso" if item.role == "date" else ""))
                if parsing.explained(levels, own) <= parsing.ENOUGH:
                    style = parsing.guess(levels)
                    styles |= {item.name: style} if style.form == item.role else {}
        return styles


def _cells_of(rows: Any) -> Callable[[str, np.ndarray], list[Any]] | None:
    """What gives the cells of a column in the rows of a mask; None for rows whose cells nobody can look at again."""
    if isinstance(rows, list | tuple):
        named = _columns_of_records(rows)
        return lambda name, where: [cell for cell, this in zip(named[name], where, strict=True) if this]
    if type(rows).__module__.startswith("pandas"):
        places = {name: place for place, name in enumerate(naming.tidied(list(rows.columns)))}
        return lambda name, where: list(rows.iloc[:, places[name]][where].tolist())
    return None


def _holds_something(cell: Any) -> bool:
    if isinstance(cell, str):
        return not (parsing.is_missing(cell.strip()) or parsing.is_gap(cell.strip()))
    return not frames.is_nothing(cell)


def _words(name: str, cells: Sequence[str | None]) -> Raw:
    codes, levels = frames.factorised(cells)
    return Raw(name, "words", codes, tuple(levels))


def _shortened(levels: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        level if len(level) <= SHOWN_LETTERS else f"{level[:SHOWN_LETTERS]}..." for level in levels[:SHOWN_LEVELS]
    )


def _read_as(cells: Any, style: parsing.Reading) -> np.ndarray:
    """The cells of a column in a style, as numbers or dates; missing where they are none."""
    values = parsing.read([cell if isinstance(cell, str) else "" for cell in cells], style)
    return values if style.form == "number" else _moments(values)


def _moments(seconds: np.ndarray) -> np.ndarray:
    """Seconds since 1970 as datetime64, NaT where missing."""
    absent = np.isnan(seconds)
    ticks = np.where(absent, 0, seconds * 1e6).astype(np.int64).astype("datetime64[us]")
    return np.where(absent, np.datetime64("NaT"), ticks)


def _schema(wanted: Wanted) -> dict[str, Any]:
    """How a service takes a column."""
    if wanted.role == "number":
        return schemas.number()
    if wanted.role == "date":
        return schemas.date()
    if wanted.role == "text":
        return schemas.text("A text.")
    if wanted.measured:
        return schemas.file_or_nothing("A picture as a data: address in base64; null where there is none.")
    shown = ", ".join(wanted.levels[:SHOWN_IN_WORDS]) + (", ..." if len(wanted.levels) > SHOWN_IN_WORDS else "")
    return schemas.level(f"Such as {shown}; others are taken too." if shown else "")


def _usual(column: Column) -> Any:
    """The value in the middle, as it stands in a row; the most frequent level; None of texts, and where none is
    known."""
    if column.role == "text":
        return None
    known = column.values[~np.isnan(column.values)] if column.values.dtype.kind == "f" else column.values
    if column.values.dtype.kind == "f":
        return _shown(replace(column, values=np.sort(known)), (len(known) - 1) // 2) if len(known) else None
    known = known[known >= 0]
    return _shown(replace(column, values=np.array([np.bincount(known).argmax()])), 0) if len(known) else None


def _shown(column: Column, row: int) -> Any:
    """One cell as JSON holds it."""
    value = column.values[row]
    if column.values.dtype.kind != "f":
        return None if value < 0 else column.levels[int(value)]
    if np.isnan(value):
        return None
    if column.role == "date":
        return str(np.datetime64(int(value), "s"))
    return int(value) if value == int(value) and abs(value) < 1e15 else float(value)


def _columns_of(rows: Any) -> Mapping[str, Any]:
    """The columns of rows in any shape: arrays, lists, or functions that make them."""
    if isinstance(rows, Frame):
        return {column.name: _from_raw(column) for column in rows.columns}
    if isinstance(rows, list | tuple):
        return _columns_of_records(rows)
    return _columns_of_frame(rows)


def _from_raw(column: Raw) -> Any:
    if column.form == "words":
        return column.strings()
    if column.form == "number":
        return column.values
    return _moments(column.values)


def _columns_of_records(rows: Sequence[Any]) -> Mapping[str, Any]:
    if not all(isinstance(row, Mapping) for row in rows):
        raise ModelError("Rows must be a frame or a list of dicts, one a row, the columns' names as keys.")
    keys = list(rows[0]) if len(rows) == 1 else list(dict.fromkeys(key for row in rows for key in row))
    return {name: [row.get(key) for row in rows] for key, name in zip(keys, naming.tidied(keys), strict=True)}


def _columns_of_frame(rows: Any) -> Mapping[str, Any]:
    """Columns of a data frame, made only when asked for: what the model does not need costs nothing."""
    if type(rows).__module__.startswith("pandas"):
        return {name: _from_pandas(rows, place) for place, name in enumerate(naming.tidied(list(rows.columns)))}
    import narwhals as nw

    try:
        table = nw.from_native(frames.whole_table(frames.named_apart(rows)[0]), eager_only=True)
    except TypeError as error:
        raise ModelError(
            f"A {type(rows).__name__} holds no rows. Give a pandas, polars or Arrow frame, or a list of dicts."
        ) from error
    return {str(name): _from_series(table, name) for name in table.columns}


def _from_pandas(rows: Any, place: int) -> Any:
    def values() -> Any:
        array = rows.iloc[:, place]
        kind = getattr(array.dtype, "kind", "O")
        if kind == "M" and getattr(array.dtype, "tz", None) is not None:
            array = array.dt.tz_convert("UTC").dt.tz_localize(None)
        return array.to_numpy() if isinstance(array.dtype, np.dtype) or kind == "M" else list(array)

    return values


def _from_series(table: Any, name: str) -> Any:
    import narwhals as nw

    def values() -> Any:
        series = table[name]
        return series.cast(nw.Float64).to_numpy() if series.dtype.is_numeric() else series.to_list()

    return values
