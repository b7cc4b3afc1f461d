"""Motion and looks with a support vector machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import described
from deepenough.kinds.video import decode
from deepenough.kinds.video.features import Descriptors


class MotionSvmModel(described.MachineModel):
    """How clips are described, and the machine."""

    needs = decode.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class MotionSvm(described.MachineLearner):
    """What moves where and in which direction, and what a few frames look like, with a support vector machine of radial
    kernels.

    Histograms of flow with such a machine: after Laptev et al., 2008; machine: Boser, Guyon and Vapnik, 1992, by LIBSVM
    (Chang and Lin, 2011); its distances become probabilities as in Platt, 1999. Time grows with frames times pixels and
    with the square of the clips, memory with clips times features; under a clock it is fitted on as many clips as there
    is time for. A bad choice for many thousands of clips, and where the fine form of a motion decides.

    looks: whether what frames look like is seen beside the motion.
    """

    looks: bool = True

    needs = (*decode.NEEDS, "scikit-learn")
    priority = 20
    model_class = MotionSvmModel

    def parts(self) -> tuple[str, ...]:
        return ("motion", "looks") if self.looks else ("motion",)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {**super().space(), "looks": lambda rng: bool(rng.choice([False, True]))}
