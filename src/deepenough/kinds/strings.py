"""Strings on the way into a trial: as bytes, without objects, and without padding to the longest."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def packed(strings: Iterable[str]) -> np.ndarray:
    """Strings as bytes (uint8): their number, their lengths, their UTF-8."""
    encoded = [string.encode("utf-8", "surrogatepass") for string in strings]
    head = np.array([len(encoded), *(len(item) for item in encoded)], dtype=np.int64)
    return np.frombuffer(head.tobytes() + b"".join(encoded), dtype=np.uint8)


def unpacked(array: np.ndarray) -> list[str]:
    """The strings again."""
    content = array.tobytes()
    count = int(np.frombuffer(content[:8], dtype=np.int64)[0])
    lengths = np.frombuffer(content[8 : 8 + 8 * count], dtype=np.int64)
    ends = 8 + 8 * count + np.cumsum(lengths)
    return [content[end - size : end].decode("utf-8", "surrogatepass") for end, size in zip(ends, lengths, strict=True)]
