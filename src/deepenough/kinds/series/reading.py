"""Rows of either form as series with what else is known of each: what is read, what is set aside, and why.

Needs that this module answers:

* What is asked of series (the answer, the group, the fold, the weight) must be one value a series; where it changes
  within, it is said how often.
* Whatever was decided on the way is said: doubled times, gaps, uneven steps, series that hold no numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from deepenough.errors import InputError, OptionError, SourceError, TargetError
from deepenough.kinds import numbered
from deepenough.kinds.series import cells, sources
from deepenough.kinds.series.inputs import Signals
from deepenough.kinds.series.recording import (
    MOST_STEPS,
    OFF,
    Recording,
    Steps,
    factor_for,
    gridded,
    pace,
    stacked,
    together,
)
from deepenough.task import frame as frames
from deepenough.task.frame import Frame, Raw
from deepenough.task.parsing import plain_number
from deepenough.task.task import Question

JOINT = " / "
"""Between the parts of a name where several columns tell series apart."""
SHOWN = 5
PLACE = "\0place"
"""A column that says which series a row of the frame is, for as long as rows are set aside."""


@dataclass
class Collected:
    """Series, and what is known of each.

    frame: one row a series, without the series themselves; the last column is `PLACE`.
    aside: {name, reason}. flags: as those of a task.
    """

    signals: Signals
    frame: Frame
    recording: Recording
    notes: list[str] = field(default_factory=list)
    aside: list[dict[str, str]] = field(default_factory=list)
    flags: list[dict[str, str]] = field(default_factory=list)


def collect(frame: Frame, channels: Sequence[str], question: Question, known: Recording | None = None) -> Collected:
    """The series of rows that were read.

    channels: columns whose cells hold series; none where each row is one step. known: how series were read before.
    Raises an InputError where nothing is left of them.
    """
    found = _of_lists(frame, channels, question, known) if channels else _of_rows(frame, question, known)
    _set_aside_empty(found)
    _say_lengths(found, known)
    return found


# --- lists ------------------------------------------------------------------------------------------------------------


def _of_lists(frame: Frame, channels: Sequence[str], question: Question, known: Recording | None) -> Collected:
    ids = tuple(name for name in sources.named(question) if name not in channels)
    parsed = [_parsed(frame.column(name)) for name in channels]
    strange = np.sum([counts for _, counts in parsed], axis=0)
    series = [together(each) for each in zip(*(numbers for numbers, _ in parsed), strict=True)]
    lengths = np.array([[len(numbers) for numbers in each] for each, _ in parsed])
    recording = known
    if recording is None:
        usual = np.array([each.shape[1] for each in series])
        recording = Recording("lists", tuple(channels), ids, factor=factor_for(usual, len(channels)))
    names = _names(frame, ids) if ids else [f"row {place:,}" for place in range(1, frame.rows + 1)]
    others = tuple(column for column in frame.columns if column.name not in channels)
    said = {frames.nested_note(name) for name in channels}  # they are read as what they are, not as text
    notes = tuple(note for note in frame.notes if note not in said)
    kept = replace(frame, columns=(*others, _places(frame.rows)), notes=notes)
    found = Collected(stacked(series, recording, names), kept, recording)
    _say_torn(found, lengths)
    _aside(found, np.flatnonzero(strange), "values that are no numbers", strange)
    found.signals, found.frame = _without(found, np.flatnonzero(strange))
    return found


def _parsed(column: Raw) -> tuple[list[np.ndarray], np.ndarray]:
    """The numbers of each cell, and how many of its values are none."""
    if column.form != "words":
        return [np.array([value]) for value in column.values], np.zeros(len(column.values), dtype=np.int64)
    read = [*(cells.parsed(level) for level in column.levels), (np.empty(0), 0)]
    numbers = [read[code][0] for code in column.values.tolist()]
    return numbers, np.array([read[code][1] for code in column.values.tolist()], dtype=np.int64)


def _say_torn(found: Collected, lengths: np.ndarray) -> None:
    torn = int((lengths != lengths[:1]).any(axis=0).sum())
    if torn:
        found.notes.append(f"{torn:,} series have channels of different lengths; the shorter ones miss their end.")


# --- rows -------------------------------------------------------------------------------------------------------------


def _of_rows(frame: Frame, question: Question, known: Recording | None) -> Collected:
    notes: list[str] = []
    ids = known.ids if known else sources.named(question)
    columns = [frame.column(name, "--series") for name in ids]
    time = frame.column(question.time, "--time") if question.time is not None else None
    written = known.written if known else _written(time, notes)
    times = _times(time, frame.rows, written)
    usable = ~np.isnan(times)
    for column in columns:
        usable &= ~column.missing
    if not usable.all():
        what = f"a {question.time!r} or " if time is not None else ""
        notes.append(f"{int((~usable).sum()):,} rows lack {what}what tells series apart: set aside.")
        if not usable.any():
            raise SourceError(f"No row has {what}a value in {' and '.join(map(repr, ids))}.")
        frame, times = frame.take(np.flatnonzero(usable)), times[usable]
    codes, firsts = _codes([frame.column(name) for name in ids])
    steps = Steps.of(codes, times)
    level, aside, varying = _of_each_series(frame, question, steps, firsts, ids)
    channels = known.channels if known else _channels(frame, question, varying, ids)
    values = np.column_stack([_numbers(frame.column(name), known) for name in channels])
    recording = known or _recorded(frame, ids, time, channels, steps, notes, written)
    series, doubled = gridded(steps, values, recording)
    if known is None:
        lengths = np.array([each.shape[1] for each in series])
        recording = replace(recording, factor=factor_for(lengths, len(channels)))
    _say_rows(series, doubled, recording, notes)
    aside += [
        {"name": name, "reason": "no numbers: a series is made of numbers"} for name in varying if name not in channels
    ]
    names = _names(level, ids)
    return Collected(stacked(series, recording, names), level, recording, notes, aside)


def _numbers(column: Raw, known: Recording | None) -> np.ndarray:
    """The numbers of a channel, read as the raced ones were; NaN where a cell holds none."""
    if column.form == "words":
        return cells.as_numbers(column.strings(), known.readings.get(column.name, "") if known else "")
    return column.values


def _written(column: Raw | None, notes: list[str]) -> str:
    """What times that are numbers stand for, and it is said; empty where they stand for themselves."""
    written = numbered.reading_of(column.values) if column is not None and column.form == "number" else ""
    if column is not None and written:
        notes.append(f"The moments in {column.name!r} were read as {written}.")
    return written


def _times(column: Raw | None, rows: int, written: str = "") -> np.ndarray:
    if column is None:
        return np.arange(rows, dtype=np.float64)
    if column.form == "words":
        raise OptionError(
            f"--time {column.name!r} holds words ({list(column.levels[:2])} ...), and no dates or numbers. "
            "Write its dates like 2024-12-31 10:00."
        )
    return numbered.seconds(column.values, written) if written and column.form == "number" else column.values


def _codes(columns: Sequence[Raw]) -> tuple[np.ndarray, np.ndarray]:
    """The series of each row, 0..n-1 in the order in which they appear, and the first row of each."""
    joint = np.zeros(len(columns[0].values), dtype=np.int64)
    for column in columns:
        found, codes = np.unique(column.values, return_inverse=True)
        joint = np.unique(joint * len(found) + codes, return_inverse=True)[1]
    _, firsts, codes = np.unique(joint, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    return np.argsort(order)[codes].astype(np.int64), firsts[order]


def _of_each_series(
    frame: Frame, question: Question, steps: Steps, firsts: np.ndarray, ids: Sequence[str]
) -> tuple[Frame, list[dict[str, str]], list[str]]:
    """One row a series of what is the same throughout it; what is set aside; and names of columns that change."""
    aside, varying, kept = [], [], []
    dropped = {frame.column(name, "--drop").name for name in question.drop}
    for column in frame.columns:
        if column.name in dropped:
            aside.append({"name": column.name, "reason": "you dropped it"})
        elif column.name in ids:
            kept.append(column.take(firsts))
        elif column.name != question.time:
            changes, value = _one_each(column, steps)
            asked = _asked(column.name, question)
            if asked and changes.any():
                raise _changes(column.name, asked, changes, _names(frame.take(firsts), ids))
            if changes.any():
                varying.append(column.name)
            else:
                kept.append(replace(column, values=value))
    kept.append(_places(len(firsts)))
    return replace(frame, columns=tuple(kept), rows=len(firsts)), aside, varying


def _one_each(column: Raw, steps: Steps) -> tuple[np.ndarray, np.ndarray]:
    """Whether it changes within each series, and its first value there."""
    values, missing = column.values[steps.order], column.missing[steps.order]
    starts, n = steps.starts, int(steps.series[-1]) + 1
    first = values[starts].copy()
    known = np.flatnonzero(~missing)
    owners, place = np.unique(steps.series[known], return_index=True)
    first[owners] = values[known[place]]
    differs = ~missing & (values != first[steps.series])
    return np.bincount(steps.series, differs, minlength=n) > 0, first


def _asked(name: str, question: Question) -> str:
    """The option that names a column of which a series has one value; empty where none does."""
    options = {"--target": question.target, "--group": question.group, "--folds": question.folds}
    return next((option for option, named in {**options, "--weights": question.weights}.items() if named == name), "")


def _changes(name: str, option: str, changes: np.ndarray, names: Sequence[str]) -> InputError:
    which = np.flatnonzero(changes)
    shown = ", ".join(repr(names[place]) for place in which[:3])
    said = (
        f"{option} {name!r} changes within {len(which):,} of {len(changes):,} series ({shown}), but a whole series has "
        "one value of it. "
    )
    if option == "--target":
        return TargetError(said + "To forecast what comes next in it, say how far: --horizon STEPS.")
    return OptionError(said + "Name a column that is the same in all rows of a series.")


def _channels(frame: Frame, question: Question, varying: Sequence[str], ids: Sequence[str]) -> tuple[str, ...]:
    found = tuple(column.name for column in frame.columns if column.name in varying and column.form == "number")
    if not found:
        raise SourceError(
            f"No column of numbers changes within the series that {' and '.join(map(repr, ids))} tells apart. Where a "
            "row is a whole series, leave --series out; where it is one step, look whether the column is the right one."
        )
    return found


def _recorded(
    frame: Frame,
    ids: Sequence[str],
    time: Raw | None,
    channels: tuple[str, ...],
    steps: Steps,
    notes: list[str],
    written: str = "",
) -> Recording:
    """How these rows are read, and what is said of their times."""
    dates = bool(written) or (time is not None and time.form == "date")
    readings = {name: frame.column(name).reading for name in channels}
    whole = len(ids) == 1 and frame.column(ids[0]).are_whole
    base = Recording("rows", channels, tuple(ids), whole_ids=whole, readings=readings)
    if time is None:
        notes.append("No --time was named: rows are taken for steps as they follow each other.")
        return base
    found = pace(steps, dates)
    shown = (
        _counted(str(found.months), "month")
        if found.months
        else _span(found.step)
        if dates
        else plain_number(found.step)
    )
    if not found.step:
        notes.append(f"Times of {time.name!r} are so uneven that rows are taken for steps as they follow each other.")
    elif found.off > OFF:
        notes.append(
            f"Times of {time.name!r} are uneven ({found.off:.0%} of the rows are off any grid): rows are averaged in "
            f"steps of {shown}, and a step without a row is missing."
        )
    else:
        notes.append(f"A step is {shown} of {time.name!r}.")
    if len(found.others) and found.step:
        first = _names(frame.take(steps.order[steps.starts[found.others[:1]]]), ids)[0]
        notes.append(
            f"{len(found.others):,} series ({first!r}, ...) have another step; they are read at the common one."
        )
    return replace(
        base,
        time=time.name,
        time_form="date" if time.form == "date" else "number",
        written=written,
        step=found.step,
        months=found.months,
        readings={**readings, time.name: time.reading},
    )


def _span(seconds: float) -> str:
    size, unit = next(
        (each for each in ((86_400, "day"), (3_600, "hour"), (60, "minute")) if seconds >= each[0]), (1, "second")
    )
    return _counted(f"{seconds / size:.4g}", unit)


def _counted(number: str, unit: str) -> str:
    return f"{number} {unit}" if number == "1" else f"{number} {unit}s"


def _say_rows(series: Sequence[np.ndarray], doubled: int, recording: Recording, notes: list[str]) -> None:
    if doubled:
        notes.append(f"{doubled:,} rows share a step of their series with another row; such rows are averaged.")
    steps = sum(each.shape[1] for each in series)
    empty = sum(int((~np.isfinite(each).any(axis=0)).sum()) for each in series)
    if empty and recording.step:
        notes.append(f"{empty:,} of {steps:,} steps have no row; they count as missing.")


# --- both -------------------------------------------------------------------------------------------------------------


def _places(rows: int) -> Raw:
    return Raw(PLACE, "number", np.arange(rows, dtype=np.float64))


def _names(frame: Frame, ids: Sequence[str]) -> list[str]:
    parts = [frame.column(name, "--series").strings() for name in ids]
    return [JOINT.join(part or "" for part in each) for each in zip(*parts, strict=True)]


def _without(found: Collected, rows: np.ndarray) -> tuple[Signals, Frame]:
    keep = np.setdiff1d(np.arange(len(found.signals)), rows)
    if len(keep) == len(found.signals):
        return found.signals, found.frame
    frame = found.frame.take(keep)
    return found.signals.take(keep), replace(frame, columns=(*frame.columns[:-1], _places(len(keep))))


def _aside(found: Collected, rows: np.ndarray, what: str, counts: np.ndarray | None = None) -> None:
    """Set series aside by name; many of them in one line."""
    if not len(rows):
        return
    names = [found.signals.names[row] for row in rows[:SHOWN].tolist()]
    more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
    of = "" if counts is None else f"{int(counts[rows[0]]):,} " if len(rows) == 1 else ""
    found.aside.append({"name": ", ".join(names) + more, "reason": f"holds {of}{what}" if len(rows) == 1 else what})


def _set_aside_empty(found: Collected) -> None:
    empty = np.flatnonzero(~np.isfinite(found.signals.values).any(axis=(1, 2)))
    if len(empty) == len(found.signals):
        raise SourceError("No series holds any number. Look whether the right columns were named.")
    _aside(found, empty, "no number at all")
    found.signals, found.frame = _without(found, empty)


def _say_lengths(found: Collected, known: Recording | None) -> None:
    lengths, recording = found.signals.lengths, found.recording
    if recording.factor > 1 and known is None:
        found.notes.append(
            f"Series are so long that every {recording.factor} steps are averaged into one; at most the last "
            f"{MOST_STEPS:,} of these are seen."
        )
    if len(np.unique(lengths)) > 1 and known is None:
        shortest, middle, longest = np.quantile(lengths, (0, 0.5, 1)).astype(int).tolist()
        found.notes.append(f"Series have {shortest:,} to {longest:,} steps, half of them up to {middle:,}.")
    with np.errstate(invalid="ignore"):
        low = np.nanmin(np.where(np.isnan(found.signals.values), np.inf, found.signals.values), axis=2)
        high = np.nanmax(np.where(np.isnan(found.signals.values), -np.inf, found.signals.values), axis=2)
    constant = int((low >= high).all(axis=1).sum())
    if constant and known is None:
        found.notes.append(f"{constant:,} series never change.")
