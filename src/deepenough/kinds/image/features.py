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
from deepenough.kinds.image.inputs import Pictures

PARTS = ("gradients", "colours", "patterns")
ORIENTATIONS = 9
CELLS, LEAST_CELL = 8, 3
"""Cells along the shorter side, and pixels of one at least."""
BLOCK = 2
CLIP = 0.2
"""Of a block's normalised histogram."""
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


def gradients(pixels: np.ndarray, cell: int | None = None) -> np.ndarray:
    """Histograms of oriented gradients (Dalal and Triggs, 2005): in each cell how strong edges of each direction are,
    normalised in blocks of cells that overlap (L2-Hys).

    pixels: uint8, shape (n, height, width, channels). cell: pixels a side. Returns float32, shape (n, columns).
    """
    height, width = pixels.shape[1:3]
    cell = max(LEAST_CELL, min(height, width) // CELLS) if cell is None else cell
    across, down = _strongest(pixels.astype(np.float32))
    strength = np.hypot(across, down)
    direction = np.rad2deg(np.arctan2(down, across)) % 180
    bins = np.minimum((direction * (ORIENTATIONS / 180)).astype(np.int64), ORIENTATIONS - 1)
    rows, columns = height // cell, width // cell
    place = np.zeros((height, width), dtype=np.int64) - 1
    inside = place[: rows * cell, : columns * cell]
    inside[:] = (np.arange(rows * cell) // cell)[:, None] * columns + np.arange(columns * cell) // cell
    counted = place >= 0
    wide = rows * columns * ORIENTATIONS
    flat = (np.arange(len(pixels))[:, None] * wide + place[counted] * ORIENTATIONS) + bins[:, counted]
    sums = np.bincount(flat.ravel(), strength[:, counted].ravel(), minlength=len(pixels) * wide)
    cells = (sums / cell**2).reshape(len(pixels), rows, columns, ORIENTATIONS)
    return _in_blocks(cells)


def _strongest(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each pixel the change from left to right and from top to bottom, of the colour that changes most."""
    across, down = np.zeros_like(values), np.zeros_like(values)
    across[:, :, 1:-1] = values[:, :, 2:] - values[:, :, :-2]
    down[:, 1:-1] = values[:, 2:] - values[:, :-2]
    if values.shape[3] == 1:
        return across[..., 0], down[..., 0]
    most = (across**2 + down**2).argmax(axis=3)[..., None]
    return np.take_along_axis(across, most, 3)[..., 0], np.take_along_axis(down, most, 3)[..., 0]


def _in_blocks(cells: np.ndarray) -> np.ndarray:
    """Histograms of neighbouring cells side by side, of length one; no number above `CLIP`, then again."""
    count, rows, columns, orientations = cells.shape
    block = min(BLOCK, rows, columns)
    views = np.lib.stride_tricks.sliding_window_view(cells, (block, block), axis=(1, 2))
    wide = block * block * orientations
    blocks = views.transpose(0, 1, 2, 4, 5, 3).reshape(count, (rows - block + 1) * (columns - block + 1), wide)
    blocks = np.minimum(_of_length_one(blocks), CLIP)
    return np.asarray(_of_length_one(blocks).reshape(count, blocks.shape[1] * wide), dtype=np.float32)


def _of_length_one(blocks: np.ndarray) -> np.ndarray:
    return np.asarray(blocks / np.sqrt((blocks**2).sum(axis=2, keepdims=True) + 1e-10))


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
