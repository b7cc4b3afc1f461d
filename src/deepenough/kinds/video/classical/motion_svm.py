"""Motion and looks with a support vector machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import described
from deepenough.kinds.video import decode, drawn
from deepenough.kinds.video.features import Descriptors
from deepenough.learner import Examples, Learner, Limits, Model


class MotionSvmModel(described.MachineModel):
    """How clips are described, and the machine."""

    needs = decode.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class MotionSvm(Learner):
    """What moves where and in which direction, and what a few frames look like, with a support vector machine of radial
    kernels.

    Histograms of flow with such a machine: after Laptev et al., 2008; machine: Boser, Guyon and Vapnik, 1992, by LIBSVM
    (Chang and Lin, 2011); its distances become probabilities as in Platt, 1999. Time grows with frames times pixels and
    with the square of the clips, memory with clips times features; under a clock it is fitted on as many clips as there
    is time for. A bad choice for many thousands of clips, and where the fine form of a motion decides.

    penalty: on what lies on the wrong side of a border (C). width: of the kernel, times one over the columns' number.
    looks: whether what frames look like is seen beside the motion.
    """

    penalty: float = 10.0
    width: float = 0.5
    looks: bool = True

    needs = (*decode.NEEDS, "scikit-learn")
    preload = described.MACHINE_PRELOAD
    priority = 20

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Describe, fit the machine, learn what its distances mean."""
        parts = ("motion", "looks") if self.looks else ("motion",)
        return described.machine(MotionSvmModel, examples, limits, seed, parts, self.penalty, self.width)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "penalty": lambda rng: float(np.exp(rng.uniform(np.log(0.5), np.log(50)))),
            "width": lambda rng: float(np.exp(rng.uniform(np.log(0.2), np.log(3)))),
            "looks": lambda rng: bool(rng.choice([False, True])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        drawn.warm_up(cls(), n_classes)
