"""Boosted trees on cepstral coefficients."""

from __future__ import annotations

from dataclasses import dataclass

from deepenough.kinds import described
from deepenough.kinds.audio import decode
from deepenough.kinds.audio.features import Descriptors


class CepstraBoostedModel(described.BoostedModel):
    """How recordings are described, and trees on that."""

    needs = decode.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class CepstraBoosted(described.BoostedLearner):
    """Boosted trees on statistics of mel-frequency cepstral coefficients.

    Coefficients: Davis and Mermelstein, 1980; trees of LightGBM (Ke et al., 2017). Time grows with steps, and with
    recordings times features times rounds. A bad choice where what decides is short and may come at any time.
    """

    needs = decode.NEEDS
    priority = 20
    model_class = CepstraBoostedModel

    def parts(self) -> tuple[str, ...]:
        return ("cepstra",)
