"""Recordings that are copies of each other, exact or near: saved again, in another format, a little louder."""

from __future__ import annotations

import numpy as np

from deepenough.kinds import near
from deepenough.kinds.audio.inputs import Recordings
from deepenough.kinds.copies import Copies, judged

RANGE = 8.0
"""Of logarithms of power below a recording's loudest, from white to black: what is fainter, formats that save room
leave out."""


def of(recordings: Recordings, targets: np.ndarray, apart: bool = True) -> Copies:
    """Which recordings are copies. apart: whether the splits will keep them on one side."""
    known = dict[bytes, int]()
    small = np.empty((len(recordings), near.SIDE, near.SIDE), dtype=np.float32)
    exact = np.empty(len(recordings), dtype=np.int64)
    for row, heard in enumerate(recordings.read()):
        exact[row] = known.setdefault(heard.tobytes(), len(known))
        small[row] = near.shrunk(np.maximum(heard - heard.max() + RANGE, 0)[None] / RANGE)[0]
    pairs = [pair for pair in near.near_pairs(small) if _as_long(recordings.lengths, pair)]
    return judged(exact, pairs, targets, apart, "recordings", "exactly or nearly so")


def _as_long(lengths: np.ndarray, pair: tuple[int, int]) -> bool:
    shorter, longer = sorted(lengths[list(pair)].tolist())
    return bool(longer - shorter <= max(5, 0.05 * longer))
