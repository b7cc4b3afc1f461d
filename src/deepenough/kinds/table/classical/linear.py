"""Ridge regression and logistic regression: a weighted sum of the columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.answers import Answers, choices, fit_twice
from deepenough.kinds.table.dense import Dense
from deepenough.kinds.table.prepare import read, write
from deepenough.learner import Examples, Learner, Limits, Model

STRENGTHS = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.01, 0.001)
"""From strong to weak."""
ROWS_TO_CHOOSE_ON = 10_000
STEPS = 200


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
        path = _Path(matrix, answers.encode(examples.targets), answers, limits, examples.weights)
        weights = path.weights(strength)
        model = LinearModel(dense, answers, weights, _range_of(examples))
        model.planned = path.planned
        return model

    def _chosen(self, examples: Examples, limits: Limits) -> float:
        """The strength with the lowest mean loss over the choices; 1 where there is nothing to choose on."""
        pairs = choices(examples)
        if not pairs:
            return 1.0
        until = limits.seconds_left() / 2
        paths = [self._path(examples, rows[:ROWS_TO_CHOOSE_ON], held, limits) for rows, held in pairs]
        best, best_loss = 1.0, np.inf
        for strength in STRENGTHS:
            loss = float(np.mean([path.loss(strength, *held) for path, held in paths]))
            if loss >= best_loss:
                break
            best, best_loss = strength, loss
            if limits.seconds_left() < until:
                break
        return best

    def _path(
        self, examples: Examples, rows: np.ndarray, held: np.ndarray, limits: Limits
    ) -> tuple[_Path, tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
        own = examples.take(rows)
        answers = Answers.of(own.targets, own.n_classes, own.weights)
        dense, matrix = Dense.fit_transform(own, self.scaling, self.one_hot_up_to)
        held = held[answers.knows(examples.targets[held])][:ROWS_TO_CHOOSE_ON]
        path = _Path(matrix, answers.encode(own.targets), answers, limits, own.weights)
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
        path = _Path(np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1]), Answers(2, (0, 1)), Limits())
        path.weights(1.0)


class _Path:
    """Fits of one matrix at one strength after the other, each starting from the last.

    Weights are float64, shape (columns + 1, outputs), the last row the intercept. Of two classes there is one output.
    counts: what each row counts, shape (n, 1), float32; their mean is one.
    """

    def __init__(
        self,
        matrix: np.ndarray,
        encoded: np.ndarray,
        answers: Answers,
        limits: Limits,
        counts: np.ndarray | None = None,
    ) -> None:
        self.matrix, self.encoded, self.answers, self.limits = matrix, encoded, answers, limits
        self.counts = np.ones((len(encoded), 1), np.float32)
        if counts is not None:
            self.counts = (counts / counts.mean()).astype(np.float32)[:, None]
        self.planned = 1.0
        outputs = 1 if answers.width <= 2 else answers.width
        self.last = np.zeros((matrix.shape[1] + 1, outputs))
        self._spectrum: tuple[np.ndarray, np.ndarray] | None = None

    def weights(self, strength: float) -> np.ndarray:
        """The best weights for a strength."""
        self.last = self._ridge(strength) if self.answers.n_classes is None else self._logistic(strength)
        return self.last

    def loss(self, strength: float, matrix: np.ndarray, encoded: np.ndarray, counts: np.ndarray | None) -> float:
        """The loss on other rows."""
        return self.answers.loss(_raw(matrix, self.weights(strength), self.answers), encoded, counts)

    def _ridge(self, strength: float) -> np.ndarray:
        """By the eigenvectors of the columns' products, or of the rows' where these are fewer."""
        root = np.sqrt(self.counts)  # rows are stretched by it, so that their squared errors count as they should
        centre = np.mean(self.matrix * self.counts, axis=0, dtype=np.float64)
        middle = np.mean(self.encoded * self.counts[:, 0])
        centred = (self.matrix - centre.astype(np.float32)) * root
        wanted = (self.encoded - middle) * root[:, 0]
        by_columns = centred.shape[1] <= len(centred)
        if self._spectrum is None:
            product = centred.T @ centred if by_columns else centred @ centred.T
            self._spectrum = np.linalg.eigh(product.astype(np.float64))
        values, vectors = self._spectrum
        right = centred.T @ wanted if by_columns else wanted
        solved = vectors @ ((vectors.T @ right) / (np.maximum(values, 0.0) + strength))
        slopes = solved if by_columns else centred.T @ solved
        return np.append(slopes, middle - centre @ slopes)[:, None]

    def _logistic(self, strength: float) -> np.ndarray:
        from scipy.optimize import minimize

        steps = 0

        def watch(_: np.ndarray) -> None:
            nonlocal steps
            steps += 1
            if self.limits.seconds_left() <= 0:
                self.planned = min(self.planned, steps / STEPS)
                raise StopIteration

        found = minimize(
            self._logistic_loss,
            self.last.ravel(),
            args=(strength / len(self.encoded),),
            jac=True,
            method="L-BFGS-B",
            callback=watch,
            options={"maxiter": STEPS, "ftol": 1e-6, "gtol": 1e-6},
        )
        return np.asarray(found.x.reshape(self.last.shape))

    def _logistic_loss(self, flat: np.ndarray, penalty: float) -> tuple[float, np.ndarray]:
        weights = flat.reshape(self.last.shape)
        probabilities = _raw(self.matrix, weights, self.answers)
        rows = np.arange(len(self.encoded))
        logs = np.log(np.maximum(probabilities[rows, self.encoded], 1e-30))
        loss = -np.mean(logs * self.counts[:, 0], dtype=np.float64)
        probabilities[rows, self.encoded] -= 1.0
        error = probabilities[:, -weights.shape[1] :] * (self.counts / np.float32(len(rows)))  # of two, the second
        gradient = np.concatenate([self.matrix.T @ error, error.sum(axis=0, keepdims=True)])
        gradient[:-1] += penalty * weights[:-1]
        return float(loss + 0.5 * penalty * np.sum(weights[:-1] ** 2)), gradient.astype(np.float64).ravel()


def _raw(matrix: np.ndarray, weights: np.ndarray, answers: Answers) -> np.ndarray:
    """Standardised numbers, shape (n,), or probabilities of the present classes, shape (n, width)."""
    weights = weights.astype(matrix.dtype)
    scores = matrix @ weights[:-1] + weights[-1]
    if answers.n_classes is None:
        return np.asarray(scores[:, 0])
    if answers.width == 2:
        scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


def _range_of(examples: Examples) -> tuple[float, float]:
    """Numbers further than half the training range outside it are not believed."""
    if examples.n_classes is not None:
        return 0.0, 1.0
    low, high = float(examples.targets.min()), float(examples.targets.max())
    return low - (high - low) / 2, high + (high - low) / 2


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
        predictions = self.answers.decode(_raw(matrix, self.weights, self.answers))
        return predictions if self.answers.n_classes is not None else np.clip(predictions, *self.reach)

    def save(self, folder: Path) -> None:
        self.dense.save(folder)
        write(folder, "linear", {"answers": self.answers.to_json(), "reach": self.reach}, {"weights": self.weights})

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts, arrays = read(folder, "linear")
        low, high = facts["reach"]
        return cls(Dense.load(folder), Answers.from_json(facts["answers"]), arrays["weights"], (low, high))
