"""Learning from as many documents as there is time for, where each is dear.

Needs that this module answers:

* Whatever the number of documents that were reached, some are there to fit on and some to choose and calibrate on.
* Where all can be read in time, or there is no clock, all are, and nothing depends on the time.
* Every inner row gets an answer without another second: those that were not reached get the one that looks at nothing.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from deepenough.kinds.prior import Prior
from deepenough.learner import Examples, Limits, Model

READING = 0.4
"""Share of the time that reading documents may take; the rest is for fitting."""
LETTERS_TRIED = 200_000
"""Documents of so many letters together show how long all would take; five times as many are not worth the trial."""
LEAST_DOCUMENTS = 50

M = TypeVar("M", bound=Model)


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


def fitted(examples: Examples, limits: Limits, read: Callable[[Sequence[str]], Any], fit: Callable[[Examples], M]) -> M:
    """A model of as many documents as can be read in time. read: what takes the time; fit: reads and fits."""
    rows = _readable(examples, limits, read)
    if len(rows) == len(examples):
        return fit(examples)
    some = dataclasses.replace(examples.take(rows), inner=np.flatnonzero(np.isin(rows, examples.inner)))
    model = fit(some)
    model.planned *= len(rows) / len(examples)
    own = model.inner_predictions
    answers = model.predict(some.inputs.take(some.inner)) if own is None else own
    model.inner_predictions = inner_answers(examples, rows[some.inner], answers)
    return model


def _readable(examples: Examples, limits: Limits, read: Callable[[Sequence[str]], Any]) -> np.ndarray:
    """Rows whose documents can be read in time, ascending, found by reading some of them."""
    every = np.arange(len(examples))
    letters = np.array([len(text) for text in examples.inputs.texts], dtype=np.int64)
    if limits.seconds is None or letters.sum() <= 5 * LETTERS_TRIED:
        return every
    order = in_turn(examples)
    so_far = np.cumsum(letters[order])
    tried = 1 + int(np.searchsorted(so_far, LETTERS_TRIED))
    read(examples.inputs.take(order[:1]).texts)  # what is imported or loaded by it is so once
    started = time.monotonic()
    read(examples.inputs.take(order[:tried]).texts)
    spent = time.monotonic() - started
    affordable = so_far[tried - 1] * READING * limits.seconds_left() / max(spent, 1e-6)
    count = max(LEAST_DOCUMENTS, int(np.searchsorted(so_far, affordable)))
    return every if count >= len(every) else np.sort(order[:count])
