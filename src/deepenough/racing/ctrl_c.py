"""Ctrl-C while a race runs: one asks it to stop, a second one insists."""

from __future__ import annotations

import signal
import threading
import time

TWICE_SECONDS = 1.0
"""Two signals closer than that are one Ctrl-C: shells and wrappers pass on what the terminal sent already."""


class CtrlC:
    """The first Ctrl-C asks the race to stop between two steps, with nothing left half done; a later one insists."""

    def __init__(self) -> None:
        self.asked = False
        self._when = 0.0

    def __enter__(self) -> CtrlC:
        if threading.current_thread() is threading.main_thread():  # elsewhere nobody may set signals
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before)

    def __call__(self) -> bool:
        return self.asked

    def _note(self, number: int, frame: object) -> None:
        if self.asked and time.monotonic() - self._when > TWICE_SECONDS:
            raise KeyboardInterrupt
        self.asked, self._when = True, self._when or time.monotonic()
