"""What a model sees of pictures: their pixels.

Needs that this module answers:

* Answers are explained by regions: what a region is worth is found by putting another picture's in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from deepenough.kinds.pixel_inputs import Pixels, third

ROWS, COLUMNS = ("top", "middle", "bottom"), ("left", "centre", "right")
"""Regions by which answers are explained: a picture's thirds."""


class Pictures(Pixels):
    """Pictures of one size; `shape` is height, width and channels."""

    at_once = 512
    noise_shape = (16, 16)

    def parts(self) -> Sequence[str]:
        """The regions that can be replaced."""
        return tuple("centre" if (row, column) == ("middle", "centre") else f"{row} {column}" for row, column in _CELLS)

    def shuffled(self, part: int, rows: np.ndarray) -> Self:
        """The same pictures, but with that region of the pictures at `rows`."""
        row, column = ROWS.index(_CELLS[part][0]), COLUMNS.index(_CELLS[part][1])
        height, width, _ = self.shape
        region = (slice(None), third(height, row), third(width, column))
        changed = np.array(self.pixels[self.places])
        changed[region] = self.pixels[self.places[rows]][region]
        return type(self).of(changed, self.channels)


_CELLS = tuple((row, column) for row in ROWS for column in COLUMNS)
