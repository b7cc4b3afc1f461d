"""Learning from as many documents as there is time for, where each is dear.

Needs that this module answers:

* How many can be read is found by reading some of them; else as `kinds.in_time` has it.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from deepenough.kinds.in_time import in_turn, inner_answers
from deepenough.learner import Examples, Limits, Model

READING = 0.35
"""Share of the time that reading documents may take; the rest is for fitting."""
LETTERS_TRIED = 200_000
"""Documents of so many letters together show how long all would take; five times as many are not worth the trial."""
LEAST_DOCUMENTS = 50

M = TypeVar("M", bound=Model)


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
