"""Boosted trees on local binary patterns and colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import described, picture_files
from deepenough.kinds.image import drawn
from deepenough.kinds.image.features import Descriptors
from deepenough.learner import Examples, Learner, Limits, Model


class PatternsBoostedModel(described.BoostedModel):
    """How pictures are described, and trees on that."""

    needs = picture_files.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class PatternsBoosted(Learner):
    """Boosted trees on histograms of uniform local binary patterns and of colours.

    Patterns: Ojala, Pietikäinen and Mäenpää, 2002; trees of LightGBM (Ke et al., 2017). Time grows with pixels, and
    with pictures times features times rounds, memory with pictures times features. A bad choice where outlines decide
    and not textures.

    rounds: of boosting, at most. patience: rounds without a better inner loss before it stops.
    leaf_rows: pictures in a leaf, at least; None: by how many there are.
    feature_share: of the features that a tree may use.
    """

    rounds: int = 300
    patience: int = 20
    leaf_rows: int | None = None
    feature_share: float = 0.2

    needs = picture_files.NEEDS
    preload = described.TREES_PRELOAD
    priority = 30

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Describe, then boost."""
        own = (self.rounds, self.patience, self.leaf_rows, self.feature_share)
        return described.boosted(PatternsBoostedModel, examples, limits, seed, ("patterns", "colours"), *own)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "leaf_rows": lambda rng: int(rng.integers(2, 20)),
            "feature_share": lambda rng: float(rng.choice([0.05, 0.1, 0.2, 0.5])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        drawn.warm_up(cls(rounds=2), n_classes)
