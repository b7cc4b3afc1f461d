"""Weighted counts of words and of pairs of words, with a linear model: the quickest that reads every word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.text import gram_linear
from deepenough.kinds.text.grams import Sort
from deepenough.learner import Examples, Learner, Limits, Model


@dataclass(frozen=True)
class BagOfWords(Learner):
    """TF-IDF of words and pairs of words with logistic regression, or ridge for numbers.

    Salton and Buckley, 1988 (weights); Wang and Manning, 2012 (pairs); Cox, 1958; Hoerl and Kennard, 1970. The penalty
    is chosen on rows held out. Time grows with the words of all documents, and times the classes, memory with the
    different words and pairs of each document. A bad choice where words come in many forms: `tfidf_linear` sees within
    them.

    words: longest run of words.
    penalty: on the squared weights, against the summed loss of all documents; None: chosen.
    """

    words: int = 2
    penalty: float | None = None

    preload = gram_linear.PRELOAD
    priority = 10
    deterministic = True

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Count, weigh, choose the penalty, fit."""
        return gram_linear.fit(examples, limits, [Sort("words", 1, self.words)], self.penalty)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {"words": lambda random: int(random.choice([1, 2, 3]))}

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        gram_linear.warm_up(cls(penalty=1.0), n_classes)
