"""Numbers that all processes of a service share: what was answered, and who asked how often.

Needs that this module answers:

* Whoever asks one process for the metrics gets those of all; numbers of a process that died stay.
* A caller's limit holds for all processes together, whichever of them its connection reached.
* A number costs less than a microsecond: it lies in a file that is mapped into memory. Each process writes into a
  row of its own, and each number of it is written by one thread, so none is lost.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path

from deepenough.errors import DeepenoughError
from deepenough.serve.settings import MOST_WORKERS

CALLERS = 1 << 14
"""Places for callers. Two of them may fall on one place, and then share a limit; which ones nobody outside can know."""
BURST_SECONDS = 1.0
"""A caller that was silent may ask at once what it could have asked in so long."""
_NUMBER = 8
_SECRET = 16


def made(numbers: int) -> str:
    """A new file for so many numbers of each process; its path."""
    handle, path = tempfile.mkstemp(prefix="deepenough-board-")
    with os.fdopen(handle, "wb") as file:
        file.write(os.urandom(_SECRET))
        file.truncate(_SECRET + _NUMBER * (numbers * MOST_WORKERS + 2 * CALLERS))
    return path


class Board:
    """The shared numbers, opened by one process.

    path: as `made` gave it; empty: a new one of this process alone, removed at once. names: of the numbers.
    """

    def __init__(self, path: str, names: Sequence[str]) -> None:
        own = path or made(len(names))
        self._places = {name: place for place, name in enumerate(names)}
        self._file = os.open(own, os.O_RDWR)  # open as long as this lives: it holds the row's lock
        weakref.finalize(self, os.close, self._file)
        if not path:
            Path(own).unlink()
        mapped = mmap.mmap(self._file, 0)
        self._secret = bytes(mapped[:_SECRET])
        values = memoryview(mapped)[_SECRET:].cast("d")
        self._width = len(names)
        self._rows, self._callers = values[: self._width * MOST_WORKERS], values[self._width * MOST_WORKERS :]
        self._first = self._width * self._free_row()

    def _free_row(self) -> int:
        """A row that no living process writes into: its byte of the file is locked as long as this one lives."""
        try:
            import fcntl
        except ImportError:
            return 0  # Windows, where one process serves alone
        for row in range(MOST_WORKERS):
            with contextlib.suppress(OSError):
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, row)
                return row
        raise DeepenoughError(f"More than {MOST_WORKERS} processes serve. Start fewer: --workers.")

    def add(self, name: str, value: float = 1.0) -> None:
        """Add to a number of this process."""
        self._rows[self._first + self._places[name]] += value

    def put(self, name: str, value: float) -> None:
        """Set a number of this process."""
        self._rows[self._first + self._places[name]] = value

    def totals(self) -> dict[str, float]:
        """Every number, summed over all processes."""
        return {name: sum(self._rows[place :: self._width]) for name, place in self._places.items()}

    def wait(self, caller: str, a_second: float, weight: float = 1.0) -> float:
        """Count a request of a caller; seconds until it may ask again, 0 if it may now (only then it is counted).

        A bucket that fills with time, and holds what may come at once. Two processes that write at one moment may let
        one request more through.
        """
        digest = hashlib.blake2b(caller.encode(), key=self._secret, digest_size=8).digest()
        place = 2 * (int.from_bytes(digest) % CALLERS)
        most = max(a_second * BURST_SECONDS, weight)
        spent, seen = self._callers[place], self._callers[place + 1]
        now = time.monotonic()  # the same clock in all processes of a machine
        spent = max(0.0, spent - (now - seen) * a_second)
        if spent + weight > most:
            return (spent + weight - most) / a_second
        self._callers[place], self._callers[place + 1] = spent + weight, now
        return 0.0
