"""The meter: closed forms for its arithmetic, known work for its readings."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from deepenough.racing import meter as meters
from deepenough.racing.meter import (
    MachineTimes,
    Meter,
    parse_machine_times,
    stolen_share,
    why_busy,
)

LINUX = sys.platform == "linux"
needs_proc = pytest.mark.skipif(not LINUX, reason="other systems have no /proc")

STAT = "cpu  1000 20 300 4000 50 6 7 80 90 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
MIB = 2**20


def work(cpu_seconds: float) -> None:
    """Compute for so long."""
    start = time.process_time()
    while time.process_time() - start < cpu_seconds:
        sum(range(1000))


# Arithmetic


def test_machine_times() -> None:
    assert parse_machine_times(STAT, 100) == MachineTimes(busy=13.33, stolen=0.8, total=pytest.approx(54.63))


@pytest.mark.parametrize("text", ["", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8 9"])
def test_machine_times_of_another_system(text: str) -> None:
    assert parse_machine_times(text, 100) is None


def test_stolen_share() -> None:
    before, after = MachineTimes(10, 1, 20), MachineTimes(15, 3, 40)
    assert stolen_share(before, after) == pytest.approx(0.1)
    assert stolen_share(before, before) == stolen_share(None, after) == stolen_share(before, None) == 0


def test_waiting_makes_one_thread_busy_and_not_several() -> None:
    assert "by one thread" in why_busy(2.0, 1.0, 1, 0.0)
    assert why_busy(2.0, 1.0, 2, 0.0) == ""
    assert why_busy(1.2, 1.0, 1, 0.0) == ""


def test_stolen_time_makes_it_busy() -> None:
    assert "host took 6%" in why_busy(1.0, 1.0, 1, 0.06)
    assert why_busy(1.0, 1.0, 1, 0.04) == ""


def test_a_block_too_short_to_tell_is_not_busy() -> None:
    assert why_busy(0.01, 0.001, 1, 0.5) == ""


# Readings


def test_cpu_seconds_are_those_of_the_work() -> None:
    with Meter() as meter:
        work(0.3)
    assert 0.3 <= meter.reading.cpu_seconds < 0.5
    assert meter.reading.wall_seconds >= 0.29


def test_sleeping_costs_wall_seconds_only() -> None:
    with Meter() as meter:
        time.sleep(0.3)
    assert meter.reading.wall_seconds >= 0.29
    assert meter.reading.cpu_seconds < 0.1
    assert "by one thread" in meter.reading.busy


ALONE = """
import numpy as np
from deepenough.racing.meter import Meter
before = np.ones(40 << 17)
del before
with Meter() as meter:
    held = np.ones(96 << 17)
    del held
with Meter() as small:
    pass
found = meter.reading
print(found.peak_source, found.peak_bytes, found.peak_absolute_bytes, small.reading.peak_bytes)
"""


@needs_proc
def test_the_peak_is_that_of_the_block() -> None:
    """In a process of its own: what else runs in this one (the tests' messages) would count as the block's."""
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    source, peak, absolute, small = done.stdout.split()
    assert source == "block"
    assert 90 * MIB < int(peak) < 110 * MIB
    assert int(absolute) > int(peak)
    assert int(small) < 20 * MIB


@needs_proc
def test_a_meter_within_does_not_take_the_peak_from_the_one_around() -> None:
    with Meter() as outer:
        held = np.ones(96 * MIB // 8)
        del held
        with Meter() as inner:
            work(0.05)
    assert inner.reading.peak_bytes < 40 * MIB
    assert outer.reading.peak_bytes > 90 * MIB
    assert outer.reading.cpu_seconds >= inner.reading.cpu_seconds


def test_two_meters_on_one_line() -> None:
    with Meter() as outer, Meter() as inner:
        work(0.05)
    assert outer.reading.wall_seconds >= inner.reading.wall_seconds >= 0.05
    assert meters.Meter._open == []


def test_so_far_grows() -> None:
    with Meter() as meter:
        first = meter.so_far()
        work(0.05)
        second = meter.so_far()
    assert second[0] > first[0] and second[1] >= first[1] + 0.05


def test_a_block_that_failed_is_measured_too() -> None:
    with pytest.raises(ValueError), Meter() as meter:
        work(0.05)
        raise ValueError("failed")
    assert meter.reading.cpu_seconds >= 0.05
    assert meters.Meter._open == []


def test_energy_is_modelled_where_there_is_no_counter(tmp_path: Path) -> None:
    with Meter(powercap=tmp_path) as meter:
        work(0.05)
    reading = meter.reading
    assert reading.joules_source == "modelled" and reading.joules is not None
    assert reading.joules_low is not None and reading.joules_high is not None
    assert reading.joules_low < 5 * reading.cpu_seconds < reading.joules < reading.joules_high


def test_energy_is_measured_where_there_is_one(tmp_path: Path) -> None:
    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    for name, text in (("name", "package-0"), ("energy_uj", "1000000"), ("max_energy_range_uj", "262143328850")):
        (zone / name).write_text(text)
    with Meter(powercap=tmp_path) as meter:
        (zone / "energy_uj").write_text("8000000")
        work(0.05)
    assert meter.reading.joules_source == "measured"
    assert meter.reading.joules is not None and 0 < meter.reading.joules <= 7.0


def test_on_a_gpu_that_is_not_there_energy_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = meters.energy.GpuCounter(library=str(tmp_path / "nothing.so"))
    monkeypatch.setattr(meters.energy, "GpuCounter", lambda: nothing)
    with Meter(device="cuda") as meter:
        pass
    assert meter.reading.joules is None and meter.reading.joules_source == "unknown"


def test_a_system_that_tells_less_still_gives_a_reading(tmp_path: Path) -> None:
    with Meter(proc=tmp_path, powercap=tmp_path) as meter:
        work(0.05)
    reading = meter.reading
    assert reading.cpu_seconds >= 0.05
    assert reading.peak_source == "process" and reading.peak_absolute_bytes > 5 * MIB


def test_a_reading_can_be_told_as_json() -> None:
    with Meter() as meter:
        pass
    assert json.loads(json.dumps(asdict(meter.reading)))["peak_source"] == meter.reading.peak_source
