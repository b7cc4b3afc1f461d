"""Words weighted by how much more often they stand in one class, with a linear model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.answers import Answers, choices, fit_twice
from deepenough.kinds.stored import read, write
from deepenough.kinds.text import in_time
from deepenough.kinds.text.grams import Grams, Sort, counts
from deepenough.kinds.weighted import WeightedSums, reach_of
from deepenough.learner import Examples, Learner, Limits, Model

STRENGTHS = (30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03)
"""From strong to weak."""
TOLERANCE = 1e-3
"""A descent that ends early predicts as well."""
SHARE_OF_RATIO = 1.0
"""Added to each count of a gram."""


@dataclass(frozen=True)
class Nbsvm(Learner):
    """Which words and pairs of words stand in a document, weighted by their log-count ratios, with a linear model.

    Wang and Manning, 2012 (NB-SVM), with logistic loss in place of the hinge, each class against the others. For a
    number the ratios are those of the upper half of the answers against the lower, and the model is a ridge regression.
    Time grows with the words of all documents times the classes; memory with the different grams of each document. A
    bad choice for many classes, or where how often a word comes says more than whether it comes.

    words: longest run of words. penalty: on the squared weights; None: chosen on rows held out.
    """

    words: int = 2
    penalty: float | None = None

    preload = ("scipy.optimize", "scipy.sparse")
    priority = 20
    deterministic = True

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Count, choose the penalty for all classes together, fit each class against the others."""
        sorts = [Sort("words", 1, self.words)]
        return in_time.fitted(
            examples, limits, lambda texts: counts(texts, sorts), lambda some: self._fitted(some, sorts, limits)
        )

    def _fitted(self, examples: Examples, sorts: Sequence[Sort], limits: Limits) -> NbsvmModel:
        grams, matrix = Grams.fit(examples.inputs.texts, sorts, binary=True)
        penalty = self.penalty if self.penalty is not None else _chosen(matrix, examples, limits)

        def fitted(rows: np.ndarray, first: NbsvmModel | None) -> NbsvmModel:
            ratios = _Ratios(matrix, examples, rows, limits)
            made = NbsvmModel(grams, ratios.answers, ratios.weights(penalty), reach_of(examples))
            made.planned = ratios.planned
            return made

        return fit_twice(examples, limits, fitted)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {"words": lambda random: int(random.choice([1, 2, 3]))}

    @classmethod
    def priority_for(cls, n_classes: int | None) -> int:
        return 40 if (n_classes or 0) > 10 else cls.priority


class _Ratios:
    """Each class against the others (of two, the second; of numbers, one sum), on columns weighted by its ratios."""

    def __init__(self, matrix: Any, examples: Examples, rows: np.ndarray, limits: Limits) -> None:
        targets, counts = examples.targets[rows], examples.weights_of(rows)
        self.answers = Answers.of(targets, examples.n_classes, counts)
        self.sums, self.ratios = [], []
        encoded, own = self.answers.encode(targets), matrix[rows]
        for yes, goals, answers in self._questions(encoded):
            ratio = _log_ratio(own, yes, counts)
            weighed = own.copy()
            weighed.data = ratio[weighed.indices].astype(np.float32)
            self.ratios.append(ratio)
            self.sums.append(WeightedSums(weighed, goals, answers, limits, counts, TOLERANCE))

    def _questions(self, encoded: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, Answers]]:
        """Who counts as yes, what is fitted, and what kind of answer that is."""
        if self.answers.n_classes is None:
            return [(encoded > np.median(encoded), encoded, Answers(None))]
        width = self.answers.width
        asked = [1] if width == 2 else range(width)
        return [(encoded == code, (encoded == code).astype(np.int64), Answers(2, (0, 1))) for code in asked]

    def weights(self, penalty: float) -> np.ndarray:
        """Of the unweighted columns, the last row the intercepts; shape (columns + 1, questions)."""
        found = []
        for sums, ratio in zip(self.sums, self.ratios, strict=True):
            own = sums.weights(penalty)[:, 0]
            found.append(np.append(own[:-1] * ratio, own[-1]))
        return np.stack(found, axis=1)

    @property
    def planned(self) -> float:
        """Share of the steps that were done."""
        return float(np.mean([sums.planned for sums in self.sums]))


def _log_ratio(matrix: Any, yes: np.ndarray, counts: np.ndarray | None) -> np.ndarray:
    """How much more often each gram stands among those who say yes, shape (columns,)."""
    weights = np.ones(len(yes)) if counts is None else counts
    among = [SHARE_OF_RATIO + matrix.T @ (weights * said) for said in (yes, ~yes)]
    return np.asarray(np.log(among[0] / among[0].sum()) - np.log(among[1] / among[1].sum()))


def _chosen(matrix: Any, examples: Examples, limits: Limits) -> float:
    """The penalty with the lowest loss on rows held out; 1 where there is nothing to choose on."""
    pairs = choices(examples)[:1]
    if not pairs:
        return 1.0
    until = limits.seconds_left() / 2
    fits = [(_Ratios(matrix, examples, rows, limits), held) for rows, held in pairs]
    best, best_loss = 1.0, np.inf
    for penalty in STRENGTHS:
        losses = []
        for ratios, held in fits:
            held = held[ratios.answers.knows(examples.targets[held])]
            goals, counts = ratios.answers.encode(examples.targets[held]), examples.weights_of(held)
            losses.append(
                ratios.answers.loss(_raw(matrix[held], ratios.weights(penalty), ratios.answers), goals, counts)
            )
        if np.mean(losses) >= best_loss:
            break
        best, best_loss = penalty, float(np.mean(losses))
        if limits.seconds_left() < until:
            break
    return best


def _raw(matrix: Any, weights: np.ndarray, answers: Answers) -> np.ndarray:
    """Standardised numbers, or chances of the present classes, those of each class alone brought to sum to one."""
    scores = matrix @ weights[:-1] + weights[-1]
    if answers.n_classes is None:
        return np.asarray(scores[:, 0])
    chances = 1 / (1 + np.exp(-np.clip(scores, -30, 30)))
    if answers.width == 1:
        return np.ones((len(chances), 1))
    if answers.width == 2:
        return np.concatenate([1 - chances, chances], axis=1)
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


class NbsvmModel(Model):
    """Weights of grams, a column a class.

    weights: float64, shape (columns + 1, questions), the last row the intercepts.
    """

    def __init__(self, grams: Grams, answers: Answers, weights: np.ndarray, reach: tuple[float, float]) -> None:
        self.grams, self.answers, self.weights, self.reach = grams, answers, weights, reach

    def predict(self, inputs: Any) -> np.ndarray:
        matrix = self.grams.transform(inputs.texts).astype(np.float64)
        predictions = self.answers.decode(_raw(matrix, self.weights, self.answers))
        return predictions if self.answers.n_classes is not None else np.clip(predictions, *self.reach)

    def save(self, folder: Path) -> None:
        self.grams.save(folder)
        write(folder, "linear", {"answers": self.answers.to_json(), "reach": self.reach}, {"weights": self.weights})

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts, arrays = read(folder, "linear")
        low, high = facts["reach"]
        return cls(Grams.load(folder), Answers.from_json(facts["answers"]), arrays["weights"], (low, high))
