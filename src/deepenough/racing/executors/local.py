"""Runs a trial in a process of its own on this machine, under hard limits of time and memory.

Needs that this module answers:

* A trial starts warm: each family has a server with its libraries imported (see `warm`), started while the data are
  read and kept for the next race of this process.
* Small trials must not cost more to start and to end than to run: nobody waits for the end of a process that left
  nothing running.
* A deadline is soft first (SIGTERM: give your best so far), and two seconds later hard, for the whole process group.
* Memory is what is resident, polled, of the trial and all that it started.
* The parent never waits for ever: each wait has an end, and a server that died is started again.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from deepenough.racing.order import DIED, Order
from deepenough.racing.trial import write_job
from deepenough.task.jobs import Job
from deepenough.task.task import Answer

WARM_SECONDS = 120.0
"""A server that has not imported its libraries by then is given up."""
STARTUP_SECONDS = 30.0
"""A trial that has not warmed up by then is killed."""
POLL_SECONDS = 0.02
MEMORY_POLL_SECONDS = 0.1
WARM_UP_SECONDS = 1.0
"""A warm-up that took longer in a trial's own process is not done in its server."""


@dataclass(frozen=True)
class Outcome:
    """How a trial ended. `told` is what its process measured; `model` the folder of a kept model."""

    status: str
    error: str = ""
    answers: tuple[Answer, ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)
    startup_seconds: float = 0.0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    model: Path | None = None


class _Lines:
    """JSON lines from a socket, waited for only so long."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self._buffer = b""

    def next(self, seconds: float) -> dict[str, Any] | None:
        """The next line, or None when there is none in time. EOFError when the other side is gone."""
        end = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            self.channel.settimeout(max(end - time.monotonic(), 0.0005))
            try:
                received = self.channel.recv(65536)
            except (TimeoutError, BlockingIOError):
                return None
            except ConnectionResetError:
                received = b""
            if not received:
                raise EOFError
            self._buffer += received
        line, self._buffer = self._buffer.split(b"\n", 1)
        return dict(json.loads(line))


_WarmUp = tuple[str, int | None]
"""Path of a learner, and the number of classes that it was warmed up for."""


@dataclass
class _Child:
    """A trial's process, forked from a server."""

    pid: int
    lines: _Lines


