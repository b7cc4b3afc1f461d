"""Boosted trees on motion and looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import described
from deepenough.kinds.video import decode, drawn
from deepenough.kinds.video.features import Descriptors
from deepenough.learner import Examples, Learner, Limits, Model


class MotionBoostedModel(described.BoostedModel):
    """How clips are described, and trees on that."""

    needs = decode.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class MotionBoosted(Learner):
    """Boosted trees on what moves where and in which direction, and on what a few frames look like.

    Histograms of flow: after Dalal, Triggs and Schmid, 2006, with the flow that gradients show (Lucas and Kanade,
    1981); trees of LightGBM (Ke et al., 2017). Time grows with frames times pixels, and with clips times features times
    rounds, memory with clips times features. A bad choice where the fine form of a motion decides, or where things move
    many points from one frame to the next.

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
    priority = 10

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Describe, then boost."""
        own = (self.rounds, self.patience, self.leaf_rows, self.feature_share)
        return described.boosted(MotionBoostedModel, examples, limits, seed, ("motion", "looks"), *own)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "leaf_rows": lambda rng: int(rng.integers(2, 20)),
            "feature_share": lambda rng: float(rng.choice([0.05, 0.1, 0.2, 0.5])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        drawn.warm_up(cls(rounds=2), n_classes)
