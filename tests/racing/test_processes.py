"""CPU seconds and memory of a process and of all that it started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deepenough.racing.meter import Meter
from deepenough.racing.processes import (
    descendants,
    parse_process_times,
    parse_status,
    peak_bytes,
    reset_peak,
    resident_bytes,
    tree_cpu_seconds,
)

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc")

PROCESS = "42 (a (strange) name) S 1 42 42 0 -1 0 9 9 9 9 150 50 30 20 20 0 1 0 100 0 0"
MIB = 2**20
BURN = "import time\nwhile time.process_time() < {}: pass\n"


def child(cpu_seconds: float, then: str = "") -> list[str]:
    """A process that computes for so long, and then does something."""
    return [sys.executable, "-S", "-c", BURN.format(cpu_seconds) + then]


def test_process_times_count_children_that_were_waited_for() -> None:
    assert parse_process_times(PROCESS, 100) == pytest.approx(2.5)


def test_status() -> None:
    text = "Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t1024 kB\n"
    assert parse_status(text, "VmHWM") == 2 * MIB
    assert parse_status(text, "VmRSS") == MIB
    assert parse_status(text, "VmSwap") is None


def test_children_that_ended_are_counted() -> None:
    with Meter() as meter:
        subprocess.run(child(0.5), check=True)
    assert 0.5 <= meter.reading.cpu_seconds < 0.9  # twice counted it would be 1


@needs_proc
def test_a_child_that_still_runs_is_counted_and_one_from_before_is_not() -> None:
    earlier = subprocess.Popen(child(0.8, "print(flush=True); input()"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert earlier.stdout is not None
        earlier.stdout.readline()  # it has computed
        with Meter() as meter:
            command = child(0.4, "print(flush=True); input()")
            running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert running.stdout is not None
            running.stdout.readline()
            assert running.pid in descendants()
            earlier.communicate(b"\n")  # it ends within the block: its earlier seconds stay outside
        assert 0.35 <= meter.reading.cpu_seconds < 0.8
        running.communicate(b"\n")
    finally:
        earlier.kill()


@needs_proc
def test_the_peak_includes_what_workers_hold() -> None:
    alone = resident_bytes()
    holding = "held = bytearray(64 * 2**20); print(flush=True); input()"
    command = [sys.executable, "-S", "-c", holding]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        assert resident_bytes() - alone > 60 * MIB
        assert peak_bytes(True)[0] - alone > 60 * MIB
        worker.communicate(b"\n")


def test_a_system_without_such_files_is_asked_otherwise(tmp_path: Path) -> None:
    assert not reset_peak(tmp_path)
    now = resident_bytes(tmp_path)  # first: asking loads a library
    assert peak_bytes(False, tmp_path)[0] > now - MIB  # the kernel's mark is a few pages off on several cores
    assert now > 5 * MIB
    assert tree_cpu_seconds(tmp_path) > 0
    assert descendants(tmp_path) == []
