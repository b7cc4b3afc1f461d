"""Residual blocks of convolutions, trained from nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import noise
from deepenough.kinds.image import net
from deepenough.kinds.image.inputs import Pictures
from deepenough.learner import Examples, Learner, Limits

STAGES = 3


class ResidualModel(net.NetModel):
    """The trained residual net."""


@dataclass(frozen=True)
class Residual(Learner):
    """A small residual network: blocks of two convolutions, each with a way past it, in three stages.

    He et al., 2016 (arXiv 1512.03385), normalised over groups of channels (Wu and He, 2018, arXiv 1803.08494), and
    trained on pictures that are varied in each step.

    Time grows with pictures x pixels x epochs x width squared x blocks, some three times that of `convolution`, memory
    with batch x pixels x width x blocks. A bad choice for a few hundred pictures, and under a short budget.

    width: filters of the first stage; each next one has twice as many. blocks: of a stage.
    shift, light, mirror: how pictures are varied, see `nets.augment.Augment`.
    dropout: share of numbers left out in a step. smoothing: share of a label that is spread over all classes.
    rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes over the pictures.
    """

    width: int = 16
    blocks: int = 1
    shift: float = 0.05
    light: float = 0.1
    mirror: bool = False
    dropout: float = 0.2
    smoothing: float = 0.02
    rate: float = 0.003
    weight_decay: float = 0.05
    epochs: int = 25

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 20

    def fit(self, examples: Examples, limits: Limits, seed: int) -> ResidualModel:
        design = net.Design(
            body="Residual",
            settings={"widths": [self.width * 2**stage for stage in range(STAGES)], "blocks": self.blocks},
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            augment={"shift": self.shift, "zoom": self.shift, "light": self.light, "mirror": self.mirror},
            dropout=self.dropout,
            smoothing=self.smoothing,
        )
        return net.fit_net(examples, limits, seed, design, ResidualModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "width": lambda rng: int(rng.choice([12, 16, 24])),
            "blocks": lambda rng: int(rng.choice([1, 2])),
            "mirror": lambda rng: bool(rng.choice([False, True])),
            "dropout": lambda rng: float(rng.choice([0.1, 0.3, 0.5])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        noise.warm_up(cls(epochs=2), Pictures, n_classes)
