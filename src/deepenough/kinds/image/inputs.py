"""What a model sees of pictures: their pixels, all of one size, mapped from a file where they are many.

Needs that this module answers:

* More pictures than memory holds can be learnt from: only what is read is in memory.
* What goes to a trial is where the pixels lie and which of them, not the pixels.
* Answers are explained by regions: what a region is worth is found by putting another picture's in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from deepenough.kinds import file_store

ROWS, COLUMNS = ("top", "middle", "bottom"), ("left", "centre", "right")
"""Regions by which answers are explained: a picture's thirds."""
AT_ONCE = 512
"""Pictures that are in memory at once, where all are gone through."""


@dataclass(frozen=True)
class Pictures:
    """Pictures of one size.

    pixels: uint8, shape (m, height, width, 3), in memory or mapped from `file`. places: which of them these are, int64,
    shape (n,). channels: 3, or 1 where none of a task's pictures has colour.
    """

    pixels: np.ndarray
    places: np.ndarray
    channels: int = 3
    file: str = ""

    @classmethod
    def of(cls, pixels: np.ndarray, channels: int = 3) -> Self:
        """All of these, held in memory."""
        return cls(pixels, np.arange(len(pixels)), channels)

    @classmethod
    def mapped(cls, file: Path, channels: int = 3) -> Self:
        """All of a file's."""
        pixels = file_store.mapped(str(file))
        return cls(pixels, np.arange(len(pixels)), channels, str(file))

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[2]), self.channels

    def take(self, rows: np.ndarray) -> Self:
        """These pictures, in this order."""
        return type(self)(self.pixels, self.places[rows], self.channels, self.file)

    def read(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Their pixels in memory, uint8, shape (n, height, width, channels)."""
        pixels = np.ascontiguousarray(self.pixels[self.places[rows]])
        return pixels if self.channels == 3 else in_grey(pixels)

    def portions(self, size: int = AT_ONCE) -> Iterator[np.ndarray]:
        """Their pixels in order, so many at once; one empty portion where there are none."""
        for start in range(0, max(1, len(self)), size):
            yield self.read(slice(start, start + size))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Where they lie, or the pixels themselves where these are nowhere but here."""
        channels = np.array([self.channels], dtype=np.uint8)
        if not self.file:
            return {"pixels": np.ascontiguousarray(self.pixels[self.places]), "channels": channels}
        name = np.frombuffer(self.file.encode("utf-8", "surrogateescape"), dtype=np.uint8)
        return {"file": name, "places": self.places.astype(np.uint64), "channels": channels}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The pictures again."""
        channels = int(arrays["channels"][0])
        if "pixels" in arrays:
            return cls.of(arrays["pixels"], channels)
        name = arrays["file"].tobytes().decode("utf-8", "surrogateescape")
        return cls(file_store.mapped(name), arrays["places"].astype(np.int64), channels, name)

    def parts(self) -> Sequence[str]:
        """The regions that can be replaced."""
        return tuple("centre" if (row, column) == ("middle", "centre") else f"{row} {column}" for row, column in _CELLS)

    def shuffled(self, part: int, rows: np.ndarray) -> Self:
        """The same pictures, but with that region of the pictures at `rows`."""
        row, column = ROWS.index(_CELLS[part][0]), COLUMNS.index(_CELLS[part][1])
        height, width, _ = self.shape
        region = (slice(None), _third(height, row), _third(width, column))
        changed = np.array(self.pixels[self.places])
        changed[region] = self.pixels[self.places[rows]][region]
        return type(self).of(changed, self.channels)


def in_grey(pixels: np.ndarray) -> np.ndarray:
    """How bright each pixel looks (ITU-R 601), uint8, shape (n, height, width, 1); what is grey stays as it is."""
    red, green, blue = (pixels[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray((red * 19_595 + green * 38_470 + blue * 7_471 + 32_768) >> 16, dtype=np.uint8)[..., None]


_CELLS = tuple((row, column) for row in ROWS for column in COLUMNS)


def _third(length: int, which: int) -> slice:
    return slice(which * length // 3, (which + 1) * length // 3)
