"""A small server process that has the libraries imported, and forks a child for each trial.

Needs that this module answers:

* A trial starts in milliseconds: what it imports was imported before the fork, and what it warms up was, where it may.
  The process of the next one is forked as soon as the last one's is gone, and waits.
* A trial's process is new: nothing that an earlier one held in memory, labels above all, is in it.
* A fork of a process that already used threads hangs, so nothing runs in here but imports, and the warm-ups of learners
  that the parent saw to start no thread, in a trial of their own.
* No trial outlives its race: when the parent is gone, all are killed; when a trial ends, whatever it left behind (also
  daemons that changed their group: this process is their reaper) is killed, and its CPU seconds are counted.

Started as `python -m deepenough.racing.executors.warm FD MODULES`, where FD is a socket to the parent and MODULES a
JSON list. The parent sends one JSON line with one file descriptor a trial (and perhaps a learner to warm up first), and
hears `{"exited": ...}` when all of it is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
MESSAGE_BYTES = 65536


def main() -> None:
    """Serve until the parent is gone."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the race, which then ends us
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    start = time.perf_counter()
    for module in json.loads(sys.argv[2]):
        with contextlib.suppress(ImportError):  # the trial that needs it says so
            importlib.import_module(module)
    gc.collect()
    gc.freeze()  # what is shared with the children stays unwritten, and so shared
    _tell(channel, {"warm": time.perf_counter() - start})
    _serve(channel)


def _serve(channel: socket.socket) -> None:
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    ours = [channel, woken, wake]
    waiting, trial = _fork(ours), 0
    while True:
        readable, _, _ = select.select([channel, woken], [], [])
        if woken in readable:
            woken.recv(MESSAGE_BYTES)
            if trial and (ended := _reap(trial)):
                _tell(channel, ended)
                waiting, trial = _fork(ours), 0
        if channel in readable:
            message, files, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 1)
            if not message:
                _kill_everything(trial)
                return
            if _warmed_up(json.loads(message)["warm_up"]):
                _kill_everything(waiting.pid)
                waiting = _fork(ours)
            if not waiting.hand(message, files[0]):  # something killed it
                waiting = _fork(ours)
                waiting.hand(message, files[0])
            trial = waiting.pid
            os.close(files[0])
            _tell(channel, {"pid": trial})


def _warmed_up(learner: list[Any] | None) -> bool:
    """Warm up here, once, what every trial of a learner would warm up for itself; whether anything was."""
    if learner is None:
        return False
    from deepenough.racing import trial

    with contextlib.suppress(Exception):  # the trial that meets it again says so
        trial.warm_up(*learner)
    gc.freeze()
    return True


@dataclass
class _Waiting:
    """A forked process that waits for its trial, and our end of the channel to it."""

    pid: int
    channel: socket.socket

    def hand(self, message: bytes, file: int) -> bool:
        """Give it its trial, and the parent's channel; False where it is gone."""
        try:
            socket.send_fds(self.channel, [message], [file])
        except OSError:
            return False
        finally:
            self.channel.close()
        return True


def _fork(close: list[socket.socket]) -> _Waiting:
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return _Waiting(pid, ours)
    try:
        os.setsid()
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in (*close, ours):
            other.close()
        message, files, _, _ = socket.recv_fds(theirs, MESSAGE_BYTES, 1)
        if message:
            _child(Path(json.loads(message)["folder"]), socket.socket(fileno=files[0]))
    finally:
        os._exit(0)


def _child(folder: Path, channel: socket.socket) -> None:
    """One trial, from the fork to its last word."""
    from deepenough.racing import trial

    trial.silence(folder / "log")
    os.chdir(folder)

    def ready() -> None:
        _tell(channel, {"ready": time.process_time(), "threads": _threads()})
        if not channel.recv(1):
            os._exit(1)

    try:
        told = {"status": "ok"} | trial.run(folder, ready)
    except BaseException as error:
        told = trial.described(error)
    _tell(channel, {"done": told})
    channel.recv(1)  # until the parent has looked at what this process used and left running


def _reap(trial: int) -> dict[str, Any] | None:
    """Take in what has ended; once the trial itself has, kill what it left and say what all of it cost."""
    status, cpu_seconds = _wait(trial)
    if status is None:
        return None
    cpu_seconds += _kill_everything(trial)
    return {"exited": trial, "status": status, "cpu_seconds": cpu_seconds}


def _wait(trial: int) -> tuple[int | None, float]:
    cpu_seconds = 0.0
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return None, cpu_seconds
        if pid == 0:
            return None, cpu_seconds
        cpu_seconds += usage.ru_utime + usage.ru_stime
        if pid == trial:
            return status, cpu_seconds


def _kill_everything(trial: int) -> float:
    """Kill the trial's group and every process that is now a child of ours; their CPU seconds."""
    if trial:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(trial, signal.SIGKILL)
    cpu_seconds = 0.0
    for _ in range(100):  # a process that forks while it is killed is caught in the next round
        for pid in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            _, _, usage = os.wait4(-1, 0)
        except ChildProcessError:
            break
        cpu_seconds += usage.ru_utime + usage.ru_stime
    return cpu_seconds


def _threads() -> int:
    """How many threads this process has; 0 where the system doesn't tell."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 0


def _children() -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:  # no /proc: only the group was killed
        return []


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _tell(channel: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        channel.sendall(json.dumps(message, default=float).encode() + b"\n")


if __name__ == "__main__":
    main()
