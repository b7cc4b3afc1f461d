"""What a trial's process does to explain models: predict again with one part of the inputs shuffled, part after part.

Needs that this module answers:

* It knows no labels: predictions go back, and are scored where the labels are.
* It may be stopped at any moment: whole passes over the most promising parts come first, a part that was not done for
  every model is left out, and what was not looked at can be told.
* The same seed shuffles the same way, however fast the machine is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SCREEN_ROWS = 100
SCREEN_SHARE = 0.3
"""Of the time, for finding out which of many parts move the predictions at all."""

Predict = Callable[[Any], np.ndarray]


@dataclass(frozen=True)
class Subject:
    """One fitted model, and the units that it is asked about."""

    predict: Predict
    inputs: Any


@dataclass(frozen=True)
class Shuffles:
    """Predictions of every subject's units in turn, shape (1 + len(done), m, ...): as they are, then shuffled.

    done: (part, repeat) of each but the first.
    """

    predictions: np.ndarray
    done: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Effort:
    """How much is shuffled: the `most` promising parts, `repeats` times each.

    screened: twice as many predictions at most are spent on finding out which parts are promising.
    """

    most: int
    screened: int
    repeats: int


def shuffles(subjects: Sequence[Subject], parts: int, effort: Effort, seed: int, left: Callable[[], float]) -> Shuffles:
    """Shuffle part after part, pass after pass, until no time is left.

    left: the share of the time that is left, 1 to 0.
    """
    found = [_all(subjects, lambda subject, index: subject.inputs)]
    done: list[tuple[int, int]] = []
    order = range(parts) if parts <= effort.most else _promising(subjects[0], parts, effort, seed, left)
    for repeat in range(effort.repeats):
        for part in order:
            if left() <= 0:
                return Shuffles(np.stack(found), tuple(done))
            found.append(_all(subjects, _shuffler(part, repeat, seed)))
            done.append((part, repeat))
    return Shuffles(np.stack(found), tuple(done))


def _all(subjects: Sequence[Subject], inputs: Callable[[Subject, int], Any]) -> np.ndarray:
    answers = [subject.predict(inputs(subject, index)) for index, subject in enumerate(subjects)]
    return np.concatenate(answers).astype(np.float32)


def _shuffler(part: int, repeat: int, seed: int) -> Callable[[Subject, int], Any]:
    def shuffled(subject: Subject, index: int) -> Any:
        order = np.random.default_rng([seed, part, repeat, index]).permutation(len(subject.inputs))
        return subject.inputs.shuffled(part, order)

    return shuffled


def _promising(subject: Subject, parts: int, effort: Effort, seed: int, left: Callable[[], float]) -> list[int]:
    """The parts that move the predictions of a few units the furthest.

    Parts are shuffled in blocks, and the block that moves the most for its size (many small movements add up like the
    root of their number) is cut in two, until single parts are left: the few that matter among thousands are found in a
    few dozen predictions.
    """
    some = Subject(subject.predict, subject.inputs.take(np.arange(min(SCREEN_ROWS, len(subject.inputs)))))
    plain = some.predict(some.inputs)
    waiting: list[tuple[float, list[int]]] = [(0.0, list(range(parts)))]
    found: list[int] = []
    asked = 0
    while waiting and len(found) < effort.most:
        _, block = heapq.heappop(waiting)
        if len(block) == 1:
            found.append(block[0])
        elif asked < 2 * effort.screened and left() >= 1 - SCREEN_SHARE:
            for half in (block[: len(block) // 2], block[len(block) // 2 :]):
                moved = np.abs(some.predict(_all_shuffled(some.inputs, half, seed)) - plain).mean()
                heapq.heappush(waiting, (-float(moved) / len(half) ** 0.5, half))
                asked += 1
    return found


def _all_shuffled(inputs: Any, parts: Sequence[int], seed: int) -> Any:
    """Inputs with all of these parts shuffled, each in its own order."""
    for part in parts:
        inputs = inputs.shuffled(part, np.random.default_rng([seed, part]).permutation(len(inputs)))
    return inputs
