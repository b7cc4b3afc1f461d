"""The columns of a table that DuckDB holds, as they are meant: numbers, dates, words.

Needs that the design answers:

* Speed: a query costs about the same for one column as for a hundred, so columns are read in batches; thousands of
  columns take seconds. DuckDB itself reads plain numbers and ISO dates; only what is left passes through Python.
* A sample says how a column is probably meant, the whole column decides: one cell that is otherwise, and the column is
  read by `frame.from_strings`, which looks at all.
* No more cells at once than fit: strings of Python are large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deepenough.task import frame as frames
from deepenough.task import parsing
from deepenough.task import scan as scans
from deepenough.task.frame import Raw
from deepenough.task.parsing import Reading

CELLS, COLUMNS = 2_000_000, 200
"""So many cells, and columns, are read at once at most."""
SAMPLE, SAMPLE_CELLS, FEWEST = 1_000, 300_000, 100
"""Rows of the sample, fewer where columns are many; a column of which it shows too little gets one of its own."""

_NUMBERS = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)
_MOMENTS = ("DATE", "TIMESTAMP")
_WORDS_FOR_MISSING = "('na', 'n/a', '#n/a', 'nan', 'null', '?', '<na>', 'nat')"


def columns(database: Any, types: Mapping[str, str], ids: Sequence[str] = ()) -> tuple[list[Raw], list[str]]:
    """Every column of the table `data`, in order, and what is to be said of them.

    types: DuckDB's type of each. ids: names of those that are read as they stand.
    """
    rows = int(database.execute("select count(*) from data").fetchone()[0])
    if not rows:
        return [], []
    sample = int(np.clip(SAMPLE_CELLS // max(1, len(types)), FEWEST, SAMPLE))
    at_once = int(np.clip(CELLS // max(1, rows), 1, COLUMNS))
    names, raws, notes = list(types), [], []
    for start in range(0, len(names), at_once):
        batch = names[start : start + at_once]
        guessed = [name for name in batch if types[name] == "VARCHAR" and name not in ids]
        readings = _readings(database, guessed, sample, rows)
        asked = [_expression(name, types[name], readings.get(name), name in ids) for name in batch]
        for name, values in zip(batch, _fetched(database, asked), strict=True):
            if name in ids:
                raws.append(frames.as_it_stands(name, list(values)))
                continue
            raw, said = _column(database, name, types[name], readings.get(name), values)
            raws.append(raw)
            notes += said
    return raws, notes


def _readings(database: Any, names: Sequence[str], sample: int, rows: int) -> dict[str, Reading]:
    """How each column of strings is probably meant."""
    if not names:
        return {}
    shown = ", ".join(map(scans.column, names))
    found = database.execute(
        f"select {shown} from data using sample reservoir({sample} rows) repeatable (1)"
    ).fetchall()
    readings = {}
    for name, cells in zip(names, zip(*found, strict=True), strict=True):
        present = [cell for cell in cells if cell is not None]
        if len(present) < FEWEST and rows > sample:
            present = _own_sample(database, scans.column(name))
        readings[name] = parsing.guess(frames.factorised(present)[1])
    return readings


def _own_sample(database: Any, column: str) -> list[str]:
    query = f"select {column} from data where {column} is not null using sample reservoir({SAMPLE} rows) repeatable (1)"
    return [row[0] for row in database.execute(query).fetchall()]


def _expression(name: str, kind: str, reading: Reading | None, is_id: bool) -> str:
    """What to ask DuckDB for: a double where it can read the column, else the strings; of ids nearly always these."""
    column = scans.column(name)
    if is_id and kind.startswith("TIMESTAMP"):
        return f"regexp_replace(cast({column} as varchar), ' 00:00:00$', '')"
    if is_id and kind not in ("FLOAT", "DOUBLE"):
        return f"cast({column} as varchar)"
    if kind.startswith(_NUMBERS):
        return f"cast({column} as double)"
    if kind.startswith(_MOMENTS):
        return f"cast(epoch({column}) as double)"
    quick = _quick(column, reading)
    return f"cast({quick} as double)" if quick else f"cast({column} as varchar)"


def _quick(column: str, reading: Reading | None) -> str:
    """How DuckDB reads a column of strings itself; empty where it can't."""
    if reading == Reading("number"):
        return f"try_cast({column} as double)"
    if reading == Reading("date", "iso"):
        return f"epoch(try_cast({column} as timestamptz))"
    return ""


def _fetched(database: Any, expressions: Sequence[str]) -> list[Any]:
    """Numbers as float64 with NaN where missing, strings as a list with None where missing."""
    asked = ", ".join(f"{expression} as c{place}" for place, expression in enumerate(expressions))
    found = database.execute(f"select {asked} from data").fetchnumpy()
    return [_filled(found[f"c{place}"]) for place in range(len(expressions))]


def _filled(values: Any) -> Any:
    if values.dtype.kind == "O":
        return values.tolist()  # a masked array gives None where its mask is
    return np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)


def _column(database: Any, name: str, kind: str, reading: Reading | None, values: Any) -> tuple[Raw, list[str]]:
    """One column as it is meant, of the numbers or strings that were fetched."""
    column = scans.column(name)
    if quick := _quick(column, reading):
        if np.isnan(values).any() and _holds_another(database, column, quick):
            return frames.from_strings(name, _fetched(database, [column])[0])
        if quick.startswith("epoch"):
            zones = parsing.zoned(name, _own_sample(database, column))
            return Raw(name, "date", frames.finite(values), reading="iso"), zones
        return frames.numbers(name, values)
    if kind.startswith(_NUMBERS):
        return frames.numbers(name, values)
    if kind.startswith(_MOMENTS):
        return Raw(name, "date", frames.finite(values)), []
    return frames.from_strings(name, values)


def _holds_another(database: Any, column: str, quick: str) -> bool:
    """Whether something stands in the column that DuckDB could not read and that is no word for missing."""
    meant = f"trim({column}) <> '' and lower(trim({column})) not in {_WORDS_FOR_MISSING}"
    query = f"select 1 from data where {column} is not null and {quick} is null and {meant} limit 1"
    return database.execute(query).fetchone() is not None
