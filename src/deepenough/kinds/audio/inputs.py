"""What a model hears of recordings: bands of tones step by step, mapped from a file where they are many.

Needs that this module answers:

* More recordings than memory holds can be learnt from: only what is read is in memory.
* Recordings keep their lengths; a net that wants all alike says how many steps, and the middle of longer ones is read.
* Answers are explained by regions, high and low tones at the beginning and at the end: what a region is worth is found
  by putting another recording's in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from deepenough.kinds import file_store
from deepenough.kinds.audio.decode import BANDS, SILENCE

TONES, TIMES = ("low", "middle", "high"), ("beginning", "middle", "end")
"""Regions by which answers are explained: thirds of the bands, and of a recording's steps."""
AT_ONCE = 256
"""Recordings that are in memory at once, where all are gone through."""


@dataclass(frozen=True)
class Recordings:
    """Recordings of any length.

    steps: float16, shape (all steps, BANDS), in memory or mapped from `file`; see `decode.heard`. starts, lengths: of
    each recording, int64, shape (n,), in steps.
    """

    steps: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    file: str = ""

    @classmethod
    def of(cls, recordings: Sequence[np.ndarray]) -> Self:
        """These, held in memory; each of shape (steps, BANDS)."""
        lengths = np.array([len(each) for each in recordings], dtype=np.int64)
        steps = np.concatenate([np.zeros((0, BANDS)), *recordings]).astype(np.float16)
        return cls(steps, _starts(lengths), lengths)

    @classmethod
    def mapped(cls, file: Path, lengths: np.ndarray) -> Self:
        """All of a file's, which has those of these lengths one after the other."""
        return cls(file_store.mapped(str(file)), _starts(lengths), lengths, str(file))

    @classmethod
    def noise(cls, rng: np.random.Generator, count: int) -> Self:
        """So many short recordings of noise."""
        return cls.of([rng.normal(0, 1, (20, BANDS)) for _ in range(count)])

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, rows: np.ndarray) -> Self:
        """These recordings, in this order."""
        return replace(self, starts=self.starts[rows], lengths=self.lengths[rows])

    def each(self, row: int) -> np.ndarray:
        """One of them, float32, shape (steps, BANDS)."""
        start = int(self.starts[row])
        return np.asarray(self.steps[start : start + int(self.lengths[row])], dtype=np.float32)

    def read(self) -> Iterator[np.ndarray]:
        """One after the other."""
        return (self.each(row) for row in range(len(self)))

    def padded(self, rows: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """So many steps of each at most, from the middle of longer ones; behind the end of shorter ones is silence.

        Returns float32, shape (n, steps, BANDS), and how many of its steps each has, int64, shape (n,).
        """
        lengths = np.minimum(self.lengths[rows], steps)
        whole = np.full((len(rows), steps, BANDS), SILENCE, dtype=np.float32)
        skipped = (self.lengths[rows] - lengths) // 2
        for place, row in enumerate(rows.tolist()):
            start = int(self.starts[row] + skipped[place])
            whole[place, : lengths[place]] = self.steps[start : start + int(lengths[place])]
        return whole, lengths

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Where they lie, or the steps themselves where these are nowhere but here."""
        lengths = self.lengths.astype(np.uint64)
        if not self.file:
            parts = [self.steps[:0], *(self.steps[s : s + n] for s, n in zip(self.starts, self.lengths, strict=True))]
            return {"bits": np.concatenate(parts).view(np.uint16), "lengths": lengths}
        name = np.frombuffer(self.file.encode("utf-8", "surrogateescape"), dtype=np.uint8)
        return {"file": name, "starts": self.starts.astype(np.uint64), "lengths": lengths}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The recordings again."""
        lengths = arrays["lengths"].astype(np.int64)
        if "bits" in arrays:
            return cls(arrays["bits"].view(np.float16), _starts(lengths), lengths)
        name = arrays["file"].tobytes().decode("utf-8", "surrogateescape")
        return cls(file_store.mapped(name), arrays["starts"].astype(np.int64), lengths, name)

    def parts(self) -> Sequence[str]:
        """The regions that can be replaced."""
        return tuple(f"{tone} tones, {time}" for tone, time in _CELLS)

    def shuffled(self, part: int, rows: np.ndarray) -> Self:
        """The same recordings, but with that region of those at `rows`, each stretched to the length that it fills."""
        tone, time = _CELLS[part]
        bands = third(BANDS, TONES.index(tone))
        changed = []
        for own, other in zip(self.read(), self.take(rows).read(), strict=True):
            region = third(len(own), TIMES.index(time))
            source = third(len(other), TIMES.index(time))
            own = own.copy()
            count = region.stop - region.start
            places = source.start + (np.arange(count) * max(1, source.stop - source.start) // max(1, count))
            own[region, bands] = other[np.minimum(places, len(other) - 1), bands]
            changed.append(own)
        return type(self).of(changed)


_CELLS = tuple((tone, time) for tone in TONES for time in TIMES)


def third(length: int, which: int) -> slice:
    """Where a third of something begins and ends."""
    return slice(which * length // 3, (which + 1) * length // 3)


def _starts(lengths: np.ndarray) -> np.ndarray:
    return np.asarray(np.cumsum(lengths) - lengths, dtype=np.int64)
