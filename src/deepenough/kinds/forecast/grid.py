"""From rows to series on a regular grid of time: what was asked, what a step is, what is missing or doubled.

Needs that this module answers:

* Rows come unsorted, doubled, with gaps, over several time zones and changes to summer time: each becomes one value a
  step, or none, and what was done is said by count.
* Series of another frequency than most, or too short to be judged, are set aside by name, never resampled in silence.
* The same way leads from the rows that a saved model is asked about to its inputs, whatever is missing in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from deepenough.errors import OptionError, TargetError
from deepenough.kinds.forecast import clocks, moments
from deepenough.kinds.forecast.steps import HOUR, Step
from deepenough.task.frame import Frame, Raw

MOST_LEVELS = 12
"""A covariate of words becomes a column a level; with more levels it is set aside."""
HARDLY, NEARLY = 0.4, 0.8
"""A series is of another frequency where fewer of the common steps than the one share have a value, and more of its own
steps than the other."""
LONGEST = 20_000
"""Steps of a series that are kept, the latest."""
LEAST_FILLED = 0.1
"""Where fewer of the steps have a value, rows come at no regular step."""
MANY_DOUBLED = 0.01
UNNAMED = "?"
JOINT, INSIDE = " / ", " \u2215 "
"""What stands between the parts of a series' name, and instead of it where a part holds the same."""


@dataclass(frozen=True)
class Series:
    """One series on the grid.

    first: place of its first step. values: float64, shape (length,); NaN where missing.
    covariates: float64, shape (length + ahead, c), also of steps after the last value, where rows of them were given.
    after: of each row that comes after the last value, how many steps after it.
    late: by how much its moments lie after their steps begin, shape (length + ahead,); empty: nowhere.
    """

    name: str
    first: int
    values: np.ndarray
    covariates: np.ndarray
    after: tuple[int, ...] = ()
    late: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def last(self) -> int:
        """Place of its last value."""
        return self.first + len(self.values) - 1


@dataclass(frozen=True)
class Columns:
    """Which columns are what, and how covariates are read.

    time, target: names. series: names of the columns that tell series apart. known, past: names of covariates as given.
    levels: of each covariate of words its levels, which become a column each. reading: of times that are numbers.
    none: whether an empty cell of a covariate of words is none of its levels; earlier models took it for unknown.
    rare: of the known covariates of numbers those that most rows leave empty, as where events are.
    as_it_stands: whether what tells series apart is read so; earlier models read its numbers and dates.
    """

    time: str
    target: str
    series: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reading: str = ""
    none: bool = False
    rare: tuple[str, ...] = ()
    as_it_stands: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """The columns that are read as they stand."""
        return self.series if self.as_it_stands else ()

    def named(self, names: Sequence[str]) -> tuple[str, ...]:
        """Names of the columns of numbers that these covariates become."""
        return tuple(
            f"{name}={level}" if level is not None else name
            for name in names
            for level in self.levels.get(name, (None,))
        )

    def matrix(self, frame: Frame) -> np.ndarray:
        """The covariates of all rows, shape (rows, c); NaN where missing."""
        columns = []
        for name in (*self.known, *self.past):
            raw = frame.column(name, "--known")
            if name in self.levels:
                words, empty = raw.strings(), 0.0 if self.none else np.nan
                columns += [
                    np.array([empty if w is None else float(w == level) for w in words]) for level in self.levels[name]
                ]
            elif raw.form == "words" and raw.reading != "logical":
                columns.append(np.full(frame.rows, np.nan))
            else:
                columns.append(_plain(raw))
        return np.stack(columns, axis=1) if columns else np.zeros((frame.rows, 0))


@dataclass
class Said:
    """What was decided on the way."""

    notes: list[str] = field(default_factory=list)
    set_aside: list[dict[str, str]] = field(default_factory=list)
    flags: list[dict[str, str]] = field(default_factory=list)


def keys_of(frame: Frame, names: Sequence[str]) -> list[str]:
    """The name of each row's series; empty where there is one only."""
    if not names:
        return [""] * frame.rows
    columns = [frame.column(name, "--series").strings() for name in names]
    if len(names) == 1:
        return [text if text is not None else UNNAMED for text in columns[0]]
    parts = [[UNNAMED if text is None else text.replace(JOINT, INSIDE) for text in column] for column in columns]
    return [JOINT.join(cells) for cells in zip(*parts, strict=True)]


def parts_of(name: str, count: int) -> list[str]:
    """What stood in each of so many columns that tell series apart, of a series' name."""
    return [name] if count == 1 else [part.replace(INSIDE, JOINT) for part in name.split(JOINT)]


