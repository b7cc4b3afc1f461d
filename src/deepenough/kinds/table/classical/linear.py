"""Ridge regression and logistic regression: a weighted sum of the columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.graph import Graph, Value
from deepenough.kinds import drawn as answering
from deepenough.kinds.answers import Answers, choices, fit_twice
from deepenough.kinds.stored import read, write
from deepenough.kinds.table import drawn
from deepenough.kinds.table.dense import Dense
from deepenough.kinds.weighted import STRENGTHS, WeightedSums, raw, reach_of
from deepenough.learner import Examples, Learner, Limits, Model

ROWS_TO_CHOOSE_ON = 10_000


@dataclass(frozen=True)
class Linear(Learner):
    """A weighted sum of the columns: ridge regression for numbers, logistic regression for classes.

    Hoerl and Kennard, 1970; Cox, 1958. The penalty is chosen on rows held out, from strong to weak, each fit starting
    where the last ended (Friedman, Hastie, Tibshirani, 2010); classes by L-BFGS (Liu, Nocedal, 1989). Time grows with
    rows times columns times classes, for numbers with the square of the columns; memory with rows times columns. A bad
    choice where what a column means depends on other columns.

    scaling: of numbers: `standard`, `ranks` or `both` (a bend in the line for each number).
    strength: the penalty on the squared weights against the summed loss of all rows; None: chosen.
    one_hot_up_to: categories with more codes than this become the average target of the level.
    """

    scaling: str = "both"
    strength: float | None = None
    one_hot_up_to: int = 31

    preload = ("scipy.optimize", "scipy.sparse")
    priority = 15
    deterministic = True

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Choose the strength, then fit with it, then again with the inner rows."""
        strength = self.strength if self.strength is not None else self._chosen(examples, limits)
        return fit_twice(examples, limits, lambda rows, first: self._fitted(examples.take(rows), strength, limits))

    def _fitted(self, examples: Examples, strength: float, limits: Limits) -> LinearModel:
        answers = Answers.of(examples.targets, examples.n_classes, examples.weights)
        dense, matrix = Dense.fit_transform(examples, self.scaling, self.one_hot_up_to)
        path = WeightedSums(matrix, answers.encode(examples.targets), answers, limits, examples.weights)
        weights = path.weights(strength)
        model = LinearModel(dense, answers, weights, reach_of(examples))
        model.planned = path.planned
        return model

    def _chosen(self, examples: Examples, limits: Limits) -> float:
        """The strength with the lowest mean loss over the choices; 1 where there is nothing to choose on."""
        pairs = choices(examples)
        if not pairs:
            return 1.0
        until = limits.seconds_left() / 2
        paths = [self._prepared(examples, rows[:ROWS_TO_CHOOSE_ON], held, limits) for rows, held in pairs]
        best, best_loss = 1.0, np.inf
        for strength in STRENGTHS:
            loss = float(np.mean([path.loss(strength, *held) for path, held in paths]))
            if loss >= best_loss:
                break
            best, best_loss = strength, loss
            if limits.seconds_left() < until:
                break
        return best

    def _prepared(
        self, examples: Examples, rows: np.ndarray, held: np.ndarray, limits: Limits
    ) -> tuple[WeightedSums, tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
        own = examples.take(rows)
        answers = Answers.of(own.targets, own.n_classes, own.weights)
        dense, matrix = Dense.fit_transform(own, self.scaling, self.one_hot_up_to)
        held = held[answers.knows(examples.targets[held])][:ROWS_TO_CHOOSE_ON]
        path = WeightedSums(matrix, answers.encode(own.targets), answers, limits, own.weights)
        inputs, targets = examples.inputs.take(held), answers.encode(examples.targets[held])
        return path, (dense.transform(inputs), targets, examples.weights_of(held))

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "scaling": lambda random: str(random.choice(["standard", "ranks", "both"])),
            "one_hot_up_to": lambda random: int(random.choice([2, 11, 31, 101])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        path = WeightedSums(np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1]), Answers(2, (0, 1)), Limits())
        path.weights(1.0)


class LinearModel(Model):
    """Weights, and what the columns were made of.

    weights: float64, shape (columns + 1, outputs), the last row the intercept.
    reach: the lowest and the highest number that is predicted.
    """

    def __init__(self, dense: Dense, answers: Answers, weights: np.ndarray, reach: tuple[float, float]) -> None:
        self.dense, self.answers, self.weights, self.reach = dense, answers, weights, reach

    def predict(self, inputs: Any) -> np.ndarray:
        # float64: a row alone and in a batch are then summed to the same answer within 1e-12
        matrix = self.dense.transform(inputs).astype(np.float64)
        predictions = self.answers.decode(raw(matrix, self.weights, self.answers))
        return predictions if self.answers.n_classes is not None else np.clip(predictions, *self.reach)

    def onnx(self, graph: Graph) -> Value:
        matrix = graph.cast(drawn.dense(graph, self.dense), np.float64)
        scores = graph.put("MatMul", matrix, graph.constant(self.weights[:-1], np.float64))
        scores = graph.put("Add", scores, graph.constant(self.weights[-1:], np.float64))
        answers = answering.decoded(graph, answering.chances(graph, scores, self.answers), self.answers)
        if self.answers.n_classes is not None:
            return answers
        low, high = (graph.constant(end, np.float64) for end in self.reach)
        return graph.put("Clip", answers, low, high)

    def save(self, folder: Path) -> None:
        self.dense.save(folder)
        write(folder, "linear", {"answers": self.answers.to_json(), "reach": self.reach}, {"weights": self.weights})

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts, arrays = read(folder, "linear")
        low, high = facts["reach"]
        return cls(Dense.load(folder), Answers.from_json(facts["answers"]), arrays["weights"], (low, high))
