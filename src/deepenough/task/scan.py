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
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from deepenough.errors import SourceError
from deepenough.task import parsing
from deepenough.task.files import Opened

DUCKDB_MEMORY = "1GB"
"""DuckDB writes to the disk what does not fit."""
THREADS = 2


@contextmanager
def database() -> Iterator[Any]:
    """A DuckDB in memory that spills to a folder of its own, with few threads: the trials want the machine."""
    import duckdb

    with TemporaryDirectory(prefix="deepenough-") as folder:
        config = {"threads": str(THREADS), "memory_limit": DUCKDB_MEMORY, "temp_directory": folder}
        connection = duckdb.connect(":memory:", config={**config, "autoload_known_extensions": "false"})
        try:
            connection.execute("set enable_progress_bar = false")
            connection.execute("set timezone = 'UTC'")
            yield connection
        finally:
            connection.close()


def table_function(connection: Any, file: Opened, options: Mapping[str, Any]) -> str:
    """The table function that reads a file, its dialect found and fixed."""
    path = quoted(str(file.path))
    if file.form == "parquet":
        return f"read_parquet({path}, hive_partitioning=false)"
    if file.form == "json":
        return f"read_json_auto({path}, hive_partitioning=false, sample_size=20480, union_by_name=true)"
    dialect = _dialect(connection, path, options, file.name)
    return f"read_csv({path}, {dialect})"


def _dialect(connection: Any, path: str, options: Mapping[str, Any], name: str) -> str:
    """Delimiter, quotes and header, found on the file's beginning; the person's word counts more."""
    import duckdb

    given = f", delim={quoted(str(options['delimiter']))}" if options.get("delimiter") else ""
    try:
        query = f"select Delimiter, Quote, Escape, SkipRows, HasHeader, Comment from sniff_csv({path}{given})"
        delimiter, quote, escape, skip, header, comment = connection.execute(query).fetchone()
    except duckdb.Error as error:
        raise unreadable(name, error) from error
    cleaned = {"delim": delimiter, "quote": quote, "escape": escape, "comment": comment}
    cleaned = {key: "" if value in (None, "(empty)", "\0") else value for key, value in cleaned.items()}
    if not cleaned["quote"]:
        cleaned |= {"quote": '"', "escape": '"'}  # the beginning had no quotes: what follows may
    words = ", ".join(f"{key}={quoted(value)}" for key, value in cleaned.items() if value or key != "comment")
    words += f", skip={int(skip)}, hive_partitioning=false, all_varchar=true, auto_detect=false, nullstr=''"
    columns, header = _columns(connection, path, words, bool(header), options, name)
    shown = ", ".join(f"{quoted(column)}: 'VARCHAR'" for column in columns)
    return f"{words}, header={str(header).lower()}, strict_mode=false, null_padding=true, columns={{{shown}}}"


def _columns(
    connection: Any, path: str, words: str, header: bool, options: Mapping[str, Any], name: str
) -> tuple[list[str], bool]:
    """The columns' names, and whether the first row holds them.

    DuckDB takes a first row for a header where its types differ from what follows. Where everything is text they never
    do: then a first row of distinct words that are no numbers is one.
    """
    rows = _first_rows(connection, path, words, name)
    first = [(cell or "").strip() for cell in rows[0]]
    distinct = len({cell.lower() for cell in first}) == len(first) and all(first)
    worded = not any(np.isfinite(parsing.number(cell)) for cell in first)
    if options.get("header") is not None:
        header = bool(options["header"])
    elif not header:
        header = distinct and worded and not any(parsing.is_missing(cell) for cell in first)
    if header and len(rows) == 1:
        raise SourceError(f"{name} holds a header and no rows below it.")
    names = first if header else [f"column{place}" for place in range(1, len(first) + 1)]
    return _unique([cell or f"column{place}" for place, cell in enumerate(names, 1)]), header


def _first_rows(connection: Any, path: str, words: str, name: str) -> list[list[str | None]]:
    import duckdb

    try:
        query = f"select * from read_csv({path}, {words.replace('auto_detect=false', 'auto_detect=true')}, header=false"
        rows = connection.execute(f"{query}, strict_mode=false, null_padding=true) limit 2").fetchall()
    except duckdb.Error as error:
        raise unreadable(name, error) from error
    if not rows:
        raise SourceError(f"{name} holds no rows.")
    return [list(row) for row in rows]


def _unique(names: list[str]) -> list[str]:
    """Names told apart without regard to case, as DuckDB wants them: `a`, `a_2`."""
    taken: set[str] = set()
    unique = []
    for name in names:
        candidate, count = name, 1
        while candidate.lower() in taken:
            count += 1
            candidate = f"{name}_{count}"
        taken.add(candidate.lower())
        unique.append(candidate)
    return unique


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def unreadable(name: str, error: Exception) -> SourceError:
    first = str(error).strip().split("\n")[0][:300]
    return SourceError(
        f"{name} can't be read as a table: {first} Check that it is whole, and that it has rows and columns; the "
        "options delimiter, header and encoding say what the file does not."
    )
