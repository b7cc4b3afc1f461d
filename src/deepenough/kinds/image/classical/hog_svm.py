"""Gradients and colours with a support vector machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import described, picture_files
from deepenough.kinds.image import drawn
from deepenough.kinds.image.features import Descriptors
from deepenough.learner import Examples, Learner, Limits, Model


class HogSvmModel(described.MachineModel):
    """How pictures are described, and the machine."""

    needs = picture_files.NEEDS
    descriptors_class = Descriptors


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

    needs = (*picture_files.NEEDS, "scikit-learn")
    preload = described.MACHINE_PRELOAD
    priority = 10

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Describe, fit the machine, learn what its distances mean."""
        parts = ("gradients", "colours") if self.colours else ("gradients",)
        return described.machine(HogSvmModel, examples, limits, seed, parts, self.penalty, self.width)

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
