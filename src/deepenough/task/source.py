"""Reading what has rows and columns: files of many kinds, databases, frames. It never guesses a kind.

Needs that the design answers:

* Files larger than memory are sampled, never loaded whole: at most `MAX_ROWS` rows come in, a random sample in the
  file's order, and the notes say so.
* Speed: DuckDB reads everything as strings once; numbers and ISO dates are then read by it too, column by column, and
  only what is left passes through Python.
* A saved model is asked about files of any size: `batches` streams one in its order.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from deepenough.errors import OptionError, SourceError
from deepenough.task import cells, files, sql
from deepenough.task import frame as frames
from deepenough.task import scan as scans
from deepenough.task.files import Opened
from deepenough.task.frame import Frame

MAX_ROWS = 400_000
"""Rows that are read at most; of more, a random sample."""
MAX_CELLS = 20_000_000
"""Rows times columns that are read at most: 160 MB of numbers."""
LARGE_BYTES = 256 << 20
"""Text files above this are not read through, but whole lines of evenly spread blocks of them."""


def read(
    source: Any,
    options: Mapping[str, Any] | None = None,
    max_rows: int = MAX_ROWS,
    seed: int = 0,
    ids: Sequence[str] = (),
) -> Frame:
    """The table that a path or a frame holds.

    options: `header` (bool), `delimiter`, `encoding`, `sheet`: what the file would not say by itself; `query`: what is
        selected from a database (see `sql`).
    max_rows: of a larger source a random sample of so many rows, in its order.
    seed: of the sample.
    ids: columns that are read as they stand, see `frame.as_it_stands`.
    """
    if sql.is_address(source):
        return _finished(frame := sql.read(source, dict(options or {}), max_rows, seed, ids), dict(frame.facts))
    if (options or {}).get("query"):
        raise OptionError("--query is for a database: sqlite:///shop.db or postgresql://user@host/shop as the source.")
    if isinstance(source, str | Path):
        return _read_file(Path(os.path.expanduser(source)), dict(options or {}), max_rows, seed, ids)
    if not frames.is_frame(source):
        raise SourceError(
            f"A {type(source).__name__} is no table. Give the path of a CSV, Parquet, JSON or Excel file, a pandas, "
            "polars or Arrow frame, or a list of dicts."
        )
    frame = frames.from_frame(source, max_rows, seed, ids)
    facts = {"name": type(source).__name__, "format": "frame", "sha256": frames.fingerprint(frame)}
    return _finished(frame, facts)


def batches(source: Any, size: int, options: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """Rows of a source in its order, at most `size` at once, as pandas frames; a file is never held whole.

    The cells of text files come as strings: whoever reads them knows how (see `Raw.reading`). A file without rows gives
    one frame without rows, so that its columns can be seen.

    options: as `read` takes them; `columns` names those that a header is expected to hold.
    """
    if sql.is_address(source):
        yield from sql.batches(source, size)
        return
    if not isinstance(source, str | Path):
        yield from _frame_batches(source, size)
        return
    import duckdb

    with files.opened(Path(os.path.expanduser(source)), options) as file, scans.database() as database:
        if file.form == "excel":
            yield from _frame_batches(_excel(file, dict(options or {})), size)
            return
        try:
            scan = scans.readable(database, scans.table_function(database, file, dict(options or {}), empty=True), [])
        except duckdb.Error as error:
            raise scans.unreadable(file.name, error) from error
        yield from _streamed(database, f"select * from {scan}", size, file.name)


def _frame_batches(source: Any, size: int) -> Iterator[Any]:
    if isinstance(source, list | tuple):
        yield from (list(source[start : start + size]) for start in range(0, len(source), size))
        return
    import narwhals as nw

    if type(source).__module__.startswith("pandas"):
        yield from (source.iloc[start : start + size] for start in range(0, len(source), size))
        return
    table = nw.from_native(frames.whole_table(source), eager_only=True)
    for start in range(0, len(table), size):
        yield table[start : start + size].to_native()


def _streamed(database: Any, query: str, size: int, name: str) -> Iterator[Any]:
    """DuckDB gives chunks of 2,048 rows; they are put together to `size` and never held beyond it."""
    import duckdb
    import pandas as pd

    held: list[Any] = []
    rows, given = 0, False
    try:
        database.execute(query)
        while len(chunk := database.fetch_df_chunk(max(1, size // 2048))):
            held.append(chunk)
            rows += len(chunk)
            while rows >= size:
                given = True
                together = held[0] if len(held) == 1 else pd.concat(held, ignore_index=True)
                yield together.iloc[:size].reset_index(drop=True)
                held, rows = [together.iloc[size:]], rows - size
    except duckdb.Error as error:
        raise scans.unreadable(name, error) from error
    if rows:
        yield pd.concat(held, ignore_index=True)
    elif not given:
        yield chunk


def _read_file(path: Path, options: dict[str, Any], max_rows: int, seed: int, ids: Sequence[str]) -> Frame:
    facts: dict[str, Any] = {"name": path.name, "path": str(path.absolute())}
    with files.opened(path, options) as file:
        facts |= {"format": file.form, "bytes": path.stat().st_size, "sha256": files.fingerprint(path)}
        facts |= {"encoding": file.encoding} if file.encoding else {}
        if file.form == "excel":
            return _finished(frames.from_frame(_excel(file, options), max_rows, seed, ids), facts)
        with scans.database() as database:
            return _finished(_read_scan(database, file, options, max_rows, seed, ids), facts)


def _finished(frame: Frame, facts: dict[str, Any]) -> Frame:
    total = frame.facts.get("rows_in_source", frame.rows)
    notes = list(frame.notes)
    if total > frame.rows:
        about = "about " if frame.facts.get("estimated") else ""
        notes.insert(0, f"A random sample of {frame.rows:,} of {about}{total:,} rows was read.")
    if facts.get("encoding", "utf-8") not in ("utf-8", "utf-8-sig"):
        notes.insert(0, f"The file was read as {facts['encoding']}.")
    facts = {**facts, "rows": frame.rows, "columns": len(frame.columns), "rows_in_source": total}
    return replace(frame, facts=facts, notes=tuple(notes))


def _read_scan(
    database: Any, file: Opened, options: dict[str, Any], max_rows: int, seed: int, ids: Sequence[str]
) -> Frame:
    import duckdb

    name, estimated = file.name, False
    notes: list[str] = []
    with TemporaryDirectory(prefix="deepenough-") as folder:
        try:
            scan = scans.readable(database, scans.table_function(database, file, options, notes), notes)
            types = dict(_described(database, f"select * from {scan}"))
            max_rows = min(max_rows, max(1_000, MAX_CELLS // max(1, len(types))))
            total = None
            size = file.path.stat().st_size
            likely = _probable_rows(file.path)
            if size > LARGE_BYTES and likely > max_rows and files.can_be_cut(file):
                part = Path(folder) / "sample"
                wanted = int(0.9 * max_rows * size / likely)
                total = files.sample_lines(file.path, part, wanted, seed, "header=true" in scan)
                if not total:
                    raise files.endless_lines(name, "where it was looked into")
                scan, estimated = scan.replace(scans.quoted(str(file.path)), scans.quoted(str(part)), 1), True
            few = file.form == "csv" and (likely < 0.8 * max_rows or estimated)
            loaded = _load(database, scan, max_rows, seed, notes, total, few)
        except duckdb.Error as error:
            raise scans.unreadable(name, error) from error
        columns, said = cells.columns(database, types, ids)
    rows = len(columns[0].values) if columns else 0
    if rows == 0:
        raise SourceError(f"{name} holds no rows below its header." if types else f"{name} holds no rows.")
    return Frame(tuple(columns), rows, {"rows_in_source": loaded, "estimated": estimated}, (*notes, *said))


def _described(database: Any, query: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in database.execute(f"describe {query}").fetchall()]


def _probable_rows(path: Path) -> float:
    """About how many lines a text file has, by the length of its first ones."""
    with open(path, "rb") as file:
        head = file.read(1 << 18)
    return path.stat().st_size / len(head) * (head.count(b"\n") + 1)


def _load(database: Any, scan: str, max_rows: int, seed: int, notes: list[str], total: int | None, few: bool) -> int:
    """Bring at most `max_rows` rows into the table `data`, in the file's order; returns how many the source has.

    few: it has so few that they can be loaded without a limit, which is quicker.
    """
    import duckdb

    limit = "" if few else f" limit {max_rows + 1}"
    try:
        database.execute(f"create or replace temp table data as select * from {scan}{limit}")
    except duckdb.Error:
        if not scan.startswith("read_csv"):
            raise
        scan = scan.removesuffix(")") + ", ignore_errors=true)"
        notes.append("Some lines of the file could not be read and were left out.")
        database.execute(f"create or replace temp table data as select * from {scan}{limit}")
        if not database.execute("select 1 from data limit 1").fetchone():
            raise  # nothing is left of it: what was wrong at first is what to say
    rows = int(database.execute("select count(*) from data").fetchone()[0])
    if rows <= max_rows:
        return total or rows
    if total is None:
        total = int(database.execute(f"select count(*) from {scan}").fetchone()[0])
    database.execute("set threads = 1")  # with more, the sample would depend on their race
    numbered = f"select row_number() over () as row_of_source, * from {scan}"
    sample = f"select * from ({numbered}) using sample reservoir({max_rows} rows) repeatable ({seed % 2**31})"
    ordered = f"select * exclude (row_of_source) from ({sample}) order by row_of_source"
    database.execute(f"create or replace temp table data as {ordered}")
    return max(total, rows)


def _excel(file: Opened, options: Mapping[str, Any]) -> Any:
    """The first sheet, or the one that was named, as an Arrow or polars frame."""
    try:
        import fastexcel
    except ImportError as error:
        raise SourceError("Excel files need fastexcel: pip install 'fastexcel[pyarrow]'. Or save it as CSV.") from error
    try:
        book = fastexcel.read_excel(file.path)
        sheet = book.load_sheet(options.get("sheet", 0))
        if sheet.height == 0:
            raise SourceError(f"{file.name}: the sheet {sheet.name!r} holds no rows. Sheets: {book.sheet_names}.")
        try:
            return sheet.to_arrow()
        except ImportError:
            return sheet.to_polars()
    except fastexcel.FastExcelError as error:
        raise SourceError(f"{file.name} can't be read as Excel: {error}. Save it as .xlsx or CSV.") from error
    except ImportError as error:
        raise SourceError("Excel files need pyarrow: pip install 'fastexcel[pyarrow]'. Or save it as CSV.") from error
