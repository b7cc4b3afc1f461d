"""The deep champion of series: a recurrent net that remembers what came long before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.series import net
from deepenough.learner import Examples, Learner, Limits


class RecurrentModel(net.NetModel):
    """The trained recurrent net."""


@dataclass(frozen=True)
class Recurrent(Learner):
    """Gated recurrent units that read a series from its beginning and keep what matters.

    GRU (Cho et al., 2014, arXiv 1406.1078). A long series is read in stretches, each of which becomes one vector (as in
    Nie et al., 2023, arXiv 2211.14730). The answer is made of the last state, of the largest and the mean one over
    time, and of how high, lively and long the series is.

    Time grows with series x stretches x epochs x units x (units + vector), memory with batch x stretches x units. A bad
    choice for few series, and where single steps of very long series decide.

    units: of the memory. both_ways: whether another layer reads from the end to the beginning.
    most_steps: longer series are averaged down. most_stretches: how many stretches a series is cut into, at most.
    vector: width of a stretch's vector. dropout: share of numbers left out in a step.
    smoothing: share of a label that is spread over all classes.
    rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes over the series.
    """

    units: int = 48
    both_ways: bool = False
    most_steps: int = 1_024
    most_stretches: int = 40
    vector: int = 32
    dropout: float = 0.2
    smoothing: float = 0.02
    rate: float = 0.006
    weight_decay: float = 0.05
    epochs: int = 40

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 10
    remembers = "it reads a series step by step, and what it has read changes how it takes what follows"

    def fit(self, examples: Examples, limits: Limits, seed: int) -> RecurrentModel:
        design = net.Design(
            reader="Recurrent",
            settings={"units": self.units, "both_ways": self.both_ways},
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            most_steps=self.most_steps,
            most_stretches=self.most_stretches,
            vector=self.vector,
            dropout=self.dropout,
            smoothing=self.smoothing,
        )
        return net.fit_net(examples, limits, seed, design, RecurrentModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "units": lambda rng: int(rng.choice([32, 64, 96])),
            "both_ways": lambda rng: bool(rng.random() < 0.5),
            "most_stretches": lambda rng: int(rng.choice([32, 64, 128])),
            "dropout": lambda rng: float(rng.choice([0.1, 0.3, 0.5])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        net.warm_up(cls(epochs=2), n_classes)
