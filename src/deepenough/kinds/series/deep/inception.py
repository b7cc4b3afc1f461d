"""Convolutions of several lengths side by side, over the whole series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.series import net
from deepenough.learner import Examples, Learner, Limits

SPANS = (9, 19, 39)


class InceptionModel(net.NetModel):
    """The trained convolutional net."""


@dataclass(frozen=True)
class Inception(Learner):
    """Blocks of convolutions of several lengths look for patterns wherever they stand in the series.

    InceptionTime (Ismail Fawaz et al., 2020, arXiv 1909.04939), one net instead of five, smaller, and normalised over
    its filters instead of over the batch.

    Time grows with series x steps x epochs x filters x filters x blocks, memory with batch x steps x filters. A bad
    choice for few series, and where it matters when something happens and not what.

    filters: of each length. blocks: one after the other. most_steps: longer series are averaged down.
    dropout: share of numbers left out in a step. smoothing: share of a label that is spread over all classes.
    rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes over the series.
    """

    filters: int = 12
    blocks: int = 3
    most_steps: int = 160
    dropout: float = 0.2
    smoothing: float = 0.02
    rate: float = 0.004
    weight_decay: float = 0.05
    epochs: int = 30

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 20

    def fit(self, examples: Examples, limits: Limits, seed: int) -> InceptionModel:
        settings = {"filters": self.filters, "blocks": self.blocks, "spans": list(SPANS), "narrow": self.filters}
        design = net.Design(
            reader="Inception",
            settings=settings,
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            most_steps=self.most_steps,
            dropout=self.dropout,
            smoothing=self.smoothing,
        )
        return net.fit_net(examples, limits, seed, design, InceptionModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "filters": lambda rng: int(rng.choice([8, 16, 32])),
            "blocks": lambda rng: int(rng.choice([2, 3])),
            "dropout": lambda rng: float(rng.choice([0.1, 0.3, 0.5])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        net.warm_up(cls(epochs=2), n_classes)
