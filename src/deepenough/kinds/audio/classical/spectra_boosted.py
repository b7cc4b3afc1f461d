"""Boosted trees on how power is spread over tones and over time."""

from __future__ import annotations

from dataclasses import dataclass

from deepenough.kinds import described
from deepenough.kinds.audio import decode
from deepenough.kinds.audio.features import Descriptors


class SpectraBoostedModel(described.BoostedModel):
    """How recordings are described, and trees on that."""

    needs = decode.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class SpectraBoosted(described.BoostedLearner):
    """Boosted trees on how power is spread over tones and over time: centre, width, roll-off, flatness, rhythm.

    Measures: Peeters, 2004; trees of LightGBM (Ke et al., 2017). Time grows with steps, and with recordings times
    features times rounds. A bad choice where the same loudness and colour of sound comes in another order.
    """

    needs = decode.NEEDS
    priority = 30
    model_class = SpectraBoostedModel

    def parts(self) -> tuple[str, ...]:
        return ("spectra",)
