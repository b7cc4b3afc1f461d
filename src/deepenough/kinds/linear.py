"""A weighted sum of features that were learnt without a look at any answer: what linear learners of kinds share.

Needs that this module answers:

* A kind says what its features are (`Features`); choosing the penalty, fitting and saving are the same for all.
* What was chosen with the inner rows held out is fitted again with them.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from deepenough.kinds.answers import Answers, fit_twice
from deepenough.kinds.in_time import inner_answers
from deepenough.kinds.stored import read, write
from deepenough.kinds.weighted import STRENGTHS, WeightedSums, chosen, raw, reach_of
from deepenough.learner import Examples, Limits, Model


class Features(Protocol):
    """What inputs become: rows of numbers."""

    def transform(self, inputs: Any) -> Any:
        """float32, shape (n, columns), dense or sparse."""

    def save(self, folder: Path) -> None:
        """Write itself, without pickle."""


class LinearModel(Model):
    """Weights, and what the columns are.

    weights: float64, shape (columns + 1, outputs), the last row the intercept.
    reach: the lowest and the highest number that is predicted.
    """

    def __init__(self, features: Features, answers: Answers, weights: np.ndarray, reach: tuple[float, float]) -> None:
        self.features, self.answers, self.weights, self.reach = features, answers, weights, reach

    @staticmethod
    @abstractmethod
    def read_features(folder: Path) -> Features:
        """The features that were saved."""

    def predict(self, inputs: Any) -> np.ndarray:
        return self.answered(self.features.transform(inputs))

    def answered(self, matrix: Any) -> np.ndarray:
        """The answers of rows whose features are known."""
        # float64: a row alone and in a batch are then summed to the same answer within 1e-12
        predictions = self.answers.decode(raw(matrix.astype(np.float64), self.weights, self.answers))
        return predictions if self.answers.n_classes is not None else np.clip(predictions, *self.reach)

    def save(self, folder: Path) -> None:
        self.features.save(folder)
        write(folder, "linear", {"answers": self.answers.to_json(), "reach": self.reach}, {"weights": self.weights})

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts, arrays = read(folder, "linear")
        low, high = facts["reach"]
        return cls(cls.read_features(folder), Answers.from_json(facts["answers"]), arrays["weights"], (low, high))


AnyModel = TypeVar("AnyModel", bound=LinearModel)


def fit(
    features: Features,
    matrix: Any,
    examples: Examples,
    limits: Limits,
    model: type[AnyModel],
    penalty: float | None = None,
    seed: int = 0,
    strengths: Sequence[float] = STRENGTHS,
    tolerance: float = 1e-6,
    pairs: int = 5,
    begin: int = 0,
) -> AnyModel:
    """Choose the penalty on rows held out unless it is given, fit with it, then again with the inner rows.

    matrix: the features of all examples. strengths, tolerance, pairs, begin: see `weighted.strength`.
    """
    wanted, last = penalty, None
    if wanted is None:
        wanted, last = chosen(matrix, examples, limits, seed, strengths, tolerance, pairs, begin)

    def fitted(rows: np.ndarray, first: AnyModel | None) -> AnyModel:
        nonlocal last
        counts = examples.weights_of(rows)
        answers = Answers.of(examples.targets[rows], examples.n_classes, counts)
        encoded = answers.encode(examples.targets[rows])
        sums = WeightedSums(matrix[rows], encoded, answers, limits, counts, tolerance, rows)
        sums.start_from(last)
        made = model(features, answers, sums.weights(wanted), reach_of(examples))
        made.planned, last = sums.planned, sums.last
        return made

    return fit_twice(examples, limits, fitted, lambda model, rows: model.answered(matrix[rows]))


def fitted_on(
    rows: np.ndarray,
    vectors: np.ndarray,
    features: Features,
    examples: Examples,
    limits: Limits,
    model: type[AnyModel],
    share: float,
) -> AnyModel:
    """Fitted on the rows that could be reached in time, whose features are known, ascending.

    vectors: their features, shape (m, columns), m = 0 where none was reached. share: how much of the plan they are.
    """
    places = np.flatnonzero(np.isin(rows, examples.inner))
    some = dataclasses.replace(examples.take(rows), inner=places)
    made = (
        fit(features, vectors, some, limits, model)
        if len(rows)
        else most_common(features, vectors.shape[1], examples, model)
    )
    made.planned *= share
    answers = made.inner_predictions if made.inner_predictions is not None else made.answered(vectors[places])
    made.inner_predictions = inner_answers(examples, rows[places], answers)
    return made


def most_common(features: Features, columns: int, examples: Examples, model: type[AnyModel]) -> AnyModel:
    """A model that answers what is most common, whatever the unit."""
    answers = Answers.of(examples.targets, examples.n_classes, examples.weights)
    weights = np.zeros((columns + 1, 1 if answers.width <= 2 else answers.width))
    if answers.n_classes is not None:
        shares = np.log(answers.average(answers.encode(examples.targets), examples.weights)[0])
        weights[-1] = shares[1] - shares[0] if answers.width == 2 else shares
    return model(features, answers, weights, reach_of(examples))
