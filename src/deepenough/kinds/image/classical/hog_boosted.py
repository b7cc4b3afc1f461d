"""Boosted trees on gradients and colours."""

from __future__ import annotations

from dataclasses import dataclass

from deepenough.kinds import described, picture_files
from deepenough.kinds.image.features import Descriptors


class HogBoostedModel(described.BoostedModel):
    """How pictures are described, and trees on that."""

    needs = picture_files.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class HogBoosted(described.BoostedLearner):
    """Boosted trees on histograms of oriented gradients and of colours.

    Gradients: Dalal and Triggs, 2005; trees of LightGBM (Ke et al., 2017). Time grows with pixels, and with pictures
    times features times rounds, memory with pictures times features. A bad choice where what decides may stand anywhere
    in the picture.
    """

    needs = picture_files.NEEDS
    priority = 20
    model_class = HogBoostedModel

    def parts(self) -> tuple[str, ...]:
        return ("gradients", "colours")
