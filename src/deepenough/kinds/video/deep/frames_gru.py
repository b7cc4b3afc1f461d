"""Convolutions over each frame, and a recurrent net over the frames, trained from nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import noise
from deepenough.kinds.video import net
from deepenough.kinds.video.inputs import Clips
from deepenough.learner import Examples, Learner, Limits


class FramesGruModel(net.NetModel):
    """The trained net."""


@dataclass(frozen=True)
class FramesGru(Learner):
    """A small convolutional network sees each frame and what changed in it, and a gated recurrent unit reads what was
    seen in its order.

    Donahue et al., 2015, arXiv 1411.4389, with the units of Cho et al., 2014; trained on clips that are moved, scaled
    and lit a little differently in each step, all frames of a clip alike.

    Time grows with clips x frames x pixels x epochs x width squared, memory with batch x frames x pixels x width. A bad
    choice for a few hundred clips, and where a short motion may happen anywhere and at any time.

    width: filters of the first layer; the next one has twice as many. units: of the recurrent net, and numbers of a
    frame.
    shift, light, mirror: how clips are varied, see `nets.augment.Augment`; a mirrored clip moves the other way.
    dropout: share of numbers left out in a step. smoothing: share of a label that is spread over all classes.
    rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes over the clips.
    """

    width: int = 12
    units: int = 48
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
    priority = 10
    remembers = "it sees a clip frame by frame, and what it has seen changes how it takes what follows"

    def fit(self, examples: Examples, limits: Limits, seed: int) -> FramesGruModel:
        design = net.Design(
            body="FramesRecurrent",
            settings={"widths": [self.width, 2 * self.width], "vector": self.units, "units": self.units},
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            augment={"shift": self.shift, "zoom": self.shift, "light": self.light, "mirror": self.mirror},
            dropout=self.dropout,
            smoothing=self.smoothing,
        )
        return net.fit_net(examples, limits, seed, design, FramesGruModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "width": lambda rng: int(rng.choice([8, 12, 16, 24])),
            "units": lambda rng: int(rng.choice([32, 48, 64, 96])),
            "shift": lambda rng: float(rng.choice([0.0, 0.05, 0.1])),
            "dropout": lambda rng: float(rng.choice([0.1, 0.3, 0.5])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        noise.warm_up(cls(epochs=2), Clips, n_classes)
