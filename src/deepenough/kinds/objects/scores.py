"""What a raw score means: how likely a find is to be right, learnt from pictures that the model had not trained on.

Needs that this module answers:

* Scores of every learner mean the same, so that several can be heard together, and a person can choose by them.
* The order of finds, which is all that average precision sees, stays what it is.
* Few finds must not make it certain: the pull is that of Platt (1999), towards what was found on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.objects import boxes

STEPS = 30
PULL = 1.0
"""Strength of the pull of the slope's logarithm towards none, in finds."""
MOST_CALIBRATED = 400
"""Inner pictures that are looked at."""
CLOSEST = 1e-6


@dataclass(frozen=True)
class Meaning:
    """A find of raw score z is right with chance 1 / (1 + exp(-(slope z + shift))); the slope is above zero."""

    slope: float = 1.0
    shift: float = 0.0

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """Chances of raw scores (logarithms of odds), never quite 0 or 1."""
        return np.asarray(np.clip(chance(self.slope * raw + self.shift), CLOSEST, 1 - CLOSEST))

    @classmethod
    def of(cls, lists: np.ndarray, truth: np.ndarray) -> Meaning:
        """Learnt from lists whose scores are chances of raw scores as they are, of pictures with these true lists."""
        there = lists[:, :, 0] > 0
        if not there.any():
            return cls()
        given = np.clip(lists[:, :, 0][there], CLOSEST, 1 - CLOSEST)
        return fitted(np.log(given / (1 - given)), boxes.right(lists, truth)[there])


def chance(odds: np.ndarray) -> np.ndarray:
    """Of logarithms of odds."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * odds)))


def fitted(raw: np.ndarray, is_right: np.ndarray) -> Meaning:
    """The most likely meaning of raw scores; by Newton's method in the slope's logarithm and the shift."""
    right, wrong = float(is_right.sum()), float((~is_right).sum())
    goal = np.where(is_right, (right + 1) / (right + 2), 1 / (wrong + 2))
    at = np.zeros(2)
    for _ in range(STEPS):
        slope = float(np.exp(at[0]))
        given = chance(slope * raw + at[1])
        off, spread = given - goal, given * (1 - given)
        pull = np.array([PULL * at[0], 0.0])
        grad = np.array([slope * (off @ raw), off.sum()]) + pull
        cross = slope * float(spread @ raw)
        curve = np.array([[slope**2 * float(spread @ raw**2) + PULL, cross], [cross, float(spread.sum()) + 1e-6]])
        step = np.clip(np.linalg.solve(curve + 1e-6 * np.eye(2), grad), -1.0, 1.0)
        at = at - step
        at[0] = np.clip(at[0], -3.0, 3.0)
        if np.abs(step).max() < 1e-9:
            break
    return Meaning(float(np.exp(at[0])), float(at[1]))


def inner_rows(examples: Any) -> np.ndarray:
    """Inner pictures by which scores get their meaning."""
    inner = examples.inner
    if len(inner) <= MOST_CALIBRATED:
        return np.asarray(inner)
    return np.asarray(inner[np.linspace(0, len(inner) - 1, MOST_CALIBRATED).astype(np.int64)])
