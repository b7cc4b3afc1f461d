"""Units that nearly repeat another one, found by a small grey picture of each: of pictures, spectrograms, clips.

Needs that this module answers:

* Cheap: each unit is a fingerprint of 64 bits, and only those that share a quarter of it are compared.
* Units that look alike by chance (small things on white) are no copies: candidates are compared point by point.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

SIDE = 16
"""Units are compared as pictures of so many by so many grey points."""
MOST_BITS = 3
"""That fingerprints of near copies may differ in: two of the four quarters at least are then the same."""
MOST_APART = 0.02
"""How far grey points of near copies are apart on average, as a part of the whole range; brightness aside."""
LARGEST_BUCKET = 50
"""Of a fuller bucket each unit is compared with the first one alone."""


def fingerprints(small: np.ndarray) -> np.ndarray:
    """64 bits a picture: where the grey rises from left to right (the difference hash; Krawetz, 2013).

    small: grey, float32, shape (n, SIDE, SIDE). Returns uint8, shape (n, 8).
    """
    rows = small.reshape(len(small), 8, SIDE // 8, SIDE).mean(axis=2)
    edges = np.linspace(0, SIDE, 10).astype(int)
    columns = np.stack([rows[:, :, a:b].mean(axis=2) for a, b in itertools.pairwise(edges)], axis=2)
    return np.asarray(np.packbits(columns[:, :, 1:] > columns[:, :, :-1], axis=2)[:, :, 0])


def near_pairs(small: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of units whose pictures are nearly the same. small: grey, 0 to 1, float32, shape (n, SIDE, SIDE)."""
    prints = fingerprints(small)
    shapes = small - small.mean(axis=(1, 2), keepdims=True)
    flat = shapes.reshape(len(small), -1)
    detailed = np.flatnonzero(flat.std(axis=1) > MOST_APART)  # of empty ones only equal ones are copies
    for quarter in range(4):
        keys = prints[detailed, 2 * quarter].astype(np.int64) << 8 | prints[detailed, 2 * quarter + 1]
        order = np.argsort(keys, kind="stable")
        cuts = np.flatnonzero(np.diff(keys[order])) + 1
        for bucket in np.split(order, cuts):
            members = detailed[bucket]
            for first in range(1 if len(members) > LARGEST_BUCKET else len(members) - 1):
                one, others = members[first], members[first + 1 :]
                bits = np.bitwise_count(prints[others] ^ prints[one]).sum(axis=1)
                others = others[bits <= MOST_BITS]
                near = np.abs(flat[others] - flat[one]).mean(axis=1) <= MOST_APART
                yield from ((int(one), int(other)) for other in others[near])


def shrunk(grey: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The mean of each field. grey: float32, shape (n, height, width). Returns float32, shape (n, side, side)."""
    for axis in (1, 2):
        length = grey.shape[axis]
        starts = np.arange(side) * length // side
        ends = np.maximum((np.arange(side) + 1) * length // side, starts + 1)
        if length >= side:  # no field overlaps the next one
            grey = np.add.reduceat(grey, starts, axis=axis)
            counts = (ends - starts).astype(np.float32)
            grey = grey / (counts[:, None] if axis == 1 else counts)
            continue
        parts = [np.take(grey, range(a, b), axis=axis).mean(axis=axis) for a, b in zip(starts, ends, strict=True)]
        grey = np.stack(parts, axis=axis)
    return np.asarray(grey)
