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
    of: the column of the source that it was made of, with others; empty where it is one itself.
    """

    name: str
    role: str
    values: np.ndarray
    levels: tuple[str, ...] = ()
    of: str = ""

    @property
    def part(self) -> str:
        """What a person calls it: the source's column."""
        return self.of or self.name


@dataclass(frozen=True)
class Table:
    """Columns of one length."""

    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    def take(self, rows: np.ndarray) -> Self:
        """These rows, in this order; levels stay as they are."""
        columns = tuple(Column(c.name, c.role, c.values[rows], c.levels, c.of) for c in self.columns)
        return type(self)(columns)

    def parts(self) -> list[str]:
        """The source's columns' names."""
        return list(dict.fromkeys(column.part for column in self.columns))

    def shuffled(self, part: int, rows: np.ndarray) -> Self:
        """The same rows, but with that column of the given ones."""
        name = self.parts()[part]
        columns = (
            Column(own.name, own.role, own.values[rows], own.levels, own.of) if own.part == name else own
            for own in self.columns
        )
        return type(self)(tuple(columns))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays: `names`, `roles`, `of` where columns were made of others, and per column its values and (only
        those that occur) its levels."""
        arrays: dict[str, np.ndarray] = {"names": packed([c.name for c in self.columns])}
        arrays["roles"] = packed([c.role for c in self.columns])
        if any(c.of for c in self.columns):
            arrays["of"] = packed([c.of for c in self.columns])
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
        names, roles = unpacked(arrays["names"]), unpacked(arrays["roles"])
        made_of = unpacked(arrays["of"]) if "of" in arrays else [""] * len(names)
        for index, (name, role, of) in enumerate(zip(names, roles, made_of, strict=True)):
            levels = tuple(unpacked(arrays[f"{index}.levels"])) if f"{index}.levels" in arrays else ()
            columns.append(Column(name, role, arrays[f"{index}.values"], levels, of))
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
