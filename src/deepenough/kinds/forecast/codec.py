"""What a saved model of forecasts accepts, and what it answers.

Needs that this module answers:

* It is given histories, as rows like those that it learnt from, and forecasts each series from its last value on; a
  series that it never saw, or a short one, is a series.
* Rows after the last value hold what is known in advance; where a covariate is missing there, it is said how many.
* What gets no answer (a series without a value or of another frequency, rows beyond the horizon) is named.
* The answer is a row a step: the series, the moment, the median under the target's name, and the other quantiles.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.errors import InputError, ModelError
from deepenough.kinds import Codec, schemas
from deepenough.kinds.forecast import grid, moments
from deepenough.kinds.forecast.grid import Columns, Said, Series
from deepenough.kinds.forecast.inputs import Layout, Windows
from deepenough.kinds.forecast.pool import Pool
from deepenough.kinds.forecast.task import ForecastTask, some, whole
from deepenough.task import frame as frames
from deepenough.task.frame import Frame


@dataclass(frozen=True)
class AskedWindows(Windows):
    """Windows of rows that were asked about. unanswered: sentences on those that are in none of them."""

    unanswered: tuple[str, ...] = ()


@dataclass(frozen=True)
class ForecastCodec(Codec):
    """What a model of forecasts accepts and answers.

    columns: which are what. layout: of the windows, as text. dated: whether the time is one of dates.
    """

    columns: Columns
    layout: str
    dated: bool
    example: Sequence[Mapping[str, Any]] = ()

    together: ClassVar[bool] = True

    @classmethod
    def of(cls, task: ForecastTask) -> Self:
        """The codec of a task."""
        return cls(task.columns_of, task.layout.to_json(), task.step.unit != "number", tuple(_example(task)))

    def to_json(self) -> dict[str, Any]:
        facts = asdict(self)
        facts["columns"]["levels"] = {name: list(levels) for name, levels in self.columns.levels.items()}
        return facts

    @classmethod
    def from_json(cls, schema: Mapping[str, Any]) -> Self:
        try:
            told = dict(schema["columns"])
            told = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
            told["levels"] = {name: tuple(levels) for name, levels in told["levels"].items()}
            return cls(Columns(**told), schema["layout"], schema["dated"], tuple(schema["example"]))
        except (KeyError, TypeError) as error:
            raise ModelError(f"The model's schema can't be read: {error}. It was damaged or edited.") from error

    def encode(self, rows: Any) -> Windows:
        """One window a series, from its last known value on. Rows are a frame, a list of dicts, or a `Frame`.

        Raises ModelError where a column is absent, or no series is of the model's frequency.
        """
        layout = Layout.from_json(self.layout)
        if isinstance(rows, list | tuple) and not rows:
            return _windows([], layout)
        frame, said = self._frame(rows), Said()
        self._check(frame)
        try:
            _, series = grid.read(frame, self.columns, said, layout.step)
        except InputError as error:
            raise ModelError(str(error)) from error
        if not series:
            raise _of_another_frequency(layout)
        self._check_step(series, frame)
        windows = _windows(series, layout)
        self._check_ahead(windows, any(step <= layout.horizon for own in series for step in own.after))
        return AskedWindows(**vars(windows), unanswered=(*_aside(said), *_beyond(series, layout)))

    def _frame(self, rows: Any) -> Frame:
        if isinstance(rows, Frame):
            return rows
        return frames.from_frame([rows] if isinstance(rows, Mapping) else rows, ids=self.columns.ids)

    def _check(self, frame: Frame) -> None:
        columns = self.columns
        wanted = (columns.time, columns.target, *columns.series, *columns.known, *columns.past)
        for name in wanted:
            if name not in frame.names:
                near = difflib.get_close_matches(name, frame.names, n=3, cutoff=0.5)
                hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
                raise ModelError(f"The column {name!r} is missing from the rows; a value may be empty.{hint}")
        if moments.are_dates(frame, columns.time, columns.reading) != self.dated:
            expected = "dates" if self.dated else "numbers"
            raise ModelError(f"{columns.time!r} must hold {expected}, as the rows did that the model learnt from.")
        known = ~frame.column(columns.target).missing
        if not (known & ~frame.column(columns.time).missing).any():
            raise ModelError(f"No row has a {columns.target!r}: give the history, up to the moment to forecast from.")

    def _check_step(self, series: Sequence[Series], frame: Frame) -> None:
        """Rows of a finer or coarser step than the model's would be forecast as if they were its own."""
        layout, names = Layout.from_json(self.layout), {own.name for own in series}
        holes = sum(int(np.isnan(own.values).sum()) for own in series)
        steps = sum(len(own.values) for own in series)
        kept = np.array([key in names for key in grid.keys_of(frame, self.columns.series)])
        rows = int((kept & ~frame.column(self.columns.target).missing).sum())
        if (steps > 10 and holes > 0.7 * steps) or rows > max(3, 1.7 * (steps - holes)):
            raise _of_another_frequency(layout)

    def _check_ahead(self, windows: Windows, are_given: bool) -> None:
        """What is known in advance and is given for no step at all was forgotten: a forecast would be blind to it.

        are_given: whether rows of the steps to forecast are there: then empty cells of words, and of what is rarely
        given, say that nothing is to come.
        """
        gone = _named(windows, np.isnan(windows.ahead()).all(axis=(0, 1)))
        may_be_empty = {*self.columns.levels, *self.columns.rare} if are_given else set()
        known = [name for name in self.columns.known if name not in may_be_empty]
        names = [repr(name) for name in known if self.columns.named([name])[0] in gone]
        if names:
            raise ModelError(
                f"{', '.join(names)} must be known in advance: give also the rows of the {windows.layout.horizon:,} "
                f"{windows.layout.step.words} to forecast, with {self.columns.target!r} left empty."
            )

    def decode(self, predictions: np.ndarray, inputs: Any) -> Any:
        """A pandas frame, one row a series and step."""
        import pandas as pd

        layout, columns = inputs.layout, self.columns
        steps, middle = layout.horizon, len(layout.levels) // 2
        if layout.least is not None:  # a spread that was widened may have gone below what never was
            predictions = np.maximum(predictions, layout.least)
        answers: dict[str, Any] = {}
        names = [inputs.names[code] for code in inputs.series.tolist()]
        parts = [grid.parts_of(name, len(columns.series)) for name in names]
        for place, name in enumerate(columns.series):
            answers[name] = [own[place] for own in parts for _ in range(steps)]
        times = inputs.times_ahead().ravel()
        answers[columns.time] = layout.step.dates(times) if self.dated else times
        answers[columns.target] = predictions[:, :, middle].ravel()
        for place, level in enumerate(layout.levels):
            if place != middle:
                answers[f"{columns.target}_{100 * level:g}"] = predictions[:, :, place].ravel()
        return pd.DataFrame(answers)

    def batches(self, source: Any, size: int) -> Iterator[Any]:
        """Everything at once: a forecast needs whole histories."""
        if frames.is_frame(source):
            yield source
        else:
            yield whole(source, ids=self.columns.ids)

    def row_schema(self) -> dict[str, Any]:
        columns = self.columns
        unknown = "A number; null in the rows to forecast."
        fields = {name: schemas.level("Tells series apart.") for name in columns.series}
        fields[columns.time] = {"type": "string", "description": "A date."} if self.dated else {"type": "number"}
        fields[columns.target] = schemas.plain_number(unknown)
        for name in (*columns.known, *columns.past):
            worded = name in columns.levels
            fields[name] = schemas.level() if worded else schemas.plain_number("" if name in columns.known else unknown)
        return schemas.row(fields, list(fields))

    def answer_schema(self) -> dict[str, Any]:
        columns, layout = self.columns, Layout.from_json(self.layout)
        middle = len(layout.levels) // 2
        fields: dict[str, Any] = {name: {"type": "string"} for name in columns.series}
        fields[columns.time] = {"type": "string"} if self.dated else {"type": "number"}
        fields[columns.target] = {"type": "number", "description": "The median."}
        others = [level for place, level in enumerate(layout.levels) if place != middle]
        fields |= {f"{columns.target}_{100 * level:g}": {"type": "number"} for level in others}
        return schemas.row(fields, list(fields))

    def unread(self, rows: Any, inputs: Any) -> Mapping[str, int]:
        """By column, cells that hold something unreadable; of what is known in advance, also steps that lack it."""
        if isinstance(rows, list | tuple) and not rows:
            return {}
        frame, layout = self._frame(rows), inputs.layout
        found = {}
        for name in (*self.columns.known, *self.columns.past):
            column = frame.column(name)
            if name in self.columns.levels:
                words = column.strings()
                found[name] = sum(word is not None and word not in self.columns.levels[name] for word in words)
            elif column.form == "words" and column.reading != "logical":
                found[name] = int((~column.missing).sum())
        absent = np.isnan(inputs.ahead()).sum(axis=(0, 1))
        for name, count in zip(layout.known, absent.tolist(), strict=True):
            own = name.split("=")[0] if name.split("=")[0] in self.columns.levels else name
            if own not in self.columns.rare:
                found[own] = max(found.get(own, 0), count)
        return {name: count for name, count in found.items() if count}

    def unanswered(self, inputs: Any) -> Sequence[str]:
        """Sentences on series and rows that were asked about in vain."""
        return inputs.unanswered if isinstance(inputs, AskedWindows) else ()


