"""Gated recurrent units that hear a recording step by step, trained from nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import noise
from deepenough.kinds.audio import net
from deepenough.kinds.audio.inputs import Recordings
from deepenough.learner import Examples, Learner, Limits


class RecurrentModel(net.NetModel):
    """The trained recurrent net."""


@dataclass(frozen=True)
class Recurrent(Learner):
    """A recurrent net on the spectrogram: gated units that read a recording step by step.

    Cho et al., 2014; on spectra for speech: Graves, Mohamed and Hinton, 2013; trained on recordings of which tones and
    stretches of time are left out in turn (SpecAugment: Park et al., 2019, arXiv 1904.08779).

    Time grows with recordings x seconds x epochs x units squared, memory with batch x seconds x units. A bad choice for
    a few hundred recordings, and for noises in which nothing follows on anything.

    units: of each direction. stretch: steps of a hundredth of a second that become one.
    both_ways: whether it reads from the end to the beginning too.
    tones, times, louder, moved: how recordings are varied, see `nets.sounds.Masks`.
    dropout: share of numbers left out in a step. smoothing: share of a label that is spread over all classes.
    rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes over the recordings.
    """

    units: int = 96
    stretch: int = 8
    both_ways: bool = False
    tones: float = 0.2
    times: float = 0.2
    louder: float = 0.3
    moved: float = 0.1
    dropout: float = 0.3
    smoothing: float = 0.02
    rate: float = 0.005
    weight_decay: float = 0.05
    epochs: int = 30

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 10
    remembers = "it hears a recording step by step, and what it has heard changes how it takes what follows"

    def fit(self, examples: Examples, limits: Limits, seed: int) -> RecurrentModel:
        own = {"stretch": self.stretch, "vector": self.units, "units": self.units, "both_ways": self.both_ways}
        design = net.Design(
            net="Read",
            own=own,
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            masks={"tones": self.tones, "times": self.times, "louder": self.louder, "moved": self.moved},
            dropout=self.dropout,
            smoothing=self.smoothing,
        )
        return net.fit_net(examples, limits, seed, design, RecurrentModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "units": lambda rng: int(rng.choice([64, 96, 128])),
            "stretch": lambda rng: int(rng.choice([4, 8, 16])),
            "both_ways": lambda rng: bool(rng.choice([False, True])),
            "tones": lambda rng: float(rng.choice([0.0, 0.2, 0.4])),
            "times": lambda rng: float(rng.choice([0.0, 0.2, 0.4])),
            "dropout": lambda rng: float(rng.choice([0.1, 0.3, 0.5])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        noise.warm_up(cls(epochs=2), Recordings, n_classes)
