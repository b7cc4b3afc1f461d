"""The trivial answer: the same boxes in every picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds import picture_files
from deepenough.kinds.objects import boxes
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Learner, Limits, Model

MOST_BOXES = 1_500
"""Of a class that are compared."""


@dataclass(frozen=True)
class UsualBoxes(Learner):
    """The boxes that most pictures have, whatever the picture: of each class the box with which most true ones agree,
    then that with which most of the others do, each scored by the share of pictures that have it.

    What every other learner has to beat; greedy covering as in Chvatal, 1979. Time and memory grow with the square of
    the boxes, of which some are taken where they are many. A bad choice wherever objects are not always at one place.

    agreement: of two boxes that count as the same.
    """

    agreement: float = boxes.RIGHT

    needs = picture_files.NEEDS
    deterministic = True
    priority = 0

    def fit(self, examples: Examples, limits: Limits, seed: int) -> UsualBoxesModel:
        """Count which boxes agree with most others."""
        assert examples.lists is not None
        weights = np.ones(len(examples)) if examples.weights is None else examples.weights
        found = [
            self._of_class(examples.targets, code, weights, examples.lists.most)
            for code in range(examples.lists.classes)
        ]
        claims = np.concatenate(found)
        order = np.argsort(-claims[:, 0], kind="stable")[: examples.lists.most]
        answer = np.zeros(examples.lists.shape)
        answer[: len(order)] = claims[order]
        return UsualBoxesModel(answer)

    def _of_class(self, targets: np.ndarray, code: int, weights: np.ndarray, most: int) -> np.ndarray:
        """Claims of one class, shape (k, 6)."""
        owner, rank = np.nonzero(targets[:, :, 0] == code)
        some = np.linspace(0, len(owner) - 1, min(len(owner), MOST_BOXES)).astype(np.int64)
        owner, places = owner[some], targets[owner[some], rank[some], 1:]
        agree = boxes.agreement(places, places) >= self.agreement
        left = weights[owner] * 1.0
        claims: list[list[float]] = []
        total = weights[np.unique(owner)].sum() if len(some) < MOST_BOXES else left.sum()
        share = (targets[:, :, 0] == code).any(axis=1) @ weights / weights.sum()
        while len(claims) < most and left.sum() > 0:
            covered = agree @ left
            best = int(covered.argmax())
            score = float(np.clip(share * covered[best] / max(total, 1e-12), 1e-6, 1.0))
            claims.append([score, code, *places[best]])
            left[agree[best]] = 0.0
        return np.array(claims).reshape(-1, 6)


class UsualBoxesModel(Model):
    """answer: the list that is said of every picture, shape (most, 6)."""

    def __init__(self, answer: np.ndarray) -> None:
        self.answer = answer

    def predict(self, inputs: Any) -> np.ndarray:
        return np.repeat(self.answer[None], len(inputs), axis=0)

    def save(self, folder: Path) -> None:
        write(folder, "usual_boxes", {}, {"answer": self.answer})

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(read(folder, "usual_boxes")[1]["answer"])
