"""Descriptors, held against the same formulas written point by point."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deepenough.kinds.video import features, toys
from deepenough.kinds.video.features import Descriptors, directions, drifts, looks, motion, slopes, smaller, speeds
from deepenough.kinds.video.inputs import Clips


def some(count: int = 3, frames: int = 7, height: int = 12, width: int = 14, channels: int = 3) -> np.ndarray:
    coarse = np.random.default_rng(0).integers(0, 255, (count, frames, height // 2, width // 2, channels))
    return coarse.repeat(2, axis=2).repeat(2, axis=3).astype(np.uint8)


def grey(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32).mean(axis=4) / 255


def slopes_slowly(clip: np.ndarray) -> np.ndarray:
    """(across, down, later) at each inner point of one clip, shape (3, frames - 1, height - 2, width - 2)."""
    frames, height, width = clip.shape
    soft = np.zeros_like(clip, dtype=float)
    weights = {-1: 0.25, 0: 0.5, 1: 0.25}
    for time in range(frames):
        for row in range(height):
            for column in range(width):
                for down, one in weights.items():
                    for right, other in weights.items():
                        place = min(max(row + down, 0), height - 1), min(max(column + right, 0), width - 1)
                        soft[time, row, column] += one * other * clip[time][place]
    found = np.zeros((3, frames - 1, height - 2, width - 2))
    for time in range(frames - 1):
        for row in range(1, height - 1):
            for column in range(1, width - 1):
                pair = soft[time : time + 2]
                found[:, time, row - 1, column - 1] = (
                    (pair[:, row, column + 1] - pair[:, row, column - 1]).mean() / 2,
                    (pair[:, row + 1, column] - pair[:, row - 1, column]).mean() / 2,
                    pair[1, row, column] - pair[0, row, column],
                )
    return found


def test_slopes_are_those_of_the_formula() -> None:
    pixels = grey(some())
    wanted = np.stack([slopes_slowly(clip) for clip in pixels], axis=1)
    assert np.stack(slopes(pixels)) == pytest.approx(wanted, abs=1e-5)


def fields(found: np.ndarray, side: int) -> list[np.ndarray]:
    """Points of each third of the time and field, shape (3, points)."""
    steps, height, width = found.shape[1:]
    parts = []
    for time in range(3):
        for row in range(side):
            for column in range(side):
                parts.append(
                    found[
                        :,
                        time * steps // 3 : (time + 1) * steps // 3,
                        row * height // side : (row + 1) * height // side,
                        column * width // side : (column + 1) * width // side,
                    ].reshape(3, -1)
                )
    return parts


def test_directions_and_speeds_are_those_of_the_formula() -> None:
    pixels = grey(some())
    by_direction, by_speed = directions(slopes(pixels), 3), speeds(slopes(pixels))
    for place, clip in enumerate(pixels):
        wanted, faster = [], []
        for points in fields(slopes_slowly(clip), 3):
            sums = [0.0] * features.DIRECTIONS
            for across, down, later in points.T.tolist():
                squared = across**2 + down**2
                far = min(abs(later) * math.sqrt(squared) / (squared + features.FLOOR), features.FASTEST)
                angle = math.atan2(-later * down, -later * across)
                sums[round(angle / (2 * math.pi) * features.DIRECTIONS) % features.DIRECTIONS] += far
            wanted += [math.sqrt(each / points.shape[1]) for each in sums]
        for points in fields(slopes_slowly(clip), 1):
            squared = points[0] ** 2 + points[1] ** 2
            far = np.minimum(np.abs(points[2]) * np.sqrt(squared) / (squared + features.FLOOR), features.FASTEST)
            faster += [far.mean(), *((far > size).mean() for size in features.SIZES)]
        assert by_direction[place] == pytest.approx(wanted, abs=1e-2)  # a point on a border falls to either side
        assert np.abs(by_direction[place] - wanted).mean() < 1e-3
        assert by_speed[place] == pytest.approx(faster, abs=1e-2)


def test_drifts_are_the_least_squares_of_all_points_of_a_field() -> None:
    pixels = grey(some())
    found = drifts(slopes(pixels), 3)
    for place, clip in enumerate(pixels):
        wanted: list[float] = []
        for points in fields(slopes_slowly(clip), 3):
            edges = points[:2].T
            pulled = edges.T @ edges / len(edges) + features.PULL * np.eye(2)
            wanted += np.linalg.solve(pulled, -edges.T @ points[2] / len(edges)).tolist()
        wanted = np.clip(wanted, -features.FASTEST, features.FASTEST).tolist()
        assert found[place] == pytest.approx(wanted, rel=1e-2, abs=1e-3)


@pytest.mark.parametrize(("right", "down"), [(0.5, 0.0), (-0.4, 0.0), (0.0, 0.6), (0.3, -0.3)])
def test_a_scene_that_moves_is_measured(right: float, down: float) -> None:
    """Smooth waves that move by a part of a point each frame."""
    time, rows, columns = np.mgrid[:8, :24, :24].astype(np.float32)
    x, y = columns - right * time, rows - down * time
    clip = 0.5 + 0.2 * np.sin(x / 3) + 0.2 * np.sin(y / 4 + 1)
    found = drifts(slopes(clip[None].astype(np.float32)), 1).reshape(3, 2)
    assert found == pytest.approx(np.tile([right, down], (3, 1)), abs=0.06)
    bins = (directions(slopes(clip[None].astype(np.float32)), 1) ** 2).reshape(3, 8).sum(axis=0)
    angles = np.arange(8) * np.pi / 4
    on_the_whole = np.array([bins @ np.cos(angles), bins @ np.sin(angles)]) / bins.sum()
    assert (np.sign(np.round(on_the_whole, 1)) == np.sign([right, down])).all(), on_the_whole


def test_frames_are_made_smaller_by_the_mean_of_each_field() -> None:
    pixels = np.random.default_rng(0).random((2, 3, 40, 64)).astype(np.float32)
    found = smaller(pixels, 32)
    assert found == pytest.approx(pixels.reshape(2, 3, 20, 2, 32, 2).mean(axis=(3, 5)), abs=1e-6)
    assert smaller(pixels[:, :, :30, :32], 32) is not None and smaller(found, 32) is found


def test_looks_know_the_direction_of_an_edge_and_the_colours() -> None:
    pixels = np.zeros((2, 16, 16, 3), np.uint8)
    pixels[0, :, 8:] = [200, 0, 0]  # an upright edge: brightness changes across
    pixels[1, 8:] = [0, 0, 200]
    found = looks(pixels)
    edges = found[:, : 16 * 9].reshape(2, 16, 9).sum(axis=1)
    assert edges[0].argmax() == 0 and edges[1].argmax() == 4
    means = found[:, 16 * 9 :].reshape(2, 16, 3, 2)[..., 0] * 255
    assert means[0, 3].tolist() == pytest.approx([200, 0, 0]) and means[1, 12].tolist() == pytest.approx([0, 0, 200])


@pytest.mark.parametrize("part", ["motion", "looks", "middle"])
def test_a_clip_alone_is_described_as_among_others(part: str) -> None:
    clips = Clips.of(some(5, 16, 20, 26))
    describe = Descriptors((part,))
    whole = describe(clips)
    for row in range(5):
        assert np.array_equal(whole[row : row + 1], describe(clips.take(np.array([row]))))
    assert whole.dtype == np.float32 and np.isfinite(whole).all()
    assert describe(clips.take(np.arange(0))).shape == (0, whole.shape[1])


def test_still_clips_short_ones_and_small_ones_are_described() -> None:
    describe = Descriptors(("motion", "looks", "middle"))
    for pixels, channels in (
        (np.full((2, 16, 16, 16, 3), 255, np.uint8), 3),
        (some(2, 1, 16, 16), 3),
        (some(2, 2, 16, 32), 1),
        (some(2, 3, 64, 32), 3),
    ):
        assert np.isfinite(describe(Clips.of(pixels, channels))).all()
    still = np.repeat(some(2, 1, 16, 16), 8, axis=1)
    found = motion(still)
    assert np.abs(found[:, 7 : 7 + 14]).max() == 0 and np.abs(found).max() < 1e-6, "nothing moves, nothing is found"


def test_many_are_described_in_portions() -> None:
    clips = toys.ways().all_inputs
    whole = Descriptors(("motion",))(clips)
    parts = [Descriptors(("motion",))(clips.take(np.arange(start, start + 20))) for start in range(0, len(clips), 20)]
    assert np.array_equal(whole, np.concatenate(parts))
