"""PURE: what comes again with the hour, the day, the month, and what events do, in words: from the series alone.

Needs that this module answers:

* A step is measured by the mean of one season around it, so that growth is no season, and large series weigh as much
  as small ones.
* Nothing that luck also yields: all series share their moments, so that one turn of the season (a week, a year) is one
  observation, and each position is held against the number of all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.judge.stats import t_quantile, t_tail
from deepenough.kinds.forecast.grid import Series
from deepenough.kinds.forecast.steps import DAY, Step

FEWEST_TURNS = 4
"""Of fewer weeks or years nothing is said."""
FEWEST_EVENTS = 3
"""Turns in which an event takes place, at least."""
RARE = 1 / 3
"""What holds for a larger share of the time is no event."""
DAYS = tuple(f"on {day}s" for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"))
QUARTERS = ("in the first quarter", "in the second quarter", "in the third quarter", "in the fourth quarter")
MONTHS = (
    *("in January", "in February", "in March", "in April", "in May", "in June"),
    *("in July", "in August", "in September", "in October", "in November", "in December"),
)
NOTHING = 1e-9
"""A smaller share is what sums of floats leave."""
MOST_SERIES = 500
MOST_COVARIATES = 20


@dataclass(frozen=True)
class Cycle:
    """Something that comes again. words: of what its positions are. length: steps of one turn. labels: of positions."""

    words: str
    length: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Position:
    """How far values lie above what is usual around them, as a share; a bound each way for all that was looked at."""

    label: str
    value: float
    low: float
    high: float
    p: float


def cycles(step: Step, season: int) -> list[Cycle]:
    """What may come again with such steps."""
    if step.unit == "number":
        return (
            [Cycle("step of the season", season, tuple(f"at step {place}" for place in range(1, season + 1)))]
            if season > 1
            else []
        )
    found = []
    seconds = step.size if step.unit == "seconds" else math.inf
    if seconds < DAY and DAY % seconds == 0:
        found.append(Cycle("hour of the day", round(DAY / seconds), tuple(f"at {hour}:00" for hour in range(24))))
    if step.unit == "business" or (seconds <= DAY and DAY % seconds == 0):
        turn = 5 if step.unit == "business" else round(7 * DAY / seconds)
        found.append(Cycle("day of the week", turn, DAYS))
    a_year = {"months": 12 / step.size, "business": 261.0}.get(step.unit, 365.25 * DAY / step.size)
    if a_year >= 4:
        what, labels = ("quarter", QUARTERS) if step.unit == "months" and step.size == 3 else ("month", MONTHS)
        found.append(Cycle(f"{what} of the year", round(a_year), labels))
    return found


def found(
    series: Sequence[Series],
    step: Step,
    season: int,
    names: Sequence[str],
    target: str,
    alpha: float,
    zoned: bool = False,
) -> Iterator[dict[str, Any]]:
    """Seasons, then events among the covariates of two values, each with its sentence and what it rests on.

    season: steps of the main one; 0 for none. names: of the covariates. alpha: of all that is looked at. zoned: whether
    moments named zones, so that hours and days are not those of where it happened.
    """
    known = cycles(step, season)
    events = _events(series, names)
    looked_at = max(len(known) + bool(events), 1)
    for cycle in known:
        positions = by_position(series, step, cycle, alpha / looked_at)
        sure = [position for position in positions if position.p <= alpha / looked_at]
        if sure:
            utc = " Hours and days are those of UTC." if zoned and step.unit == "seconds" and step.size < DAY else ""
            yield {"about": "season", "sentence": _season(cycle, positions, sure, target) + utc} | {
                "cycle": cycle.words,
                "positions": [vars(position) for position in positions],
            }
    for place, name in events:
        told = of_event(series, step, known, place, alpha / looked_at / len(events))
        if told is not None and told.p <= alpha / looked_at / len(events):
            sentence = f"When {name}, {target} is {_far(told)} what is usual around it then."
            yield {"about": "event", "sentence": sentence} | vars(told) | {"label": name}


def by_position(series: Sequence[Series], step: Step, cycle: Cycle, alpha: float) -> list[Position]:
    """How far values lie above the usual at each position that enough turns have, in its order.

    Bounds and p are those for as many positions as there are; `alpha` is missed by all of them together.
    """
    places, away = _together(series, cycle.length)
    if not len(places):
        return []
    label, turn = _where(step.times(places), places, cycle)
    table = [_by_turn(away[label == own], turn[label == own]) for own in range(len(cycle.labels))]
    able = [own for own, means in enumerate(table) if len(means) >= FEWEST_TURNS]
    return [_position(cycle.labels[own], table[own], alpha, len(able)) for own in able]


def of_event(series: Sequence[Series], step: Step, known: Sequence[Cycle], place: int, alpha: float) -> Position | None:
    """How far values lie above what is usual at such a position while a covariate of two values holds the higher one;
    None where too few turns have it."""
    length = min((cycle.length for cycle in known), default=7)
    every = [own for own in series[:MOST_SERIES] if len(own.values) >= 2 * length]
    parts = [(own.first + np.arange(len(own.values)), _away(own.values, length), _on(own, place)) for own in every]
    if not parts:
        return None
    places, away, on = (np.concatenate(each) for each in zip(*parts, strict=True))
    there = np.isfinite(away) & np.isfinite(on)
    places, away, on = places[there], away[there], on[there] > 0
    if not 0 < on.mean() <= RARE:
        return None
    usual = np.zeros(len(away))
    for cycle in known:
        label, _ = _where(step.times(places), places, cycle)
        own = away - usual
        counts = np.bincount(label[~on], minlength=len(cycle.labels))
        means = np.bincount(label[~on], weights=own[~on], minlength=len(cycle.labels)) / np.maximum(counts, 1)
        usual += means[label]
    means = _by_turn((away - usual)[on], places[on] // max(length, 1))
    return _position("", means, alpha, 1) if len(means) >= FEWEST_EVENTS else None


def _events(series: Sequence[Series], names: Sequence[str]) -> list[tuple[int, str]]:
    """Covariates that hold 0 and 1 and nothing else, by place and as a person says that they hold 1."""
    events = []
    for place, name in enumerate(names[:MOST_COVARIATES]):
        held = np.concatenate([own.covariates[:, place] for own in series[:MOST_SERIES]])
        if set(np.unique(held[np.isfinite(held)]).tolist()) == {0.0, 1.0}:
            events.append((place, f"{name.replace('=', ' is ')}" if "=" in name else f"{name} is 1"))
    return events


def _on(own: Series, place: int) -> np.ndarray:
    return own.covariates[: len(own.values), place]


def _together(series: Sequence[Series], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Of all series that are long enough, the place of each step and how far it lies above the usual around it."""
    parts = [
        (own.first + np.arange(len(own.values)), _away(own.values, length))
        for own in series[:MOST_SERIES]
        if len(own.values) >= 2 * length
    ]
    if not parts:
        return np.empty(0, dtype=np.int64), np.empty(0)
    places, away = (np.concatenate(each) for each in zip(*parts, strict=True))
    return places[np.isfinite(away)], away[np.isfinite(away)]