def read(frame: Frame, columns: Columns, said: Said, step: Step | None = None) -> tuple[Step, list[Series]]:
    """The series of a frame, in the order of their names, and what a step is.

    Series of another frequency, and those without a value, are set aside.
    step: that of a trained model; None: found here.
    """
    times, keys = moments.times(frame, columns.time, columns.reading), keys_of(frame, columns.series)
    target = frame.column(columns.target) if columns.target in frame.names else None
    values = _numbers(target, columns.target) if target is not None else np.full(frame.rows, np.nan)
    covariates = columns.matrix(frame)
    known = ~np.isnan(times)
    if not known.all():
        said.notes.append(f"{int((~known).sum()):,} rows have no {columns.time!r} and are set aside.")
    rows_of: dict[str, list[int]] = {}
    for row in np.flatnonzero(known).tolist():
        rows_of.setdefault(keys[row], []).append(row)
    groups = {name: np.array(rows, dtype=np.int64) for name, rows in sorted(rows_of.items())}
    if not groups:
        raise OptionError(f"No row has a {columns.time!r}: nothing can be put in order.")
    sorted_before = all((np.diff(times[rows]) >= 0).all() for rows in groups.values())
    if not sorted_before:
        said.notes.append("Rows were not in the order of time, and were sorted.")
    groups = {name: rows[np.argsort(times[rows], kind="stable")] for name, rows in groups.items()}
    dated = moments.are_dates(frame, columns.time, columns.reading)
    if step is None:
        zoned = moments.are_zoned(frame, columns.time)
        step = Step.of([np.unique(times[rows]) for rows in groups.values()], dated, zoned)
        if step.unit == "seconds" and step.size <= 0:
            raise OptionError(f"The moments in {columns.time!r} are less than a microsecond apart: give plain numbers.")
        groups = dict(_of_one_frequency(groups, times, step, dated, said, "most series in"))
    else:
        groups = dict(_of_one_frequency(groups, times, step, dated, said, "the model forecasts"))
    made, doubled, cut = [], 0, 0
    for name, rows in groups.items():
        places = step.places(times[rows])
        series, more, left = _gridded(name, places, values[rows], covariates[rows])
        doubled, cut = doubled + more, cut + left
        if series is not None:
            late = clocks.lateness(step, times[rows], places - series.first, len(series.covariates))
            made.append(replace(series, late=late))
        else:
            said.set_aside.append({"name": name, "reason": f"no row has a {columns.target!r}"})
    if cut:
        said.notes.append(
            f"The latest {LONGEST:,} {step.words} of each series are read; {cut:,} earlier values are not."
        )
    _say_doubled(doubled, frame.rows, columns, step, said)
    return step, made


def _say_doubled(doubled: int, rows: int, columns: Columns, step: Step, said: Said) -> None:
    if not doubled:
        return
    share = doubled / rows
    text = f"{doubled:,} rows ({share:.1%}) share their moment with another row of their series: their mean is taken"
    if share > MANY_DOUBLED:
        hint = "" if columns.series else "; if the rows are of several series, say so with --series"
        said.flags.append({"flag": "doubled_times", "severity": "warn", "reason": text + hint})
    else:
        clocks = ", as where clocks are set back" if step.unit == "seconds" and step.size <= HOUR else ""
        said.notes.append(f"{text}{clocks}.")


def _plain(raw: Raw) -> np.ndarray:
    """Numbers as they are, true as 1 and false as 0; NaN where missing."""
    if raw.reading == "logical":  # where all is true, its code is 0
        told = np.array([*(float(level == "true") for level in raw.levels), np.nan])
        return np.asarray(told[raw.values])
    return np.where(raw.missing, np.nan, raw.values.astype(np.float64))


def _numbers(raw: Raw, name: str) -> np.ndarray:
    if raw.missing.all():
        raise TargetError(f"The target {name!r} is empty: no row has a value, so there is nothing to forecast from.")
    if raw.form == "number" or raw.reading == "logical":
        return _plain(raw)
    shown = ", ".join(repr(level) for level in raw.levels[:3])
    raise TargetError(f"The target {name!r} holds {raw.form} ({shown}), and what is forecast must be a number.")


def _of_one_frequency(
    groups: Mapping[str, np.ndarray], times: np.ndarray, step: Step, dated: bool, said: Said, others: str
) -> Iterator[tuple[str, np.ndarray]]:
    """The series whose steps are the common one, with gaps or not; the others are set aside by name."""
    for name, rows in groups.items():
        own = np.unique(times[rows])
        found = step if len(own) < 4 or _filled(own, step) > HARDLY else Step.of([own], dated)
        if (found.unit, found.size) != (step.unit, step.size) and _filled(own, found) > NEARLY:
            said.set_aside.append({"name": name, "reason": f"rows come in {found.words}, and {others} {step.words}"})
        else:
            yield name, rows


