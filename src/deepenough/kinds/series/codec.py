"""What a saved model of series accepts, and what it answers.

Needs that this module answers:

* A list of numbers, a dict of them, many of either, a frame with lists in its cells, or rows of steps with their times
  and the columns that tell series apart: each is read as the raced series were.
* Rows of steps are answered by one row a series, with its id; files of them larger than memory are read series by
  series.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.errors import ModelError
from deepenough.kinds import Codec, schemas
from deepenough.kinds.series import cells
from deepenough.kinds.series.inputs import Signals
from deepenough.kinds.series.reading import JOINT
from deepenough.kinds.series.recording import Recording, Steps, gridded, stacked, together
from deepenough.kinds.series.task import SeriesTask
from deepenough.task import frame as frames
from deepenough.task import names as naming
from deepenough.task import parsing
from deepenough.task import source as tables
from deepenough.task.frame import Frame, Raw
from deepenough.task.target import as_frame

SHOWN_STEPS = 20
Columns = Mapping[str, Callable[[], Any]]


@dataclass(frozen=True)
class SeriesCodec(Codec):
    """What a model of series accepts and answers.

    recording: how series are read. target, classes, written, positive: as those of tables.
    """

    recording: Recording
    target: str
    classes: tuple[str, ...] = ()
    written: str = "words"
    positive: str | None = None
    example: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, task: SeriesTask) -> Self:
        """The codec of a task."""
        first, target = task.signals.values[0, :, :SHOWN_STEPS], task.target
        example = {
            name: [None if np.isnan(value) else float(value) for value in channel]
            for name, channel in zip(task.signals.channels, first, strict=True)
        }
        return cls(task.recording, target.name, target.classes, target.written, target.positive, example)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, schema: Mapping[str, Any]) -> Self:
        try:
            recording = Recording.from_json(schema["recording"])
            return cls(**{**schema, "recording": recording, "classes": tuple(schema["classes"])})
        except (KeyError, TypeError) as error:
            raise ModelError(f"The model's schema can't be read: {error}. It was damaged or edited.") from error

    def encode(self, rows: Any) -> Signals:
        """Inputs of a series (a list of numbers), several of them, a dict of lists by channel, a list of such dicts, a
        frame with lists in its cells, or rows of steps.

        Raises ModelError where a column is absent.
        """
        if isinstance(rows, Signals):
            return rows
        if isinstance(rows, Mapping):
            rows = [rows]
        if _is_plain(rows):
            return self._plain(rows)
        columns = _columns_of(rows)
        for name in self.recording.channels:
            self._check(name, list(columns))
        first = [columns[name]() for name in self.recording.channels]
        if self.recording.form == "lists" or _hold_lists(first[0]):
            return self._of_lists(first, columns)
        return self._of_rows(first, columns)

    def _plain(self, rows: Any) -> Signals:
        """One series of numbers, or several; of several channels a list a channel."""
        count = len(self.recording.channels)
        rows = list(rows)
        nested = [isinstance(row, list | tuple | np.ndarray) for row in rows]
        if rows and not any(nested):
            rows = [rows]
        elif not all(nested):
            raise ModelError("Numbers and lists of numbers are mixed. Give one series, or a list of series.")
        deep = [any(isinstance(item, list | tuple | np.ndarray) for item in row[:1]) for row in rows]
        series = [
            [cells.parsed(each)[0] for each in row] if inside else [cells.parsed(row)[0]]
            for row, inside in zip(rows, deep, strict=True)
        ]
        if any(len(each) != count for each in series):
            names = ", ".join(map(repr, self.recording.channels))
            raise ModelError(f"A series must have {count} channels ({names}), a list of numbers for each.")
        return stacked([together(each) for each in series], self.recording)

    def _of_lists(self, channels: Sequence[Any], columns: Columns) -> Signals:
        if self.recording.time in columns and self.recording.step:
            times = columns[self.recording.time]()
            if _hold_lists(times):
                return self._of_rows(*self._one_row_a_step(channels, times, columns))
        parsed = [[cells.parsed(cell)[0] for cell in column] for column in channels]
        series = [together(each) for each in zip(*parsed, strict=True)]
        return stacked(series, self.recording, self._names(columns, len(series)))

    def _one_row_a_step(self, channels: Sequence[Any], times: Any, columns: Columns) -> tuple[Sequence[Any], Columns]:
        """Lists of times and values, a row for each of their steps."""
        counts = [len(time) for time in times]
        names = self._names(columns, len(counts)) or [str(place) for place in range(len(counts))]
        parsed = [[cells.parsed(cell)[0] for cell in column] for column in channels]
        values = [
            np.concatenate(
                [together([one, np.empty(count)])[0, :count] for one, count in zip(each, counts, strict=True)]
            )
            for each in parsed
        ]
        moments = np.concatenate([cells.as_moments(list(time), *self._reading_of_times) for time in times])
        if self.recording.time_form == "date" or self.recording.written:  # so that they are not read twice
            moments = cells.as_datetimes(moments)
        which = np.repeat(np.array(names, dtype=object), counts)
        own = {"\0name": lambda: which, self.recording.time: lambda: moments}
        return values, own

    def _of_rows(self, channels: Sequence[Any], columns: Columns) -> Signals:
        recording = self.recording
        values = np.column_stack(
            [
                cells.as_numbers(_plain_array(column), recording.readings.get(name, ""))
                for name, column in zip(recording.channels, channels, strict=True)
            ]
        )
        names = columns["\0name"]().tolist() if "\0name" in columns else self._names(columns, len(values))
        codes, levels = _coded(names, len(values))
        times = np.arange(len(values), dtype=np.float64)
        if recording.time and recording.step:
            self._check(recording.time, list(columns))
            times = cells.as_moments(_plain_array(columns[recording.time]()), *self._reading_of_times)
        if not len(values):
            return stacked([], recording)
        known = ~np.isnan(times)
        lost = np.setdiff1d(codes, codes[known])
        if len(lost):
            raise ModelError(f"The series {levels[lost[0]]!r} has no {recording.time!r} that can be read in any row.")
        series, _ = gridded(Steps.of(codes[known], times[known]), values[known], recording)
        return stacked(series, recording, levels if names else ())

    @property
    def _reading_of_times(self) -> tuple[str, str, str]:
        recording = self.recording
        return recording.time_form, recording.readings.get(recording.time, ""), recording.written

    def _names(self, columns: Columns, count: int) -> list[str]:
        """What each row's series is called, where the rows say."""
        present = [name for name in self.recording.ids if name in columns]
        if not present:
            return []
        if len(present) < len(self.recording.ids):
            self._check(next(name for name in self.recording.ids if name not in columns), list(columns))
        parts = [[_as_text(value) for value in columns[name]()] for name in present]
        return [JOINT.join(each) for each in zip(*parts, strict=True)]

    def _check(self, name: str, names: Sequence[str]) -> None:
        if name in names:
            return
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise ModelError(f"The column {name!r} is missing from the rows; its cells may be empty.{hint}")

    def decode(self, predictions: np.ndarray, inputs: Any) -> Any:
        answers = as_frame(predictions, self.target, self.classes, self.written)
        if self.recording.form != "rows" or not inputs.names:
            return answers
        names = list(inputs.names)
        if self.recording.whole_ids and all(map(frames.WHOLE.fullmatch, names)):
            names = [int(name.removesuffix(".0")) for name in names]
        called = JOINT.join(self.recording.ids)
        answers.insert(0, called if called not in answers else f"series {called}", names)
        return answers

    def batches(self, source: Any, size: int) -> Iterator[Any]:
        recording = self.recording
        wanted = [*recording.channels, *recording.ids, *filter(None, [recording.time])]
        if not isinstance(source, str | Path):
            if recording.form == "lists" or _is_plain(source):
                yield from tables.batches(source, size)
            else:
                yield source  # a series may have rows anywhere in it
            return
        parts = tables.batches(source, size, {"columns": wanted})
        yield from parts if recording.form == "lists" else self._whole_series(parts)

    def _whole_series(self, parts: Iterator[Any]) -> Iterator[Any]:
        """Batches in which no series is torn. Raises ModelError where rows of one stand far apart."""
        import pandas as pd

        seen: set[str] = set()
        held: Any = None
        for part in parts:
            part = part.set_axis(naming.tidied(list(part.columns)), axis=1)
            whole = part if held is None else pd.concat([held, part], ignore_index=True)
            names = self._names(_columns_of(whole), len(whole))
            if not names or _hold_lists(whole[self.recording.channels[0]].tolist()):
                held = whole
                continue
            is_last = np.array([name == names[-1] for name in names])
            ready, held = whole[~is_last], whole[is_last]
            again = seen.intersection(names)
            if again:
                raise ModelError(
                    f"Rows of the series {sorted(again)[0]!r} stand far apart in the file. Sort it by "
                    f"{' and '.join(self.recording.ids)}, so that a large file can be read series by series."
                )
            seen.update(name for name in names if name != names[-1])
            if len(ready):
                yield ready.reset_index(drop=True)
        if held is not None:
            yield held.reset_index(drop=True)

    def row_schema(self) -> dict[str, Any]:
        recording = self.recording
        fields = {name: schemas.numbers("The series' numbers, in their order.") for name in recording.channels}
        return schemas.row(fields, recording.channels)

    def answer_schema(self) -> dict[str, Any]:
        return schemas.answer(self.target, self.classes, self.written)

    def unread(self, rows: Any, inputs: Any) -> Mapping[str, int]:
        if _is_plain(rows):
            return {}
        columns, counts = _columns_of(rows), {}
        for name in self.recording.channels:
            found = columns[name]()
            if isinstance(found, np.ndarray) and found.dtype.kind in "fiub":
                continue
            counts[name] = sum(cells.parsed(cell)[1] for cell in found if isinstance(cell, str | list | np.ndarray))
        return {name: count for name, count in counts.items() if count}


