"""Services on real sockets: within this process, and as the command in one of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from deepenough.serve import server
from deepenough.serve.app import App


@contextlib.contextmanager
def listening(app: App) -> Iterator[int]:
    """Serve within this process; gives the port."""
    from uvicorn import Server

    config = server._config(app.settings, app)
    opened = server._bound(config, app.settings)
    running = Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [opened]})
    port = opened.getsockname()[1]
    thread.start()
    try:
        yield port
    finally:
        running.should_exit = True
        thread.join()


class Command:
    """`deepenough serve` in a process of its own."""

    def __init__(self, *words: Any, **environment: str) -> None:
        command = [sys.executable, "-m", "deepenough.cli", "serve", *map(str, words)]
        told = os.environ | environment
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=told)
        self.said = ""
        self._heard = threading.Thread(target=self._hear)
        self._heard.start()

    def _hear(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.said += line

    def port(self) -> int:
        """Where it listens, when it does."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(r"Serving .*:(\d+)$", self.said, re.MULTILINE):
                return int(found[1])
            time.sleep(0.05)
        raise AssertionError(self.said)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=120)
        self._heard.join()
        assert self.process.stderr
        self.process.stderr.close()
        return code