class _Server:
    """One warm process."""

    def __init__(self, preload: Sequence[str]) -> None:
        ours, theirs = socket.socketpair()
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path),
            "PYTHONHASHSEED": "0",
            "PYTHONWARNINGS": "ignore",
            "OMP_WAIT_POLICY": "PASSIVE",  # idle threads must not spin: that made small fits many times dearer
            # One thread unless a learner asks its library for what its limits allow. Told before the libraries start:
            # telling them after a fork makes OpenBLAS start its threads anew, .1 s a trial.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",  # no trial ever waits on a network
            "TRANSFORMERS_OFFLINE": "1",
        }
        command = [sys.executable, "-m", __name__.replace("local", "warm"), str(theirs.fileno()), json.dumps(preload)]
        self.process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            env=environment,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()
        self.lines = _Lines(ours)
        self.warm = False
        self.busy = threading.Lock()
        self.child: _Child | None = None
        self.warm_ups: dict[_WarmUp, bool] = {}
        """Those that were seen to end, by whether the server may do them, and has yet to."""

    def wait_until_warm(self) -> None:
        if not self.warm:
            self.warm = self.lines.next(WARM_SECONDS) is not None

    def spawn(self, folder: Path, warm_up: _WarmUp) -> _Child:
        """Begin a trial, once the last one is gone."""
        self.rest()
        ours, theirs = socket.socketpair()
        first = warm_up if self.warm_ups.get(warm_up) else None
        if first:
            self.warm_ups[warm_up] = False
        request = json.dumps({"folder": str(folder), "warm_up": first})
        socket.send_fds(self.lines.channel, [request.encode()], [theirs.fileno()])
        theirs.close()
        message = self.lines.next(STARTUP_SECONDS)
        if message is None:
            raise EOFError
        self.child = _Child(int(message["pid"]), _Lines(ours))
        return self.child

    def rest(self) -> dict[str, Any]:
        """End the process of the last trial and all that it started; what the server says of it, once they are gone."""
        child, self.child = self.child, None
        if child is None:
            return {}
        child.lines.channel.close()
        try:
            return self.lines.next(STARTUP_SECONDS) or {}
        except EOFError:
            return {}

    def alone(self, child: _Child) -> bool:
        """Whether the trial's process is all that there is of it: then nobody need wait for its end."""
        try:
            ours = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            theirs = [task.joinpath("children").read_text() for task in Path(f"/proc/{child.pid}/task").iterdir()]
        except OSError:
            return False
        return ours == [str(child.pid)] and not any(theirs)

    def alive(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        if self.child is not None:
            self.child.lines.channel.close()
        self.lines.channel.close()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


_servers: dict[tuple[str, ...], _Server] = {}


@atexit.register
def close_servers() -> None:
    """End every warm server of this process."""
    while _servers:
        _servers.popitem()[1].close()


class LocalExecutor:
    """Runs one trial of each server at a time; who asks for another waits.

    preload: by family, the modules that its server imports; equal ones have one server.
    """

    def __init__(self, preload: Mapping[str, Sequence[str]]) -> None:
        self._preload = {family: tuple(modules) for family, modules in preload.items()}
        self._starting = threading.Lock()
        self.warm_up()

    def warm_up(self) -> None:
        """Start the servers that are not there yet; returns at once."""
        with self._starting:
            for modules in self._preload.values():
                old = _servers.get(modules)
                if old is not None and not old.alive():
                    old.close()
                if old is None or not old.alive():
                    _servers[modules] = _Server(modules)

    def run(self, order: Order, job: Job, folder: Path, stop: Callable[[], bool] = lambda: False) -> Outcome:
        """Run one trial in `folder`, which must not exist; what it leaves there is the caller's to remove.

        stop: asked many times a second; once it says so, the trial is killed and KeyboardInterrupt raised.
        """
        folder = folder.resolve()  # the trial's process has a working folder of its own
        write_job(folder, order, job.arrays, job.shape, dict(job.facts))
        modules = self._preload.get(order.family) or next(iter(self._preload.values()))
        self.warm_up()
        server = _servers[modules]
        with server.busy:
            return _run(order, folder, server, (order.learner, job.facts.get("n_classes")), stop)


def _run(order: Order, folder: Path, server: _Server, warm_up: _WarmUp, stop: Callable[[], bool]) -> Outcome:
    """Have the server begin the trial, and stay with it to its end."""
    try:
        server.wait_until_warm()
        start = time.monotonic()
        child = server.spawn(folder, warm_up)
    except (EOFError, OSError):
        server.close()
        return Outcome("error", "the server that trials start from died; it is started again")
    try:
        return _supervised(order, folder, child, server, warm_up, start, stop)
    except BaseException:
        _signal_group(child.pid, signal.SIGKILL)
        server.rest()
        raise


def _supervised(
    order: Order,
    folder: Path,
    child: _Child,
    server: _Server,
    warm_up: _WarmUp,
    start: float,
    stop: Callable[[], bool],
) -> Outcome:
    """Wait for READY, say GO, watch the limits, gather what the trial told."""
    ready, before = start, 0.0
    try:
        told, reason = _watched(order, child, start, STARTUP_SECONDS, STARTUP_SECONDS, stop)
        ready = time.monotonic()
        if told is not None and "ready" in told:
            # A process that was forked begins with one thread; a warm-up that left it so is safe before the next fork.
            server.warm_ups.setdefault(warm_up, told["threads"] == 1 and ready - start < WARM_UP_SECONDS)
            before = _cpu_seconds(child.pid)
            child.lines.channel.sendall(b"G")
            soft = order.limit_seconds if order.limit_seconds is not None else float("inf")
            hard = order.kill_seconds if order.kill_seconds is not None else float("inf")
            told, reason = _watched(order, child, ready, soft, hard, stop)
    except (EOFError, BrokenPipeError):
        told, reason = None, "error"
    wall_seconds = time.monotonic() - ready
    body = dict(told["done"]) if told is not None and "done" in told else {}
    if body and server.alone(child):
        counted = _cpu_seconds(child.pid) - before
        child.lines.channel.close()
    else:
        if reason:
            _signal_group(child.pid, signal.SIGKILL)
        gone = server.rest()
        counted = float(gone.get("cpu_seconds", 0.0))
        if not body:
            error = _died(reason, gone, order, folder)
            return Outcome(reason or "error", error, (), {}, ready - start, wall_seconds, counted)
    status, error = body.pop("status"), body.pop("error", "")
    if status == "ok" and body.get("planned", 1.0) < 1.0:
        status = "truncated"
    answers = _answers(folder, body) if status in ("ok", "truncated") else ()
    model = folder / "model" if (folder / "model").is_dir() else None
    spent = float(body.get("wall_seconds", wall_seconds))
    return Outcome(status, error, answers, body, ready - start, spent, _cpu(body, counted), model)


def _cpu(told: Mapping[str, Any], counted: float) -> float:
    """CPU seconds from GO to the answer; what the kernel counted where the trial's own count falls far short of it."""
    own = float(told.get("cpu_seconds", 0.0))
    return counted if counted > 2 * own + 3 else own


def _cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and of its children that ended; infinite where it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return float("inf")
    return float(times.user + times.system + times.children_user + times.children_system)


def _watched(
    order: Order, child: _Child, start: float, soft: float, hard: float, stop: Callable[[], bool]
) -> tuple[dict[str, Any] | None, str]:
    """The trial's next message, or the reason why there is none: `timeout` or `memory`."""
    asked = False
    looked = time.monotonic()
    while True:
        if stop():
            raise KeyboardInterrupt
        message = child.lines.next(POLL_SECONDS)
        if message is not None:
            return message, ""
        seconds = time.monotonic() - start
        if seconds > hard:
            return None, "timeout"
        if seconds > soft and not asked:
            asked = True
            _signal_group(child.pid, signal.SIGTERM)
        if time.monotonic() - looked > MEMORY_POLL_SECONDS:
            looked = time.monotonic()
            if _resident_bytes(child.pid) > order.memory_bytes:
                return None, "memory"


def _resident_bytes(pid: int) -> int:
    """Resident memory of a process and all that it started."""
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += each.memory_info().rss
    return total


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _died(reason: str, gone: Mapping[str, Any], order: Order, folder: Path) -> str:
    if reason == "timeout":
        limit = "its warm-up" if order.kill_seconds is None else f"{order.kill_seconds:.1f} s"
        return f"killed: no answer within {limit}"
    if reason == "memory":
        return f"killed: more than {order.memory_bytes / 1e9:.1f} GB resident"
    status = int(gone.get("status", 0))
    how = f"signal {status & 127}" if status & 127 else f"exit code {status >> 8}"
    log = folder / "log"
    last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
    return f"{DIED} ({how})" + (f": {last[0][:500]}" if last else "")


def _answers(folder: Path, told: Mapping[str, Any]) -> tuple[Answer, ...]:
    answers = []
    for rung, _ in told["rungs"]:
        with np.load(folder / f"answer-{int(rung)}.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        answers.append(Answer(int(rung), arrays.get("predictions"), arrays.get("records")))
    return tuple(answers)


def remove(folder: Path) -> None:
    """Remove a trial's folder."""
    shutil.rmtree(folder, ignore_errors=True)
