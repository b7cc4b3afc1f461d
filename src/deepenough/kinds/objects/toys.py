"""Small sets of drawn pictures of known truth: what every learner that finds objects is tried on.

Needs that this module answers:

* `discs`: one class of one shape and nearly one size on a ground of bars, where a template is enough. `shapes`: two
  classes that differ by their outline, several in a picture, of sizes that vary.
* Made from a seed and nothing else, and held in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from deepenough.kinds.file_store import Decoded
from deepenough.kinds.objects.inputs import Scenes
from deepenough.kinds.objects.task import ObjectsTask, Truth
from deepenough.task.frame import Frame, Raw
from deepenough.task.task import Question

PICTURES, SIDE = 40, 32


def toys() -> Mapping[str, ObjectsTask]:
    """By name: `discs`, `shapes`."""
    return {"discs": discs(), "shapes": shapes()}


def discs(pictures: int = 30, seed: int = 1, side: int = 24) -> ObjectsTask:
    """One to three bright discs of nearly one size, in grey; every tenth picture holds none."""
    rng = np.random.default_rng(seed)
    pixels, lists = ground(rng, pictures, side), []
    for number, picture in enumerate(pixels):
        found: list[tuple[int, np.ndarray]] = []
        for _ in range(0 if number % 10 == 9 else int(rng.integers(1, 4))):
            place(rng, picture, found, 0, 10.0 + rng.uniform(-1, 1), np.full(3, rng.uniform(190, 250)))
        lists.append(found)
    grey = np.repeat(pixels.mean(axis=3, keepdims=True), 3, axis=3)
    return task(grey, lists, ("disc",), channels=1)


def shapes(pictures: int = PICTURES, seed: int = 2, side: int = SIDE) -> ObjectsTask:
    """One to three rings and crosses of any colour, from 10 to 18 pixels wide, on noise."""
    rng = np.random.default_rng(seed)
    pixels, lists = ground(rng, pictures, side), []
    for picture in pixels:
        found: list[tuple[int, np.ndarray]] = []
        for _ in range(int(rng.integers(1, 4))):
            colour = rng.uniform(120, 255, 3)
            colour[rng.integers(3)] = 250
            place(rng, picture, found, int(rng.integers(1, 3)), rng.uniform(10, 18), colour)
        lists.append([(code - 1, box) for code, box in found])
    return task(pixels, lists, ("ring", "cross"))


def ground(rng: np.random.Generator, pictures: int, side: int) -> np.ndarray:
    """Dark grounds of noise and of bars, each of its own direction; float64, shape (pictures, side, side, 3)."""
    rows, columns = np.mgrid[:side, :side]
    pixels = rng.uniform(30, 70, (pictures, 1, 1, 3)) + rng.normal(0, 10, (pictures, side, side, 3))
    for picture in pixels:
        angle, wave = rng.uniform(0, np.pi), rng.uniform(0.3, 0.9)
        bars = np.sin(wave * (rows * np.sin(angle) + columns * np.cos(angle)) + rng.uniform(0, 6))
        picture += 15 * bars[:, :, None]
    return np.asarray(pixels)


def place(
    rng: np.random.Generator,
    picture: np.ndarray,
    found: list[tuple[int, np.ndarray]],
    code: int,
    width: float,
    colour: np.ndarray,
) -> None:
    """Draw a disc (0), a ring (1) or a cross (2) where none is yet, and note its box in pixels."""
    side = len(picture)
    for _ in range(20):
        down, right = rng.uniform(width / 2 + 1, side - width / 2 - 1, 2)
        box = np.array([right - width / 2, down - width / 2, right + width / 2, down + width / 2])
        if all(_apart(box, other) for _, other in found):
            picture[_outline(code, side, down, right, width / 2)] = colour
            found.append((code, box))
            return


def _apart(box: np.ndarray, other: np.ndarray) -> bool:
    return bool((box[2:] + 1 < other[:2]).any() or (other[2:] + 1 < box[:2]).any())


def _outline(code: int, side: int, down: float, right: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side] + 0.5
    far, high = np.abs(columns - right), np.abs(rows - down)
    away = np.hypot(far, high)
    if code == 0:
        return np.asarray(away <= radius)
    if code == 1:
        return np.asarray((away <= radius) & (away >= radius * 0.55))
    thick = max(1.5, radius * 0.3)
    return np.asarray(((far <= thick) & (high <= radius)) | ((high <= thick) & (far <= radius)))


def task(
    pixels: np.ndarray, found: list[list[tuple[int, np.ndarray]]], classes: tuple[str, ...], channels: int = 3
) -> ObjectsTask:
    """The task of drawn pictures. found: of each picture codes and boxes in pixels."""
    drawn = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    count, height, width = drawn.shape[:3]
    lists = np.full((count, max(1, *map(len, found)), 5), np.nan)
    for row, own in enumerate(found):
        for rank, (code, box) in enumerate(own):
            lists[row, rank] = [code, *(box / np.array([width, height, width, height]))]
    names = tuple(f"drawn/{row}.png" for row in range(count))
    files = Raw("file", "words", np.arange(count, dtype=np.int32), names)
    frame = Frame((files,), count, {"name": "toy", "sha256": "", "rows_in_source": count})
    seen = {"width": width, "height": height, "format": "PNG", "is_grey": channels == 1, "frames": 1, "turned": False}
    known = Decoded(Path(), np.arange(count), {}, "", np.ones(count, dtype=np.int64), (seen,) * count)
    inputs = Scenes.of(drawn, channels)
    return ObjectsTask.made(frame, Question(None), "file", names, known, inputs, Truth(classes, lists))
