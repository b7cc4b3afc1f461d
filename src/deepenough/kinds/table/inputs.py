"""What a model sees of a table: typed columns, no target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from deepenough.kinds.strings import packed, unpacked

ROLES = ("number", "category", "date", "text")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    role: `number`, `category`, `date` or `text`.
    values: shape (n,). Numbers: float64, NaN where missing. Dates: float64, seconds since 1970, NaN where missing.
        Categories and texts: int32, the place in `levels`, -1 where missing.
    levels: the distinct strings of a category or text column; empty otherwise.
    """

    name: str
    role: str
    values: np.ndarray
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Columns of one length."""

    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    def take(self, rows: np.ndarray) -> Self:
        """These rows, in this order; levels stay as they are."""
        columns = tuple(Column(c.name, c.role, c.values[rows], c.levels) for c in self.columns)
        return type(self)(columns)

    def parts(self) -> list[str]:
        """The columns' names."""
        return [column.name for column in self.columns]

    def shuffled(self, part: int, rows: np.ndarray) -> Self:
        """The same rows, but with that column of the given ones."""
        own = self.columns[part]
        moved = Column(own.name, own.role, own.values[rows], own.levels)
        return type(self)((*self.columns[:part], moved, *self.columns[part + 1 :]))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays: `names`, `roles`, and per column its values and (only those that occur) its levels."""
        arrays: dict[str, np.ndarray] = {"names": packed([c.name for c in self.columns])}
        arrays["roles"] = packed([c.role for c in self.columns])
        for index, column in enumerate(self.columns):
            values, levels = _compact(column)
            arrays[f"{index}.values"] = values
            if levels:
                arrays[f"{index}.levels"] = packed(levels)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The table again."""
        columns = []
        for index, (name, role) in enumerate(zip(unpacked(arrays["names"]), unpacked(arrays["roles"]), strict=True)):
            levels = tuple(unpacked(arrays[f"{index}.levels"])) if f"{index}.levels" in arrays else ()
            columns.append(Column(name, role, arrays[f"{index}.values"], levels))
        return cls(tuple(columns))


def _compact(column: Column) -> tuple[np.ndarray, list[str]]:
    """Values and levels without the levels that do not occur, so that a small rung stays small."""
    if not column.levels:
        return column.values, []
    used = np.zeros(len(column.levels) + 1, dtype=bool)
    used[column.values] = True  # -1 marks the last place, which no level has
    used[-1] = False
    places = np.cumsum(used, dtype=np.int32) - 1
    places[-1] = -1
    return places[column.values], [level for level, keep in zip(column.levels, used, strict=False) if keep]
