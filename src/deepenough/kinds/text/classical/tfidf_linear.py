"""Weighted counts of words and of letters, with a linear model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds import linear
from deepenough.kinds.text import in_time
from deepenough.kinds.text.grams import Grams, Sort, counts
from deepenough.learner import Examples, Learner, Limits, Model

STRENGTHS, BEGIN = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003), 2
"""From strong to weak (rows of length one bear no stronger ones), and which is tried first: weak ones suit classes."""
TOLERANCE = 3e-4
"""Rows of a hundred thousand columns are as good predicted by a descent that ends early."""


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


class TfidfLinearModel(linear.LinearModel):
    """Weights of grams."""

    @staticmethod
    def read_features(folder: Path) -> TextGrams:
        return TextGrams.load(folder)


@dataclass(frozen=True)
class TfidfLinear(Learner):
    """TF-IDF of words, pairs of words and runs of letters within words, with logistic regression, or ridge for numbers.

    Salton and Buckley, 1988 (weights); Cox, 1958; Hoerl and Kennard, 1970. The penalty is chosen on rows held out. Time
    grows with the letters of all documents, and times the classes; memory with the different grams of each document. A
    bad choice where the order of words decides, or where documents say the same in words that training never saw.

    words: longest run of words. letters: longest run of letters within a word; 0: none.
    penalty: on the squared weights, against the summed loss of all documents; None: chosen.
    """

    words: int = 2
    letters: int = 4
    penalty: float | None = None

    preload = ("scipy.optimize", "scipy.sparse")
    priority = 10
    deterministic = True

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Count, weigh, choose the penalty, fit."""
        sorts = [Sort("words", 1, self.words)] + ([Sort("letters", 2, self.letters)] if self.letters else [])

        def fit(some: Examples) -> TfidfLinearModel:
            grams, matrix = Grams.fit(some.inputs.texts, sorts)
            features, how = TextGrams(grams), (STRENGTHS, TOLERANCE, 1, BEGIN)
            return linear.fit(features, matrix, some, limits, TfidfLinearModel, self.penalty, 0, *how)

        return in_time.fitted(examples, limits, lambda texts: counts(texts, sorts), fit)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "words": lambda random: int(random.choice([1, 2, 3])),
            "letters": lambda random: int(random.choice([0, 3, 4, 5])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        from deepenough.kinds.text.inputs import Texts

        texts = Texts(tuple(f"some words number {place}" for place in range(12)))
        targets = np.arange(12) % n_classes if n_classes else np.arange(12.0)
        cls(penalty=1.0).fit(Examples(texts, targets, n_classes, np.arange(3)), Limits(), 0).predict(texts)
