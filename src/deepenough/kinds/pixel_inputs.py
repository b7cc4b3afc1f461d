"""What models see of pictures and clips: pixels, all of one shape, mapped from a file where they are many.

Needs that this module answers:

* More pixels than memory holds can be learnt from: only what is read is in memory.
* What goes to a trial is where the pixels lie and which of them, not the pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from deepenough.kinds import file_store


@dataclass(frozen=True)
class Pixels:
    """Units of one shape. A kind's own says by which parts their answers are explained.

    pixels: uint8, shape (m, ..., height, width, 3), in memory or mapped from `file`. places: which of them these are,
    int64, shape (n,). channels: 3, or 1 where none of a task's units has colour.
    """

    pixels: np.ndarray
    places: np.ndarray
    channels: int = 3
    file: str = ""

    at_once: ClassVar[int]
    """Units that are in memory at once, where all are gone through."""
    noise_shape: ClassVar[tuple[int, ...]]
    """Of one unit of noise, without its channels."""

    @classmethod
    def of(cls, pixels: np.ndarray, channels: int = 3) -> Self:
        """All of these, held in memory."""
        return cls(pixels, np.arange(len(pixels)), channels)

    @classmethod
    def mapped(cls, file: Path, channels: int = 3) -> Self:
        """All of a file's."""
        pixels = file_store.mapped(str(file))
        return cls(pixels, np.arange(len(pixels)), channels, str(file))

    @classmethod
    def noise(cls, rng: np.random.Generator, count: int) -> Self:
        """So many small units of noise."""
        return cls.of(rng.integers(0, 255, (count, *cls.noise_shape, 3)).astype(np.uint8))

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one unit: what comes before, height, width and channels."""
        return (*map(int, self.pixels.shape[1:-1]), self.channels)

    def take(self, rows: np.ndarray) -> Self:
        """These units, in this order."""
        return type(self)(self.pixels, self.places[rows], self.channels, self.file)

    def read(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Their pixels in memory, uint8, shape (n, ..., height, width, channels)."""
        pixels = np.ascontiguousarray(self.pixels[self.places[rows]])
        return pixels if self.channels == 3 else in_grey(pixels)

    def portions(self, size: int | None = None) -> Iterator[np.ndarray]:
        """Their pixels in order, so many units at once (default: `at_once`); one empty portion where there are none."""
        step = size or self.at_once
        for start in range(0, max(1, len(self)), step):
            yield self.read(slice(start, start + step))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Where they lie, or the pixels themselves where these are nowhere but here."""
        channels = np.array([self.channels], dtype=np.uint8)
        if not self.file:
            return {"pixels": np.ascontiguousarray(self.pixels[self.places]), "channels": channels}
        name = np.frombuffer(self.file.encode("utf-8", "surrogateescape"), dtype=np.uint8)
        return {"file": name, "places": self.places.astype(np.uint64), "channels": channels}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The units again."""
        channels = int(arrays["channels"][0])
        if "pixels" in arrays:
            return cls.of(arrays["pixels"], channels)
        name = arrays["file"].tobytes().decode("utf-8", "surrogateescape")
        return cls(file_store.mapped(name), arrays["places"].astype(np.int64), channels, name)


def in_grey(pixels: np.ndarray) -> np.ndarray:
    """How bright each pixel looks (ITU-R 601), uint8, shape (..., 1); what is grey stays as it is."""
    red, green, blue = (pixels[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray((red * 19_595 + green * 38_470 + blue * 7_471 + 32_768) >> 16, dtype=np.uint8)[..., None]


def brightness(pixels: np.ndarray) -> np.ndarray:
    """Mean of each pixel's channels, from 0 to 1, float32, shape (...): a sum of planes, for reducing the last and very
    short axis takes ten times as long."""
    total = pixels[..., 0].astype(np.float32)
    for channel in range(1, pixels.shape[-1]):
        total += pixels[..., channel]
    return np.asarray(total / np.float32(255 * pixels.shape[-1]))


def colourfulness(pixels: np.ndarray) -> np.ndarray:
    """How far each pixel's channels lie apart, from 0 to 255, uint8, shape (...)."""
    planes = [pixels[..., channel] for channel in range(pixels.shape[-1])]
    return np.asarray(reduce(np.maximum, planes) - reduce(np.minimum, planes))


def third(length: int, which: int) -> slice:
    """The first, second or last third of a length."""
    return slice(which * length // 3, (which + 1) * length // 3)
