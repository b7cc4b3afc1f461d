"""Weighted counts of words and of letters, with a linear model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.text import gram_linear
from deepenough.kinds.text.grams import Sort
from deepenough.learner import Examples, Learner, Limits, Model


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

    preload = gram_linear.PRELOAD
    priority = 15
    deterministic = True

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Count, weigh, choose the penalty, fit."""
        sorts = [Sort("words", 1, self.words)] + ([Sort("letters", 2, self.letters)] if self.letters else [])
        return gram_linear.fit(examples, limits, sorts, self.penalty)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "words": lambda random: int(random.choice([1, 2, 3])),
            "letters": lambda random: int(random.choice([0, 3, 4, 5])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        gram_linear.warm_up(cls(penalty=1.0), n_classes)
