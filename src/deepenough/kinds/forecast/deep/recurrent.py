"""The deep champion of forecasts: a recurrent net that reads the history and answers every step ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.forecast import net
from deepenough.learner import Examples, Learner, Limits


class RecurrentModel(net.PathModel):
    """The trained recurrent net."""


@dataclass(frozen=True)
class Recurrent(Learner):
    """Gated recurrent units that read the history step by step, and a decoder that answers every step ahead directly.

    GRU (Cho et al., 2014, arXiv 1406.1078); quantiles of all steps at once as in MQ-RNN (Wen et al., 2017, arXiv
    1711.11053); steps ahead look back at the steps they ask for (Bahdanau et al., 2015, arXiv 1409.0473). One net for
    all series, each window in its own scale.

    Time grows with windows x epochs x steps read x units x (units + channels), memory with batch x steps x units. A bad
    choice for one short series, where a simple rule has little to get wrong.

    units: of the state; 0: by the number of windows. length: steps of history that are read; 0: two seasons and the
    horizon, or four horizons. stride: steps that are put side by side and read at once; 0: by the length. recall:
    whether steps ahead look back at earlier ones; None: where windows aren't few. dropout: share of numbers left out in
    a step. rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes.
    """

    units: int = 0
    length: int = 0
    stride: int = 0
    recall: bool | None = None
    dropout: float = 0.2
    rate: float = 0.005
    weight_decay: float = 0.02
    epochs: int = 100

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 10
    remembers = "it reads a history step by step, and what it has read changes how it takes what follows"

    def fit(self, examples: Examples, limits: Limits, seed: int) -> RecurrentModel:
        length = self.length or examples.inputs.layout.look
        units = self.units or net.width_for(len(examples), 8, 32)
        design = net.Design(
            net="Recurrent",
            settings={
                "units": units,
                "stride": self.stride or net.stride_for(length, len(examples)),
                "recall": len(examples) >= net.FEW if self.recall is None else self.recall,
                "dropout": self.dropout,
            },
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            length=length,
        )
        return net.fit_net(examples, limits, seed, design, RecurrentModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "units": lambda rng: int(rng.choice([16, 32, 64])),
            "length": lambda rng: int(rng.choice([0, 32, 64, 128, 256])),
            "dropout": lambda rng: float(rng.choice([0.0, 0.1, 0.3])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        net.warm_up(cls(epochs=2))
