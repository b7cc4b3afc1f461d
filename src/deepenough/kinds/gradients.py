"""Histograms of oriented gradients (Dalal and Triggs, 2005), of many pictures at once.

Needs that this module answers:

* As one row of numbers a picture, and cell by cell, for what is looked for at every place of a picture.
* Held against scikit-image in the tests, which does the same picture by picture.
"""

from __future__ import annotations

import numpy as np

ORIENTATIONS = 9
CELLS, LEAST_CELL = 8, 3
"""Cells along the shorter side, and pixels of one at least."""
BLOCK = 2
CLIP = 0.2
"""Of a block's normalised histogram."""


def gradients(pixels: np.ndarray, cell: int | None = None) -> np.ndarray:
    """Histograms of oriented gradients (Dalal and Triggs, 2005): in each cell how strong edges of each direction are,
    normalised in blocks of cells that overlap (L2-Hys).

    pixels: uint8, shape (n, height, width, channels). cell: pixels a side. Returns float32, shape (n, columns).
    """
    height, width = pixels.shape[1:3]
    blocks = in_blocks(in_cells(pixels, max(LEAST_CELL, min(height, width) // CELLS) if cell is None else cell))
    return blocks.reshape(len(blocks), int(np.prod(blocks.shape[1:])))


def in_cells(pixels: np.ndarray, cell: int) -> np.ndarray:
    """How strong the edges of each direction are in each cell.

    pixels: uint8 or float, shape (n, height, width, channels). cell: pixels a side; what is left over at the right and
    at the bottom is not seen. Returns float64, shape (n, rows, columns, ORIENTATIONS).
    """
    height, width = pixels.shape[1:3]
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
    return np.asarray((sums / cell**2).reshape(len(pixels), rows, columns, ORIENTATIONS))


def _strongest(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each pixel the change from left to right and from top to bottom, of the colour that changes most."""
    across, down = np.zeros_like(values), np.zeros_like(values)
    across[:, :, 1:-1] = values[:, :, 2:] - values[:, :, :-2]
    down[:, 1:-1] = values[:, 2:] - values[:, :-2]
    if values.shape[3] == 1:
        return across[..., 0], down[..., 0]
    most = (across**2 + down**2).argmax(axis=3)[..., None]
    return np.take_along_axis(across, most, 3)[..., 0], np.take_along_axis(down, most, 3)[..., 0]


def in_blocks(cells: np.ndarray) -> np.ndarray:
    """Histograms of neighbouring cells side by side, of length one; no number above `CLIP`, then again.

    cells: shape (n, rows, columns, orientations). Returns float32, shape (n, rows - 1, columns - 1, numbers a block).
    """
    count, rows, columns, orientations = cells.shape
    block = min(BLOCK, rows, columns)
    views = np.lib.stride_tricks.sliding_window_view(cells, (block, block), axis=(1, 2))
    wide = block * block * orientations
    blocks = views.transpose(0, 1, 2, 4, 5, 3).reshape(count, rows - block + 1, columns - block + 1, wide)
    blocks = np.minimum(_of_length_one(blocks), CLIP)
    return np.asarray(_of_length_one(blocks), dtype=np.float32)


def _of_length_one(blocks: np.ndarray) -> np.ndarray:
    return np.asarray(blocks / np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + 1e-10))
