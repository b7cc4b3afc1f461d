"""Learning from as many units as there is time for, where each is dear to read: what kinds share.

Needs that this module answers:

* Whatever the number of units that were reached, some are there to fit on and some to choose and calibrate on.
* Where all can be read in time, or there is no clock, all are, and nothing depends on the time.
* Every inner row gets an answer without another second: those that were not reached get the one that looks at nothing.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import numpy as np

from deepenough.kinds.prior import Prior
from deepenough.learner import Examples, Limits

CHUNK, FIRST = 128, 16
"""Units that are read between two looks at the clock, at most; and the first ones."""


def in_turn(examples: Examples) -> np.ndarray:
    """All rows in a fixed random order, in which inner and outer ones take turns as long as there are both."""
    inner, outer = (np.random.default_rng(0).permutation(rows) for rows in (examples.inner, examples.outer))
    both = min(len(inner), len(outer))
    turns = np.stack([inner[:both], outer[:both]], axis=1).ravel()
    return np.concatenate([turns, inner[both:], outer[both:]]).astype(np.int64)


def until(limits: Limits, share: float) -> Callable[[], float]:
    """Seconds left of that share of the time that is left now."""
    for_the_rest = 0.0 if limits.seconds is None else (1 - share) * limits.seconds_left()
    return lambda: limits.seconds_left() - for_the_rest


def inner_answers(examples: Examples, reached: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Answers for all inner rows. reached: those that have one, ascending; answers: theirs."""
    whole = Prior().fit(examples, Limits(), 0).predict(examples.inner)
    known = np.isin(examples.inner, reached)
    whole[known] = answers[np.searchsorted(reached, examples.inner[known])]
    return whole


class Pace:
    """How many units are read at once, and whether there is time for them, by those that were."""

    def __init__(self, seconds_left: Callable[[], float]) -> None:
        self.seconds_left, self.chunk = seconds_left, CHUNK if seconds_left() == float("inf") else FIRST
        self.units, self.seconds = 0, 0.0

    def allows(self, units: int) -> bool:
        """Whether so many more will be done in time."""
        each = self.seconds / self.units if self.units else 0.0
        return self.seconds_left() > each * units

    @contextlib.contextmanager
    def over(self, units: int) -> Iterator[None]:
        """Time what is done with so many units; the next may be twice as many."""
        started = time.monotonic()
        yield
        self.seconds += time.monotonic() - started
        self.units += units
        self.chunk = min(CHUNK, 2 * self.chunk)
