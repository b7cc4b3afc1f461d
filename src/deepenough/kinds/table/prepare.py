"""Encodings that all table learners share, fitted on the training rows only.

Needs that this module answers:

* Levels are known by their strings: at prediction time a table brings its own codes, maybe with levels never seen.
* What a fit meets must not break it: infinite and huge numbers, a column that is constant or empty in a small rung, a
  level that only judged rows have, one row, no column of a role.
* A row alone, in a batch, in another order, becomes the same numbers, to the last bit.
* Everything learnt is saved as JSON and npz.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from deepenough.errors import ModelError
from deepenough.kinds.stored import read, write
from deepenough.kinds.table.inputs import Column, Table
from deepenough.kinds.table.words import Words

LARGEST = 1e18
"""Numbers are clipped here: their squares still fit a float32."""

HUGE = 1e300
"""Numbers are clipped here before any arithmetic, so that a difference of two is a number too."""

FEW_ROWS = 16
"""Up to so many, plain Python is quicker than numpy; a model that serves gets one row at a time."""

SECONDS_A_DAY = 86_400
LAST_SECOND = 2.5e11
"""About the year 9900; dates beyond it, either way, count as missing."""


@dataclass(frozen=True)
class Encoded:
    """A table as two matrices.

    numbers: float32, shape (n, p), NaN where missing: numbers, parts of dates, numbers of texts.
    codes: int32, shape (n, q), one column a category: 0 is missing or never seen in training, 1.. a level.
    cardinalities: for each column of codes, how many codes there are, 0 included.
    """

    numbers: np.ndarray
    codes: np.ndarray
    cardinalities: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: np.ndarray) -> Encoded:
        """These rows, in this order."""
        return Encoded(self.numbers[rows], self.codes[rows], self.cardinalities)


@dataclass(frozen=True)
class Encoder:
    """What was learnt of the training rows' columns.

    columns: name and role of each column, in order.
    levels: for each category its levels in training, sorted; the code of a level is its place + 1.
    words: for each text column what its words mean.
    with_hours: for each date column whether the time of day varies.
    shifts, units: float64, shape (p,); a number x becomes (x - shift) / unit. 0 and 1 except where a float32 would lose
        what distinguishes the values (seconds since 1970, 1e-30, 1e30).
    """

    columns: tuple[tuple[str, str], ...]
    levels: Mapping[str, Mapping[str, int]]
    words: Mapping[str, Words]
    with_hours: Mapping[str, bool]
    shifts: np.ndarray
    units: np.ndarray

    @classmethod
    def fit(cls, table: Table, targets: np.ndarray | None = None, n_classes: int | None = None) -> Self:
        """Learn from training rows. Targets change nothing: no encoding here looks at them."""
        columns = tuple((column.name, column.role) for column in table.columns)
        levels, words, with_hours = {}, {}, {}
        for column in table.columns:
            if column.role == "category":
                levels[column.name] = {level: code for code, level in enumerate(_occurring(column), start=1)}
            elif column.role == "text":
                words[column.name] = Words.fit(_occurring(column))
            elif column.role == "date":
                with_hours[column.name] = bool(np.any(_dates(column.values) % SECONDS_A_DAY > 0))
        nothing = np.empty(0)
        raw = cls(columns, levels, words, with_hours, nothing, nothing)
        shifts, units = _exact_in_float32(raw._raw_numbers(table))
        return cls(columns, levels, words, with_hours, shifts, units)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Codes of each category column, 0 included."""
        return tuple(len(self.levels[name]) + 1 for name, role in self.columns if role == "category")

    def transform(self, table: Table) -> Encoded:
        """The table as numbers and codes."""
        with np.errstate(over="ignore"):
            numbers = (self._raw_numbers(table) - self.shifts) / self.units
        numbers = np.clip(numbers, -LARGEST, LARGEST).astype(np.float32)
        codes = np.zeros((len(table), len(self.cardinalities)), dtype=np.int32)
        categories = [column for column in self._known(table) if column.role == "category"]
        for place, column in enumerate(categories):
            codes[:, place] = _codes(column, self.levels[column.name])
        return Encoded(numbers, codes, self.cardinalities)

    def _known(self, table: Table) -> list[Column]:
        """The columns that were learnt, by name, each in its role."""
        given = {column.name: column for column in table.columns}
        for name, role in self.columns:
            if name not in given or given[name].role != role:
                found = f"as {given[name].role}" if name in given else "not at all"
                raise ModelError(f"Column {name!r} was learnt as {role} and is given {found}. Give it as in training.")
        return [given[name] for name, _ in self.columns]

    def _raw_numbers(self, table: Table) -> np.ndarray:
        """float64, shape (n, p), NaN where missing or infinite."""
        parts: list[np.ndarray] = []
        for column in self._known(table):
            if column.role == "number":
                parts.append(column.values[:, None])
            elif column.role == "date":
                parts.append(_date_parts(_dates(column.values), self.with_hours[column.name]))
            elif column.role == "text":
                parts.append(_text_numbers(column, self.words[column.name]))
        numbers = np.concatenate(parts, axis=1, dtype=np.float64) if parts else np.zeros((len(table), 0))
        numbers[np.isinf(numbers)] = np.nan
        return np.clip(numbers, -HUGE, HUGE)

    def save(self, folder: Path) -> None:
        """Write `encoder.json` and `encoder.npz`."""
        facts = {
            "columns": self.columns,
            "levels": {name: list(known) for name, known in self.levels.items()},
            "words": {name: list(words.vocabulary) for name, words in self.words.items()},
            "with_hours": self.with_hours,
        }
        arrays = {"shifts": self.shifts, "units": self.units}
        for place, words in enumerate(self.words.values()):
            arrays |= {f"words.{place}.{name}": array for name, array in words.to_arrays().items()}
        write(folder, "encoder", facts, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The encoder again."""
        facts, arrays = read(folder, "encoder")
        words = {}
        for place, (name, vocabulary) in enumerate(facts["words"].items()):
            prefix = f"words.{place}."
            own = {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
            words[name] = Words.from_parts(vocabulary, own)
        levels = {name: {level: code for code, level in enumerate(known, 1)} for name, known in facts["levels"].items()}
        columns = tuple((name, role) for name, role in facts["columns"])
        return cls(columns, levels, words, facts["with_hours"], arrays["shifts"], arrays["units"])


def _occurring(column: Column) -> list[str]:
    """The levels that some row has, sorted, so that the order of a table's levels changes nothing."""
    counts = np.bincount(column.values[column.values >= 0], minlength=len(column.levels))
    return sorted(level for level, count in zip(column.levels, counts, strict=True) if count)


def _distinct(column: Column) -> tuple[list[str], np.ndarray]:
    """The distinct strings that occur, and for each row its place among them, the number of strings where missing.

    Looks at all levels or at the rows' values alone, whichever are fewer: one row of a column with a hundred thousand
    levels costs one look.
    """
    if len(column.values) >= len(column.levels):
        used, places = np.arange(len(column.levels)), column.values.astype(np.int64)
    else:
        used, places = np.unique(column.values, return_inverse=True)
        places = places - (1 if len(used) and used[0] < 0 else 0)
        used = used[used >= 0]
    return [column.levels[place] for place in used], np.where(places < 0, len(used), places)


def _codes(column: Column, known: Mapping[str, int]) -> np.ndarray:
    if len(column.values) <= FEW_ROWS:
        levels = column.levels
        codes = [known.get(levels[place], 0) if place >= 0 else 0 for place in column.values.tolist()]
        return np.array(codes, dtype=np.int32)
    strings, places = _distinct(column)
    lookup = np.array([*(known.get(string, 0) for string in strings), 0], dtype=np.int32)
    return np.asarray(lookup[places])


def _text_numbers(column: Column, words: Words) -> np.ndarray:
    strings, places = _distinct(column)
    numbers = words.transform(strings)
    return np.asarray(np.concatenate([numbers, np.full((1, numbers.shape[1]), np.nan)])[places])


def _dates(seconds: np.ndarray) -> np.ndarray:
    """Seconds since 1970, NaN where missing or out of reach."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(seconds) <= LAST_SECOND, seconds, np.nan)


def _date_parts(seconds: np.ndarray, with_hours: bool) -> np.ndarray:
    """Year, month, day, weekday (Monday is 0), seconds since 1970, and the hour where the time of day varies."""
    known = np.isfinite(seconds)
    days = np.floor(np.where(known, seconds, 0.0) / SECONDS_A_DAY).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    years = days.astype("datetime64[Y]")
    parts = [
        years.astype(np.int64) + 1970,
        (months - years).astype(np.int64) + 1,
        (days - months).astype(np.int64) + 1,
        (days.astype(np.int64) + 3) % 7,
        seconds,
    ]
    if with_hours:
        parts.append((seconds - days.astype(np.int64) * SECONDS_A_DAY) / 3600)
    numbers = np.stack(parts, axis=1).astype(np.float64)
    numbers[~known] = np.nan
    return numbers


def _exact_in_float32(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift and unit of each column: 0 and 1, unless a float32 could not tell its values apart."""
    shifts, units = np.zeros(numbers.shape[1]), np.ones(numbers.shape[1])
    for place, column in enumerate(numbers.T):
        values = column[np.isfinite(column)]
        if not len(values):
            continue
        low, middle, high = np.quantile(values[:: 1 + len(values) // 10_000], [0.01, 0.5, 0.99])
        if abs(middle) > 2**14 * (high - low) or np.abs(values).max() > 2**24:
            shifts[place] = middle
        size = np.abs(values - shifts[place]).max()
        if size > 0 and not 1e-12 < size < 1e12:
            units[place] = size
    return shifts, units
