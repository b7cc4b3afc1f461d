"""Gradients and colours with a support vector machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds import kernel
from deepenough.kinds.image import decode, drawn
from deepenough.kinds.image.features import Descriptors
from deepenough.kinds.kernel import Machine
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Learner, Limits, Model


@dataclass(frozen=True)
class HogSvm(Learner):
    """Histograms of oriented gradients and of colours, with a support vector machine of radial kernels.

    Gradients: Dalal and Triggs, 2005; machine: Boser, Guyon and Vapnik, 1992, by LIBSVM (Chang and Lin, 2011); its
    distances become probabilities as in Platt, 1999. Time grows with pixels and with the square of the pictures, memory
    with pictures times features; under a clock it is fitted on as many pictures as there is time for. A bad choice for
    many thousands of pictures, and where what decides may stand anywhere.

    penalty: on what lies on the wrong side of a border (C). width: of the kernel, times one over the columns' number.
    colours: whether these are seen beside the gradients.
    """

    penalty: float = 10.0
    width: float = 0.5
    colours: bool = True

    needs = (*decode.NEEDS, "scikit-learn")
    preload = ("sklearn.svm", "scipy.optimize")
    priority = 10

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Describe, fit the machine, learn what its distances mean."""
        descriptors = Descriptors(("gradients", "colours") if self.colours else ("gradients",))
        matrix = descriptors(examples.inputs)
        machine, inner = kernel.fit(matrix, examples, limits, seed, self.penalty, self.width)
        model = HogSvmModel(descriptors, machine)
        model.inner_predictions = inner
        return model

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "penalty": lambda rng: float(np.exp(rng.uniform(np.log(0.5), np.log(50)))),
            "width": lambda rng: float(np.exp(rng.uniform(np.log(0.2), np.log(3)))),
            "colours": lambda rng: bool(rng.choice([False, True])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        drawn.warm_up(cls(), n_classes)


class HogSvmModel(Model):
    """How pictures are described, and the machine."""

    needs = decode.NEEDS

    def __init__(self, descriptors: Descriptors, machine: Machine) -> None:
        self.descriptors, self.machine, self.planned = descriptors, machine, machine.planned

    def predict(self, inputs: Any) -> np.ndarray:
        return self.machine(self.descriptors(inputs))

    def save(self, folder: Path) -> None:
        write(folder, "descriptors", self.descriptors.to_json(), {})
        self.machine.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(Descriptors.from_json(read(folder, "descriptors")[0]), Machine.load(folder))
