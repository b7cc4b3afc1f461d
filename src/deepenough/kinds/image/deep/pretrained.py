"""A frozen pretrained net of pictures, and a weighted sum of what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.kinds import linear, noise
from deepenough.kinds.image import pretrained
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.in_time import in_turn, until
from deepenough.learner import Examples, Learner, Limits

SEEING = 0.75
"""Share of the time that seeing pictures may take; the rest is for the weights."""


class PretrainedModel(linear.LinearModel):
    """The weights of the net's numbers."""

    @staticmethod
    def read_features(folder: Path) -> pretrained.Features:
        return pretrained.Features.load(folder)


@dataclass(frozen=True)
class Pretrained(Learner):
    """What a pretrained net sees in a picture, and a weighted sum of its 1,280 numbers.

    EfficientNet-Lite0 (after Tan and Le, 2019, arXiv 1905.11946) stays as it is; the sum is a logistic or a ridge
    regression whose penalty is chosen on rows held out (Donahue et al., 2014, arXiv 1310.1531).

    Time grows with pictures x pixels (some 5 milliseconds a picture of 96 pixels on one core) whoever's trial comes
    first, later ones find the vectors; memory with pictures x 1,280. Where time is short, only the first pictures that
    fit are learnt from. A bad choice for what photos of things do not show: scans, plots, spectrograms, cells.

    side: pixels of the longer side that it sees. pictures: learnt from, at most.
    """

    side: int = pretrained.SIDE
    pictures: int = 20_000

    needs = pretrained.NEEDS
    preload = pretrained.PRELOAD
    priority = 15
    deterministic = True
    pretrained = pretrained.PRETRAINED

    def fit(self, examples: Examples, limits: Limits, seed: int) -> PretrainedModel:
        """See pictures, inner and outer rows in turn, until all are or the time for it is over; then fit the sum."""
        import torch

        torch.set_num_threads(limits.threads)
        features = pretrained.Features(self.side, limits.cache)
        order = in_turn(examples)[: self.pictures]
        vectors = features.learnt(examples.inputs.take(order), until(limits, SEEING))
        done = order[: len(vectors)]
        sorting = np.argsort(done, kind="stable")
        share = len(done) / len(order)
        return linear.fitted_on(done[sorting], vectors[sorting], features, examples, limits, PretrainedModel, share)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {"side": lambda rng: int(rng.choice([64, 128, 160]))}

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        noise.warm_up(cls(), Pictures, n_classes)
