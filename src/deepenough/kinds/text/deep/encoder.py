"""A frozen pretrained sentence encoder, and a weighted sum of what it says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.kinds import linear
from deepenough.kinds.answers import Answers
from deepenough.kinds.text import encoder, net
from deepenough.kinds.text.encoder import WIDTH
from deepenough.kinds.text.in_time import in_turn, inner_answers, until
from deepenough.kinds.weighted import reach_of
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
        return fitted_on(done[sorting], vectors[sorting], features, examples, limits, len(done) / len(order))

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {"tokens": lambda rng: int(rng.choice([48, 96, 128]))}

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        net.warm_up(cls(), n_classes)


def fitted_on(
    rows: np.ndarray, vectors: np.ndarray, features: linear.Features, examples: Examples, limits: Limits, share: float
) -> EncoderModel:
    """The weighted sum fitted on these rows, whose vectors are known. share: how much of the plan they are."""
    places = np.flatnonzero(np.isin(rows, examples.inner))
    some = dataclasses.replace(examples.take(rows), inner=places)
    model = linear.fit(features, vectors, some, limits, EncoderModel) if len(rows) else most_common(features, examples)
    model.planned *= share
    answers = model.inner_predictions if model.inner_predictions is not None else model.answered(vectors[places])
    model.inner_predictions = inner_answers(examples, rows[places], answers)
    return model


def most_common(features: linear.Features, examples: Examples) -> EncoderModel:
    """A model that answers what is most common, whatever the document."""
    answers = Answers.of(examples.targets, examples.n_classes, examples.weights)
    weights = np.zeros((WIDTH + 1, 1 if answers.width <= 2 else answers.width))
    if answers.n_classes is not None:
        shares = np.log(answers.average(answers.encode(examples.targets), examples.weights)[0])
        weights[-1] = shares[1] - shares[0] if answers.width == 2 else shares
    return EncoderModel(features, answers, weights, reach_of(examples))