def _is_plain(rows: Any) -> bool:
    """Whether it is lists or arrays of numbers, without any names."""
    if isinstance(rows, np.ndarray):
        return True
    return isinstance(rows, list | tuple) and not any(isinstance(row, Mapping) for row in rows)


def _hold_lists(cells_of: Any) -> bool:
    """Whether the first cell that holds something holds several values."""
    if isinstance(cells_of, np.ndarray) and cells_of.dtype.kind in "fiubM":
        return False
    first = next((cell for cell in cells_of if not frames.is_nothing(cell)), None)
    return cells.is_listed(first)


def _plain_array(values: Any) -> Any:
    return values if isinstance(values, np.ndarray) else list(values)


def _coded(names: Sequence[str], rows: int) -> tuple[np.ndarray, list[str]]:
    """The series of each row, 0..n-1 as they appear, and their names; one series where rows have none."""
    if not names:
        return np.zeros(rows, dtype=np.int64), [""]
    places: dict[str, int] = {}
    codes = np.array([places.setdefault(name, len(places)) for name in names], dtype=np.int64)
    return codes, list(places)


def _as_text(value: Any) -> str:
    return "" if frames.is_nothing(value) else parsing.as_id(value) or ""


def _columns_of(rows: Any) -> Columns:
    """Functions that give the cells of each column."""
    if isinstance(rows, Frame):
        return {column.name: partial(_from_raw, column) for column in rows.columns}
    if isinstance(rows, list | tuple):
        if not all(isinstance(row, Mapping) for row in rows):
            raise ModelError("Rows must be numbers, a frame, or a list of dicts with the columns' names as keys.")
        keys = list(dict.fromkeys(key for row in rows for key in row))
        return {name: partial(_from_records, rows, key) for key, name in zip(keys, naming.tidied(keys), strict=True)}
    if type(rows).__module__.startswith("pandas"):
        names = naming.tidied(list(rows.columns))
        return {name: partial(_from_pandas, rows, place) for place, name in enumerate(names)}
    import narwhals as nw

    try:
        table = nw.from_native(frames.whole_table(frames.named_apart(rows)[0]), eager_only=True)
    except TypeError as error:
        raise ModelError(
            f"A {type(rows).__name__} holds no series. Give lists of numbers, a frame, or a list of dicts."
        ) from error
    return {str(name): partial(_from_series, table, name) for name in table.columns}


def _from_raw(column: Raw) -> Any:
    return column.strings() if column.form == "words" else column.values


def _from_records(rows: Sequence[Mapping[Any, Any]], key: Any) -> list[Any]:
    return [row.get(key) for row in rows]


def _from_series(table: Any, name: Any) -> list[Any]:
    return list(table[name].to_list())


def _from_pandas(rows: Any, place: int) -> Any:
    column = rows.iloc[:, place]
    kind = getattr(column.dtype, "kind", "O")
    if kind == "M" and getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return column.to_numpy() if isinstance(column.dtype, np.dtype) or kind == "M" else column.tolist()