def _away(values: np.ndarray, length: int) -> np.ndarray:
    """How far each value lies above the mean of one turn around it, as a share of that mean, or where values fall below
    zero of their mean size; NaN near the ends and where there is none."""
    weights = np.ones(length) if length % 2 else np.r_[0.5, np.ones(length - 1), 0.5]
    known = np.isfinite(values)
    reach = len(weights) // 2
    counts = np.convolve(known, weights, mode="valid")
    sums = np.convolve(np.where(known, values, 0.0), weights, mode="valid")
    around = np.full(len(values), np.nan)
    around[reach : len(values) - reach] = np.where(counts >= 0.75 * length, sums / np.maximum(counts, 1e-12), np.nan)
    size = np.where(around > 0, around, np.nan)
    if np.nanmin(values) < 0:
        size = np.full(len(values), np.nanmean(np.abs(values)))
    away = np.asarray((values - around) / size)
    return np.where(np.abs(away) < NOTHING, 0.0, away)  # of series that never change only rounding is left


def _where(times: np.ndarray, places: np.ndarray, cycle: Cycle) -> tuple[np.ndarray, np.ndarray]:
    """Position and turn of each step."""
    if cycle.words.startswith("step"):
        return places % cycle.length, places // cycle.length
    days = np.floor_divide(times, DAY).astype(np.int64)
    if cycle.words.startswith("hour"):
        return (np.floor_divide(times, 3600).astype(np.int64) % 24), days
    if cycle.words.startswith("day"):
        return (days + 3) % 7, (days + 3) // 7  # 1970 began on a Thursday
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return (months % 12) // (12 // len(cycle.labels)), months // 12


def _by_turn(away: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """The mean of each turn: what series share in a moment is one observation."""
    _, code = np.unique(turn, return_inverse=True)
    return np.bincount(code, weights=away) / np.bincount(code) if len(away) else np.empty(0)


def _position(label: str, means: np.ndarray, alpha: float, of: int) -> Position:
    """By Student's t over turns; p and bounds are for one of so many."""
    df, value = len(means) - 1.0, float(means.mean())
    error = float(means.std(ddof=1)) / math.sqrt(len(means))
    if error <= 0:
        return Position(label, value, value, value, 0.0 if value else 1.0)
    width = t_quantile(alpha / (2 * of), df) * error
    p = min(1.0, 2 * of * t_tail(abs(value) / error, df))
    return Position(label, value, value - width, value + width, p)


def _season(cycle: Cycle, every: Sequence[Position], sure: Sequence[Position], target: str) -> str:
    """The highest and the lowest of what is sure; called so where no position that is not sure lies further out."""
    top, bottom = max(sure, key=lambda own: own.value), min(sure, key=lambda own: own.value)
    high = "highest" if top.value >= max(own.value for own in every) else "surely high"
    low = "lowest" if bottom.value <= min(own.value for own in every) else "surely low"
    around = "what is usual around it"
    said = [f"{high} {top.label} ({_far(top)} {around})"] if top.value > 0 else []
    if bottom.value < 0:
        said.append(f"{low} {bottom.label} ({_far(bottom)} {'it' if said else around})")
    return f"By {cycle.words}, {target} is {' and '.join(said)}."


def _far(own: Position) -> str:
    low, high = sorted((abs(100 * own.low), abs(100 * own.high)))
    return f"{abs(100 * own.value):.3g} % ({low:.3g} to {high:.3g} %) {'above' if own.value > 0 else 'below'}"
