"""Rows that are copies of each other, exact or near: the same thing twice, or made more by a little noise.

Needs that the design answers:

* Copies of a row on both sides let a model remember instead of learn. Copies are kept on one side; but a table of few
  distinct rows repeats by nature, and is left alone.
* Rows that merely lie close must not be taken for copies: in few or coarse columns, where rows lie densely, or where
  their answers differ, closeness says nothing.
* Cheap: rows are hashed, never compared with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepenough.kinds.table.data_checks import FEW_ROWS, missing
from deepenough.kinds.table.inputs import Column, Table

MANY_COPIES = 0.05
ALIKE = 0.25
"""Equal rows whose targets differ more than that, as a part of how all do, are no copies."""
FINE_COLUMNS, FINE_VALUES = 3, 100
"""So many columns of numbers, each of so many different values, it takes: with fewer, rows come close by chance."""
CELLS = 1_000
"""A column's spread, the middle nine tenths of its values, is cut into so many cells."""
LARGEST_SHARE, LARGEST_ROWS = 0.05, 20
"""Near copies come in small sets; one larger than both means that cells flow together."""
LOOKED_AT = 5_000


@dataclass(frozen=True)
class Copies:
    """Exact copies among the rows' inputs.

    clusters: int per row, equal for copies; None where there are none worth keeping together.
    share: part of the rows that repeat an earlier one.
    note: what to say of it; empty where nothing is.
    """

    clusters: np.ndarray | None
    share: float
    note: str = ""


def copies(table: Table, targets: np.ndarray, apart: bool = True) -> Copies:
    """Rows whose inputs are equal in every column, or nearly so, whatever their targets.

    Copies of one row have one answer. Where equal rows differ in theirs, they are different units that happen to look
    alike, as in a table of few short columns; keeping these on one side would forbid what new rows will do as well.

    apart: whether the splits will keep them on one side; where they go by groups, they do not.
    """
    rows = len(table)
    if rows == 0 or not table.columns:
        return Copies(None, 0.0)
    exact = np.unique(row_hashes(table), return_inverse=True)[1]
    clusters = _with_near(table, targets, exact)
    distinct = int(clusters.max()) + 1
    share = 1 - distinct / rows
    if distinct == rows:
        return Copies(None, 0.0)
    if distinct < max(FEW_ROWS, 0.02 * rows):
        note = f"Only {distinct:,} different rows occur: repeats are natural here, and are not kept on one side."
        return Copies(None, share, note)
    if _spread_within(clusters, targets) > ALIKE:
        note = f"{rows - distinct:,} rows ({share:.1%}) look like another one in every column, and their answers differ"
        return Copies(None, share, f"{note}: they are other units, and are not kept on one side.")
    kept = "copies stand on one side of every split" if apart else "copies in different groups may be parted"
    more = int(exact.max()) + 1 - distinct
    nearly = f" ({more:,} of them all but: no number differs by more than a thousandth of its spread)" if more else ""
    note = f"{rows - distinct:,} rows ({share:.1%}) repeat another one in every column{nearly}; {kept}."
    return Copies(clusters.astype(np.int64), share, note)


def _with_near(table: Table, targets: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """The exact copies, with the near ones where these are copies too: rare, small sets of one answer."""
    near = near_copies(table)
    if near is None or near.max() == exact.max() or near.max() < max(FEW_ROWS, 0.5 * exact.max()):
        return exact
    return exact if _spread_within(near, targets) > ALIKE else near


def _spread_within(clusters: np.ndarray, targets: np.ndarray) -> float:
    """How much the targets of equal rows differ, as a part of how much all do: 0 for copies, 1 where rows say nothing.

    Of classes that is the chance that two rows have different ones, of numbers the variance.
    """
    counts = np.bincount(clusters)
    repeated = counts[clusters] > 1
    own, known = np.unique(clusters[repeated], return_inverse=True)[1], targets[repeated]
    sizes = np.bincount(own)
    if targets.dtype.kind == "f":
        means = np.bincount(own, weights=known) / sizes
        within = np.mean((known - means[own]) ** 2 * (sizes / (sizes - 1))[own])
        overall = np.var(known)
    else:
        pairs = np.unique(own.astype(np.int64) * (int(targets.max()) + 1) + known, return_counts=True)[1]
        within = 1 - np.sum(pairs * (pairs - 1.0)) / np.sum(sizes * (sizes - 1.0))
        overall = 1 - np.sum((np.bincount(known) / len(known)) ** 2)
    return float(within / overall) if overall > 0 else 0.0


def row_hashes(table: Table) -> np.ndarray:
    """One number a row (uint64), equal where all columns are."""
    mixed = np.zeros(len(table), dtype=np.uint64)
    for place, column in enumerate(table.columns, 1):
        values = np.where(missing(column), -1.0, column.values) + 0.0  # no negative zero
        bits = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
        # splitmix64's steps (Steele, Lea and Flood 2014), the column's place mixed in
        bits = bits + np.uint64(place * 0x9E3779B97F4A7C15 % 2**64)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = (mixed ^ (bits ^ (bits >> np.uint64(31)))) * np.uint64(0x9E3779B97F4A7C15)
    return mixed


def near_copies(table: Table) -> np.ndarray | None:
    """A number a row, shape (n,), equal for near copies: equal words, and numbers that differ by less than a cell.

    Two rows are near where they fall into one cell of a grid, or of the same grid moved by half a cell: so no border
    parts rows that are much closer than a cell. None where closeness says nothing.
    """
    cells = [_cell(column) for column in table.columns]
    if sum(cell > 0 for cell in cells) < FINE_COLUMNS:
        return None
    grids = [np.unique(row_hashes(_gridded(table, cells, moved)), return_inverse=True)[1] for moved in (0.0, 0.5)]
    joined = _joined(*grids)
    return joined if np.bincount(joined).max() <= max(LARGEST_ROWS, LARGEST_SHARE * len(table)) else None


def _cell(column: Column) -> float:
    """The width of a column's cells; 0 where its values are words, or coarse."""
    if column.values.dtype.kind != "f":
        return 0.0
    present = column.values[~missing(column)]
    sample = present[:: max(1, len(present) // LOOKED_AT)]
    if len(np.unique(sample)) < FINE_VALUES:
        return 0.0
    low, high = np.quantile(sample, (0.05, 0.95))
    return float(high - low) / CELLS


def _gridded(table: Table, cells: Sequence[float], moved: float) -> Table:
    """The table with the number of its cell for each fine number."""
    columns = [
        Column(column.name, column.role, np.floor(column.values / cell + moved)) if cell > 0 else column
        for column, cell in zip(table.columns, cells, strict=True)
    ]
    return Table(tuple(columns))


def _joined(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The sets that come of two groupings of the same rows, where each row joins its sets of both."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = int(one.max()) + 1
    size = count + int(other.max()) + 1
    graph = coo_array((np.ones(len(one), dtype=bool), (one, count + other)), shape=(size, size))
    found = connected_components(graph, directed=False)[1][one]
    return np.unique(found, return_inverse=True)[1]
