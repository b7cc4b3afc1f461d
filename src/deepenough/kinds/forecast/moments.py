"""When each row was: moments that numbers stand for (20240531, 202405, counted from 1970), and days before or after
months.

Needs that this module answers:

* Read as plain numbers they would have holes at each month's end, and no season; so they are told by their digits.
* 02/01 is one of two days; where no day above 12 tells, the one is taken with which the rows come at a regular step.
* How they were read is remembered, so that a saved model reads tomorrow's rows alike.
"""

from __future__ import annotations

import numpy as np

from deepenough.errors import OptionError
from deepenough.kinds import numbered
from deepenough.kinds.forecast.steps import DAY, Step
from deepenough.task.frame import Frame, Raw
from deepenough.task.parsing import IN_UTC

MONTH_FIRST = "dates with the month before the day"


def reading_of(frame: Frame, name: str) -> str:
    """How a column of times is meant, of `numbered.NUMBERS` or `MONTH_FIRST`; empty where nothing is to be said."""
    column = frame.column(name, "--time")
    if column.form == "number":
        return numbered.reading_of(column.values)
    values = np.unique(column.values[~column.missing])
    if column.form == "words" or len(values) < numbered.FEWEST:
        return ""
    return MONTH_FIRST if column.reading.startswith("%m") or _better_swapped(column, values) else ""


def _better_swapped(column: Raw, values: np.ndarray) -> bool:
    """Whether no day is above 12, and the rows come more regularly with days and months exchanged."""
    if not column.reading.startswith("%d") or not (_day(values) <= 12).all():
        return False
    return _filled(np.sort(_swapped(values))) > _filled(values)


def _filled(values: np.ndarray) -> float:
    """The share of steps that have a row."""
    places = Step.of([values], dated=True).places(values)
    return float(len(np.unique(places)) / (places[-1] - places[0] + 1))


def _day(values: np.ndarray) -> np.ndarray:
    days = np.floor(values / DAY).astype("datetime64[D]")
    return np.asarray((days - days.astype("datetime64[M]")).astype(np.int64) + 1)


def _swapped(values: np.ndarray) -> np.ndarray:
    """With days as months and months as days, where both can be; NaN stays NaN."""
    known = np.isfinite(values)
    moments = np.where(known, values, 0.0)
    months = np.floor(moments / DAY).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    day, month, clock = _day(moments), months % 12 + 1, moments - np.floor(moments / DAY) * DAY
    first = (months // 12 * 12 + day - 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return np.where(known & (day <= 12), (first + month - 1) * DAY + clock, values)


def times(frame: Frame, name: str, reading: str) -> np.ndarray:
    """Seconds since 1970, or plain numbers, of the column of times; NaN where it holds none.

    reading: see `reading_of`. Raises OptionError where the column holds neither dates nor numbers.
    """
    column = frame.column(name, "--time")
    if column.form == "words":
        shown = ", ".join(repr(level) for level in column.levels[:3])
        raise OptionError(f"--time {name}: not all are dates or numbers ({shown}, ...). Write them as 2024-05-31.")
    values = column.values.astype(np.float64)
    if column.form == "number":
        return numbered.seconds(values, reading) if reading in numbered.NUMBERS else values
    return _swapped(values) if reading == MONTH_FIRST and column.reading.startswith("%d") else values


def are_dates(frame: Frame, name: str, reading: str) -> bool:
    """Whether the column of times holds dates, however they are written."""
    return frame.column(name, "--time").form == "date" or reading in numbered.NUMBERS


def are_zoned(frame: Frame, name: str) -> bool:
    """Whether moments of the column named zones, and were read in UTC."""
    return any(note.startswith(f"Column {name!r}") and note.endswith(IN_UTC) for note in frame.notes)
