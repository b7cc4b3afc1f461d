"""A few units of noise to fit on before the clock starts: libraries load lazily what a first fit needs."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from deepenough.learner import Examples, Inputs, Learner, Limits

UNITS, INNER = 24, 6


class Noisy(Protocol):
    """Inputs that can be made of noise."""

    def noise(self, rng: np.random.Generator, count: int) -> Inputs:
        """So many small units of it; a class's own method."""


def warm_up(learner: Learner, inputs_class: Noisy, n_classes: int | None) -> None:
    """Fit and predict on noise."""
    inputs = inputs_class.noise(np.random.default_rng(0), UNITS)
    targets = np.arange(float(UNITS)) if n_classes is None else np.arange(UNITS) % n_classes
    learner.fit(Examples(inputs, targets, n_classes, np.arange(INNER)), Limits(), seed=0).predict(inputs)
