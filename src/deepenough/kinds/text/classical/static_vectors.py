"""The mean of static word vectors, with a linear model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepenough.kinds import linear
from deepenough.kinds.text import in_time, vectors
from deepenough.kinds.weighted import STRENGTHS
from deepenough.learner import Examples, Learner, Limits, Model

TOLERANCE, PAIRS = 1e-4, 2
"""Of the descent, and rows held out to choose the penalty: more of both predicted no better, in four times the time."""


@dataclass(frozen=True)
class StaticVectors(Learner):
    """The mean of pretrained static word vectors, with logistic regression, or ridge for numbers.

    Joulin, Grave, Bojanowski and Mikolov, 2017 (fastText); the vectors are WordLlama's, 2024. Time grows with the
    letters of all documents, and with the documents times the classes; memory with the documents. A bad choice where
    jargon, the order of words or rare words decide, and for languages that the vectors hardly know.

    penalty: on the squared weights; None: chosen on rows held out.
    """

    penalty: float | None = None

    needs = vectors.NEEDS
    preload = ("tokenizers", "safetensors.numpy", "scipy.optimize")
    priority = 30
    deterministic = True
    family_reason = "the vectors of words are looked up, not computed: no network runs and none is trained"
    pretrained = vectors.PRETRAINED

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Look the tokens up, average, choose the penalty, fit."""

        def fit(some: Examples) -> StaticVectorsModel:
            features, matrix = vectors.MeanVectors.fit(some.inputs.texts)
            how = (STRENGTHS, TOLERANCE, PAIRS)
            return linear.fit(features, matrix, some, limits, StaticVectorsModel, self.penalty, 0, *how)

        return in_time.fitted(examples, limits, vectors.means, fit)

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        vectors.load()


class StaticVectorsModel(linear.LinearModel):
    """Weights of the dimensions."""

    needs = vectors.NEEDS

    @staticmethod
    def read_features(folder: Path) -> vectors.MeanVectors:
        return vectors.MeanVectors.load(folder)
