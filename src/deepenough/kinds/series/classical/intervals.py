"""Boosted trees on what intervals of the series are like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.answers import fit_twice
from deepenough.kinds.boosted import Boosted
from deepenough.kinds.series.inputs import Signals
from deepenough.kinds.series.intervals import Intervals as Features
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Learner, Limits, Model


@dataclass(frozen=True)
class Intervals(Learner):
    """Boosted trees on mean, deviation, slope and quantiles of intervals of the series, its differences and spectrum.

    Intervals: Deng, Runger, Tuv and Vladimir, 2013; halves of halves of the series, its differences and its spectrum:
    Dempster, Schmidt and Webb, Quant, 2024; trees of LightGBM (Ke et al., 2017). Time grows with series times features
    times rounds, memory with series times features. A bad choice where a short pattern may stand anywhere.

    rounds: of boosting, at most. patience: rounds without a better inner loss before it stops.
    leaf_rows: series in a leaf, at least; None: by how many there are.
    feature_share: of the features that a tree may use.
    """

    rounds: int = 300
    patience: int = 20
    leaf_rows: int | None = None
    feature_share: float = 0.2

    preload = ("lightgbm", "scipy.sparse")
    priority = 10

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Features once, then trees until the inner series say stop, then again with these."""
        features = Features.fit(examples.inputs)
        matrix = features(examples.inputs)
        own = {"min_data_in_leaf": self.leaf_rows, "feature_fraction": self.feature_share, "max_bin": 63}

        def fitted(rows: np.ndarray, first: IntervalsModel | None) -> IntervalsModel:
            before = first.boosted if first is not None else None
            boosted = Boosted.fit(matrix, examples, rows, limits, seed, self.rounds, self.patience, first=before, **own)
            model = IntervalsModel(features, boosted)
            model.planned = boosted.planned
            return model

        return fit_twice(examples, limits, fitted)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "leaf_rows": lambda random: int(random.integers(2, 20)),
            "feature_share": lambda random: float(random.choice([0.05, 0.1, 0.2, 0.5])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        rows = np.arange(24)
        signals = Signals(np.sin(np.outer(rows + 1.0, np.arange(12)))[:, None], ("value",))
        targets = rows.astype(np.float64) if n_classes is None else rows % n_classes
        cls(rounds=2).fit(Examples(signals, targets, n_classes, rows[18:]), Limits(), 0).predict(signals)


class IntervalsModel(Model):
    """How features are made, and trees on them."""

    def __init__(self, features: Features, boosted: Boosted) -> None:
        self.features, self.boosted = features, boosted

    def predict(self, inputs: Any) -> np.ndarray:
        return self.boosted(self.features(inputs))

    def save(self, folder: Path) -> None:
        write(folder, "intervals", self.features.to_json(), {})
        self.boosted.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts, _ = read(folder, "intervals")
        return cls(Features.from_json(facts), Boosted.load(folder))
