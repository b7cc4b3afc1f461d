"""Weighted counts of single words, with a linear model: the quickest that reads every word."""

from __future__ import annotations

from dataclasses import dataclass

from deepenough.kinds.text import gram_linear
from deepenough.kinds.text.grams import Sort
from deepenough.learner import Examples, Learner, Limits, Model


@dataclass(frozen=True)
class BagOfWords(Learner):
    """TF-IDF of single words with logistic regression, or ridge for numbers.

    Salton and Buckley, 1988 (weights); Cox, 1958; Hoerl and Kennard, 1970. The penalty is chosen on rows held out. Time
    grows with the words of all documents, and times the classes, memory with the different words of each document. A
    bad choice where words come in many forms, or two together say more than each: `tfidf_linear` sees that.

    penalty: on the squared weights, against the summed loss of all documents; None: chosen.
    """

    penalty: float | None = None

    preload = gram_linear.PRELOAD
    priority = 10
    deterministic = True

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Count, weigh, choose the penalty, fit."""
        return gram_linear.fit(examples, limits, [Sort("words", 1, 1)], self.penalty)

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        gram_linear.warm_up(cls(penalty=1.0), n_classes)
