"""What a model sees of whole series: numbers by channel and step, and how long each series is.

Needs that this module answers:

* Series of different lengths stand in one array: what lies behind a series' end is missing, as what is missing within.
* Answers are explained by where in the series, and in which channel, they come from.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from deepenough.kinds.strings import packed, unpacked

STRETCHES = 10
"""Parts that a series is cut into for explaining."""


@dataclass(frozen=True)
class Signals:
    """Series, each of one or several channels.

    values: float64, shape (n, channels, longest); NaN where missing, and behind a series' end.
    channels: their names.
    names: of the series, for answers and pictures; empty where they have none. They don't go into trials.
    """

    values: np.ndarray
    channels: tuple[str, ...]
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    @property
    def lengths(self) -> np.ndarray:
        """Steps up to the last one with any value, int64, shape (n,); 0 for a series without a value."""
        known = np.isfinite(self.values).any(axis=1)
        steps = known.shape[1]
        return np.where(known.any(axis=1), steps - known[:, ::-1].argmax(axis=1), 0).astype(np.int64)

    def take(self, rows: np.ndarray) -> Self:
        """These series, in this order."""
        names = tuple(self.names[row] for row in np.arange(len(self))[rows].tolist()) if self.names else ()
        return type(self)(self.values[rows], self.channels, names)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The numbers, and the channels' names as bytes."""
        return {"values": self.values, "channels": packed(self.channels)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The series again."""
        return cls(arrays["values"], tuple(unpacked(arrays["channels"])))

    def parts(self) -> Sequence[str]:
        """The stretches of the longest series, and, where there are several, the channels."""
        stretches = [f"steps {a + 1:,} to {b:,}" for a, b in self._stretches()]
        return [*stretches, *(self.channels if len(self.channels) > 1 else ())]

    def shuffled(self, part: int, rows: np.ndarray) -> Self:
        """The same series, but that stretch or channel is the one of the series at `rows`."""
        values, stretches = self.values.copy(), self._stretches()
        if part < len(stretches):
            a, b = stretches[part]
            values[:, :, a:b] = self.values[rows, :, a:b]
        else:
            values[:, part - len(stretches)] = self.values[rows, part - len(stretches)]
        return type(self)(values, self.channels, self.names)

    def _stretches(self) -> list[tuple[int, int]]:
        steps = self.values.shape[2]
        cuts = np.unique(np.linspace(0, steps, min(STRETCHES, steps) + 1).astype(int)).tolist()
        return list(itertools.pairwise(cuts))
