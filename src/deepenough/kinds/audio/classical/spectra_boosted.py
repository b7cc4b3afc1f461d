"""Boosted trees on how power is spread over tones and over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import described
from deepenough.kinds.audio import decode, drawn
from deepenough.kinds.audio.features import Descriptors
from deepenough.learner import Examples, Learner, Limits, Model


class SpectraBoostedModel(described.BoostedModel):
    """How recordings are described, and trees on that."""

    needs = decode.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class SpectraBoosted(Learner):
    """Boosted trees on how power is spread over tones and over time: centre, width, roll-off, flatness, rhythm.

    Measures: Peeters, 2004; trees of LightGBM (Ke et al., 2017). Time grows with steps, and with recordings times
    features times rounds. A bad choice where the same loudness and colour of sound comes in another order.

    rounds: of boosting, at most. patience: rounds without a better inner loss before it stops.
    leaf_rows: recordings in a leaf, at least; None: by how many there are.
    feature_share: of the features that a tree may use.
    """

    rounds: int = 300
    patience: int = 20
    leaf_rows: int | None = None
    feature_share: float = 0.2

    needs = decode.NEEDS
    preload = described.TREES_PRELOAD
    priority = 30

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Describe, then boost."""
        own = (self.rounds, self.patience, self.leaf_rows, self.feature_share)
        return described.boosted(SpectraBoostedModel, examples, limits, seed, ("spectra",), *own)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "leaf_rows": lambda rng: int(rng.integers(2, 20)),
            "feature_share": lambda rng: float(rng.choice([0.05, 0.1, 0.2, 0.5])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        drawn.warm_up(cls(rounds=2), n_classes)
