"""From what was recorded to series of one pace: lists as they are, rows sorted by time and put on a grid of steps.

Needs that this module answers:

* Rows come unsorted, doubled, with gaps and at uneven times: each step of a series has one value or none.
* The same way leads from the rows that a saved model is asked about to its inputs.
* Very long series are averaged down by a whole number of steps, the same for all, and cut to their latest steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from deepenough.kinds.series.inputs import Signals

MOST_STEPS = 5_000
"""Steps of a series that a model sees at most."""
MOST_VALUES = 20_000_000
"""Numbers of all series together, shorter ones filled up to the longest: 160 MB."""
USUAL = 0.95
"""So large a share of the series decides how many steps are averaged; what is still longer is cut to its end."""
WASTED = 4.0
"""Where a grid would hold so many times as many steps as there are rows, rows are taken as they follow each other."""
MONTH = 30.436875 * 86_400
LEAST_MONTH, MOST_MONTHS = 27.5 * 86_400, 366.5 * 86_400
"""Dates that are so far apart follow the calendar."""
OFF = 0.05
"""Share of a step that a time may be off the grid, and of rows that may be."""


@dataclass(frozen=True)
class Recording:
    """How series are read, learnt from those that were raced.

    form: `lists` (a row is a series, its cells hold the steps) or `rows` (a row is one step of a series).
    channels: columns of the values. ids: columns that tell series apart. time: column that orders rows; empty: none.
    whole_ids: whether ids are numbers. time_form: `date` or `number`. readings: by column, how its strings are read.
    written: of times that are numbers, what they stand for (see `numbered`); empty: for themselves.
    step: seconds, or units of the time, from one step to the next; 0: rows count as they follow each other.
    months: of the calendar a step, where it is so long; else 0.
    factor: so many steps are averaged into one.
    """

    form: str
    channels: tuple[str, ...]
    ids: tuple[str, ...] = ()
    time: str = ""
    whole_ids: bool = False
    time_form: str = "number"
    readings: Mapping[str, str] = field(default_factory=dict)
    step: float = 0.0
    months: int = 0
    factor: int = 1
    written: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Itself again."""
        return cls(**{**facts, "channels": tuple(facts["channels"]), "ids": tuple(facts["ids"])})


@dataclass(frozen=True)
class Steps:
    """Rows in the order of their series and times.

    order: of the rows. series: int per ordered row, ascending. times: per ordered row.
    """

    order: np.ndarray
    series: np.ndarray
    times: np.ndarray

    @classmethod
    def of(cls, series: np.ndarray, times: np.ndarray) -> Self:
        """Sorted; rows of equal times keep their order."""
        order = np.lexsort((times, series))
        return cls(order, series[order], times[order])

    @property
    def starts(self) -> np.ndarray:
        """Where each series begins; series are 0..n-1 and each has a row."""
        return np.flatnonzero(np.append(True, self.series[1:] != self.series[:-1]))


@dataclass(frozen=True)
class Pace:
    """The common step of series, and how well they keep it.

    off: share of the rows that don't stand on the grid. others: series whose own step is another.
    """

    step: float
    months: int
    off: float
    others: np.ndarray


