"""Gradients and colours of windows at every place of a picture and at several sizes.

Needs that this module answers:

* A picture's cells are described once a size; every window that shares them costs a sum.
* What a window of a size stands for is known in shares of the picture, so that learning and finding look alike.
* A picture alone is described as among others: each is gone through by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from deepenough.kinds import gradients

CELL = 4
"""Pixels a side."""
LONGER = 6
"""Cells of a window's longer side."""
LEAST_CELLS = 3
STEPS = 3
"""Sizes of a picture between one and its half."""
LARGEST, SMALLEST = 2.5, 0.12
"""Times its own size that a picture is looked at."""


@dataclass(frozen=True)
class Shape:
    """A window's shape, in cells, and of which class it is. sizes: how large the longer side of its objects is, from
    and to, in pixels of the picture as it is read."""

    code: int
    rows: int
    columns: int
    sizes: tuple[float, float]

    @classmethod
    def of(cls, code: int, width: float, height: float, sizes: tuple[float, float]) -> Shape:
        """The shape of objects that are usually so wide and high."""
        longer = max(width, height)
        columns, rows = (max(LEAST_CELLS, round(LONGER * side / longer)) for side in (width, height))
        return cls(code, rows, columns, sizes)

    @property
    def pixels(self) -> float:
        """Of its longer side."""
        return float(CELL * max(self.rows, self.columns))


@dataclass(frozen=True)
class Level:
    """A picture looked at in one size: of each block of cells what is seen, float32, shape (rows, columns, numbers)."""

    seen: np.ndarray
    height: float
    width: float

    def windows(self, shape: Shape) -> np.ndarray:
        """What each window of that shape sees, a view, shape (down, right, numbers, rows - 1, columns - 1)."""
        size = (shape.rows - 1, shape.columns - 1)
        return np.asarray(np.lib.stride_tricks.sliding_window_view(self.seen, size, axis=(0, 1)))

    def seen_by(self, shape: Shape, places: np.ndarray) -> np.ndarray:
        """What the windows at these places see, counted row by row; a copy, shape (k, all numbers)."""
        view = self.windows(shape)
        down, right = np.divmod(places, view.shape[1])
        return np.asarray(view[down, right].reshape(len(places), math.prod(view.shape[2:])))

    def fits(self, shape: Shape) -> bool:
        """Whether a window of that shape has room."""
        return bool(self.seen.shape[0] >= shape.rows - 1 and self.seen.shape[1] >= shape.columns - 1)

    def boxes(self, shape: Shape) -> np.ndarray:
        """Where each window stands, shares of the picture, shape (down, right, 4)."""
        down, right = self.seen.shape[0] - shape.rows + 2, self.seen.shape[1] - shape.columns + 2
        top, left = np.mgrid[:down, :right].astype(np.float64) * CELL
        corners = [left, top, left + CELL * shape.columns, top + CELL * shape.rows]
        return np.asarray(np.stack(corners, axis=2) / np.array([self.width, self.height, self.width, self.height]))


def factors(shapes: Sequence[Shape]) -> list[float]:
    """Sizes at which a picture is looked at, so that objects of all these shapes fit their windows at one of them."""
    wanted = [shape.pixels / size for shape in shapes for size in shape.sizes]
    if not wanted:
        return []
    low, high = max(min(wanted), SMALLEST), min(max(wanted), LARGEST)
    count = max(1, round(np.log2(max(high, low) / low) * STEPS) + 1)
    return [float(factor) for factor in np.geomspace(low, max(high, low), count)]


def levels(pixels: np.ndarray, sizes: Sequence[float], colours: bool) -> Iterator[Level]:
    """One picture at these sizes. pixels: uint8, shape (height, width, channels)."""
    height, width = pixels.shape[:2]
    values = pixels.astype(np.float32)
    for factor in sizes:
        rows, columns = max(2 * CELL, round(height * factor)), max(2 * CELL, round(width * factor))
        drawn = values if (rows, columns) == (height, width) else resized(values, rows, columns)
        cells = gradients.in_cells(drawn[None], CELL)
        seen = gradients.in_blocks(cells)[0]
        if colours:
            seen = np.concatenate([seen, _colours(drawn, cells.shape[1:3])], axis=2)
        yield Level(np.ascontiguousarray(seen, dtype=np.float32), float(rows), float(columns))


def _colours(drawn: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Mean colours of each block's first cell, less those of the whole picture: float32, shape (rows - 1, ...)."""
    rows, columns = shape
    inside = drawn[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL, -1)
    means = inside.mean(axis=(1, 3)) / 255
    return np.asarray((means - means.mean(axis=(0, 1)))[: rows - 1, : columns - 1], dtype=np.float32)


def resized(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """A picture drawn to another size: each pixel the mean of those under it, or between its neighbours.

    values: float32, shape (height, width, channels).
    """
    down, right = _weights(values.shape[0], rows), _weights(values.shape[1], columns)
    tall = np.matmul(down, values.transpose(2, 0, 1))
    return np.ascontiguousarray(np.matmul(tall, right.T).transpose(1, 2, 0))


@lru_cache(maxsize=64)
def _weights(before: int, after: int) -> np.ndarray:
    """Share of each pixel before in each after: triangles as wide as the larger one, float32, shape (after, before)."""
    reach = max(1.0, before / after)
    middle = (np.arange(after) + 0.5) * before / after - 0.5
    weights = np.maximum(0.0, 1 - np.abs(np.arange(before) - middle[:, None]) / reach)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)
