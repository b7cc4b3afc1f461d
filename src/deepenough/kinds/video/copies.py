"""Clips that are copies of each other, exact or near: saved again, made smaller, a little brighter.

Needs that this module answers:

* Two clips of one scene in which something else happens are no copies: beside the mean frame, what changes from one
  stretch of the time to the next must be the same.
"""

from __future__ import annotations

import itertools

import numpy as np

from deepenough.kinds import near
from deepenough.kinds.copies import Copies, judged
from deepenough.kinds.video.inputs import Clips

STRETCHES = 4
CHANGED = 0.35
"""How far apart the changes of near copies are, as a part of how large they are."""
STILL = 0.0015
"""Of a point's whole range: what a change differs by when a clip is saved again."""


def of(clips: Clips, targets: np.ndarray, apart: bool = True) -> Copies:
    """Which clips are copies. apart: whether the splits will keep them on one side."""
    small, changes, exact = _read(clips)
    pairs = [pair for pair in near.near_pairs(small) if _moves_alike(*(changes[place] for place in pair))]
    return judged(exact, pairs, targets, apart, "clips", "frame by frame or nearly so")


def _moves_alike(one: np.ndarray, other: np.ndarray) -> bool:
    largest = max(float(np.abs(one).mean()), float(np.abs(other).mean()))
    return float(np.abs(one - other).mean()) <= CHANGED * largest + STILL


def _read(clips: Clips) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each as a small grey mean frame in the range 0 to 1, what changes from stretch to stretch, and a number that is
    equal for equal ones."""
    small, changes, known, exact = [], [], dict[bytes, int](), []
    for portion in clips.portions():
        frames = portion.shape[1]
        edges = [place * frames // STRETCHES for place in range(STRETCHES + 1)]
        stretches = [
            near.shrunk(portion[:, a : max(b, a + 1)].astype(np.float32).mean(axis=(1, 4)) / 255)
            for a, b in itertools.pairwise(edges)
        ]
        small.append(near.shrunk(portion.astype(np.float32).mean(axis=(1, 4)) / 255))
        changes.append(np.stack([b - a for a, b in itertools.pairwise(stretches)], axis=1))
        exact += [known.setdefault(each.tobytes(), len(known)) for each in portion] if len(portion) else []
    return np.concatenate(small), np.concatenate(changes), np.array(exact, dtype=np.int64)
