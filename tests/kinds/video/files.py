"""Files of clips for the tests: sound ones and strange ones."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepenough.kinds.video import decode

av = pytest.importorskip("av")

FORMS = [
    ("mp4", "libx264", "yuv420p"),
    ("mov", "mpeg4", "yuv420p"),
    ("avi", "mjpeg", "yuvj420p"),
    ("matroska", "libx264", "yuv420p"),
    ("webm", "libvpx", "yuv420p"),
    ("mpeg", "mpeg1video", "yuv420p"),
    ("flv", "flv", "yuv420p"),
    ("asf", "wmv2", "yuv420p"),
]
"""Containers and codecs that cameras, phones and programs write."""


def moving(frames: int = 40, height: int = 48, width: int = 64, step: float = 1.0) -> np.ndarray:
    """A square that moves to the right over a slope; uint8, shape (frames, height, width, 3)."""
    pixels = np.zeros((frames, height, width, 3))
    pixels[:] = np.linspace(20, 120, width)[:, None]
    for place in range(frames):
        left = 2 + round(place * step)
        pixels[place, 10:30, left : left + 16] = [220, 120, 60]
    return pixels.astype(np.uint8)


def packed(
    frames: np.ndarray | None = None, form: tuple[str, str, str] = FORMS[0], rate: int = 25, **how: str
) -> bytes:
    return decode.packed(moving() if frames is None else frames, *form, rate, **how)


def with_sound(frames: np.ndarray, seconds: float = 1.0, only: bool = False, turned: int = 0) -> bytes:
    """An MP4 with a tone; or one with nothing else; or turned as a camera says that was held so."""
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as file:
        streams: list[Any] = []
        if not only:
            seen: Any = file.add_stream("libx264", rate=25)
            seen.height, seen.width, seen.pix_fmt = *frames.shape[1:3], "yuv420p"
            if turned:
                seen.set_display_rotation(turned)
            streams.append(seen)
        tone: Any = file.add_stream("aac", rate=8_000, layout="mono")
        for pixels in frames if not only else ():
            file.mux(streams[0].encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        wave = np.sin(np.arange(int(8_000 * seconds)) / 3).astype(np.float32)
        sound = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        sound.sample_rate, sound.pts = 8_000, 0
        file.mux(tone.encode(sound))
        for stream in (*streams, tone):
            file.mux(stream.encode())
    return content.getvalue()


def folder(place: Path, each: int = 12, frames: int = 12) -> Path:
    """A folder of two classes: `left` and `right`, small clips of a spot that moves so over a scene of its own."""
    rng = np.random.default_rng(0)
    for label in ("left", "right"):
        (place / label).mkdir(parents=True)
        for number in range(each):
            (place / label / f"{number:03}.avi").write_bytes(packed(scene(rng, label, frames), FORMS[2]))
    return place


def scene(rng: np.random.Generator, label: str = "right", frames: int = 12) -> np.ndarray:
    coarse = rng.integers(20, 120, (1, 6, 8, 3)).repeat(4, axis=1).repeat(4, axis=2)
    clip = coarse.repeat(frames, axis=0)
    low, start = rng.integers(2, 16), rng.integers(1, 7)
    for place in range(frames):
        moved = start + place
        left = moved if label == "right" else 32 - 6 - moved
        clip[place, low : low + 6, left : left + 6] = 230
    return clip.astype(np.uint8)