def _example(task: ForecastTask) -> Iterator[dict[str, Any]]:
    """A few rows as they may be asked about: three with the target, and what is known in advance of the next."""
    columns, own = task.columns_of, task.series[0]
    names = dict(zip(columns.series, grid.parts_of(own.name, len(columns.series)), strict=False))
    words = {name: levels[0] for name, levels in columns.levels.items()}
    covariates = (*task.layout.known, *task.layout.past)
    for place in range(min(4, len(own.values))):
        late = own.late[place] if len(own.late) else 0.0
        moment = task.step.shown(float(task.step.times(np.array([own.first + place]))[0] + late))
        cells = {name: value for name, value in zip(covariates, own.covariates[place], strict=True) if "=" not in name}
        unknown = (columns.target, *task.layout.past) if place == 3 else ()
        cells[columns.target] = own.values[place]
        told = {name: None if np.isnan(value) or name in unknown else float(value) for name, value in cells.items()}
        yield {**names, columns.time: moment, **told, **words}


def _of_another_frequency(layout: Layout) -> ModelError:
    return ModelError(f"The rows are of another frequency: the model forecasts {layout.step.words}, a row each.")


def _aside(said: Said) -> Iterator[str]:
    """What is said of series that can't be forecast, by the reason."""
    names: dict[str, list[str]] = {}
    for item in said.set_aside:
        names.setdefault(item["reason"], []).append(item["name"])
    for reason, own in names.items():
        yield f"{len(own):,} series {'gets' if len(own) == 1 else 'get'} no answer{some(own)}: {reason}."


def _beyond(series: Sequence[Series], layout: Layout) -> Iterator[str]:
    """What is said of rows that lie further ahead than is forecast."""
    counts = {own.name: sum(step > layout.horizon for step in own.after) for own in series}
    if total := sum(counts.values()):
        names = [name for name, count in counts.items() if count]
        rows = "1 row gets no answer: it lies" if total == 1 else f"{total:,} rows get no answer: they lie"
        reach = f"more than {layout.horizon:,} {layout.step.words} after the last value of"
        yield f"{rows} {reach} their series{some(names)}."


def _named(windows: Windows, which: np.ndarray) -> set[str]:
    return {name for name, this in zip(windows.layout.known, which.tolist(), strict=True) if this}


def _windows(series: Sequence[Series], layout: Layout) -> Windows:
    """One window a series, from its last value on, in the order of their names."""
    if not series:
        nothing = np.empty(0, dtype=np.int64)
        width = len(layout.known) + len(layout.past)
        return Windows(np.empty(0), np.empty(0), np.empty((0, width)), nothing, nothing, nothing, (), layout)
    pool = Pool(series, layout)
    lengths = np.array([len(own.values) for own in series])
    at = pool.begins + lengths - 1
    return pool.windows(at, None).closed()
