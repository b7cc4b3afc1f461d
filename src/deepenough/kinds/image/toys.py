"""Small sets of pictures of known truth: what every learner of pictures is tried on.

Needs that this module answers:

* Classes by shape, a number by how large something is, and classes in grey: what breaks learners in the field breaks
  them here. Each can be predicted far better than by its baseline.
* Made from a seed and nothing else, and held in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from deepenough.kinds.file_store import Decoded
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.image.task import ImageTask
from deepenough.task.frame import Frame, Raw
from deepenough.task.task import Question

PICTURES, SIDE = 180, 24


def toys() -> Mapping[str, ImageTask]:
    """By name: `shapes`, `sizes`, `lit`."""
    return {"shapes": shapes(), "sizes": sizes(), "lit": lit()}


def shapes(pictures: int = PICTURES, seed: int = 1) -> ImageTask:
    """A disc, a square or a cross of any colour on noise, nearly in the middle; the cross is rarer."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(["cross", "disc", "square"], pictures, p=[0.2, 0.4, 0.4])
    pixels = rng.integers(60, 100, (pictures, SIDE, SIDE, 3))
    for picture, label in zip(pixels, labels.tolist(), strict=True):
        down, right = SIDE / 2 + rng.integers(-2, 3, 2)
        picture[_drawn(label, down, right, 6.0)] = rng.integers(150, 255, 3)
    return task(pixels, labels.tolist())


def sizes(pictures: int = PICTURES, seed: int = 2) -> ImageTask:
    """How large a disc is, in pixels across."""
    rng = np.random.default_rng(seed)
    radius = rng.uniform(3, 10, pictures)
    pixels = rng.integers(0, 60, (pictures, SIDE, SIDE, 3))
    for picture, own in zip(pixels, radius.tolist(), strict=True):
        picture[_drawn("disc", SIDE / 2, SIDE / 2, own)] = rng.integers(150, 255, 3)
    return task(pixels, (2 * radius).tolist())


def lit(pictures: int = PICTURES, seed: int = 3) -> ImageTask:
    """Grey surfaces with light from the left or from the right, brighter and darker."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(["left", "right"], pictures)
    pixels = np.empty((pictures, SIDE, SIDE, 3))
    for picture, label in zip(pixels, labels.tolist(), strict=True):
        shade = np.linspace(-1, 1, SIDE) * rng.uniform(20, 50) * (1 if label == "right" else -1)
        picture[:] = (rng.uniform(90, 160) + shade + rng.normal(0, 8, (SIDE, SIDE)))[:, :, None]
    return task(pixels, labels.tolist(), channels=1)


def _drawn(label: str, down: float, right: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    far, high = np.abs(columns - right), np.abs(rows - down)
    if label == "disc":
        return np.asarray(far**2 + high**2 <= radius**2)
    if label == "square":
        return np.asarray((far <= radius * 0.85) & (high <= radius * 0.85))
    return np.asarray(((far <= 2) & (high <= radius)) | ((high <= 2) & (far <= radius)))


def task(pixels: np.ndarray, answers: list[str] | list[float], channels: int = 3) -> ImageTask:
    """The task of drawn pictures."""
    drawn = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    names = tuple(f"drawn/{place}.png" for place in range(len(drawn)))
    files = Raw("file", "words", np.arange(len(drawn), dtype=np.int32), names)
    if isinstance(answers[0], str):
        levels = sorted({str(answer) for answer in answers})
        codes = np.array([levels.index(str(answer)) for answer in answers], dtype=np.int32)
        told = Raw("answer", "words", codes, tuple(levels))
    else:
        told = Raw("answer", "number", np.array(answers, dtype=np.float64))
    frame = Frame((files, told), len(drawn), {"name": "toy", "sha256": "", "rows_in_source": len(drawn)})
    height, width = drawn.shape[1:3]
    seen = {"width": width, "height": height, "format": "PNG", "is_grey": channels == 1, "frames": 1, "turned": False}
    count = len(drawn)
    known = Decoded(Path(), np.arange(count), {}, "", np.ones(count, dtype=np.int64), (seen,) * count)
    return ImageTask.made_of(frame, Question("answer"), "file", names, known, Pictures.of(drawn, channels))
