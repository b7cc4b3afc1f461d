"""Encoded columns made fit for a net: numbers of one size, flags of small categories, codes of large ones.

Needs that this module answers:

* Outliers must not rule a net: numbers are centred by their median, scaled by their quartiles and bent smoothly, so
  that none leaves (-CLIP, CLIP) (RealMLP, Holzmüller et al., 2024, arXiv 2407.04491).
* Columns that say nothing in training are left out; a missing number becomes the median, with a flag beside it.
* A row alone becomes the same numbers as in a batch, to the last bit; everything learnt is saved as JSON and npz.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.stored import read, write
from deepenough.kinds.table.prepare import Encoded

ONE_HOT = 12
"""Categories with at most so many levels become flags, larger ones learnt vectors."""
CLIP = 3.0
SAMPLE = 50_000
"""Rows from which quantiles are read."""
FEW_VALUES = 20
"""Numbers with at most so many distinct values stay whole: cut at each of them, a net learns them by heart (measured on
3,000 rows of 26 classes: log loss .28 with such pieces, .25 without)."""
MOST_PIECES = 1_024
"""Pieces of all numbers together; with many columns each gets fewer."""

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Numbers float32 (n, p), flags float32 (n, f), codes int64 (n, q)."""


@dataclass(frozen=True)
class Scaling:
    """What was learnt of the training rows.

    used: columns of numbers that vary in training; centre, scale: of these; filled: used columns that had gaps, as
        columns of numbers. flagged: shape (f, 2), per flag a column of codes and a code. coded: columns of codes that
        become vectors; cardinalities: of these.
    """

    used: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    filled: np.ndarray
    flagged: np.ndarray
    coded: np.ndarray
    cardinalities: tuple[int, ...]

    @classmethod
    def fit(cls, encoded: Encoded) -> Self:
        """Learn from training rows."""
        missing = np.isnan(encoded.numbers)
        centre, scale = _centre_and_scale(_sample(encoded.numbers))
        used = np.flatnonzero(scale > 0)
        filled = np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0))
        coded, flagged = [], []
        for column, cardinality in enumerate(encoded.cardinalities):
            if cardinality - 1 > ONE_HOT:
                coded.append(column)
            else:
                flagged += [(column, code) for code in _codes_to_flag(encoded.codes[:, column], cardinality)]
        return cls(
            used,
            centre[used],
            scale[used],
            filled,
            np.array(flagged, dtype=np.int64).reshape(-1, 2),
            np.array(coded, dtype=np.int64),
            tuple(encoded.cardinalities[column] for column in coded),
        )

    def arrays(self, encoded: Encoded) -> Arrays:
        """What a net's front takes."""
        raw = encoded.numbers
        scaled = (raw[:, self.used] - self.centre) * self.scale
        bent = scaled / np.sqrt(1 + np.square(scaled / CLIP))
        same = encoded.codes[:, self.flagged[:, 0]] == self.flagged[:, 1]
        flags = np.concatenate([np.isnan(raw[:, self.filled]), same], axis=1).astype(np.float32)
        return np.nan_to_num(bent, nan=0.0).astype(np.float32), flags, encoded.codes[:, self.coded].astype(np.int64)

    @property
    def front(self) -> dict[str, Any]:
        """The arguments of the front that takes these arrays."""
        flags = len(self.filled) + len(self.flagged)
        return {"numbers": len(self.used), "flags": flags, "cardinalities": list(self.cardinalities)}

    def save(self, folder: Path) -> None:
        """Write `scaling.json` and `scaling.npz`."""
        names = ("used", "centre", "scale", "filled", "flagged", "coded")
        write(folder, "scaling", {"cardinalities": self.cardinalities}, {name: getattr(self, name) for name in names})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The scaling again."""
        facts, arrays = read(folder, "scaling")
        return cls(cardinalities=tuple(facts["cardinalities"]), **arrays)


def pieces(numbers: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where scaled numbers are cut for the piecewise-linear encoding (Gorishniy et al., 2022, arXiv 2203.05556).

    numbers: shape (n, p), without NaN. most: pieces a number, about; 0: none.

    Gives per piece its column, its lower edge and its length. Numbers are cut at quantiles, and where most rows share
    one value at quantiles of the distinct values too; those with few distinct values are not cut.
    """
    most = min(most, MOST_PIECES // max(1, numbers.shape[1]))
    columns: list[int] = []
    edges: list[np.ndarray] = []
    for place, column in enumerate(_sample(numbers).T if most >= 2 else ()):
        distinct = np.unique(column)
        if len(distinct) > FEW_VALUES:
            edges.append(_edges(column, distinct, most))
            columns += [place] * (len(edges[-1]) - 1)
    low = np.concatenate([own[:-1] for own in edges]) if edges else np.zeros(0)
    high = np.concatenate([own[1:] for own in edges]) if edges else np.zeros(0)
    return np.array(columns, dtype=np.int64), low.astype(np.float32), (high - low).astype(np.float32)


def _edges(column: np.ndarray, distinct: np.ndarray, most: int) -> np.ndarray:
    edges = np.unique(np.quantile(column, np.linspace(0, 1, most + 1)))
    if len(edges) <= most // 2:
        edges = np.union1d(edges, np.quantile(distinct, np.linspace(0, 1, most // 2 + 1)))
    return np.asarray(edges[np.append(True, np.diff(edges) > 1e-5)])


def _sample(numbers: np.ndarray) -> np.ndarray:
    """At most SAMPLE rows, evenly spaced, float64."""
    step = max(1, -(-len(numbers) // SAMPLE))
    return np.asarray(numbers[::step], dtype=np.float64)


def _centre_and_scale(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and 1 / interquartile range; 2 / range where the quartiles are one; 0 where nothing varies."""
    centre, scale = np.zeros(numbers.shape[1]), np.zeros(numbers.shape[1])
    for place, column in enumerate(numbers.T):
        values = column[~np.isnan(column)]
        if len(values):
            low, first, centre[place], third, high = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
            span = third - first if third > first else (high - low) / 2
            scale[place] = 1 / span if span > 0 else 0.0
    return centre, scale


def _codes_to_flag(codes: np.ndarray, cardinality: int) -> list[int]:
    """Codes that occur; of two only one, for the other follows from it; of one none."""
    seen = np.flatnonzero(np.bincount(codes, minlength=cardinality)).tolist()
    return seen[1:] if len(seen) <= 2 else seen
