"""Small sets of clips of known truth: what every learner of clips is tried on.

Needs that this module answers:

* Motion decides: which way something moves, how fast, and whether it gets brighter. A single frame gives a slight hint
  of each, so that a learner that sees no more has something to find, and is far behind.
* Made from a seed and nothing else, held in memory, and so small that a fit takes a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from deepenough.kinds.file_store import Decoded
from deepenough.kinds.video.inputs import Clips
from deepenough.kinds.video.task import VideoTask
from deepenough.task.frame import Frame, Raw
from deepenough.task.task import Question

CLIPS, FRAMES, SIDE = 100, 8, 12


def toys() -> Mapping[str, VideoTask]:
    """By name: `ways`, `speeds`, `lights`."""
    return {"ways": ways(), "speeds": speeds(), "lights": lights()}


def ways(clips: int = CLIPS, seed: int = 1, hint: float = 50.0) -> VideoTask:
    """A spot moves to the left or to the right; those that move to the right are a little brighter, by `hint`."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(["left", "right"], clips)
    pixels = noise(rng, clips)
    for clip, label in zip(pixels, labels.tolist(), strict=True):
        own = np.array([rng.uniform(60, 120) + (hint if label == "right" else 0), rng.uniform(20, 120), 40])
        low, middle = rng.uniform(3, SIDE - 4), rng.uniform(4.5, SIDE - 5.5)
        step = 1.0 if label == "right" else -1.0
        clip += spot(low, middle + step * (np.arange(FRAMES) - FRAMES // 2), 2.0)[..., None] * own
    return task(pixels, labels.tolist())


def speeds(clips: int = CLIPS, seed: int = 2) -> VideoTask:
    """How fast a spot moves to either side, in points a frame; faster ones are a little larger."""
    rng = np.random.default_rng(seed)
    speed = rng.uniform(0.1, 1.3, clips)
    pixels = noise(rng, clips)
    for clip, own in zip(pixels, speed.tolist(), strict=True):
        moved = own * rng.choice([-1, 1]) * (np.arange(FRAMES) - FRAMES // 2)
        radius = 1.5 + 0.6 * own + rng.uniform(0, 0.6)
        clip += spot(rng.uniform(4, SIDE - 5), SIDE / 2 + moved, radius)[..., None] * rng.uniform(90, 150, 3)
    return task(pixels, speed.tolist())


def lights(clips: int = CLIPS, seed: int = 3) -> VideoTask:
    """Grey surfaces that get brighter or darker; those that get darker are a little brighter on the whole."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(["brighter", "darker"], clips)
    pixels = noise(rng, clips)
    for clip, label in zip(pixels, labels.tolist(), strict=True):
        change = rng.uniform(2, 6) * (1 if label == "brighter" else -1) * (np.arange(FRAMES) - FRAMES // 2)
        clip += (rng.uniform(20, 80) + (30 if label == "darker" else 0) + change)[:, None, None, None]
    return task(pixels.mean(axis=4, keepdims=True).repeat(3, axis=4), labels.tolist(), channels=1)


def noise(rng: np.random.Generator, clips: int) -> np.ndarray:
    """A scene of its own for each clip that stays as it is, and what a camera adds to each frame."""
    scenes = rng.uniform(40, 100, (clips, 1, SIDE, SIDE, 3))
    return np.asarray(scenes + rng.normal(0, 4, (clips, FRAMES, SIDE, SIDE, 3)))


def spot(down: float, right: np.ndarray, radius: float) -> np.ndarray:
    """A soft spot, 1 in its middle, whose middle is at these places to the right; shape (frames, SIDE, SIDE)."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    squares = (rows - down) ** 2 + (columns - right[:, None, None]) ** 2
    return np.asarray(np.exp(-squares / (2 * (radius / 1.5) ** 2)))


def task(pixels: np.ndarray, answers: list[str] | list[float], channels: int = 3) -> VideoTask:
    """The task of drawn clips. pixels: shape (n, frames, height, width, 3)."""
    drawn = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    names = tuple(f"drawn/{place}.avi" for place in range(len(drawn)))
    files = Raw("file", "words", np.arange(len(drawn), dtype=np.int32), names)
    if isinstance(answers[0], str):
        levels = sorted({str(answer) for answer in answers})
        codes = np.array([levels.index(str(answer)) for answer in answers], dtype=np.int32)
        told = Raw("answer", "words", codes, tuple(levels))
    else:
        told = Raw("answer", "number", np.array(answers, dtype=np.float64))
    count = len(drawn)
    frame = Frame((files, told), count, {"name": "toy", "sha256": "", "rows_in_source": count})
    frames, height, width = drawn.shape[1:4]
    seen = {"width": width, "height": height, "seconds": frames / 10, "rate": 10.0, "frames": frames}
    seen |= {"codec": "rawvideo", "has_sound": False, "is_grey": channels == 1}
    known = Decoded(Path(), np.arange(count), {}, "", np.ones(count, dtype=np.int64), (seen,) * count)
    return VideoTask.made_of(frame, Question("answer"), "file", names, known, Clips.of(drawn, channels))
