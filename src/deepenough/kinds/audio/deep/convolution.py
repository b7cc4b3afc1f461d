"""Convolutions over tones and time, trained from nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import noise
from deepenough.kinds.audio import net
from deepenough.kinds.audio.inputs import Recordings
from deepenough.learner import Examples, Learner, Limits


class ConvolutionModel(net.NetModel):
    """The trained convolutions."""


@dataclass(frozen=True)
class Convolution(Learner):
    """A small convolutional network on the spectrogram: patterns of tones and time, pooled over time, not over tones.

    Piczak, 2015 (IEEE MLSP); trained on recordings of which tones and stretches of time are left out in turn
    (SpecAugment: Park et al., 2019, arXiv 1904.08779).

    Time grows with recordings x seconds x epochs x width squared, memory with batch x seconds x width. A bad choice for
    a few hundred recordings, and where the order of what is heard decides over many seconds.

    joined: steps of a hundredth of a second that become one, at least; under a clock more.
    width: filters of the first layer; each next one has twice as many. layers: of convolutions.
    tones, times, louder, moved: how recordings are varied, see `nets.sounds.Masks`.
    dropout: share of numbers left out in a step. smoothing: share of a label that is spread over all classes.
    rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes over the recordings.
    """

    joined: int = 2
    width: int = 16
    layers: int = 3
    tones: float = 0.2
    times: float = 0.2
    louder: float = 0.3
    moved: float = 0.1
    dropout: float = 0.2
    smoothing: float = 0.02
    rate: float = 0.003
    weight_decay: float = 0.05
    epochs: int = 30

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 15

    def fit(self, examples: Examples, limits: Limits, seed: int) -> ConvolutionModel:
        widths = [self.width * 2**layer for layer in range(self.layers)]
        design = net.Design(
            net="Seen",
            own={"body": "Convolutions", "settings": {"widths": widths}, "shrink": self.joined},
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            masks={"tones": self.tones, "times": self.times, "louder": self.louder, "moved": self.moved},
            dropout=self.dropout,
            smoothing=self.smoothing,
        )
        return net.fit_net(examples, limits, seed, design, ConvolutionModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "joined": lambda rng: int(rng.choice([1, 2, 4])),
            "width": lambda rng: int(rng.choice([16, 24, 32])),
            "tones": lambda rng: float(rng.choice([0.0, 0.2, 0.4])),
            "times": lambda rng: float(rng.choice([0.0, 0.2, 0.4])),
            "dropout": lambda rng: float(rng.choice([0.1, 0.3, 0.5])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        noise.warm_up(cls(epochs=2), Recordings, n_classes)
