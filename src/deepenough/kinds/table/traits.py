"""What rows of a table can be told apart by, in words: its columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deepenough.judge.traits import Trait
from deepenough.kinds.table.inputs import Column, Table


def of(table: Table) -> Iterator[Trait]:
    """A trait a column. A text has no values that rows share, so it is told by its length."""
    for column in table.columns:
        if column.role == "text":
            yield Trait(f"letters of {column.name}", _letters(column))
        elif column.role == "category":
            yield Trait(column.name, column.values, column.levels, "category")
        else:
            yield Trait(column.name, column.values, form=column.role)


def _letters(column: Column) -> np.ndarray:
    """How long each text is; NaN where there is none."""
    lengths = np.array([*map(len, column.levels), np.nan])
    return np.asarray(lengths[column.values])  # -1, for what is missing, is the last place
