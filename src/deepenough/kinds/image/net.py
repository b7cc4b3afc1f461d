"""What the nets of pictures share: which inputs they take, and how much of them (see `kinds.file_nets`)."""

from __future__ import annotations

from deepenough.kinds import file_nets
from deepenough.kinds.file_nets import Design, fit_net
from deepenough.kinds.image import decode

__all__ = ["NEEDS", "PRELOAD", "SMALLEST", "Design", "NetModel", "fit_net"]

NEEDS = (*decode.NEEDS, "torch", "safetensors")
PRELOAD = ("torch", "safetensors.numpy", "deepenough.nets.pictures", "deepenough.nets.supervised")
SMALLEST = 20
"""Pixels of the shorter side, below which pictures aren't shrunk."""


class NetModel(file_nets.NetModel):
    """A trained net of pictures."""

    room = "deepenough.nets.pictures"
    batch = 64
    passes = 5.0
    smallest = SMALLEST
    most_epochs = 40_000
    measured = 500
