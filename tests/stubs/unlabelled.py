"""Planted clusters, and two learners that look for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.evidence import Units
from deepenough.judge import metrics
from deepenough.learner import Learner, Limits, Model
from deepenough.task.task import UnlabelledTask
from tests.stubs.supervised import Array


class StubUnlabelled(UnlabelledTask):
    """Three planted clusters in a plane. `has_truth=False` forgets who came from where: then there are no records."""

    def __init__(self, rows: int = 300, spread: float = 1.0, has_truth: bool = True, folds: int = 3) -> None:
        rng = np.random.default_rng([rows, 5])
        self.planted = rng.integers(0, 3, rows)
        centres = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
        self._inputs = Array(centres[self.planted] + spread * rng.standard_normal((rows, 2)))
        self.has_truth, self.folds, self.rows, self.columns = has_truth, folds, rows, 2
        self.largest, self.smallest, self.judging, self.splitting = rows - -(-rows // folds), 20, "folds", "random"
        self.set_aside: tuple[Mapping[str, str], ...] = ()
        self.notes: tuple[str, ...] = ()
        self.flags: tuple[Mapping[str, str], ...] = ()
        self.source = {"name": "clusters", "rows": rows}
        self.question_facts = {"target": "", "task": "clusters", "metric": "mismatch", "higher_is_better": False}
        self.metric = metrics.named("mismatch", self.question_facts)

    def describe(self) -> dict[str, Any]:
        return {"question": self.question_facts, "source": self.source}

    def train(self, n_train: int, fold: int, seed: int) -> Array:
        others = np.flatnonzero(np.arange(self.rows) % self.folds != fold)
        return self._inputs.take(np.random.default_rng([fold, 3]).permutation(others)[:n_train])

    def inputs(self, fold: int) -> Array:
        return self._inputs.take(np.arange(fold, self.rows, self.folds))

    def units(self, fold: int) -> Units:
        ids = np.arange(fold, self.rows, self.folds)
        return Units(ids, np.full(len(ids), fold), ids)

    def records(self, answer: Any, fold: int) -> np.ndarray | None:
        """0 where the unit's cluster is the planted one, under the best naming of the clusters; else 1."""
        if not self.has_truth:
            return None
        from scipy.optimize import linear_sum_assignment

        said, planted = answer.predictions.argmax(axis=1), self.planted[fold :: self.folds]
        table = np.zeros((3, 3))
        np.add.at(table, (said, planted), 1)
        name = linear_sum_assignment(-table)[1]
        return (name[said] != planted).astype(np.float64).reshape(-1, 1)


@dataclass(frozen=True)
class Prototypes(Model):
    """Each unit belongs to its nearest prototype, softly."""

    places: np.ndarray

    def predict(self, inputs: Any) -> np.ndarray:
        distance = ((np.nan_to_num(inputs.x)[:, None] - self.places) ** 2).sum(axis=2)
        weight = np.exp(distance.min(axis=1, keepdims=True) - distance)
        return weight / weight.sum(axis=1, keepdims=True)

    def save(self, folder: Path) -> None:
        np.save(folder / "places.npy", self.places)

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(np.load(folder / "places.npy", allow_pickle=False))


@dataclass(frozen=True)
class KMeans(Learner):
    """Lloyd's means (1957, published 1982).

    Its time grows linearly with rows and rounds, its memory with the rows. It is a bad choice for long, bent clusters.

    rounds: how often the means move.
    rate: how far they move each time, 1 is all the way.
    """

    rounds: int = 20
    rate: float = 1.0

    kind: ClassVar[str] = "stub"
    family: ClassVar[str] = "classical"

    def fit(self, examples: Any, limits: Limits, seed: int) -> Model:
        x, rng = np.nan_to_num(examples.x), np.random.default_rng(seed)
        places = x[rng.choice(len(x), 1)]
        while len(places) < 3:  # each next one is the unit farthest from those before
            away = ((x[:, None] - places) ** 2).sum(axis=2).min(axis=1)
            places = np.vstack([places, x[away.argmax()]])
        for _ in range(self.rounds):
            nearest = ((x[:, None] - places) ** 2).sum(axis=2).argmin(axis=1)
            for k in np.unique(nearest):
                places[k] += self.rate * (x[nearest == k].mean(axis=0) - places[k])
        return Prototypes(places)


@dataclass(frozen=True)
class SlowMeans(KMeans):
    __doc__ = KMeans.__doc__
    family = "deep"
    rounds: int = 40
    rate: float = 0.3
