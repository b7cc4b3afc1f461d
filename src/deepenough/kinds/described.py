"""Learners that describe each unit by plain numbers first: pictures, recordings, clips. What they share.

Needs that this module answers:

* A kind says how its units are described; boosted trees and kernel machines on that are the same for all.
* What is saved is how they are described, and what was learnt.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.kinds import kernel, noise
from deepenough.kinds.answers import fit_twice
from deepenough.kinds.boosted import Boosted
from deepenough.kinds.kernel import Machine
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Learner, Limits, Model

MOST_BINS = 63
"""Into which a descriptor's values are sorted before trees see them: there are many descriptors."""


@dataclass(frozen=True)
class Descriptors(ABC):
    """Which descriptors, one after the other."""

    parts: tuple[str, ...]

    inputs_class: ClassVar[noise.Noisy]
    """What they describe."""

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


@dataclass(frozen=True)
class DescribedLearner(Learner):
    """Describes each unit once and learns of that; a learner's own file says which descriptors, and what holds them."""

    model_class: ClassVar[type[DescribedModel]]

    @abstractmethod
    def parts(self) -> tuple[str, ...]:
        """Names of its descriptors, in order."""

    def described(self, examples: Examples) -> tuple[Descriptors, np.ndarray]:
        """How units are described, and the descriptors of all of these, float32, shape (n, columns)."""
        descriptors = self.model_class.descriptors_class(self.parts())
        return descriptors, descriptors(examples.inputs)

    def warm(self) -> Self:
        """The same, quick to fit."""
        return self

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        noise.warm_up(cls().warm(), cls.model_class.descriptors_class.inputs_class, n_classes)


@dataclass(frozen=True)
class BoostedLearner(DescribedLearner):
    """Boosted trees on descriptors.

    rounds: of boosting, at most. patience: rounds without a better inner loss before it stops.
    leaf_rows: examples in a leaf, at least; None: by how many there are.
    feature_share: of the features that a tree may use.
    """

    rounds: int = 300
    patience: int = 20
    leaf_rows: int | None = None
    feature_share: float = 0.2

    preload = ("lightgbm", "scipy.sparse")

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Descriptors once, then trees until the inner units say stop, then again with these."""
        descriptors, matrix = self.described(examples)
        own = {"min_data_in_leaf": self.leaf_rows, "feature_fraction": self.feature_share, "max_bin": MOST_BINS}

        def fitted(rows: np.ndarray, first: DescribedModel | None) -> DescribedModel:
            before = first.learnt if first is not None else None
            assert before is None or isinstance(before, Boosted)
            trees = Boosted.fit(matrix, examples, rows, limits, seed, self.rounds, self.patience, first=before, **own)
            return self.model_class(descriptors, trees)

        return fit_twice(examples, limits, fitted)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "leaf_rows": lambda rng: int(rng.integers(2, 20)),
            "feature_share": lambda rng: float(rng.choice([0.05, 0.1, 0.2, 0.5])),
        }

    def warm(self) -> Self:
        return replace(self, rounds=2)


@dataclass(frozen=True)
class MachineLearner(DescribedLearner):
    """A support vector machine of radial kernels on descriptors.

    penalty: on what lies on the wrong side of a border (C). width: of the kernel, times one over the columns' number.
    """

    penalty: float = 10.0
    width: float = 0.5

    preload = ("sklearn.svm", "scipy.optimize")

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Descriptors once, then the machine, and what its distances mean."""
        descriptors, matrix = self.described(examples)
        learnt, inner = kernel.fit(matrix, examples, limits, seed, self.penalty, self.width)
        fitted = self.model_class(descriptors, learnt)
        fitted.inner_predictions = inner
        return fitted

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "penalty": lambda rng: float(np.exp(rng.uniform(np.log(0.5), np.log(50)))),
            "width": lambda rng: float(np.exp(rng.uniform(np.log(0.2), np.log(3)))),
        }
