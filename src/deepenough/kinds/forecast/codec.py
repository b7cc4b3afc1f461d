"""What a saved model of forecasts accepts, and what it answers.

Needs that this module answers:

* It is given histories, as rows like those that it learnt from, and forecasts each series from its last value on; a
  series that it never saw, or a short one, is a series.
* Rows after the last value hold what is known in advance; where a covariate is missing there, it is said how many.
* The answer is a row a step: the series, the moment, the median under the target's name, and the other quantiles.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from deepenough.errors import InputError, ModelError
from deepenough.kinds import Codec
from deepenough.kinds.forecast import grid
from deepenough.kinds.forecast.grid import Columns, Said, Series
from deepenough.kinds.forecast.inputs import Layout, Windows
from deepenough.kinds.forecast.pool import Pool
from deepenough.kinds.forecast.task import ForecastTask
from deepenough.task import frame as frames
from deepenough.task import source as sources
from deepenough.task.frame import Frame


@dataclass(frozen=True)
class ForecastCodec(Codec):
    """What a model of forecasts accepts and answers.

    columns: which are what. layout: of the windows, as text. dated: whether the time is one of dates.
    """

    columns: Columns
    layout: str
    dated: bool
    example: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(cls, task: ForecastTask) -> Self:
        """The codec of a task."""
        columns, step = task.columns_of, task.step
        first = task.series[0]
        rows: list[dict[str, Any]] = []
        names = dict(zip(columns.series, first.name.split(" / "), strict=False))
        for place in range(min(3, len(first.values))):
            cells = dict(zip((*task.layout.known, *task.layout.past), first.covariates[place].tolist(), strict=True))
            told = {name: None if np.isnan(value) else value for name, value in cells.items() if "=" not in name}
            words = {name: levels[0] for name, levels in columns.levels.items()}
            value = first.values[place]
            moment = step.shown(float(step.times(np.array([first.first + place]))[0]))
            shown = None if np.isnan(value) else float(value)
            rows.append({**names, columns.time: moment, columns.target: shown, **told, **words})
        return cls(columns, task.layout.to_json(), step.unit != "number", tuple(rows))

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

        Raises ModelError where a column is absent, or the rows are of another frequency.
        """
        layout = Layout.from_json(self.layout)
        if isinstance(rows, list | tuple) and not rows:
            return _windows([], layout)
        frame = rows if isinstance(rows, Frame) else frames.from_frame([rows] if isinstance(rows, Mapping) else rows)
        self._check(frame)
        try:
            _, series = grid.read(frame, self.columns, Said(), layout.step)
        except InputError as error:
            raise ModelError(str(error)) from error
        if not series:
            target = self.columns.target
            raise ModelError(f"No row has a {target!r}: give the history, up to the moment to forecast from.")
        self._check_step(series, frame)
        return _windows(series, layout)

    def _check(self, frame: Frame) -> None:
        columns = self.columns
        wanted = (columns.time, columns.target, *columns.series, *columns.known, *columns.past)
        for name in wanted:
            if name not in frame.names:
                near = difflib.get_close_matches(name, frame.names, n=3, cutoff=0.5)
                hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
                raise ModelError(f"The column {name!r} is missing from the rows; a value may be empty.{hint}")
        if (frame.column(columns.time).form == "date") != self.dated:
            expected = "dates" if self.dated else "numbers"
            raise ModelError(f"{columns.time!r} must hold {expected}, as the rows did that the model learnt from.")

    def _check_step(self, series: Sequence[Series], frame: Frame) -> None:
        """Rows of a finer or coarser step than the model's would be forecast as if they were its own."""
        step = Layout.from_json(self.layout).step
        holes = sum(int(np.isnan(own.values).sum()) for own in series)
        steps = sum(len(own.values) for own in series)
        rows = int((~frame.column(self.columns.target).missing).sum())
        if steps > 10 and (holes > 0.7 * steps or rows > 1.7 * (steps - holes)):
            raise ModelError(f"The rows are of another frequency: the model forecasts {step.words}, a row each.")

    def decode(self, predictions: np.ndarray, inputs: Any) -> Any:
        """A pandas frame, one row a series and step."""
        import pandas as pd

        layout, columns = inputs.layout, self.columns
        steps, middle = layout.horizon, len(layout.levels) // 2
        answers: dict[str, Any] = {}
        names = [inputs.names[code] for code in inputs.series.tolist()]
        for place, name in enumerate(columns.series):
            answers[name] = [_part(whole, place, len(columns.series)) for whole in names for _ in range(steps)]
        times = inputs.times_ahead().ravel()
        answers[columns.time] = np.rint(times).astype("datetime64[s]") if self.dated else times
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
            yield sources.read(source)


def _part(name: str, place: int, count: int) -> str:
    parts = name.split(" / ")
    return parts[place] if len(parts) == count else name


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
