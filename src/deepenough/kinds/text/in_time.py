"""Learning from as many documents as there is time for, where each is dear.

Needs that this module answers:

* Whatever the number of documents that were reached, some are there to fit on and some to choose and calibrate on.
* Every inner row gets an answer without another second: those that were not reached get the one that looks at nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deepenough.kinds.prior import Prior
from deepenough.learner import Examples, Limits


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
