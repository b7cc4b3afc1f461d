"""A convolution over time that sees further back with each layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.forecast import net
from deepenough.learner import Examples, Learner, Limits


class ConvolutionModel(net.PathModel):
    """The trained convolution."""


@dataclass(frozen=True)
class Convolution(Learner):
    """Causal convolutions whose gaps double from layer to layer, and a decoder that answers every step ahead directly.

    Temporal convolution (Bai, Kolter and Koltun, 2018, arXiv 1803.01271); quantiles of all steps at once (Wen et al.,
    2017, arXiv 1711.11053). One net for all series, each window in its own scale.

    Time grows with windows x epochs x steps read x layers x units squared, memory with batch x steps x layers x units;
    layers grow with the logarithm of the steps. A bad choice for one short series, and on one slow core.

    units: channels of a layer; 0: by the number of windows. span: steps that one convolution looks at. length: steps of
    history that are read; 0: two seasons and the horizon, or four horizons. stride: steps that are put side by side and
    read at once; 0: by the length. recall: whether steps ahead look back at earlier ones; None: where windows aren't
    few. dropout: share of numbers left out in a
    step. rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes.
    """

    units: int = 0
    span: int = 3
    length: int = 0
    stride: int = 0
    recall: bool | None = None
    dropout: float = 0.2
    rate: float = 0.003
    weight_decay: float = 0.02
    epochs: int = 100

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 40

    def fit(self, examples: Examples, limits: Limits, seed: int) -> ConvolutionModel:
        length = self.length or examples.inputs.layout.look
        design = net.Design(
            net="Convolution",
            settings={
                "units": self.units or net.width_for(len(examples), 8, 32),
                "span": self.span,
                "stride": self.stride or net.stride_for(length, len(examples)),
                "recall": len(examples) >= net.FEW if self.recall is None else self.recall,
                "dropout": self.dropout,
            },
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            length=length,
        )
        return net.fit_net(examples, limits, seed, design, ConvolutionModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "units": lambda rng: int(rng.choice([16, 32, 64])),
            "length": lambda rng: int(rng.choice([0, 32, 64, 128])),
            "dropout": lambda rng: float(rng.choice([0.0, 0.1, 0.3])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        net.warm_up(cls(epochs=2))
