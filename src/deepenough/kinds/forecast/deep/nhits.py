"""Stacked blocks of layers, each at a resolution of its own, that read the history at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.forecast import net
from deepenough.learner import Examples, Learner, Limits


class NHitsModel(net.PathModel):
    """The trained blocks."""


@dataclass(frozen=True)
class NHits(Learner):
    """Blocks of layers that explain the history from the coarse to the fine, and add up what each of them forecasts.

    N-HiTS (Challu et al., 2023, arXiv 2201.12886), a stack of residuals as N-BEATS (Oreshkin et al., 2020, arXiv
    1905.10437); covariates, the calendar and earlier seasons are put beside the history. One net for all series, each
    window in its own scale; a few such nets are trained side by side and their quantiles averaged.

    Time and memory grow with windows x epochs x members x units x (steps read + horizon x columns), weights with
    horizon x levels x units. A bad choice for one short series, and for horizons of many hundreds with many covariates.

    members: nets. units: of a layer; 0: by the number of windows. resolutions: blocks of a net. length: steps of
    history that are read; 0: two seasons and the horizon, or four horizons. dropout: share of numbers left out in a
    step. rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes.
    """

    members: int = 2
    units: int = 0
    resolutions: int = 3
    length: int = 0
    dropout: float = 0.1
    rate: float = 0.002
    weight_decay: float = 0.1
    epochs: int = 100

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 20

    def fit(self, examples: Examples, limits: Limits, seed: int) -> NHitsModel:
        design = net.Design(
            net="NHits",
            settings={
                "members": self.members,
                "units": self.units or net.width_for(len(examples), 32, 128),
                "resolutions": self.resolutions,
                "dropout": self.dropout,
            },
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            length=self.length,
            patience=2.0,
        )
        return net.fit_net(examples, limits, seed, design, NHitsModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "members": lambda rng: int(rng.choice([1, 2, 4])),
            "units": lambda rng: int(rng.choice([32, 64, 128, 256])),
            "length": lambda rng: int(rng.choice([0, 32, 64, 128, 256])),
            "dropout": lambda rng: float(rng.choice([0.0, 0.1, 0.3])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.0005), np.log(0.005)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        net.warm_up(cls(epochs=2))
