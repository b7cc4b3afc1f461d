"""What a model sees of pictures in which objects are looked for: their pixels."""

from __future__ import annotations

from deepenough.kinds.pixel_inputs import Pixels


class Scenes(Pixels):
    """Pictures of one size; `shape` is height, width and channels."""

    at_once = 256
