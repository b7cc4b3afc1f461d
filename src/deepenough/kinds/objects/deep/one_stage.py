"""A net that finds objects in one pass, trained from nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.objects import net, noise
from deepenough.learner import Examples, Learner, Limits


@dataclass(frozen=True)
class OneStage(Learner):
    """A small convolutional network that says at each place of the picture of which class an object there is and how
    far its edges are; of finds that agree the best one stays.

    Tian, Shen, Chen and He, FCOS, 2019, arXiv 1904.01355; scores that say how well the box agrees: Li et al., 2020,
    arXiv 2006.04388; residual blocks: He et al., 2016; scores become chances as in Platt, 1999. Trained from nothing on
    pictures that are moved, scaled, lit and mirrored with their boxes.

    Time grows with pictures x pixels x epochs x width squared, memory with batch x pixels x width. A bad choice for a
    few dozen pictures, for objects of very different sizes in one picture, and for objects smaller than four pixels.

    width: filters of the first stage; the next ones have two and three times as many. deep: more blocks of the last
    stage. shift, zoom, light: by how much pictures are moved, scaled and lit, see `nets.detectors.Varied`. mirror:
    whether half of them are turned left to right: right for photos, wrong for letters. rate: highest learning rate of
    AdamW. weight_decay: relative to the rate. batch: pictures a step. epochs: most passes over the pictures.
    """

    width: int = 16
    deep: int = 1
    shift: float = 0.1
    zoom: float = 0.2
    light: float = 0.1
    mirror: bool = True
    rate: float = 0.004
    weight_decay: float = 0.05
    batch: int = 8
    epochs: int = 45

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 10

    def fit(self, examples: Examples, limits: Limits, seed: int) -> net.DetectorModel:
        """Train."""
        design = net.Design(
            widths=(self.width, 2 * self.width, 3 * self.width),
            deep=self.deep,
            recipe={
                "epochs": self.epochs,
                "batch": self.batch,
                "rate": self.rate,
                "weight_decay": self.weight_decay,
                "clip": 3.0,
                "patience": 8,
            },
            varied={"shift": self.shift, "zoom": self.zoom, "light": self.light, "mirror": self.mirror},
        )
        return net.fit(examples, limits, seed, design)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "width": lambda rng: int(rng.choice([16, 24, 32])),
            "deep": lambda rng: int(rng.choice([0, 1, 2])),
            "zoom": lambda rng: float(rng.choice([0.1, 0.2, 0.35])),
            "mirror": lambda rng: bool(rng.choice([False, True])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.008)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        noise.warm_up(cls(epochs=1))
