"""How DuckDB reads a file: its dialect found and fixed, every cell of a text as a string.

Needs that the design answers:

* The dialect (delimiter, quotes, header) is found on the file's beginning and then fixed, so that a cell far below
  can't change how the file is read; a person's word counts more than what is found.
* Types are not DuckDB's matter: a column that is numbers for a thousand rows and then holds a word must not fail.
* Few threads and a bound on memory: the trials want the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from deepenough.errors import SourceError
from deepenough.task import frame as frames
from deepenough.task import names, parsing
from deepenough.task.files import Opened

DUCKDB_MEMORY = "1GB"
"""DuckDB writes to the disk what does not fit."""
THREADS = 2
SNIFFED_BYTES, FEWEST_SNIFFED, MOST_SNIFFED = 4 << 20, 128, 20_480
"""The dialect is found on about so many bytes, and on a number of rows between these."""
_LENIENT = "strict_mode=false, null_padding=true, parallel=false"
"""A short row is filled up. DuckDB can't do that in parallel where a quoted cell holds a line break, as texts do; it
takes as long one way as the other (300,000 rows of 15 columns: 1.3 s)."""


@contextmanager
def database() -> Iterator[Any]:
    """A DuckDB in memory that spills to a folder of its own, with few threads: the trials want the machine."""
    import duckdb

    with TemporaryDirectory(prefix="deepenough-") as folder:
        config = {"threads": str(THREADS), "memory_limit": DUCKDB_MEMORY, "temp_directory": folder}
        connection = duckdb.connect(":memory:", config={**config, "autoload_known_extensions": "false"})
        try:
            _without_progress(connection)
            connection.execute("set timezone = 'UTC'")
            yield connection
        finally:
            connection.close()


def _without_progress(connection: Any) -> None:
    """No bar of its own: the race says what it does. In a notebook that lacks ipywidgets DuckDB shows none, and refuses
    even to be told so."""
    if connection.execute("select current_setting('enable_progress_bar')").fetchone()[0]:
        connection.execute("set enable_progress_bar = false")


def table_function(
    connection: Any, file: Opened, options: Mapping[str, Any], notes: list[str] | None = None, empty: bool = False
) -> str:
    """The table function that reads a file, its dialect found and fixed.

    options: `header`, `delimiter`; `columns` names those that a header must hold to be one, whatever they look like.
    notes: what was decided about names is appended.
    empty: a header without rows will do.
    """
    path = quoted(str(file.path))
    if file.form == "parquet":
        return _parquet(connection, path, file.name, notes if notes is not None else [])
    if file.form == "json":
        return f"read_json_auto({path}, hive_partitioning=false, sample_size=20480, union_by_name=true)"
    dialect, said = _dialect(connection, path, options, file, empty)
    if notes is not None:
        notes += said
    return f"read_csv({path}, {dialect})"


def _parquet(connection: Any, path: str, name: str, notes: list[str]) -> str:
    """Columns without a name, or of one name, are mended as in any other file: DuckDB's own mending is silent."""
    import duckdb

    read = f"read_parquet({path}, hive_partitioning=false)"
    try:
        schema = connection.execute(f"select name, num_children from parquet_schema({path})").fetchall()
    except duckdb.Error as error:
        raise unreadable(name, error) from error
    given, place = [], 1  # the first is the root; after each column stands what is nested in it
    while place < len(schema):
        given.append(schema[place][0])
        below, place = schema[place][1] or 0, place + 1
        while below:
            below, place = below - 1 + (schema[place][1] or 0), place + 1
    used = names.tidied(given)
    if used == given:
        return read
    notes += names.said(given, used)
    return f"(select * from {read} as source({', '.join(map(column, used))}))"


