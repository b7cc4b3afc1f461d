"""What classical learners see of clips: what moves where, how fast and in which direction, and what it looks like.

Needs that this module answers:

* No tracking and no search: motion is read from how brightness changes over place and time, for many clips at once.
* Three thirds of the time and three by three fields of the frame each have numbers of their own.
* Held against the same formulas written point by point in the tests.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from deepenough.kinds import described
from deepenough.kinds.pixel_inputs import third
from deepenough.kinds.video.inputs import Clips

SIDE = 32
"""Frames are made so small, on their longer side, before motion is read: it must be a few points a frame at most."""
DIRECTIONS = 8
FLOOR = 1e-3
"""Of a squared slope, below which a place has no edge that could be seen to move."""
FASTEST = 2.0
"""Points a frame, that a place is said to move by at most."""
SIZES = (0.1, 0.3, 0.8)
"""Points a frame, that part slow from fast."""
PULL = 1e-4
"""Towards no motion, where a field has no edges, as a squared slope."""
ORIENTATIONS, GRID = 9, 4
"""Of edges, and fields a side, of what things look like."""
LOOKED_AT = (1 / 6, 1 / 2, 5 / 6)
"""Of the time: frames whose looks are averaged."""


class Descriptors(described.Descriptors):
    """Of clips: `motion`, `looks` of a few frames averaged, `middle`: those of the middle frame alone."""

    inputs_class = Clips

    def __call__(self, inputs: Clips) -> np.ndarray:
        """float32, shape (n, columns)."""
        found = [np.concatenate([_OF[part](portion) for part in self.parts], axis=1) for portion in inputs.portions()]
        return np.concatenate(found).astype(np.float32, copy=False)


def motion(pixels: np.ndarray) -> np.ndarray:
    """What moves: histograms of the flow's direction in each third of the time and field of the frame (after Dalal,
    Triggs and Schmid, 2006), the fields' mean flow (Lucas and Kanade, 1981), and the course of change over time.

    pixels: uint8, shape (n, frames, height, width, channels). Returns float32, shape (n, columns).
    """
    grey = pixels.astype(np.float32).mean(axis=4) / np.float32(255)
    if grey.shape[1] == 1:
        grey = np.repeat(grey, 2, axis=1)
    fine = smaller(grey, SIDE)
    coarse = smaller(fine, max(fine.shape[2:]) // 2)
    fine_slopes, coarse_slopes = slopes(fine), slopes(coarse)
    found = [course(fine), directions(fine_slopes, 3), drifts(fine_slopes, 3), speeds(fine_slopes)]
    found += [directions(coarse_slopes, 1), drifts(coarse_slopes, 1)]
    return np.concatenate(found, axis=1).astype(np.float32)


def smaller(grey: np.ndarray, most: int) -> np.ndarray:
    """Frames whose longer side has so many points at most, each the mean of a field.

    grey: float32, shape (n, frames, height, width).
    """
    longest = max(grey.shape[2:])
    if longest <= most:
        return grey
    for axis in (2, 3):
        length = grey.shape[axis]
        count = max(1, round(length * most / longest))
        starts = np.arange(count) * length // count
        sizes = np.diff([*starts, length])
        sums = np.add.reduceat(grey, starts, axis=axis)
        grey = sums / sizes.astype(np.float32).reshape((count, 1) if axis == 2 else (count,))
    return grey


Slopes = tuple[np.ndarray, np.ndarray, np.ndarray]


def slopes(grey: np.ndarray) -> Slopes:
    """How brightness changes to the right, downwards, and until the next frame, at each place that has neighbours.

    grey: shape (n, frames, height, width). Returns three of float32, shape (n, frames - 1, height - 2, width - 2).
    """
    soft = _softened(grey)
    middle = (soft[:, 1:] + soft[:, :-1]) / 2
    across = (middle[:, :, 1:-1, 2:] - middle[:, :, 1:-1, :-2]) / 2
    down = (middle[:, :, 2:, 1:-1] - middle[:, :, :-2, 1:-1]) / 2
    later = (soft[:, 1:] - soft[:, :-1])[:, :, 1:-1, 1:-1]
    return across, down, later


def _softened(grey: np.ndarray) -> np.ndarray:
    """Each place with a quarter of both neighbours', first across, then down; beyond the edge the edge goes on."""
    for axis in (2, 3):
        wide = np.pad(grey, [(0, 0)] * axis + [(1, 1)] + [(0, 0)] * (3 - axis), mode="edge")
        length = grey.shape[axis]
        before, own, after = (np.take(wide, range(start, start + length), axis=axis) for start in range(3))
        grey = (before + 2 * own + after) / 4
    return grey


