"""Convolutions over place and over time in turn, trained from nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import noise
from deepenough.kinds.video import net
from deepenough.kinds.video.inputs import Clips
from deepenough.learner import Examples, Learner, Limits

STAGES = 3
PATIENCE = 8
"""Checks without a better inner loss until the rate falls: for a while nothing is learnt, then all at once."""


class Convolution2Plus1DModel(net.NetModel):
    """The trained convolutions."""


@dataclass(frozen=True)
class Convolution2Plus1D(Learner):
    """A small network of (2+1)D convolutions: in each stage patterns of three by three pixels, then of three moments;
    pooled over the whole clip.

    Tran et al., 2018, arXiv 1711.11248, without residual ways; normalised over groups of channels (Wu and He, 2018,
    arXiv 1803.08494), and trained on clips that are varied in each step, all frames of a clip alike.

    Time grows with clips x frames x pixels x epochs x width squared, memory with batch x frames x pixels x width. A bad
    choice for a few hundred clips, and where what matters is in which part of the frame or of the time something is.

    width: filters of the first stage; each next one of three has twice as many.
    shift, light, mirror: how clips are varied, see `nets.augment.Augment`; a mirrored clip moves the other way.
    dropout: share of numbers left out in a step. smoothing: share of a label that is spread over all classes.
    rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes over the clips.
    """

    width: int = 12
    shift: float = 0.05
    light: float = 0.1
    mirror: bool = False
    dropout: float = 0.2
    smoothing: float = 0.02
    rate: float = 0.004
    weight_decay: float = 0.05
    epochs: int = 20

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 20

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Convolution2Plus1DModel:
        design = net.Design(
            body="InTurn",
            settings={"widths": [self.width * 2**stage for stage in range(STAGES)]},
            recipe={
                "epochs": self.epochs,
                "rate": self.rate,
                "weight_decay": self.weight_decay,
                "patience": PATIENCE,
            },
            augment={"shift": self.shift, "zoom": self.shift, "light": self.light, "mirror": self.mirror},
            dropout=self.dropout,
            smoothing=self.smoothing,
        )
        return net.fit_net(examples, limits, seed, design, Convolution2Plus1DModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "width": lambda rng: int(rng.choice([8, 12, 16])),
            "shift": lambda rng: float(rng.choice([0.0, 0.05, 0.1])),
            "dropout": lambda rng: float(rng.choice([0.1, 0.3, 0.5])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        noise.warm_up(cls(epochs=2), Clips, n_classes)
