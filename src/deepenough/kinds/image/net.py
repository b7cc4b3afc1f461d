"""What the nets of pictures share: which inputs they take, and how much of them (see `kinds.pixel_nets`)."""

from __future__ import annotations

from deepenough.kinds import picture_files, pixel_nets
from deepenough.kinds.pixel_nets import Design, fit_net

__all__ = ["NEEDS", "PRELOAD", "SMALLEST", "Design", "NetModel", "fit_net"]

NEEDS = (*picture_files.NEEDS, "torch", "safetensors")
PRELOAD = ("torch", "safetensors.numpy", "deepenough.nets.pictures", "deepenough.nets.supervised")
SMALLEST = 20
"""Pixels of the shorter side, below which pictures aren't shrunk."""


class NetModel(pixel_nets.NetModel):
    """A trained net of pictures."""

    nets = "deepenough.nets.pictures"
    batch = 64
    passes = 5.0
    smallest = SMALLEST
    most_epochs = 40_000
    measured = 500
