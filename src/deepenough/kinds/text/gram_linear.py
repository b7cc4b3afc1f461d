"""Weighted counts of grams with a linear model: what learners share that differ in which grams they count.

Needs that this module answers:

* Choosing the penalty costs no more than the fit: it is chosen on some of the documents where they are many.
* Where not all documents can be read in time, as many are as can.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds import linear
from deepenough.kinds.text import in_time
from deepenough.kinds.text.grams import Grams, Sort, counts
from deepenough.kinds.text.inputs import Texts
from deepenough.learner import Examples, Learner, Limits, Model

STRENGTHS, BEGIN = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003), 4
"""From strong to weak (rows of length one bear no stronger ones), and which is tried first: weak ones suit classes."""
TOLERANCE = 1e-4
"""Rows of a hundred thousand columns are as good predicted by a descent that ends early."""
PRELOAD = ("scipy.optimize", "scipy.sparse")


class TextGrams:
    """The grams of inputs."""

    def __init__(self, grams: Grams) -> None:
        self.grams = grams

    def transform(self, inputs: Any) -> Any:
        """Sparse, one row a document."""
        return self.grams.transform(inputs.texts)

    def save(self, folder: Path) -> None:
        """JSON and npz."""
        self.grams.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again."""
        return cls(Grams.load(folder))


class GramLinearModel(linear.LinearModel):
    """Weights of grams."""

    @staticmethod
    def read_features(folder: Path) -> TextGrams:
        return TextGrams.load(folder)


def fit(examples: Examples, limits: Limits, sorts: Sequence[Sort], penalty: float | None) -> Model:
    """Count, weigh, choose the penalty unless it is given, fit."""

    def fitted(some: Examples) -> GramLinearModel:
        grams, matrix = Grams.fit(some.inputs.texts, sorts)
        how = (STRENGTHS, TOLERANCE, 1, BEGIN)
        return linear.fit(TextGrams(grams), matrix, some, limits, GramLinearModel, penalty, 0, *how)

    return in_time.fitted(examples, limits, lambda texts: counts(texts, sorts), fitted)


def warm_up(learner: Learner, n_classes: int | None) -> None:
    """A fit so small that only what is done once takes time."""
    texts = Texts(tuple(f"some words number {place}" for place in range(12)))
    targets = np.arange(12) % n_classes if n_classes else np.arange(12.0)
    learner.fit(Examples(texts, targets, n_classes, np.arange(3)), Limits(), 0).predict(texts)