def _fields(shape: Sequence[int], side: int) -> Sequence[tuple[slice, slice, slice]]:
    """Thirds of the time, and of each `side` by `side` fields of the frame."""
    steps, height, width = shape
    rows, columns = (
        [slice(place * length // side, (place + 1) * length // side) for place in range(side)]
        for length in (height, width)
    )
    times = [third(steps, which) if steps >= 3 else slice(None) for which in range(3)]
    return list(itertools.product(times, rows, columns))


def _means(values: np.ndarray) -> np.ndarray:
    """Of each clip, in an order that doesn't depend on how many clips there are."""
    count = int(np.prod(values.shape[1:]))
    return np.asarray(np.ascontiguousarray(values.reshape(len(values), count)).mean(axis=1))


def directions(found: Slopes, side: int) -> np.ndarray:
    """By third of the time and field: how much moves in each of `DIRECTIONS` directions, the first of them to the
    right, the others on from there clockwise.

    Only motion across an edge can be seen at a place: minus its change over time, times its slope, over the squared
    slope. float32, shape (n, columns).
    """
    across, down, later = found
    strength = _strength(found)
    angle = np.arctan2(-later * down, -later * across)
    bins = np.round(angle * np.float32(DIRECTIONS / (2 * np.pi))).astype(np.int64) % DIRECTIONS
    parts = []
    for times, rows, columns in _fields(across.shape[1:], side):
        own, where = strength[:, times, rows, columns], bins[:, times, rows, columns]
        parts += [_means(np.where(where == direction, own, np.float32(0))) for direction in range(DIRECTIONS)]
    return np.asarray(np.sqrt(np.stack(parts, axis=1)))


def _strength(found: Slopes) -> np.ndarray:
    """How far each place moves across its edge, in points a frame."""
    across, down, later = found
    squared = across**2 + down**2
    return np.asarray(np.minimum(np.abs(later) * np.sqrt(squared) / (squared + np.float32(FLOOR)), np.float32(FASTEST)))


def speeds(found: Slopes) -> np.ndarray:
    """By third of the time: the share of places that move faster than each of `SIZES`, and the mean; shape (n, 12)."""
    strength, parts = _strength(found), []
    for times, rows, columns in _fields(strength.shape[1:], 1):
        own = strength[:, times, rows, columns]
        parts += [_means(own), *(_means((own > size).astype(np.float32)) for size in SIZES)]
    return np.stack(parts, axis=1)


def drifts(found: Slopes, side: int) -> np.ndarray:
    """By third of the time and field: how far its points move to the right and downwards, in points a frame, by least
    squares over all of them. float32, shape (n, columns)."""
    parts = []
    for field in _fields(found[0].shape[1:], side):
        across, down, later = (slope[(slice(None), *field)] for slope in found)
        aa, dd, ad = _means(across * across) + PULL, _means(down * down) + PULL, _means(across * down)
        al, dl = _means(across * later), _means(down * later)
        whole = aa * dd - ad * ad
        parts += [(ad * dl - dd * al) / whole, (ad * al - aa * dl) / whole]
    return np.asarray(np.clip(np.stack(parts, axis=1), -FASTEST, FASTEST))


def course(grey: np.ndarray) -> np.ndarray:
    """Over time: how much changes from frame to frame, where that is, how fast that place moves, and how bright each
    frame is beside the clip's mean. float32, shape (n, columns)."""
    n, frames, height, width = grey.shape
    change = np.abs(grey[:, 1:] - grey[:, :-1]).reshape(n, frames - 1, height * width)
    amount = change.mean(axis=2)
    right, low = np.tile(np.linspace(-1, 1, width), height), np.repeat(np.linspace(-1, 1, height), width)
    weight = np.maximum(amount * (height * width), 1e-3)
    where = [(change * each.astype(np.float32)).sum(axis=2) / weight for each in (right, low)]
    time = np.linspace(-1, 1, frames - 1) if frames > 2 else np.zeros(frames - 1)
    trend = [_means(each * time.astype(np.float32)) for each in where]
    light = grey.reshape(n, frames, height * width).mean(axis=2)
    light = light - light.mean(axis=1, keepdims=True)
    rising = _means(light * np.linspace(-1, 1, frames).astype(np.float32))
    return np.concatenate([amount, *where, np.stack([*trend, rising, _means(amount)], axis=1), light], axis=1)


def looks(pixels: np.ndarray) -> np.ndarray:
    """What single frames look like: how strong edges of each orientation are in each field (after Dalal and Triggs,
    2005), and mean and deviation of its colours.

    pixels: uint8, shape (n, height, width, channels). Returns float32, shape (n, columns).
    """
    values = pixels.astype(np.float32) / np.float32(255)
    grey = values.mean(axis=3)
    across, down = grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2], grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1]
    strength = np.hypot(across, down)
    bins = (np.arctan2(down, across) * np.float32(ORIENTATIONS / np.pi) % ORIENTATIONS).astype(np.int64) % ORIENTATIONS
    edges, colours = [], []
    for rows, columns in itertools.product(_cuts(grey.shape[1] - 2), _cuts(grey.shape[2] - 2)):
        own, where = strength[:, rows, columns], bins[:, rows, columns]
        edges += [_means(np.where(where == each, own, np.float32(0))) for each in range(ORIENTATIONS)]
    for rows, columns in itertools.product(_cuts(grey.shape[1]), _cuts(grey.shape[2])):
        for channel in range(values.shape[3]):
            field = values[:, rows, columns, channel]
            mean = _means(field)
            colours += [mean, np.sqrt(_means((field - mean[:, None, None]) ** 2))]
    told = np.stack(edges, axis=1)
    told = told / np.sqrt((told**2).sum(axis=1, keepdims=True) + np.float32(1e-4))
    return np.concatenate([told, np.stack(colours, axis=1)], axis=1).astype(np.float32)


def _cuts(length: int) -> Sequence[slice]:
    edges = [place * length // GRID for place in range(GRID + 1)]
    return [slice(a, max(b, a + 1)) for a, b in itertools.pairwise(edges)]


def looks_on_average(pixels: np.ndarray) -> np.ndarray:
    """The mean looks of frames at `LOOKED_AT`; shapes as of `motion`."""
    places = [int(share * pixels.shape[1]) for share in LOOKED_AT]
    return np.asarray(sum(looks(pixels[:, place]) for place in places) / np.float32(len(places)))


def looks_of_the_middle(pixels: np.ndarray) -> np.ndarray:
    """Those of the middle frame; shapes as of `motion`."""
    return looks(pixels[:, pixels.shape[1] // 2])


_OF = {"motion": motion, "looks": looks_on_average, "middle": looks_of_the_middle}