def pace(steps: Steps, are_dates: bool) -> Pace:
    """The step that most series keep; 0 where rows are best taken as they follow each other."""
    apart = np.diff(steps.times)
    inside = (steps.series[1:] == steps.series[:-1]) & (apart > 0)
    if not inside.any():
        return Pace(0.0, 0, 0.0, np.empty(0, dtype=np.int64))
    owners, apart = steps.series[1:][inside], apart[inside]
    order = np.lexsort((apart, owners))
    owners, apart = owners[order], apart[order]
    known, first, counts = np.unique(owners, return_index=True, return_counts=True)
    own = apart[first + (counts - 1) // 2]
    step = float(np.quantile(own, 0.5, method="lower"))
    months = round(step / MONTH) if are_dates and LEAST_MONTH <= step <= MOST_MONTHS else 0
    others = known[(own < step / 1.5) | (own > 1.5 * step)]
    spots = positions(steps, step, months)
    starts = steps.starts
    ends = np.append(starts[1:], len(spots)) - 1
    if (spots[ends] + 1.0).sum() > WASTED * len(spots):
        return Pace(0.0, 0, 1.0, others)
    exact = (steps.times - steps.times[starts][steps.series]) / step
    off = 0.0 if months else float(np.mean(np.abs(exact - np.rint(exact)) > OFF))
    return Pace(step, months, off, others)


def positions(steps: Steps, step: float, months: int) -> np.ndarray:
    """The place of each ordered row on its series' grid, from 0; int64."""
    starts = steps.starts
    if step <= 0:
        return np.asarray(np.arange(len(steps.series)) - starts[steps.series], dtype=np.int64)
    if months:
        calendar = steps.times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
        return np.asarray((calendar - calendar[starts][steps.series]) // months, dtype=np.int64)
    away = np.round((steps.times - steps.times[starts][steps.series]) / step, 4)
    spots = np.floor(away + 0.5)  # halves all go up: to the even one they would meet in pairs
    return np.asarray(np.minimum(spots, 2.0**40), dtype=np.int64)


def gridded(steps: Steps, values: np.ndarray, recording: Recording) -> tuple[list[np.ndarray], int]:
    """Each series, float64 of shape (channels, length), and how many rows shared their step with another.

    values: of all rows in the source's order, shape (rows, channels). Rows of one step are averaged.
    """
    starts, values = steps.starts, values[steps.order]
    spots = positions(steps, recording.step, recording.months)
    ends = np.append(starts[1:], len(spots))
    last = spots[ends - 1] if len(ends) else spots[:0]
    if (last + 1.0).sum() > 10 * WASTED * len(spots) + MOST_STEPS:  # a single far-off time, in rows to predict
        spots = positions(steps, 0.0, 0)
        last = spots[ends - 1]
    offsets = np.concatenate([[0], np.cumsum(last + 1)])
    places = offsets[steps.series] + spots
    total = np.zeros((values.shape[1], int(offsets[-1])))
    for channel, column in enumerate(values.T):
        known = np.isfinite(column)
        counts = np.bincount(places[known], minlength=total.shape[1])
        sums = np.bincount(places[known], column[known], minlength=total.shape[1])
        total[channel] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return np.split(total, offsets[1:-1], axis=1), len(places) - len(np.unique(places))


def factor_for(lengths: np.ndarray, channels: int) -> int:
    """How many steps are averaged into one, so that usual series have no more than `MOST_STEPS`, and all fit."""
    usual = float(np.quantile(lengths, USUAL, method="higher")) if len(lengths) else 1.0
    factor = max(1, int(np.ceil(usual / MOST_STEPS)))
    longest = min(float(lengths.max(initial=1)), factor * MOST_STEPS)
    return max(factor, int(np.ceil(longest * len(lengths) * channels / MOST_VALUES)))


def stacked(series: Sequence[np.ndarray], recording: Recording, names: Sequence[str] = ()) -> Signals:
    """Series of shape (channels, length) as one array; long ones averaged, and cut to their latest steps."""
    short = [averaged(each, recording.factor)[:, -MOST_STEPS:] for each in series]
    longest = max(1, max((each.shape[1] for each in short), default=1))
    values = np.full((len(short), len(recording.channels), longest), np.nan)
    for place, each in enumerate(short):
        values[place, :, : each.shape[1]] = each
    return Signals(values, recording.channels, tuple(names))


def averaged(values: np.ndarray, factor: int) -> np.ndarray:
    """Means of so many steps at a time, of what is known of them; shape (..., length) -> (..., length / factor)."""
    if factor <= 1:
        return values
    length = -(-values.shape[-1] // factor)
    whole = np.full((*values.shape[:-1], length * factor), np.nan)
    whole[..., : values.shape[-1]] = values
    parts = whole.reshape(*values.shape[:-1], length, factor)
    counts = np.isfinite(parts).sum(axis=-1)
    return np.asarray(np.where(counts > 0, np.nansum(parts, axis=-1) / np.maximum(counts, 1), np.nan))


def together(channels: Sequence[np.ndarray]) -> np.ndarray:
    """The channels of one series, a shorter one missing at its end; shape (channels, length)."""
    length = max((len(channel) for channel in channels), default=0)
    whole = np.full((len(channels), length), np.nan)
    for place, channel in enumerate(channels):
        whole[place, : len(channel)] = channel
    return whole
