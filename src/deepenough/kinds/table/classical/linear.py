"""Ridge regression and logistic regression: a weighted sum of the columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.errors import ModelError
from deepenough.graph import Graph, Value
from deepenough.kinds import drawn as answering
from deepenough.kinds.answers import Answers, choices, fit_twice
from deepenough.kinds.stored import read, write
from deepenough.kinds.table import drawn
from deepenough.kinds.table import script as scripting
from deepenough.kinds.table.dense import Dense
from deepenough.kinds.weighted import STRENGTHS, WeightedSums, raw, reach_of
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.script import Fit, Script

ROWS_TO_CHOOSE_ON = 10_000
BEGIN = STRENGTHS.index(1.0)
"""The strength that is tried first, so that a search that ends early has one that is seldom far off."""
USUAL_TRIES = 4
"""Strengths that a search tries, until the loss no longer falls."""


@dataclass(frozen=True)
class Linear(Learner):
    """A weighted sum of the columns: ridge regression for numbers, logistic regression for classes.

    Hoerl and Kennard, 1970; Cox, 1958. The penalty is chosen on rows held out, from 1 to weaker or else stronger ones,
    each fit starting where the last ended (Friedman, Hastie, Tibshirani, 2010); classes by L-BFGS (Liu, Nocedal, 1989).
    Time grows with rows times columns times classes, for numbers with the square of the columns; memory with rows times
    columns. A bad choice where what a column means depends on other columns.

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
        strength, searched = self._chosen(examples, limits) if self.strength is None else (self.strength, 1.0)
        model = fit_twice(examples, limits, lambda rows, first: self._fitted(examples.take(rows), strength, limits))
        model.planned = min(model.planned, searched)
        return model

    def _fitted(self, examples: Examples, strength: float, limits: Limits) -> LinearModel:
        answers = Answers.of(examples.targets, examples.n_classes, examples.weights)
        dense, matrix = Dense.fit_transform(examples, self.scaling, self.one_hot_up_to)
        path = WeightedSums(matrix, answers.encode(examples.targets), answers, limits, examples.weights)
        weights = path.weights(strength)
        model = LinearModel(dense, answers, weights, reach_of(examples), strength)
        model.planned = path.planned
        return model

    def _chosen(self, examples: Examples, limits: Limits) -> tuple[float, float]:
        """The strength with the lowest mean loss over the choices, within half of the time left; 1 where there is
        nothing to choose on. And the share of the search that was done."""
        pairs = choices(examples)
        best, lowest, tried = STRENGTHS[BEGIN], np.inf, 0
        if not pairs:
            return best, 1.0
        half = limits if limits.seconds is None else Limits(limits.seconds_left() / 2, limits.threads)
        paths = [self._prepared(examples, rows[:ROWS_TO_CHOOSE_ON], held, half) for rows, held in pairs]
        for way in (STRENGTHS[BEGIN:], STRENGTHS[:BEGIN][::-1]):
            for strength in way:
                loss = float(np.mean([path.loss(strength, *held) for path, held in paths]))
                tried += 1
                if min(path.planned for path, _ in paths) < 1:  # what a fit that was cut says of its strength is wrong
                    return best, min(tried / USUAL_TRIES, 0.9)
                if loss >= lowest:
                    break
                best, lowest = strength, loss
                if half.seconds_left() <= 0:
                    return best, min(tried / USUAL_TRIES, 0.9)
            if best != STRENGTHS[BEGIN]:
                break
        return best, 1.0

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

    def script(self, task: Any, fits: Sequence[Fit]) -> Script:
        if any(fit.model.strength is None for fit in fits):
            raise ModelError("Its penalty was not kept: it was raced by an older version. Race again.")
        is_class = task.n_classes is not None
        needs = ["from scipy.optimize import minimize"] if is_class else ["from sklearn.linear_model import Ridge"]
        constants = [
            ("ONE_HOT_UP_TO", self.one_hot_up_to, "Categories of more levels than that become average targets."),
            *([] if is_class else [("LEAST", fits[0].model.answers.least, "No number below it is predicted.")]),
        ]
        functions = [*scripting.dense(fits, self.scaling, self.one_hot_up_to), _LOGISTIC if is_class else _RIDGE]
        return scripting.script(task, fits, needs, constants, functions, lambda model: {"strength": model.strength})

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
    strength: the penalty that they were fitted with; None where it was not kept.
    """

    def __init__(
        self,
        dense: Dense,
        answers: Answers,
        weights: np.ndarray,
        reach: tuple[float, float],
        strength: float | None = None,
    ) -> None:
        self.dense, self.answers, self.weights, self.reach = dense, answers, weights, reach
        self.strength = strength

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
        facts = {"answers": self.answers.to_json(), "reach": self.reach, "strength": self.strength}
        write(folder, "linear", facts, {"weights": self.weights})

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts, arrays = read(folder, "linear")
        low, high = facts["reach"]
        answers = Answers.from_json(facts["answers"])
        return cls(Dense.load(folder), answers, arrays["weights"], (low, high), facts.get("strength"))


_LOGISTIC = '''
def fit_and_predict(train, fitted, judged, chosen):
    """Logistic regression by L-BFGS: the lowest log loss with a penalty on the squared weights."""
    targets = truth(train)
    matrix, asked = dense(train, judged, targets)
    outputs = 1 if len(CLASSES) == 2 else len(CLASSES)  # of two classes, the second's

    def chances(matrix, weights):
        scores = matrix @ weights[:-1] + weights[-1]
        if outputs == 1:
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def loss(flat):
        weights = flat.reshape(-1, outputs)
        error = chances(matrix, weights.astype(np.float32))
        penalty = chosen["strength"] / len(matrix)
        logs = np.log(np.maximum(error[np.arange(len(matrix)), targets], 1e-30))
        error[np.arange(len(matrix)), targets] -= 1
        error = error[:, -outputs:] * (np.float32(1) / np.float32(len(matrix)))
        gradient = np.concatenate([matrix.T @ error, error.sum(axis=0, keepdims=True)])
        gradient[:-1] += penalty * weights[:-1]
        penalised = -np.mean(logs, dtype=float) + 0.5 * penalty * np.sum(weights[:-1] ** 2)
        return penalised, gradient.ravel().astype(float)

    start = np.zeros((matrix.shape[1] + 1) * outputs)
    options = {"maxiter": 200, "ftol": 1e-6, "gtol": 1e-6}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    return calibrated(chances(asked.astype(float), found.x.reshape(-1, outputs)), chosen["temperature"])
'''

_RIDGE = '''
def fit_and_predict(train, fitted, judged, chosen):
    """Ridge regression of the standardised numbers; none is believed that lies further than half the training range
    outside it."""
    targets = truth(train)
    matrix, asked = dense(train, judged, targets)
    standard = (targets - targets.mean()) / targets.std()
    model = Ridge(alpha=chosen["strength"]).fit(matrix.astype(float), standard)
    predicted = model.predict(asked.astype(float)) * targets.std() + targets.mean()
    least = -np.inf if LEAST is None else LEAST
    margin = (targets.max() - targets.min()) / 2
    return np.clip(np.maximum(predicted, least), targets.min() - margin, targets.max() + margin)
'''
