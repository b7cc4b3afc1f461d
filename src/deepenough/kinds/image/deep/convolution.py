"""Convolutions one after the other, trained from nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import noise
from deepenough.kinds.image import net
from deepenough.kinds.image.inputs import Pictures
from deepenough.learner import Examples, Learner, Limits


class ConvolutionModel(net.NetModel):
    """The trained convolutions."""


@dataclass(frozen=True)
class Convolution(Learner):
    """A small convolutional network: layers of patterns of three by three pixels, pooled over the whole picture.

    LeCun et al., 1989; small patterns in layers: Simonyan and Zisserman, 2015, arXiv 1409.1556; trained on pictures
    that are moved, scaled and lit a little differently in each step.

    Time grows with pictures x pixels x epochs x width squared, memory with batch x pixels x width. A bad choice for a
    few hundred pictures, and where fine details of large pictures decide.

    width: filters of the first layer; each next one has twice as many. layers: of convolutions.
    shift, light, mirror: how pictures are varied, see `nets.augment.Augment`.
    dropout: share of numbers left out in a step. smoothing: share of a label that is spread over all classes.
    rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes over the pictures.
    """

    width: int = 16
    layers: int = 3
    shift: float = 0.05
    light: float = 0.1
    mirror: bool = False
    dropout: float = 0.2
    smoothing: float = 0.02
    rate: float = 0.005
    weight_decay: float = 0.05
    epochs: int = 25

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 10

    def fit(self, examples: Examples, limits: Limits, seed: int) -> ConvolutionModel:
        design = net.Design(
            body="Convolutions",
            settings={"widths": [self.width * 2**layer for layer in range(self.layers)]},
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            augment={"shift": self.shift, "zoom": self.shift, "light": self.light, "mirror": self.mirror},
            dropout=self.dropout,
            smoothing=self.smoothing,
        )
        return net.fit_net(examples, limits, seed, design, ConvolutionModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "width": lambda rng: int(rng.choice([16, 24, 32])),
            "shift": lambda rng: float(rng.choice([0.0, 0.05, 0.1, 0.2])),
            "mirror": lambda rng: bool(rng.choice([False, True])),
            "dropout": lambda rng: float(rng.choice([0.1, 0.3, 0.5])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        noise.warm_up(cls(epochs=2), Pictures, n_classes)
