"""The deep champion of tables: a few small perceptrons at once, with the tricks that make them fit for tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds.table import neural
from deepenough.learner import Examples, Learner, Limits

FEW_ROWS = 3_000
"""Below it more and smaller nets, unless there are more than two classes."""


class MlpModel(neural.NeuralModel):
    """The trained perceptrons; they answer with their mean."""


@dataclass(frozen=True)
class Mlp(Learner):
    """A small ensemble of multilayer perceptrons on numbers turned into pieces and waves, trained side by side.

    After RealMLP (Holzmüller, Grinsztajn and Steinwart, 2024, arXiv 2407.04491): numbers scaled by quartiles, clipped
    smoothly, waves of each number with the number itself beside them, a learnt factor a feature, no weight decay on
    biases, AdamW, choice of the epoch on rows held out. Different from it: numbers come in pieces as well
    (piecewise-linear encoding, Gorishniy, Rubachev and Babenko, 2022, arXiv 2203.05556), several independent nets share
    each step, and the learning rate falls when the inner loss stops falling, not at an epoch fixed beforehand.

    Time grows with rows x epochs x members x width x (features + width); memory with the rows, once encoded.
    A bad choice where a few sharp thresholds decide, on a few dozen rows, and with thousands of columns.

    What is 0 is chosen by the number of rows and by the question: more than two classes bear a deeper net, a higher
    rate and smoothed labels (calibration gives back the certainty that smoothing takes); few rows bear more and
    smaller nets.

    members: independent nets; 0: 2, or 8 on few rows. width: units a layer; 0: 192, or 64 on few rows.
    layers: hidden layers; 0: 2, or 3 with more than two classes.
    dropout: share of units left out in a step.
    rate: highest learning rate of AdamW; 0: .01, or .004 with two classes or few rows.
    weight_decay: relative to the rate; 0: .2, or 1 on few rows of two classes.
    smoothing: share of a label that is spread over all classes, where there are more than two.
    epochs: most passes over the rows. pieces: pieces of each number, at most.
    """

    members: int = 0
    width: int = 0
    layers: int = 0
    dropout: float = 0.2
    rate: float = 0.0
    weight_decay: float = 0.0
    smoothing: float = 0.1
    epochs: int = 50
    pieces: int = 16

    needs = neural.NEEDS
    preload = neural.PRELOAD
    priority = 10

    def fit(self, examples: Examples, limits: Limits, seed: int) -> MlpModel:
        several = (examples.n_classes or 0) > 2
        small = len(examples) < FEW_ROWS and not several
        design = neural.Design(
            body="MemberMlp",
            body_settings={
                "members": self.members or (8 if small else 2),
                "width": self.width or (64 if small else 192),
                "layers": self.layers or (3 if several else 2),
                "dropout": self.dropout,
            },
            recipe={
                "epochs": self.epochs,
                "batch": neural.batch_for(len(examples)),
                "rate": self.rate or (0.004 if small or examples.n_classes == 2 else 0.01),
                "weight_decay": self.weight_decay or (1.0 if small and examples.n_classes else 0.2),
            },
            pieces=min(self.pieces, max(4, len(examples) // 100)),
            smoothing=self.smoothing if several else 0.0,
        )
        return neural.fit_net(examples, limits, seed, design, MlpModel)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "width": lambda rng: int(rng.choice([64, 128, 256])),
            "layers": lambda rng: int(rng.integers(1, 4)),
            "dropout": lambda rng: float(rng.choice([0.0, 0.1, 0.2, 0.35])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(0.001), np.log(0.02)))),
            "smoothing": lambda rng: float(rng.choice([0.0, 0.05, 0.1])),
            "weight_decay": lambda rng: float(np.exp(rng.uniform(np.log(0.01), np.log(1.5)))),
            "pieces": lambda rng: int(rng.choice([4, 16, 48])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        neural.warm_up(cls(epochs=2), n_classes)
