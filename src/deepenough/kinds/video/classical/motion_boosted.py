"""Boosted trees on motion and looks."""

from __future__ import annotations

from dataclasses import dataclass

from deepenough.kinds import described
from deepenough.kinds.video import decode
from deepenough.kinds.video.features import Descriptors


class MotionBoostedModel(described.BoostedModel):
    """How clips are described, and trees on that."""

    needs = decode.NEEDS
    descriptors_class = Descriptors


@dataclass(frozen=True)
class MotionBoosted(described.BoostedLearner):
    """Boosted trees on what moves where and in which direction, and on what a few frames look like.

    Histograms of flow: after Dalal, Triggs and Schmid, 2006, with the flow that gradients show (Lucas and Kanade,
    1981); trees of LightGBM (Ke et al., 2017). Time grows with frames times pixels, and with clips times features times
    rounds, memory with clips times features. A bad choice where the fine form of a motion decides, or where things move
    many points from one frame to the next.
    """

    rounds: int = 200
    feature_share: float = 0.1

    needs = decode.NEEDS
    priority = 10
    model_class = MotionBoostedModel

    def parts(self) -> tuple[str, ...]:
        return ("motion", "looks")
