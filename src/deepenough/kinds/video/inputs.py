"""What a model sees of clips: a few frames of each, all of one size, mapped from a file where they are many.

Needs that this module answers:

* More clips than memory holds can be learnt from: only what is read is in memory.
* What goes to a trial is where the frames lie and which of them, not the frames.
* Answers are explained by when and where: what a stretch of time or a side of the frame is worth is found by putting
  another clip's in its place; what the order of the frames is worth, by losing it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from deepenough.kinds import file_store

TIMES, COLUMNS = ("beginning", "middle", "end"), ("left", "centre", "right")
"""Parts by which answers are explained: thirds of the time, and of the frame."""
ORDER = "order of the frames"
AT_ONCE = 64
"""Clips that are in memory at once, where all are gone through."""


@dataclass(frozen=True)
class Clips:
    """Clips of one size.

    pixels: uint8, shape (m, frames, height, width, 3), in memory or mapped from `file`. places: which of them these
    are, int64, shape (n,). channels: 3, or 1 where none of a task's clips has colour.
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
    def shape(self) -> tuple[int, int, int, int]:
        """Frames, height, width and channels."""
        frames, height, width = map(int, self.pixels.shape[1:4])
        return frames, height, width, self.channels

    def take(self, rows: np.ndarray) -> Self:
        """These clips, in this order."""
        return type(self)(self.pixels, self.places[rows], self.channels, self.file)

    def read(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Their pixels in memory, uint8, shape (n, frames, height, width, channels)."""
        pixels = np.ascontiguousarray(self.pixels[self.places[rows]])
        return pixels if self.channels == 3 else in_grey(pixels)

    def portions(self, size: int = AT_ONCE) -> Iterator[np.ndarray]:
        """Their pixels in order, so many clips at once; one empty portion where there are none."""
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
        """The clips again."""
        channels = int(arrays["channels"][0])
        if "pixels" in arrays:
            return cls.of(arrays["pixels"], channels)
        name = arrays["file"].tobytes().decode("utf-8", "surrogateescape")
        return cls(file_store.mapped(name), arrays["places"].astype(np.int64), channels, name)

    def parts(self) -> Sequence[str]:
        """What can be replaced: a third of the time, a third of the frame, and the order of the frames."""
        return (*TIMES, *COLUMNS, ORDER)

    def shuffled(self, part: int, rows: np.ndarray) -> Self:
        """The same clips, but with that part of the clips at `rows`; or with their own frames in another order, drawn
        for each."""
        name = self.parts()[part]
        changed = np.array(self.pixels[self.places])
        if name == ORDER:
            for place, row in enumerate(rows.tolist()):
                changed[place] = changed[place][np.random.default_rng(row).permutation(len(changed[place]))]
            return type(self).of(changed, self.channels)
        frames, _, width, _ = self.shape
        region: tuple[slice, ...] = (slice(None), third(frames, part))
        if name in COLUMNS:
            region = (slice(None), slice(None), slice(None), third(width, COLUMNS.index(name)))
        changed[region] = self.pixels[self.places[rows]][region]
        return type(self).of(changed, self.channels)


def in_grey(pixels: np.ndarray) -> np.ndarray:
    """How bright each pixel looks (ITU-R 601), uint8, shape (..., 1); what is grey stays as it is."""
    red, green, blue = (pixels[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray((red * 19_595 + green * 38_470 + blue * 7_471 + 32_768) >> 16, dtype=np.uint8)[..., None]


def third(length: int, which: int) -> slice:
    """The first, second or last third of a length."""
    return slice(which * length // 3, (which + 1) * length // 3)
