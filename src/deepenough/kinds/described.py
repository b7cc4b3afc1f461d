"""Learners that describe each unit by plain numbers first: pictures, recordings, clips. What they share.

Needs that this module answers:

* A kind says how its units are described; boosted trees and kernel machines on that are the same for all.
* What is saved is how they are described, and what was learnt.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.kinds import kernel
from deepenough.kinds.answers import fit_twice
from deepenough.kinds.boosted import Boosted
from deepenough.kinds.kernel import Machine
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Limits, Model

TREES_PRELOAD = ("lightgbm", "scipy.sparse")
MACHINE_PRELOAD = ("sklearn.svm", "scipy.optimize")


@dataclass(frozen=True)
class Descriptors(ABC):
    """Which descriptors, one after the other."""

    parts: tuple[str, ...]

    @abstractmethod
    def __call__(self, inputs: Any) -> np.ndarray:
        """float32, shape (n, columns)."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"parts": list(self.parts)}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Itself again."""
        return cls(tuple(facts["parts"]))


class DescribedModel(Model):
    """How units are described, and what was learnt of that. A learner's own says which descriptors these are."""

    descriptors_class: ClassVar[type[Descriptors]]
    learnt_class: ClassVar[type[Boosted] | type[Machine]]

    def __init__(self, descriptors: Descriptors, learnt: Boosted | Machine) -> None:
        self.descriptors, self.learnt, self.planned = descriptors, learnt, learnt.planned

    def predict(self, inputs: Any) -> np.ndarray:
        return self.learnt(self.descriptors(inputs))

    def save(self, folder: Path) -> None:
        write(folder, "descriptors", self.descriptors.to_json(), {})
        self.learnt.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts = read(folder, "descriptors")[0]
        return cls(cls.descriptors_class.from_json(facts), cls.learnt_class.load(folder))


class BoostedModel(DescribedModel):
    """Trees on descriptors."""

    learnt_class = Boosted


class MachineModel(DescribedModel):
    """A support vector machine on descriptors."""

    learnt_class = Machine


def boosted(
    model: type[BoostedModel],
    examples: Examples,
    limits: Limits,
    seed: int,
    parts: tuple[str, ...],
    rounds: int,
    patience: int,
    leaf_rows: int | None,
    feature_share: float,
) -> BoostedModel:
    """Descriptors once, then trees until the inner units say stop, then again with these."""
    descriptors = model.descriptors_class(parts)
    matrix = descriptors(examples.inputs)
    own = {"min_data_in_leaf": leaf_rows, "feature_fraction": feature_share, "max_bin": 63}

    def fitted(rows: np.ndarray, first: BoostedModel | None) -> BoostedModel:
        before = first.learnt if first is not None else None
        assert before is None or isinstance(before, Boosted)
        return model(
            descriptors, Boosted.fit(matrix, examples, rows, limits, seed, rounds, patience, first=before, **own)
        )

    return fit_twice(examples, limits, fitted)


def machine(
    model: type[MachineModel],
    examples: Examples,
    limits: Limits,
    seed: int,
    parts: tuple[str, ...],
    penalty: float,
    width: float,
) -> MachineModel:
    """Descriptors once, then the machine, and what its distances mean. penalty, width: see `kernel.fit`."""
    descriptors = model.descriptors_class(parts)
    learnt, inner = kernel.fit(descriptors(examples.inputs), examples, limits, seed, penalty, width)
    fitted = model(descriptors, learnt)
    fitted.inner_predictions = inner
    return fitted