def _dialect(
    connection: Any, path: str, options: Mapping[str, Any], file: Opened, empty: bool
) -> tuple[str, list[str]]:
    """Delimiter, quotes and header, found on the file's beginning, and what is said of names; the person's word counts
    more."""
    import duckdb

    name, sample = file.name, f"sample_size={_rows_to_sniff(file.path)}"
    given = f", delim={quoted(str(options['delimiter']))}" if options.get("delimiter") else ""
    try:
        sniffed = f"sniff_csv({path}{given}, {sample})"
        query = f"select Delimiter, Quote, Escape, SkipRows, HasHeader, Comment from {sniffed}"
        delimiter, quote, escape, skip, header, comment = connection.execute(query).fetchone()
    except duckdb.Error as error:
        raise unreadable(name, error) from error
    cleaned = {"delim": delimiter, "quote": quote, "escape": escape, "comment": comment}
    cleaned = {key: "" if value in (None, "(empty)", "\0") else value for key, value in cleaned.items()}
    if not cleaned["quote"]:
        cleaned |= {"quote": '"', "escape": '"'}  # the beginning had no quotes: what follows may
    words = ", ".join(f"{key}={quoted(value)}" for key, value in cleaned.items() if value or key != "comment")
    words += f", skip={int(skip)}, hive_partitioning=false, all_varchar=true, auto_detect=false, nullstr=''"
    rows = _first_rows(connection, path, f"{words}, {sample}", name)
    first = [(cell or "").strip() for cell in rows[0]]
    header = _is_header(first, bool(header), options)
    if header and len(rows) == 1 and not empty:
        raise SourceError(f"{name} holds a header and no rows below it. Check how it was written.")
    columns = names.apart([cell if header and cell else f"column{place}" for place, cell in enumerate(first, 1)])
    shown = ", ".join(f"{quoted(column)}: 'VARCHAR'" for column in columns)
    read = f"{words}, header={str(header).lower()}, {_LENIENT}, columns={{{shown}}}"
    return read, names.said(first, columns) if header else []


def _is_header(first: list[str], found: bool, options: Mapping[str, Any]) -> bool:
    """Whether the first row holds the columns' names.

    DuckDB takes a first row for a header where its types differ from what follows. Where everything is text they never
    do: then a first row of distinct words that are no numbers is one.
    """
    if options.get("header") is not None:
        return bool(options["header"])
    if found or (options.get("columns") and set(options["columns"]) <= set(first)):
        return True
    distinct = len({cell.lower() for cell in first}) == len(first) and all(first)
    worded = not any(np.isfinite(parsing.number(cell)) for cell in first)
    return distinct and worded and not any(parsing.is_missing(cell) for cell in first)


def _rows_to_sniff(path: Path) -> int:
    """DuckDB's own number, but fewer of long lines: with thousands of columns it would think for many seconds."""
    with open(path, "rb") as file:
        head = file.read(SNIFFED_BYTES // 16)
    lines = head.count(b"\n") + 1
    return int(np.clip(SNIFFED_BYTES * lines // max(1, len(head)), FEWEST_SNIFFED, MOST_SNIFFED))


def _first_rows(connection: Any, path: str, words: str, name: str) -> list[list[str | None]]:
    import duckdb

    try:
        query = f"select * from read_csv({path}, {words.replace('auto_detect=false', 'auto_detect=true')}, header=false"
        rows = connection.execute(f"{query}, {_LENIENT}) limit 2").fetchall()
    except duckdb.Error as error:
        raise unreadable(name, error) from error
    if not rows:
        raise SourceError(f"{name} holds no rows.")
    return [list(row) for row in rows]


def readable(connection: Any, scan: str, notes: list[str]) -> str:
    """The scan with a name of its own for every column, and with lists, objects and spans of time as plain cells."""
    types = connection.execute(f"describe select * from {scan}").fetchall()
    given = [row[0] for row in types]
    used = names.tidied(given)
    notes += names.said(given, used)
    cells = [_cell(name, kind, notes) for name, kind in zip(used, (row[1] for row in types), strict=True)]
    if used == given and not any(cells):
        return scan
    called = ", ".join(map(column, used))
    plain = ", ".join(
        f"{cell} as {column(name)}" if cell else column(name) for name, cell in zip(used, cells, strict=True)
    )
    return f"(select {plain} from {scan} as source({called}))"


def _cell(name: str, kind: str, notes: list[str]) -> str:
    """What to read instead of a column whose cells are no single values; empty where they are."""
    if kind == "JSON":  # numbers, words and objects in one column: a word stands there in quotes
        return f"json_extract_string({column(name)}, '$')"
    if kind == "INTERVAL":
        notes.append(f"Column {name!r} holds spans of time; it is read in seconds.")
        return f"epoch({column(name)})"
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        notes.append(frames.nested_note(name))
        return f"cast(to_json({column(name)}) as varchar)"
    return ""


def column(name: str) -> str:
    """A column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def unreadable(name: str, error: Exception) -> SourceError:
    if "Maximum line size" in str(error):
        return SourceError(
            f"{name} has a row of more than 2 MB, and CSV files are read up to that. Write it as JSON lines or "
            "Parquet, which may hold cells of any size."
        )
    first = str(error).strip().split("\n")[0][:300]
    return SourceError(
        f"{name} can't be read as a table: {first} Check that it is whole, and that it has rows and columns. If it "
        "has, write it anew as Parquet, or as CSV in UTF-8 with one row of names."
    )
