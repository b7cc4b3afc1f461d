"""Where predictions are written, batch by batch: CSV, Parquet or JSON lines, by the ending of the name.

Needs that the design answers:

* Files larger than memory: a batch is written before the next is made.
* Whole or not at all: the file gets its name when it is complete.
* A spreadsheet that opens the CSV must not run a cell of it: text that looks like a formula gets an apostrophe.
"""

from __future__ import annotations

import contextlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepenough.errors import OptionError

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the wide forms of the first four, which some spreadsheets take for them."""


class Sink(ABC):
    """An open file that takes frames (pandas) of the same columns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def write(self, frame: Any) -> None:
        """Append these rows."""

    @abstractmethod
    def close(self, complete: bool) -> None:
        """End the file; what is not complete need not be finished."""


class _Lines(Sink):
    """A text file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._file = open(path, "w", encoding="utf-8", newline="")  # noqa: SIM115 (closed by `close`)
        self._started = False

    def close(self, complete: bool) -> None:
        self._file.close()


class _Csv(_Lines):
    def write(self, frame: Any) -> None:
        frame = frame.rename(columns=defused)
        for name in frame.columns:
            if frame[name].dtype.kind not in "biufM":
                frame[name] = frame[name].map(defused)
        frame.to_csv(self._file, index=False, header=not self._started, lineterminator="\n")
        self._started = True


class _JsonLines(_Lines):
    def write(self, frame: Any) -> None:
        for row in frame.to_dict("records"):
            self._file.write(json.dumps(row, ensure_ascii=False, allow_nan=False, default=str) + "\n")


class _Parquet(Sink):
    """Rows wait in a database file beside it: Parquet is written by columns."""

    def __init__(self, path: Path) -> None:
        import duckdb

        super().__init__(path)
        self._waiting = path.with_name(path.name + ".rows")
        self._waiting.unlink(missing_ok=True)
        self._database = duckdb.connect(str(self._waiting), config={"threads": 1})
        self._started = False

    def write(self, frame: Any) -> None:
        self._database.register("batch", frame)
        self._run("INSERT INTO rows FROM batch" if self._started else "CREATE TABLE rows AS FROM batch")
        self._database.unregister("batch")
        self._started = True

    def close(self, complete: bool) -> None:
        if complete:
            name = str(self.path).replace("'", "''")
            self._run(f"COPY rows TO '{name}' (FORMAT parquet)")
        self._database.close()
        self._waiting.unlink(missing_ok=True)

    def _run(self, statement: str) -> None:
        import duckdb

        try:
            self._database.execute(statement)
        except duckdb.Error as error:  # all that can go wrong with these statements is the disk
            raise OSError(str(error).split("\n")[0][:200]) from error


_SINKS: dict[str, type[Sink]] = {".csv": _Csv, ".parquet": _Parquet, ".jsonl": _JsonLines}


def defused(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula, with an apostrophe before; numbers and all else as they are."""
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    with contextlib.suppress(ValueError):
        float(value)  # -1 is a number, also as text
        return value
    return "'" + value


def apart(source: Any, out: str | Path) -> None:
    """Raise OptionError where the file to write is the very file that is read: its rows would be lost."""
    both = isinstance(source, str | Path) and os.path.exists(source) and os.path.exists(out)
    if both and os.path.samefile(source, out):
        raise OptionError(f"{out} is the file that is read; its rows would be lost. Write to another.")


@contextlib.contextmanager
def opened(out: Path) -> Iterator[Sink]:
    """A sink of the kind that the name ends in; the file appears when the block ends without an error."""
    if out.suffix.lower() not in _SINKS:
        raise OptionError(f"Predictions can't be written as {out.name!r}. The name must end in {', '.join(_SINKS)}.")
    if not out.parent.is_dir():
        raise OptionError(f"The folder {out.parent} of {out.name!r} does not exist. Make it, or name another.")
    if out.is_dir():
        raise OptionError(f"{out} is a folder. Give the name of a file in it, such as {out / 'predictions.csv'}.")
    try:
        yield from _whole(out)
    except OSError as error:
        if error.filename is not None and Path(error.filename).name not in (out.name, out.name + ".part"):
            raise  # another file's matter
        what = error.strerror or error
        raise OptionError(
            f"{out} can't be written: {what}. Nothing is left of it. Make room, or name a place that you may write to."
        ) from error


def _whole(out: Path) -> Iterator[Sink]:
    part = out.with_name(out.name + ".part")
    sink = _SINKS[out.suffix.lower()](part)
    try:
        yield sink
        sink.close(complete=True)
    except BaseException:
        with contextlib.suppress(OSError):  # one error is enough
            sink.close(complete=False)
        part.unlink(missing_ok=True)
        raise
    os.replace(part, out)
