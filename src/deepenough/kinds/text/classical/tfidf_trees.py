"""Weighted counts of words, with boosted trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.answers import fit_twice
from deepenough.kinds.boosted import Boosted
from deepenough.kinds.stored import read, write
from deepenough.kinds.text import in_time
from deepenough.kinds.text.grams import Grams, Sort, counts
from deepenough.learner import Examples, Learner, Limits, Model


@dataclass(frozen=True)
class TfidfTrees(Learner):
    """Boosted trees on TF-IDF of words and pairs of words, of those columns that most documents have.

    Ke et al., 2017 (LightGBM); Salton and Buckley, 1988. Time grows with the documents times the columns times the
    rounds, and times the classes; memory with the documents times the columns. A bad choice where many rare words
    decide together, each a little.

    words: longest run of words. columns: of the most common grams, how many. leaves: most leaves of a tree; None: by
    the number of documents. learning_rate: share of each tree that is added. rounds: of boosting, at most. patience:
    rounds without improvement on the inner rows before it stops.
    """

    words: int = 2
    columns: int = 4_000
    leaves: int | None = None
    learning_rate: float = 0.1
    rounds: int = 200
    patience: int = 20

    needs = ("lightgbm",)
    preload = ("lightgbm", "scipy.sparse")
    priority = 40

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Count, keep the common grams, boost until the inner rows say stop, then again with them."""
        sorts = [Sort("words", 1, self.words)]
        return in_time.fitted(
            examples, limits, lambda texts: counts(texts, sorts), lambda some: self._fitted(some, sorts, limits, seed)
        )

    def _fitted(self, examples: Examples, sorts: Sequence[Sort], limits: Limits, seed: int) -> TfidfTreesModel:
        grams, matrix = Grams.fit(examples.inputs.texts, sorts)
        seen_in = np.bincount(matrix.indices, minlength=grams.width)
        kept = np.sort(np.argsort(-seen_in, kind="stable")[: self.columns])
        common = matrix[:, kept].astype(np.float32)
        own = {"num_leaves": self.leaves, "learning_rate": self.learning_rate, "min_data_in_bin": 1, "max_bin": 63}

        def fitted(rows: np.ndarray, first: TfidfTreesModel | None) -> TfidfTreesModel:
            before = None if first is None else first.boosted
            boosted = Boosted.fit(common, examples, rows, limits, seed, self.rounds, self.patience, before, **own)
            made = TfidfTreesModel(grams, kept, boosted)
            made.planned = boosted.planned
            return made

        return fit_twice(examples, limits, fitted)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "columns": lambda random: int(random.choice([1_000, 4_000, 10_000])),
            "leaves": lambda random: int(2 ** random.uniform(2, 6)),
            "learning_rate": lambda random: float(10 ** random.uniform(-1.7, -0.7)),
        }

    @classmethod
    def priority_for(cls, n_classes: int | None) -> int:
        return 70 if (n_classes or 0) >= 6 else cls.priority


class TfidfTreesModel(Model):
    """Trees on some of the grams. kept: places of their columns."""

    needs = ("lightgbm",)

    def __init__(self, grams: Grams, kept: np.ndarray, boosted: Boosted) -> None:
        self.grams, self.kept, self.boosted = grams, kept, boosted

    def predict(self, inputs: Any) -> np.ndarray:
        matrix = self.grams.transform(inputs.texts)
        return self.boosted(matrix[:, self.kept].astype(np.float32))

    def save(self, folder: Path) -> None:
        self.grams.save(folder)
        self.boosted.save(folder)
        write(folder, "kept", {}, {"kept": self.kept})

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(Grams.load(folder), read(folder, "kept")[1]["kept"], Boosted.load(folder))
