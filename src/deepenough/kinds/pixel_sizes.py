"""How large pictures and clips are read: all alike, by what they are."""

from __future__ import annotations

import numpy as np

from deepenough.kinds.file_store import LARGEST_BYTES

WIDEST = 2.0
"""No side is read longer than so many times the other."""


def usual_size(sizes: np.ndarray, asked: int | None, longest: int, shortest: int, pixel_bytes: int) -> tuple[int, int]:
    """Height and width of the usual shape and size.

    sizes: heights and widths of some of them, shape (n, 2); of none the shortest. asked: the longer side that a person
    asked for, in pixels; None: their own, up to `longest`. shortest: of any side. pixel_bytes: that one pixel takes in
    all of them; together they take no more than `file_store.LARGEST_BYTES`.
    """
    if not len(sizes):
        return shortest, shortest
    heights, widths = sizes.astype(np.float64).T
    shape = float(np.clip(np.median(heights / widths), 1 / WIDEST, WIDEST))
    wanted = asked or min(float(np.median(np.maximum(heights, widths))), longest)
    most = wanted * min(1.0, (LARGEST_BYTES / max(1, pixel_bytes) / wanted**2) ** 0.5)
    height, width = (most, most / shape) if shape >= 1 else (most * shape, most)
    return max(shortest, round(height)), max(shortest, round(width))
