"""The history cut into trend and rest, a linear layer for each, trained as nets are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.forecast import net
from deepenough.learner import Examples, Learner, Limits


class DLinearModel(net.PathModel):
    """The trained linear layers."""


@dataclass(frozen=True)
class DLinear(Learner):
    """A moving average of the history and what is left of it, a linear layer from each to all steps ahead.

    DLinear (Zeng et al., 2023, arXiv 2205.13504), counted from a simple path, with a linear layer of covariates,
    calendar and earlier seasons beside it, and quantiles. One net for all series, each window in its own scale.

    Time and memory grow with windows x epochs x steps read x horizon. A bad choice where what comes depends on the
    history in no straight way, or on what covariates and history are together.

    span: steps of the moving average. length: steps of history that are read; 0: two seasons and the horizon, or four
    horizons. rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes.
    """

    span: int = 25
    length: int = 0
    rate: float = 0.003
    weight_decay: float = 0.05
    epochs: int = 100

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 30
    family_reason = (
        "its layers are linear, but it was made by and for the literature of deep forecasting, and is trained by "
        "gradient descent as that one's nets are: it stands with the deep"
    )

    def fit(self, examples: Examples, limits: Limits, seed: int) -> DLinearModel:
        design = net.Design(
            net="Decomposed",
            settings={"span": self.span},
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            length=self.length,
            patience=4.0,
        )
        return net.fit_net(examples, limits, seed, design, DLinearModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "span": lambda rng: int(rng.choice([5, 13, 25, 49])),
            "length": lambda rng: int(rng.choice([0, 32, 64, 128, 256])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.0005), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        net.warm_up(cls(epochs=2))
