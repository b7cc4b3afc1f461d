"""TabM: an ensemble of perceptrons that share nearly all of their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.table import neural
from deepenough.learner import Examples, Learner, Limits


class TabmModel(neural.NeuralModel):
    """The trained ensemble; it answers with the members' mean."""


@dataclass(frozen=True)
class Tabm(Learner):
    """An ensemble of perceptrons that share their weights but for cheap factors of each member's own.

    TabM (Gorishniy, Kotelnikov and Babenko, 2024, arXiv 2410.24210) with waves and pieces of the numbers (Gorishniy,
    Rubachev and Babenko, 2022, arXiv 2203.05556), sized for a CPU: fewer members and narrower layers than in the paper.
    Members are trained each for itself and answer together.

    Time grows with rows x epochs x members x width x (features + width); memory with batch x members x width.
    A bad choice under a short budget (it costs several plain nets), and with thousands of columns.

    members: how many. width: units a layer; layers: hidden layers.
    dropout: share of units left out in a step; None: .1, or .2 with two classes.
    rate: highest learning rate of AdamW; None: .004, or .003 with two classes.
    weight_decay: relative to the rate; None: .03, or .3 with two classes.
    smoothing: share of a label that is spread over all classes, where there are more than two.
    epochs: most passes over the rows; None: 50, or 30 with two classes. pieces: pieces of each number, at most.
    """

    members: int = 8
    width: int = 128
    layers: int = 2
    dropout: float | None = None
    rate: float | None = None
    weight_decay: float | None = None
    smoothing: float = 0.05
    epochs: int | None = None
    pieces: int = 16

    needs = neural.NEEDS
    preload = neural.PRELOAD
    priority = 20

    def fit(self, examples: Examples, limits: Limits, seed: int) -> TabmModel:
        two = examples.n_classes == 2
        design = neural.Design(
            body="SharedMlp",
            body_settings={
                "members": self.members,
                "width": self.width,
                "layers": self.layers,
                "dropout": _chosen(self.dropout, 0.2 if two else 0.1),
            },
            recipe={
                "epochs": 30 if two and self.epochs is None else self.epochs or 50,
                "batch": neural.batch_for(len(examples)),
                "rate": _chosen(self.rate, 0.003 if two else 0.004),
                "weight_decay": _chosen(self.weight_decay, 0.3 if two else 0.03),
            },
            pieces=min(self.pieces, max(4, len(examples) // 100)),
            smoothing=0.0 if two or examples.n_classes is None else self.smoothing,
        )
        return neural.fit_net(examples, limits, seed, design, TabmModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "width": lambda rng: int(rng.choice([64, 128, 256])),
            "layers": lambda rng: int(rng.integers(1, 4)),
            "dropout": lambda rng: float(rng.choice([0.0, 0.1, 0.2, 0.35])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
            "pieces": lambda rng: int(rng.choice([4, 16, 48])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        neural.warm_up(cls(epochs=2), n_classes)


def _chosen(given: float | None, otherwise: float) -> float:
    return otherwise if given is None else given
