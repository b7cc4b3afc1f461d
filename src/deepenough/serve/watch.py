"""A folder as a service: files that land in one folder are answered into another.

Needs that this module answers:

* A file is taken when it is whole: when its size and time did not change between two looks. What is hidden, or
  called as if it were being written, is left alone.
* Answers appear whole or not at all; then the file moves to `done`, or to `failed` with the reason beside it. One that
  can't be read stops none of the others.
* Killed at any moment and started again, it leaves no file unanswered. Records that were routed are known by what their
  file holds, so that nothing is done twice for a file that is read twice.
* Names in the folder are names: a link is not followed, and nothing is written but into the folders that were named.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepenough.errors import DeepenoughError, OptionError
from deepenough.model import sinks
from deepenough.serve.router import Router
from deepenough.serve.served import Served
from deepenough.task import frame as frames

DONE, FAILED = "done", "failed"
UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".download", "~")
BATCH = 1_000


@dataclass
class Watch:
    """What is answered from where to where. form: `.csv`, `.jsonl` or `.parquet`, of the answers."""

    served: Served
    inbox: Path
    outbox: Path
    form: str = ".csv"
    router: Router | None = None

    def __post_init__(self) -> None:
        if not self.inbox.is_dir():
            raise OptionError(f"{self.inbox} is no folder. Make it: files that land in it are answered.")
        if self.inbox.resolve() in (self.outbox.resolve(), *self.outbox.resolve().parents):
            raise OptionError(f"{self.outbox} lies in {self.inbox}: its answers would be asked about. Name another.")
        for folder in (self.outbox, self.inbox / DONE, self.inbox / FAILED):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                why = error.strerror or error
                raise OptionError(
                    f"The folder {folder} can't be made: {why}. Name one that you may write to."
                ) from error
        self._seen: dict[str, tuple[int, int]] = {}

    def run(self, seconds: float, stopping: threading.Event) -> None:
        """Look every so many seconds, until it is time to stop; the file that is being answered is finished."""
        with self._sending(stopping):
            while not stopping.is_set():
                self.look(stopping)
                self.served.refresh()
                stopping.wait(seconds)

    @contextlib.contextmanager
    def _sending(self, stopping: threading.Event) -> Iterator[None]:
        thread = threading.Thread(target=self.router.work, args=(stopping,)) if self.router else None
        if thread:
            thread.start()
        try:
            yield
        finally:
            stopping.set()
            if thread:
                thread.join()

    def look(self, stopping: threading.Event | None = None) -> int:
        """Answer each file that is whole; returns how many there were."""
        count = 0
        for path in self._whole():
            if stopping is not None and stopping.is_set():
                break
            count += 1
            try:
                self.answer(path)
            except (DeepenoughError, OSError) as error:
                self._fail(path, str(error))
            except Exception as error:  # whatever a strange file makes a model raise: the others wait
                self._fail(path, f"It can't be answered ({type(error).__name__}).")
            else:
                _moved(path, self.inbox / DONE)
        return count

    def _whole(self) -> list[Path]:
        """Files that did not change since the last look."""
        found: dict[str, tuple[int, int]] = {}
        for path in sorted(self.inbox.iterdir()):
            hidden = path.name.startswith((".", "~")) or path.name.lower().endswith(UNFINISHED)
            if hidden or path.is_symlink() or not path.is_file():
                continue
            with contextlib.suppress(FileNotFoundError):
                facts = path.stat()
                found[path.name] = (facts.st_size, facts.st_mtime_ns)
        whole = [name for name, facts in found.items() if self._seen.get(name) == facts]
        self._seen = found
        return [self.inbox / name for name in whole]

    def answer(self, path: Path) -> int:
        """Write the answers of a file, and do what the routes say; returns how many rows there were."""
        version = self.served.current
        key, rows = _fingerprint(path) if self.router else "", 0
        with sinks.opened(self.outbox / f"{path.name}{self.form}") as sink:
            for part in version.model.predict_parts(str(path), BATCH):
                sink.write(part.answers)
                if self.router and len(part.inputs):
                    told = version.model.codec.records(part.predictions, part.inputs)
                    keys = [f"{self.served.name}\n{path.name}\n{key}\n{rows + place}" for place in range(len(told))]
                    self.router.take(_rows(part.rows, len(told)), told, self.served.name, version.name, keys)
                rows += len(part.inputs)
        for name, cells in version.model.unread.items():
            print(f"{path.name}: {cells:,} cells of {name!r} could not be read and count as missing.", file=sys.stderr)
        for sentence in version.model.unanswered:
            print(f"{path.name}: {sentence}", file=sys.stderr)
        print(f"{path.name}: {rows:,} answered.", file=sys.stderr, flush=True)
        return rows

    def _fail(self, path: Path, reason: str) -> None:
        print(f"{path.name}: {reason}", file=sys.stderr, flush=True)
        with contextlib.suppress(FileNotFoundError):
            moved = _moved(path, self.inbox / FAILED)
            moved.with_name(moved.name + ".reason.txt").write_text(reason + "\n", encoding="utf-8")


def _moved(path: Path, folder: Path) -> Path:
    """Where it lies now; one of the same name that is there stays."""
    place, number = folder / path.name, 1
    while place.exists():
        number += 1
        place = folder / f"{path.stem}-{number}{path.suffix}"
    os.replace(path, place)
    return place


def _fingerprint(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rows(part: Any, count: int) -> list[Any]:
    """The rows of a part as plain values; None each where they are not one an answer."""
    if type(part).__module__.startswith("pandas") and len(part) == count:
        return [{name: _cell(cell) for name, cell in row.items()} for row in part.to_dict("records")]
    if isinstance(part, list) and len(part) == count and all(isinstance(row, dict) for row in part):
        return part
    return [None] * count


def _cell(cell: Any) -> Any:
    if frames.is_nothing(cell):
        return None
    return cell if isinstance(cell, str | bool | int | float) else str(cell)
