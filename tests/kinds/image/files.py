"""Files of pictures for the tests: sound ones and strange ones."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def encoded(image: Image.Image, form: str = "PNG", **how: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **how)
    return content.getvalue()


def picture(seed: int = 0, width: int = 40, height: int = 30, mode: str = "RGB") -> Image.Image:
    """Smooth blotches, so that they survive being made smaller."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (5, 6, 3)).astype(np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def folder(place: Path, each: int = 12, **how: Any) -> Path:
    """A folder of two classes: `dark` and `light`."""
    rng = np.random.default_rng(0)
    for label, low in (("dark", 0), ("light", 130)):
        (place / label).mkdir(parents=True)
        for number in range(each):
            pixels = low + rng.integers(0, 120, (30, 40, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(place / label / f"{number:03}.png", **how)
    return place


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of a few kilobytes that says it has billions of pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )
