"""Boosted trees on the middle frame alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import described
from deepenough.kinds.video import decode, drawn
from deepenough.kinds.video.features import Descriptors
from deepenough.learner import Examples, Learner, Limits, Model


class MiddleBoostedModel(described.BoostedModel):
    """How clips are described, and trees on that."""

    needs = decode.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class MiddleBoosted(Learner):
    """Boosted trees on what the middle frame looks like, to see whether motion matters at all.

    Edges: after Dalal and Triggs, 2005; trees of LightGBM (Ke et al., 2017). Time grows with the pixels of a frame, and
    with clips times features times rounds, memory with clips times features. A bad choice wherever motion decides.

    rounds: of boosting, at most. patience: rounds without a better inner loss before it stops.
    leaf_rows: clips in a leaf, at least; None: by how many there are.
    feature_share: of the features that a tree may use.
    """

    rounds: int = 200
    patience: int = 20
    leaf_rows: int | None = None
    feature_share: float = 0.1

    needs = decode.NEEDS
    preload = described.TREES_PRELOAD
    priority = 30

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Describe, then boost."""
        own = (self.rounds, self.patience, self.leaf_rows, self.feature_share)
        return described.boosted(MiddleBoostedModel, examples, limits, seed, ("middle",), *own)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "leaf_rows": lambda rng: int(rng.integers(2, 20)),
            "feature_share": lambda rng: float(rng.choice([0.05, 0.1, 0.2, 0.5])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        drawn.warm_up(cls(rounds=2), n_classes)
