"""A residual net for tables: deeper than the others, each block adding a correction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.table import neural
from deepenough.learner import Examples, Learner, Limits


class ResnetModel(neural.NeuralModel):
    """The trained residual net."""


@dataclass(frozen=True)
class Resnet(Learner):
    """A residual net on waves of the numbers: blocks that normalise, widen, bend, and add to what came before.

    ResNet for tables (Gorishniy, Rubachev, Khrulkov and Babenko, 2021, arXiv 2106.11959), with layer normalisation in
    place of batch normalisation, so that a row alone gets the answer that it gets in a batch, and the embeddings of
    numbers of arXiv 2203.05556.

    Time grows with rows x epochs x blocks x width squared; memory with the rows, once encoded.
    A bad choice on a few hundred rows, where shallow nets do as well for less.

    width: units between blocks; blocks: how many; wider: how many times wider a block is inside.
    dropout: share of a block's inner units left out in a step. rate: highest learning rate of AdamW.
    smoothing: share of a label that is spread over all classes, where there are more than two.
    weight_decay: relative to the rate. epochs: most passes over the rows. pieces: pieces of each number, at most.
    """

    width: int = 128
    blocks: int = 2
    wider: float = 2.0
    dropout: float = 0.3
    rate: float = 0.002
    weight_decay: float = 0.5
    smoothing: float = 0.1
    epochs: int = 50
    pieces: int = 16

    needs = neural.NEEDS
    preload = neural.PRELOAD
    priority = 30

    def fit(self, examples: Examples, limits: Limits, seed: int) -> ResnetModel:
        design = neural.Design(
            body="Residual",
            body_settings={
                "width": self.width,
                "blocks": self.blocks,
                "wider": self.wider,
                "dropout": self.dropout,
            },
            recipe={
                "epochs": self.epochs,
                "batch": neural.batch_for(len(examples)),
                "rate": self.rate,
                "weight_decay": self.weight_decay,
            },
            pieces=min(self.pieces, max(4, len(examples) // 100)),
            smoothing=self.smoothing if (examples.n_classes or 0) > 2 else 0.0,
        )
        return neural.fit_net(examples, limits, seed, design, ResnetModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "width": lambda rng: int(rng.choice([64, 128, 256])),
            "blocks": lambda rng: int(rng.integers(1, 5)),
            "dropout": lambda rng: float(rng.choice([0.0, 0.1, 0.2, 0.35])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.0005), np.log(0.01)))),
            "pieces": lambda rng: int(rng.choice([4, 16, 48])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        neural.warm_up(cls(epochs=2), n_classes)
