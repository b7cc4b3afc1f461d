"""A frozen pretrained sentence encoder, and a weighted sum of what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.kinds import linear
from deepenough.kinds.in_time import in_turn, until
from deepenough.kinds.text import encoder, net
from deepenough.learner import Examples, Learner, Limits

ENCODING = 0.75
"""Share of the time that encoding may take; the rest is for the weights."""


class EncoderModel(linear.LinearModel):
    """The weights of the encoder's numbers."""

    @staticmethod
    def read_features(folder: Path) -> encoder.Sentences:
        return encoder.Sentences.load(folder)


@dataclass(frozen=True)
class Encoder(Learner):
    """The vector that a pretrained sentence encoder makes of a document, and a weighted sum of its 384 numbers.

    all-MiniLM-L6-v2: Sentence-BERT (Reimers and Gurevych, 2019, arXiv 1908.10084) from MiniLM (Wang et al., 2020, arXiv
    2002.10957); the encoder stays as it is, the sum is a logistic or a ridge regression whose penalty is chosen on rows
    held out.

    Time grows with documents x tokens (some 0.3 milliseconds a token on one core) whoever's trial comes first, later
    ones find the vectors; memory with documents x 384. Where time is short, only the first documents that fit are
    learnt from. A bad choice for long documents, of which only the beginning is read, for jargon, for languages other
    than English, and where what decides is the wording rather than the meaning.

    tokens: read of a document, at most. documents: learnt from, at most.
    """

    tokens: int = 96
    documents: int = 20_000

    needs = encoder.NEEDS
    preload = encoder.PRELOAD
    priority = 40
    deterministic = True
    pretrained = encoder.PRETRAINED

    def fit(self, examples: Examples, limits: Limits, seed: int) -> EncoderModel:
        """Encode, inner and outer rows in turn, until all are or the time for it is over; then fit the sum."""
        import torch

        torch.set_num_threads(limits.threads)
        features = encoder.Sentences(self.tokens, limits.cache)
        order = in_turn(examples)[: self.documents]
        vectors = features.learnt(examples.inputs.take(order).texts, until(limits, ENCODING))
        done = order[: len(vectors)]
        sorting = np.argsort(done, kind="stable")
        share = len(done) / len(order)
        return linear.fitted_on(done[sorting], vectors[sorting], features, examples, limits, EncoderModel, share)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {"tokens": lambda rng: int(rng.choice([48, 96, 128]))}

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        net.warm_up(cls(), n_classes)
