"""By how much the moments of a series lie after their steps begin, at steps that are known and at those to come.

Needs that this module answers:

* Days that begin at midnight in Kolkata and in New York share their steps, and each is answered at its own moments.
* Where clocks change twice a year, the midnights of summer and winter lie an hour apart: a step to come is as late as
  the one a year before.
"""

from __future__ import annotations

import numpy as np

from deepenough.kinds.forecast.steps import Step

FEW, FAR = 0.01, 5.0
"""Moments that are so small a share of all, and without which all take so many times less time, are far off."""


def lateness(step: Step, times: np.ndarray, spots: np.ndarray, length: int) -> np.ndarray:
    """How late each of so many steps is, shape (length,); between rows as late as the one before.

    times: of all rows of one series. spots: of each the step, counted from the first that is kept.
    """
    late = step.late(times)
    if (late == late[0]).all():
        return np.full(length, late[0])
    inside = (spots >= 0) & (spots < length)
    known = np.zeros(length, dtype=np.int64)
    known[spots[inside]] = np.flatnonzero(inside) + 1
    latest = np.maximum.accumulate(known)
    latest[latest == 0] = known[known > 0][:1] if inside.any() else 1
    return np.asarray(late[latest - 1])


def continued(late: np.ndarray, length: int, year: int) -> np.ndarray:
    """How late so many steps are, of which the first ones are known; a later one is as late as the one a year before,
    else as the last one that is known. Nothing is late where nothing is known. Shape (length,).

    year: steps of one.
    """
    if not len(late):
        return np.zeros(length)
    places = np.arange(length)
    beyond = np.maximum(places - len(late) + 1, 0)
    earlier = places - -(-beyond // year) * year
    return np.asarray(late[np.where(earlier < 0, len(late) - 1, earlier)])


def far_off(times: np.ndarray) -> np.ndarray:
    """The few earliest or latest moments without which the others lie much nearer together; empty where there are none.
    NaN is left out."""
    known = np.sort(times[np.isfinite(times)])
    few = max(1, int(FEW * len(known)))
    if len(known) < 10 * few:
        return known[:0]
    middle = known[few : len(known) - few]
    reach = FAR * (middle[-1] - middle[0])
    return np.asarray(known[(known < middle[0] - reach) | (known > middle[-1] + reach)])
