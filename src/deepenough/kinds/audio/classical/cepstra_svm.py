"""Cepstral coefficients with a support vector machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.kinds import described
from deepenough.kinds.audio import decode
from deepenough.kinds.audio.features import Descriptors


class CepstraSvmModel(described.MachineModel):
    """How recordings are described, and the machine."""

    needs = decode.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class CepstraSvm(described.MachineLearner):
    """Statistics of mel-frequency cepstral coefficients, with a support vector machine of radial kernels.

    Coefficients: Davis and Mermelstein, 1980; machine: Boser, Guyon and Vapnik, 1992, by LIBSVM (Chang and Lin, 2011);
    its distances become probabilities as in Platt, 1999. Time grows with steps and with the square of the recordings;
    under a clock it is fitted on as many recordings as there is time for. A bad choice for many thousands of
    recordings, and where what decides is short and may come at any time.

    spectra: whether how power is spread is heard beside the coefficients.
    """

    spectra: bool = False

    needs = (*decode.NEEDS, "scikit-learn")
    priority = 10
    model_class = CepstraSvmModel

    def parts(self) -> tuple[str, ...]:
        return ("cepstra", "spectra") if self.spectra else ("cepstra",)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            **super().space(),
            "width": lambda rng: float(np.exp(rng.uniform(np.log(0.1), np.log(2)))),
            "spectra": lambda rng: bool(rng.choice([False, True])),
        }
