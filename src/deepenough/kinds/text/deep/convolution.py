"""Patterns of a few words, wherever in a document they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.text import net
from deepenough.learner import Examples, Learner, Limits


class ConvolutionModel(net.TextNetModel):
    """The trained convolutions."""


@dataclass(frozen=True)
class Convolution(Learner):
    """Convolutions over two, three and four words, and of each pattern its best fit anywhere in the document.

    Kim, 2014 (arXiv 1408.5882), with vectors of words learnt from the training documents; a word that is new has those
    of its runs of letters (Bojanowski et al., 2017, arXiv 1607.04606).

    Time grows with documents x words x epochs x filters x vector, memory with batch x words x filters and with the
    vocabulary x vector. A bad choice where what decides stands far apart: more than four words are never seen together.

    filters: patterns of each length. words: read of a document, at most; of a longer one the first three quarters of so
    many and the last quarter. vector: width of a word's vector. dropout: share of numbers left out in a step.
    smoothing: share of a label that is spread over all classes: it keeps a net that knows all documents from certainty.
    rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes over the documents.
    """

    filters: int = 64
    words: int = 256
    vector: int = 64
    dropout: float = 0.4
    smoothing: float = 0.05
    rate: float = 0.004
    weight_decay: float = 0.1
    epochs: int = 30

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 20

    def fit(self, examples: Examples, limits: Limits, seed: int) -> ConvolutionModel:
        design = net.Design(
            reader="Convolution",
            settings={"filters": self.filters, "spans": [2, 3, 4]},
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            words=self.words,
            vector=self.vector,
            dropout=self.dropout,
            smoothing=self.smoothing,
        )
        return net.fit_net(examples, limits, seed, design, ConvolutionModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "filters": lambda rng: int(rng.choice([32, 64, 128])),
            "vector": lambda rng: int(rng.choice([32, 64, 128])),
            "dropout": lambda rng: float(rng.choice([0.2, 0.4, 0.6])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        net.warm_up(cls(epochs=2), n_classes)
