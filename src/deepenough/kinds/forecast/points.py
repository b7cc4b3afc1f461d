"""From learners of one path to quantiles: who learnt from older windows is tried on newer ones, and that is its spread.

Needs that this module answers:

* How far a path is off is seen on windows that it had not learnt from, the latest of the training windows that are not
  inner; it is then learnt again with them, and once more with the inner ones. Older windows reach into newer ones:
  what came after the newer begin is hidden from who is tried on them.
* Where the number of windows allows no such thing, the errors on what was learnt from stand in, widened.
* Windows by the ten thousand are answered in batches, so that memory doesn't grow with them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from deepenough.kinds.answers import SECOND_FIT, are_fitted_twice, fit_twice, outer_rows
from deepenough.kinds.forecast.inputs import Windows
from deepenough.kinds.forecast.lags import age, known_by
from deepenough.kinds.forecast.spread import Spread, bounded, units
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Limits, Model

NEWER_SHARE = 0.25
"""Of the windows to learn from, the latest, on which the spread is seen."""
FEWEST_NEWER = 10
WIDENED = 1.3
"""Errors on what was learnt from are taken so many times."""
MOST_SEEN = 1_000
"""Windows that the spread is seen on: quantiles of more would be the same."""
BATCH = 2_000
"""Windows that are answered at once."""
SHARE_OF_SPREAD = 0.1
"""Of the time, left to see the spread."""


class Points(Protocol):
    """A learnt path. again: seconds of a fit that repeats its choices on as many rows; None: as many as it took."""

    planned: float
    again: float | None

    def paths(self, windows: Windows) -> np.ndarray:
        """One path a window, shape (n, steps)."""

    def save(self, folder: Path) -> None:
        """Write itself, without pickle."""


Learn = Callable[[Examples, np.ndarray, Any], Any]
"""Gets examples, the rows of them to learn from, and what was learnt before, whose choices it repeats (None at first);
gives `Points`."""


class PointsModel(Model):
    """A learnt path, and how far such paths were off."""

    points_class: Any = None

    def __init__(self, points: Any, spread: Spread) -> None:
        self.points, self.spread = points, spread

    def predict(self, inputs: Any) -> np.ndarray:
        if not len(inputs):
            return np.zeros((0, *self.spread.offsets.shape))
        return bounded(self.spread.around(paths_of(self.points, inputs), units(inputs)), inputs.layout.least)

    def save(self, folder: Path) -> None:
        self.points.save(folder)
        write(folder, "spread", {"offsets": self.spread.to_json()}, {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        spread = Spread.from_json(read(folder, "spread")[0]["offsets"])
        return cls(cls.points_class.load(folder), spread)


def paths_of(points: Points, windows: Windows) -> np.ndarray:
    """One path a window, shape (n, steps)."""
    places = np.arange(len(windows))
    return np.concatenate([points.paths(windows.take(places[k : k + BATCH])) for k in range(0, len(windows), BATCH)])


def to_learn(limits: Limits) -> Limits:
    """The limits of learning alone."""
    if limits.seconds is None:
        return limits
    return replace(limits, seconds=limits.seconds - SHARE_OF_SPREAD * limits.seconds_left())


def parted(examples: Examples, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Older and newer ones of these rows."""
    order = rows[np.argsort(age(examples.inputs)[rows], kind="stable")]
    first = len(order) - int(NEWER_SHARE * len(order))
    return order[:first], order[first:]


def hidden(examples: Examples, rows: np.ndarray, held: np.ndarray) -> Examples:
    """The examples, these rows without what came after the first of those that are held out."""
    if not len(held) or not len(rows):
        return examples
    targets, ages = examples.targets.copy(), age(examples.inputs)
    targets[rows] = known_by(examples.inputs.take(rows), targets[rows], float(ages[held].min()))
    return replace(examples, targets=targets)


def fit(examples: Examples, limits: Limits, learn: Learn, model: type[PointsModel]) -> PointsModel:
    """Learn from the older windows, see the spread on the newer, learn from both, and at last with the inner ones."""
    assert examples.paths is not None
    levels = examples.paths.levels

    def spread_of(points: Any, rows: np.ndarray, factor: float = 1.0) -> Spread:
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_SEEN)).astype(np.int64)]
        windows = examples.inputs.take(rows)
        found = Spread.fit(paths_of(points, windows), examples.targets[rows], units(windows), levels)
        return Spread(found.offsets * factor)

    seconds_a_row = 0.0  # of a fit that repeats what was chosen

    def fitted(rows: np.ndarray, first: PointsModel | None) -> PointsModel:
        nonlocal seconds_a_row
        if first is not None:
            points = learn(examples, rows, first.points)
            made = model(points, first.spread)
            made.planned = points.planned
            return made
        older, newer = parted(examples, rows)
        outer = hidden(examples, rows, np.setdiff1d(examples.inner, rows))
        tried = len(newer) >= FEWEST_NEWER
        own = older if tried else rows
        began = time.monotonic()
        points = learn(hidden(examples, older, newer) if tried else outer, own, None)
        spent = time.monotonic() - began
        seconds_a_row = (spent if points.again is None else points.again) / max(len(own), 1)
        spread = spread_of(points, newer) if tried else spread_of(points, rows, WIDENED)
        if tried and points.planned >= 1 and _with_newer_too(examples, rows, seconds_a_row, limits):
            began = time.monotonic()
            fuller = learn(outer, rows, points)
            seconds_a_row = (time.monotonic() - began) / len(rows)
            points = fuller if fuller.planned >= 1 else points
        made = model(points, spread)
        made.planned = points.planned
        return made

    return fit_twice(examples, limits, fitted, again=lambda: seconds_a_row * len(outer_rows(examples)))


def _with_newer_too(examples: Examples, rows: np.ndarray, seconds_a_row: float, limits: Limits) -> bool:
    """Whether there is time to learn from the newer windows too: beside the fit with the inner ones, which sees these
    as well, or where that has none."""
    left = limits.seconds_left() / SECOND_FIT
    own, whole = seconds_a_row * len(rows), seconds_a_row * len(examples)
    if not are_fitted_twice(examples):
        return left > own
    return left > SECOND_FIT * (own + whole) or whole > left > own
