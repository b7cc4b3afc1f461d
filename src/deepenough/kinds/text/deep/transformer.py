"""A small transformer that is trained from scratch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.text import net
from deepenough.learner import Examples, Learner, Limits


class TransformerModel(net.TextNetModel):
    """The trained transformer."""


@dataclass(frozen=True)
class Transformer(Learner):
    """A small transformer, trained from scratch: in each layer every word looks at all others.

    Vaswani et al., 2017 (arXiv 1706.03762), normalising first (Xiong et al., 2020, arXiv 2002.04745), with learnt
    vectors of the places. Vectors of words as in `recurrent`.

    Time grows with documents x epochs x layers x words x units x (units + words), memory with batch x words x (units +
    heads x words). A bad choice for fewer than some ten thousand documents: what it could learn of language they do not
    teach.

    units: width of a word's vector inside. layers: how many. heads: ways of looking, each with its share of the units.
    words: read of a document, at most; of a longer one the first three quarters of so many and the last quarter.
    dropout: share of numbers left out in a step.
    smoothing: share of a label that is spread over all classes: it keeps a net that knows all documents from certainty.
    rate: highest learning rate of AdamW. weight_decay: relative to the rate. epochs: most passes over the documents.
    """

    units: int = 64
    layers: int = 2
    heads: int = 4
    words: int = 192
    dropout: float = 0.2
    smoothing: float = 0.05
    rate: float = 0.002
    weight_decay: float = 0.1
    epochs: int = 30

    needs = net.NEEDS
    preload = net.PRELOAD
    priority = 50

    def fit(self, examples: Examples, limits: Limits, seed: int) -> TransformerModel:
        design = net.Design(
            reader="Transformer",
            settings={
                "steps": self.words,
                "units": self.units,
                "layers": self.layers,
                "heads": self.heads,
                "dropout": self.dropout,
            },
            recipe={"epochs": self.epochs, "rate": self.rate, "weight_decay": self.weight_decay, "warm": 0.05},
            words=self.words,
            vector=self.units,
            dropout=self.dropout,
            smoothing=self.smoothing,
        )
        return net.fit_net(examples, limits, seed, design, TransformerModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "units": lambda rng: int(rng.choice([64, 96, 128])),
            "layers": lambda rng: int(rng.integers(1, 4)),
            "dropout": lambda rng: float(rng.choice([0.1, 0.2, 0.4])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.0005), np.log(0.004)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        net.warm_up(cls(epochs=2), n_classes)
