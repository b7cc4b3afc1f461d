"""What the nets of clips share: which inputs they take, and how much of them (see `kinds.pixel_nets`)."""

from __future__ import annotations

from deepenough.kinds import pixel_nets
from deepenough.kinds.pixel_nets import Design, fit_net
from deepenough.kinds.video import decode

__all__ = ["NEEDS", "PRELOAD", "SMALLEST", "Design", "NetModel", "fit_net"]

NEEDS = (*decode.NEEDS, "torch", "safetensors")
PRELOAD = ("torch", "safetensors.numpy", "deepenough.nets.clips", "deepenough.nets.supervised")
SMALLEST = 16
"""Pixels of the shorter side, below which frames aren't shrunk."""


class NetModel(pixel_nets.NetModel):
    """A trained net of clips."""

    nets = "deepenough.nets.clips"
    batch = 16
    passes = 12.0  # after five, nets of clips were still at chance
    smallest = SMALLEST
    most_epochs = 10_000
    measured = 100
