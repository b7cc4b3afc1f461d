"""The deep champion of texts: a recurrent net that reads words in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.text import net
from deepenough.learner import Examples, Learner, Limits


class RecurrentModel(net.TextNetModel):
    """The trained recurrent net."""


@dataclass(frozen=True)
class Recurrent(Learner):
    """Gated recurrent units that read a document word by word, and what they remember of it.

    GRU (Cho et al., 2014, arXiv 1406.1078). Vectors of words are learnt from the training documents; a word that is
    new has those of its runs of letters (Bojanowski et al., 2017, arXiv 1607.04606). The answer is made of the last
    state, of the largest and the mean one over time, and of the mean of the words' own vectors.

    Time grows with documents x words x epochs x units x (units + vector), memory with batch x words x units and with
    the vocabulary x vector. A bad choice where single words decide and documents are few: a weighted sum of them is
    quicker, and seldom worse.

    units: of a direction. both_ways: whether another layer reads from the end to the beginning.
    words: read of a document, at most; of a longer one the first three quarters of so many and the last quarter.
    vector: width of a word's vector. dropout: share of numbers left out in a step.
    smoothing: share of a label that is spread over all classes: it keeps a net that knows all documents from certainty.
    rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes over the documents.
    """

    units: int = 64
    both_ways: bool = False
    words: int = 256
    vector: int = 64
    dropout: float = 0.4
    smoothing: float = 0.05
    rate: float = 0.008
    weight_decay: float = 0.1
    epochs: int = 30

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 10
    remembers = "it reads a document word by word, and what it has read changes how it takes what follows"

    def fit(self, examples: Examples, limits: Limits, seed: int) -> RecurrentModel:
        design = net.Design(
            reader="Recurrent",
            settings={"units": self.units, "both_ways": self.both_ways},
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay},
            words=self.words,
            vector=self.vector,
            dropout=self.dropout,
            smoothing=self.smoothing,
        )
        return net.fit_net(examples, limits, seed, design, RecurrentModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "units": lambda rng: int(rng.choice([48, 64, 96, 128])),
            "both_ways": lambda rng: bool(rng.random() < 0.5),
            "vector": lambda rng: int(rng.choice([32, 64, 128])),
            "dropout": lambda rng: float(rng.choice([0.1, 0.3, 0.5])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        net.warm_up(cls(epochs=2), n_classes)
