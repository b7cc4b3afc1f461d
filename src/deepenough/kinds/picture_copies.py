"""Pictures that are copies of each other, exact or near: saved again, made smaller, a little brighter."""

from __future__ import annotations

import numpy as np

from deepenough.kinds import near
from deepenough.kinds.copies import Copies, judged
from deepenough.kinds.pixel_inputs import Pixels, brightness


def of(pictures: Pixels, targets: np.ndarray, apart: bool = True) -> Copies:
    """Which pictures are copies. apart: whether the splits will keep them on one side."""
    small, exact = _read(pictures)
    return judged(exact, list(near.near_pairs(small)), targets, apart, "pictures", "pixel by pixel or nearly so")


def _read(pictures: Pixels) -> tuple[np.ndarray, np.ndarray]:
    """Each as a small grey picture in the range 0 to 1, and a number that is equal for equal ones."""
    small, known, exact = [], dict[bytes, int](), []
    for portion in pictures.portions():
        small.append(shrunk(portion))
        exact += [known.setdefault(each.tobytes(), len(known)) for each in portion] if len(portion) else []
    return np.concatenate(small), np.array(exact, dtype=np.int64)


def shrunk(pixels: np.ndarray, side: int = near.SIDE) -> np.ndarray:
    """Grey, from 0 to 1, float32, shape (n, side, side): the mean of each field of the pixels."""
    return near.shrunk(brightness(pixels), side)