def _filled(times: np.ndarray, step: Step) -> float:
    """The share of steps that have a moment of their own; less where several moments fall into one."""
    places = np.unique(step.places(times))
    return float(min(len(places) / (places[-1] - places[0] + 1), len(places) / len(times)))


def _gridded(
    name: str, places: np.ndarray, values: np.ndarray, covariates: np.ndarray
) -> tuple[Series | None, int, int]:
    """One value a step; how many rows were one too many, and how many values are earlier than what is kept. None for a
    series without a value."""
    present = ~np.isnan(values)
    if not present.any():
        return None, 0, 0
    first, last = int(places[present].min()), int(places[present].max())
    first = max(first, last - LONGEST + 1)
    inside = places >= first
    spots = places[inside] - first
    length, whole = last - first + 1, max(last, int(places.max())) - first + 1
    own = _mean_at(spots[present[inside]], values[inside][present[inside]], length)
    beside = np.full((whole, covariates.shape[1]), np.nan)
    for column in range(covariates.shape[1]):
        cells = covariates[inside, column]
        beside[:, column] = _mean_at(spots[~np.isnan(cells)], cells[~np.isnan(cells)], whole)
    after = tuple((places[places > last] - last).tolist())
    return Series(name, first, own, beside, after), len(spots) - len(np.unique(spots)), int((present & ~inside).sum())


def _mean_at(spots: np.ndarray, values: np.ndarray, length: int) -> np.ndarray:
    """The mean of the values at each spot; NaN where there is none."""
    counts = np.bincount(spots, minlength=length)[:length]
    sums = np.bincount(spots, weights=values, minlength=length)[:length]
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def gaps(series: Sequence[Series]) -> int:
    """Steps without a value within all series."""
    return sum(int(np.isnan(own.values).sum()) for own in series)


def check_regular(series: Sequence[Series], step: Step, columns: Columns, frame: Frame) -> None:
    """Raise OptionError where rows come at no regular step, as single events do; moments far off all others are
    named."""
    steps = sum(len(own.values) for own in series)
    share = 1 - gaps(series) / max(1, steps)
    if steps > 100 and share < LEAST_FILLED:
        far = clocks.far_off(moments.times(frame, columns.time, columns.reading))
        if len(far):
            shown = ", ".join(step.shown(time) for time in far[:3].tolist())
            raise OptionError(
                f"{len(far):,} rows have a {columns.time!r} that lies far off all others ({shown}), with hardly a "
                "value between them. Correct these rows, or leave them out."
            )
        raise OptionError(
            f"The rows come at no regular step: taken as {step.words}, {share:.1%} of them have a value. Add them up "
            f"(or average them) by day, week or month of {columns.time!r} first."
        )


def found_seasons(step: Step, series: Sequence[Series]) -> tuple[int, ...]:
    """Lengths of the seasons, the main one first: those that such steps usually have, if two of them fit into half of
    the series; of plain numbers the lag at which values most resemble themselves, in the half that is not judged."""
    typical = float(np.median([len(own.values) for own in series]))
    usual = tuple(length for length in step.seasons() if 2 * length <= typical)
    if usual or step.unit != "number":
        return usual
    lags = [lag for own in series[:20] if (lag := _resembling_lag(own.values[: len(own.values) // 2]))]
    return (int(np.median(lags)),) if len(lags) > 0.5 * min(20, len(series)) else ()


def _resembling_lag(values: np.ndarray) -> int:
    """The lag above 1 with the highest autocorrelation of what is left without a trend; 0 where none is above .3."""
    n = len(values)
    if n < 24:
        return 0
    steps = np.arange(n)
    filled = np.interp(steps, steps[~np.isnan(values)], values[~np.isnan(values)])
    rest = filled - np.polyval(np.polyfit(steps, filled, 1), steps)
    power = float(rest @ rest)
    if power <= 0:
        return 0
    most = min(n // 3, 400)
    alike = np.array([float(rest[lag:] @ rest[:-lag]) / power for lag in range(1, most)])
    peaks = [lag for lag in range(2, most - 1) if alike[lag - 1] > alike[lag - 2] and alike[lag - 1] >= alike[lag]]
    best = max(peaks, key=lambda lag: alike[lag - 1], default=0)
    return best if best and alike[best - 1] > 0.3 else 0
