"""Cepstral coefficients with a support vector machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import described
from deepenough.kinds.audio import decode, drawn
from deepenough.kinds.audio.features import Descriptors
from deepenough.learner import Examples, Learner, Limits, Model


class CepstraSvmModel(described.MachineModel):
    """How recordings are described, and the machine."""

    needs = decode.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class CepstraSvm(Learner):
    """Statistics of mel-frequency cepstral coefficients, with a support vector machine of radial kernels.

    Coefficients: Davis and Mermelstein, 1980; machine: Boser, Guyon and Vapnik, 1992, by LIBSVM (Chang and Lin, 2011);
    its distances become probabilities as in Platt, 1999. Time grows with steps and with the square of the recordings;
    under a clock it is fitted on as many recordings as there is time for. A bad choice for many thousands of
    recordings, and where what decides is short and may come at any time.

    penalty: on what lies on the wrong side of a border (C). width: of the kernel, times one over the columns' number.
    spectra: whether how power is spread is heard beside the coefficients.
    """

    penalty: float = 10.0
    width: float = 0.5
    spectra: bool = False

    needs = (*decode.NEEDS, "scikit-learn")
    preload = described.MACHINE_PRELOAD
    priority = 10

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Describe, fit the machine, learn what its distances mean."""
        parts = ("cepstra", "spectra") if self.spectra else ("cepstra",)
        return described.machine(CepstraSvmModel, examples, limits, seed, parts, self.penalty, self.width)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "penalty": lambda rng: float(np.exp(rng.uniform(np.log(0.5), np.log(50)))),
            "width": lambda rng: float(np.exp(rng.uniform(np.log(0.1), np.log(2)))),
            "spectra": lambda rng: bool(rng.choice([False, True])),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        drawn.warm_up(cls(), n_classes)
