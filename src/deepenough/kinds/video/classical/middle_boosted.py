"""Boosted trees on the middle frame alone."""

from __future__ import annotations

from dataclasses import dataclass

from deepenough.kinds import described
from deepenough.kinds.video import decode
from deepenough.kinds.video.features import Descriptors


class MiddleBoostedModel(described.BoostedModel):
    """How clips are described, and trees on that."""

    needs = decode.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class MiddleBoosted(described.BoostedLearner):
    """Boosted trees on what the middle frame looks like, to see whether motion matters at all.

    Edges: after Dalal and Triggs, 2005; trees of LightGBM (Ke et al., 2017). Time grows with the pixels of a frame, and
    with clips times features times rounds, memory with clips times features. A bad choice wherever motion decides.
    """

    rounds: int = 200
    feature_share: float = 0.1

    needs = decode.NEEDS
    priority = 30
    model_class = MiddleBoostedModel

    def parts(self) -> tuple[str, ...]:
        return ("middle",)
