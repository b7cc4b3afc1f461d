"""What classical learners see of pictures: histograms of gradients, colours, and local binary patterns.

Needs that this module answers:

* All are computed for many pictures at once, a portion of them in memory: a picture costs a fraction of a millisecond.
* What is brighter or a little moved looks nearly the same; where in the picture something is, counts.
* Held against scikit-image in the tests, which does the same picture by picture.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from deepenough.kinds import described
from deepenough.kinds.gradients import gradients
from deepenough.kinds.image.inputs import Pictures

PARTS = ("gradients", "colours", "patterns")
GRID = 4
"""Fields a side, of each of which mean and deviation of the colours are taken."""
LEVELS = 4
"""Of each colour, in the joint histogram."""
REGIONS = 3
"""Regions a side, each with its histogram of patterns."""


class Descriptors(described.Descriptors):
    """Of pictures: `PARTS`."""

    inputs_class = Pictures

    def __call__(self, inputs: Pictures) -> np.ndarray:
        """float32, shape (n, columns)."""
        found = []
        for portion in inputs.portions():
            found.append(np.concatenate([_OF[part](portion) for part in self.parts], axis=1))
        return np.concatenate(found).astype(np.float32, copy=False)


def colours(pixels: np.ndarray) -> np.ndarray:
    """Mean and deviation of each colour in a grid of fields, and a joint histogram of all colours of the picture.

    pixels: uint8, shape (n, height, width, channels). Returns float32, shape (n, columns).
    """
    n, height, width, channels = pixels.shape
    values = pixels.astype(np.float32) / 255
    found = []
    for rows in _cuts(height, GRID):
        for columns in _cuts(width, GRID):
            field = values[:, rows, columns]
            found += [field.mean(axis=(1, 2)), field.std(axis=(1, 2))]
    levels = (pixels.astype(np.int64) * LEVELS) >> 8
    code = np.zeros((n, height, width), dtype=np.int64)
    for channel in range(channels):
        code = code * LEVELS + levels[..., channel]
    wide = LEVELS**channels
    flat = (np.arange(n)[:, None] * wide + code.reshape(n, height * width)).ravel()
    counts = np.bincount(flat, minlength=n * wide).reshape(n, wide) / (height * width)
    return np.concatenate([*found, np.sqrt(counts)], axis=1).astype(np.float32)


def _cuts(length: int, parts: int) -> Sequence[slice]:
    edges = [place * length // parts for place in range(parts + 1)]
    return [slice(a, max(b, a + 1)) for a, b in itertools.pairwise(edges)]


def patterns(pixels: np.ndarray) -> np.ndarray:
    """How often each uniform local binary pattern of 8 neighbours stands in each region (Ojala, Pietikäinen and
    Mäenpää, 2002): which neighbours of a pixel are at least as bright as it is.

    pixels: uint8, shape (n, height, width, channels). Returns float32, shape (n, columns).
    """
    codes = _pattern_codes(pixels.astype(np.float32).mean(axis=3))
    found = []
    for rows in _cuts(codes.shape[1], REGIONS):
        for columns in _cuts(codes.shape[2], REGIONS):
            region = codes[:, rows, columns]
            region = region.reshape(len(codes), region.shape[1] * region.shape[2])
            flat = (np.arange(len(codes))[:, None] * _UNIFORM + region).ravel()
            counts = np.bincount(flat, minlength=len(codes) * _UNIFORM).reshape(-1, _UNIFORM)
            found.append(np.sqrt(counts / max(1, region.shape[1])))
    return np.concatenate(found, axis=1).astype(np.float32)


def _pattern_codes(grey: np.ndarray) -> np.ndarray:
    """Of each pixel that has all neighbours the number of its pattern, int64, shape (n, height - 2, width - 2).

    Neighbours lie on a circle of one pixel; those between pixels are interpolated.
    """
    middle = grey[:, 1:-1, 1:-1]
    word = np.zeros(middle.shape, dtype=np.int64)
    for bit in range(8):
        angle = 2 * np.pi * bit / 8
        word |= (_moved(grey, -np.sin(angle), np.cos(angle)) >= middle - 1e-4).astype(np.int64) << bit
    return np.asarray(_NUMBER_OF[word])


def _moved(grey: np.ndarray, down: float, right: float) -> np.ndarray:
    """The inner pixels' values at a distance of up to one pixel, interpolated between four."""
    top, left = int(np.floor(round(down, 6))), int(np.floor(round(right, 6)))
    low, far = round(down - top, 6), round(right - left, 6)
    height, width = grey.shape[1] - 2, grey.shape[2] - 2
    total = np.zeros((len(grey), height, width), dtype=np.float32)
    for step, share in ((0, 1 - low), (1, low)):
        for side, part in ((0, 1 - far), (1, far)):
            if share * part > 0:
                rows, columns = (
                    slice(1 + top + step, 1 + top + step + height),
                    slice(1 + left + side, 1 + left + side + width),
                )
                total += np.float32(share * part) * grey[:, rows, columns]
    return total


def _numbered() -> tuple[np.ndarray, int]:
    """Numbers of the 58 patterns with at most two changes around the circle, and one for all others."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    uniform = changes <= 2
    numbers = np.where(uniform, np.cumsum(uniform) - 1, int(uniform.sum()))
    return numbers.astype(np.int64), int(uniform.sum()) + 1


_NUMBER_OF, _UNIFORM = _numbered()
_OF = {"gradients": gradients, "colours": colours, "patterns": patterns}
