"""Gradients and colours with a support vector machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import described, picture_files
from deepenough.kinds.image.features import Descriptors


class HogSvmModel(described.MachineModel):
    """How pictures are described, and the machine."""

    needs = picture_files.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class HogSvm(described.MachineLearner):
    """Histograms of oriented gradients and of colours, with a support vector machine of radial kernels.

    Gradients: Dalal and Triggs, 2005; machine: Boser, Guyon and Vapnik, 1992, by LIBSVM (Chang and Lin, 2011); its
    distances become probabilities as in Platt, 1999. Time grows with pixels and with the square of the pictures, memory
    with pictures times features; under a clock it is fitted on as many pictures as there is time for. A bad choice for
    many thousands of pictures, and where what decides may stand anywhere.

    colours: whether these are seen beside the gradients.
    """

    colours: bool = True

    needs = (*picture_files.NEEDS, "scikit-learn")
    priority = 10
    model_class = HogSvmModel

    def parts(self) -> tuple[str, ...]:
        return ("gradients", "colours") if self.colours else ("gradients",)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {**super().space(), "colours": lambda rng: bool(rng.choice([False, True]))}
