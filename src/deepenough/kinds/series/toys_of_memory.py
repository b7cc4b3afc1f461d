"""Series in which only what happened long before the end decides.

Needs that this module answers:

* Whoever looks at the last steps alone knows nothing; who remembers knows nearly all.
"""

from __future__ import annotations

import numpy as np

from deepenough.kinds.series.task import SeriesTask
from deepenough.kinds.series.toys import of_lists

STEPS = 40
BACK = 20
"""So many steps before the end, give or take two, stands what decides."""


def marker(count: int = 1_000, seed: int = 4) -> SeriesTask:
    """The sign of a marker some 20 steps back; as many markers, of another channel, stand anywhere and mean nothing."""
    rng = np.random.default_rng(seed)
    up = rng.random(count) < 0.5
    values, other = rng.normal(0, 1, (2, count, STEPS))
    rows = np.arange(count)
    values[rows, STEPS - BACK + rng.integers(-2, 3, count)] = np.where(up, 5.0, -5.0)
    other[rows, rng.integers(0, STEPS, count)] = np.where(rng.random(count) < 0.5, 5.0, -5.0)
    return of_lists({"value": list(values), "other": list(other)}, np.where(up, "up", "down"))


def order(count: int = 1_000, seed: int = 5) -> SeriesTask:
    """Which of two events came first, the later one some 20 steps before the end; both come in every series."""
    rng = np.random.default_rng(seed)
    first = rng.random(count) < 0.5
    values = rng.normal(0, 0.5, (count, STEPS))
    rows, later = np.arange(count), STEPS - BACK + rng.integers(-2, 3, count)
    earlier = later - rng.integers(5, 14, count)
    values[rows, np.where(first, earlier, later)] = 5.0
    values[rows, np.where(first, later, earlier)] = -5.0
    return of_lists({"value": list(values)}, np.where(first, "up first", "down first"))
