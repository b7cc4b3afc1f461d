"""The trivial answer: what the targets are on average, whatever the row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.graph import Graph, Value
from deepenough.learner import Examples, Learner, Limits, Model


@dataclass(frozen=True)
class Prior(Learner):
    """The trivial answer: the frequency of each class, or the mean number, whatever the row.

    What every other learner has to beat. Frequencies are smoothed by half a row a class (Krichevsky, Trofimov, 1981),
    so that no class is impossible. Time and memory grow with the rows' targets alone. A bad choice wherever the inputs
    say anything.

    smoothing_rows: rows added to each class.
    """

    smoothing_rows: float = 0.5

    deterministic = True
    priority = 0

    def fit(self, examples: Examples, limits: Limits, seed: int) -> PriorModel:
        """Count, or average."""
        if examples.n_classes is None:
            return PriorModel(np.array([np.average(examples.targets, weights=examples.weights)]), is_number=True)
        counts = np.bincount(examples.targets, examples.weights, minlength=examples.n_classes) + self.smoothing_rows
        return PriorModel(counts / counts.sum(), is_number=False)


class PriorModel(Model):
    """The same answer for every row.

    answer: float64, shape (n_classes,), or (1,) for a number.
    """

    def __init__(self, answer: np.ndarray, is_number: bool) -> None:
        self.answer = answer
        self.is_number = is_number

    def predict(self, inputs: Any) -> np.ndarray:
        repeated = np.repeat(self.answer[None], len(inputs), axis=0)
        return repeated[:, 0] if self.is_number else repeated

    def onnx(self, graph: Graph) -> Value:
        repeated = graph.repeated(self.answer[None])
        return graph.shaped(repeated, (-1,)) if self.is_number else repeated

    def save(self, folder: Path) -> None:
        facts = {"answer": self.answer.tolist(), "is_number": self.is_number}
        (folder / "prior.json").write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts = json.loads((folder / "prior.json").read_text(encoding="utf-8"))
        return cls(np.array(facts["answer"]), facts["is_number"])
