"""Boosted trees on local binary patterns and colours."""

from __future__ import annotations

from dataclasses import dataclass

from deepenough.kinds import described, picture_files
from deepenough.kinds.image.features import Descriptors


class PatternsBoostedModel(described.BoostedModel):
    """How pictures are described, and trees on that."""

    needs = picture_files.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class PatternsBoosted(described.BoostedLearner):
    """Boosted trees on histograms of uniform local binary patterns and of colours.

    Patterns: Ojala, Pietikäinen and Mäenpää, 2002; trees of LightGBM (Ke et al., 2017). Time grows with pixels, and
    with pictures times features times rounds, memory with pictures times features. A bad choice where outlines decide
    and not textures.
    """

    needs = picture_files.NEEDS
    priority = 30
    model_class = PatternsBoostedModel

    def parts(self) -> tuple[str, ...]:
        return ("patterns", "colours")
