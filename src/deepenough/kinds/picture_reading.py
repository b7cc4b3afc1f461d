"""How pictures of a source are read, all at one size, and how one is shown: what kinds of pictures share.

Needs that this module answers:

* Pictures are read at one size, theirs where they are small.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deepenough.errors import SourceError
from deepenough.kinds import picture_files
from deepenough.kinds.folders import Item
from deepenough.kinds.pixel_sizes import usual_size

SHORTEST = 16
"""Pixels of any side, at least."""
LOOKED_AT = 300
"""Pictures whose own sizes say how large all are read."""
SHOWN_SIDE = 96


@dataclass(frozen=True)
class PictureReader:
    """Pictures drawn to one size."""

    height: int
    width: int

    units = "pictures"
    advice = "decode smaller: --side"
    dtype = "|u1"

    @property
    def key(self) -> str:
        return f"{picture_files.VERSION} {self.height} {self.width}"

    @property
    def row(self) -> tuple[int, ...]:
        return (self.height, self.width, 3)

    @property
    def bytes_each(self) -> int:
        return self.height * self.width * 3

    def __call__(self, content: bytes) -> tuple[np.ndarray, dict[str, Any]]:
        pixels, seen = picture_files.decoded(content, self.height, self.width)
        return pixels[None], asdict(seen)


def png(pixels: np.ndarray, side: int = SHOWN_SIDE) -> bytes:
    """A picture as a PNG, no longer than `side`. pixels: uint8, shape (height, width, channels)."""
    from PIL import Image

    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((side, side))
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return content.getvalue()


def size_of(items: Sequence[Item], side: int | None, longest: int) -> tuple[int, int]:
    """Height and width that pictures are read with: of their usual shape and size, no longer than `longest`.

    side: the longer side that a person asked for.
    """
    looked = items[:: max(1, len(items) // LOOKED_AT)]
    sizes = []
    for item in looked:
        try:
            seen = picture_files.look(item.read())
        except (picture_files.NoPicture, OSError, SourceError):
            continue
        sizes.append((seen.height, seen.width))
    return usual_size(np.array(sizes), side, longest, SHORTEST, 3 * len(items))
