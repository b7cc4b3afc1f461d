"""Boosted trees on descriptors of clips: what learners share that differ in which descriptors they see."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.answers import fit_twice
from deepenough.kinds.boosted import Boosted
from deepenough.kinds.stored import read, write
from deepenough.kinds.video.features import Descriptors
from deepenough.learner import Examples, Limits, Model

PRELOAD = ("lightgbm", "scipy.sparse")


class BoostedModel(Model):
    """How clips are described, and trees on that."""

    def __init__(self, descriptors: Descriptors, boosted: Boosted) -> None:
        self.descriptors, self.boosted = descriptors, boosted

    def predict(self, inputs: Any) -> np.ndarray:
        return self.boosted(self.descriptors(inputs))

    def save(self, folder: Path) -> None:
        write(folder, "descriptors", self.descriptors.to_json(), {})
        self.boosted.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(Descriptors.from_json(read(folder, "descriptors")[0]), Boosted.load(folder))


def fit(
    examples: Examples,
    limits: Limits,
    seed: int,
    parts: tuple[str, ...],
    rounds: int,
    patience: int,
    leaf_rows: int | None,
    feature_share: float,
) -> BoostedModel:
    """Descriptors once, then trees until the inner clips say stop, then again with these."""
    descriptors = Descriptors(parts)
    matrix = descriptors(examples.inputs)
    own = {"min_data_in_leaf": leaf_rows, "feature_fraction": feature_share, "max_bin": 63}

    def fitted(rows: np.ndarray, first: BoostedModel | None) -> BoostedModel:
        before = first.boosted if first is not None else None
        boosted = Boosted.fit(matrix, examples, rows, limits, seed, rounds, patience, first=before, **own)
        model = BoostedModel(descriptors, boosted)
        model.planned = boosted.planned
        return model

    return fit_twice(examples, limits, fitted)
