"""A recording as a picture for people: what can't be played on paper can be looked at."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from deepenough.kinds.audio.decode import BANDS

QUIET = -10.0
"""Logarithm of power that is drawn white."""


def picture(heard: np.ndarray, height: int = 96, width: int = 160) -> bytes:
    """A PNG in grey: time from left to right, tones from low to high, dark where it is loud.

    heard: shape (steps, BANDS), see `decode.heard`.
    """
    steps = np.arange(width) * len(heard) // width
    tones = BANDS - 1 - np.arange(height) * BANDS // height
    loud = (heard[steps][:, tones].T - QUIET) / (max(float(heard.max()), QUIET + 1) - QUIET)
    grey = np.round(255 * (1 - np.clip(loud, 0, 1))).astype(np.uint8)
    filtered = np.pad(grey, ((0, 0), (1, 0)))  # each row of a PNG begins with its filter: none
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(filtered.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in parts)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
