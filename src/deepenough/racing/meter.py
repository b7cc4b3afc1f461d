"""What a block costs: wall seconds, CPU seconds, peak memory and energy, each with how it was known.

Needs that the design answers:

* The clock starts at GO: libraries are loaded and warmed up before, so that imports are start-up and never a fit.
* CPU seconds are those of the process and of all that it started, also of workers that still run, and of those that
  ended meanwhile.
* Peak memory is what the block itself reached: the kernel's high-water mark is set back at GO. A process forked from a
  warm server inherits the server's pages, so the peak is told above what was resident at GO, and absolute beside it.
* Energy says whether it was measured, modelled (with a band) or unknown; see `racing.energy`.
* Meters nest, though they share the one mark: who sets it back first notes it for those around it.
* A busy machine is evidence against the measurement: the load before, waiting (wall against CPU) and stolen time are
  noted.
* Reading is apart from arithmetic, the places read are arguments, and where a system tells less it says less: on macOS
  and Windows psutil answers, and the peak is then that of the whole process so far.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from deepenough.racing import energy
from deepenough.racing.processes import (
    PROC,
    peak_bytes,
    reset_peak,
    resident_bytes,
    text_of,
    ticks_per_second,
    tree_cpu_seconds,
)

BUSY_RATIO = 1.3
"""Wall over CPU seconds of a block with one thread: above it, something else held the core."""
STOLEN_SHARE = 0.05
"""Share of the machine's time that its host took away: above it, the measurement is doubtful."""
SHORTEST_SECONDS = 0.2
"""Blocks below say nothing about how busy the machine is: clocks tick 100 times a second."""


@dataclass(frozen=True)
class Reading:
    """What a block cost.

    cpu_seconds: of the process and of all that it started.
    peak_bytes: the highest resident memory above that at GO.
    peak_absolute_bytes: the same with interpreter, libraries and data; with running workers' own.
    peak_source: `block` (set back at GO), `process` (the highest since the process began: the block may have had less)
        or `unknown`.
    gpu_peak_bytes: the most that the deep learning library had allocated on a GPU; 0 without one.
    joules, joules_low, joules_high: None where unknown; the band is that of a model.
    joules_source: `measured`, `modelled` or `unknown`; `joules_how` in words.
    load_average: of the last minute at GO, all processes; None where the system doesn't say.
    busy: why the seconds are doubtful; empty where they are not.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    peak_absolute_bytes: int
    peak_source: str
    gpu_peak_bytes: int
    joules: float | None
    joules_low: float | None
    joules_high: float | None
    joules_source: str
    joules_how: str
    load_average: float | None
    busy: str


@dataclass(frozen=True)
class MachineTimes:
    """CPU seconds of all cores since the machine started."""

    busy: float
    stolen: float
    total: float


class Meter:
    """Measures the block that it surrounds; `reading` is there when the block has ended, also by an error.

        with Meter(threads=1) as meter:
            model = learner.fit(examples, limits, seed)
        meter.reading.cpu_seconds

    threads: how many the block may use; with one, waiting tells how busy the machine is.
    device: `cpu` or `cuda`; the GPU's energy counts only where it is used.

    One process measures in one thread; blocks may nest.
    """

    reading: Reading
    _open: ClassVar[list[Meter]] = []
    """Those that measure now, the outermost first."""

    def __init__(
        self, threads: int = 1, device: str = "cpu", proc: Path = PROC, powercap: Path = energy.POWERCAP
    ) -> None:
        self._threads = threads
        self._on_gpu = device != "cpu"
        self._proc = proc
        self._powercap = powercap
        self._gpu = energy.GpuCounter() if self._on_gpu else None

    def __enter__(self) -> Self:
        self._load = load_average()
        self._times = read_machine_times(self._proc)
        self._counters = energy.read_counters(self._powercap)
        self._gpu_before = self._gpu.joules() if self._gpu else None
        for around in self._open:
            around._note_peak()
        _reset_gpu_peak()
        self._fresh = reset_peak(self._proc)
        self._peak = self._gpu_peak = 0
        self._baseline = resident_bytes(self._proc)
        self._open.append(self)
        self._cpu = tree_cpu_seconds(self._proc)
        self._wall = time.perf_counter()
        return self

    def so_far(self) -> tuple[float, float]:
        """Wall and CPU seconds since GO."""
        return time.perf_counter() - self._wall, tree_cpu_seconds(self._proc) - self._cpu

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        wall, cpu = self.so_far()
        self._note_peak()
        self._open.remove(self)
        times = read_machine_times(self._proc)
        joules = self._joules(wall, cpu, times)
        self.reading = Reading(
            wall_seconds=wall,
            cpu_seconds=cpu,
            peak_bytes=max(0, self._peak - self._baseline),
            peak_absolute_bytes=self._peak,
            peak_source=self._source,
            gpu_peak_bytes=self._gpu_peak,
            joules=joules.joules,
            joules_low=joules.low,
            joules_high=joules.high,
            joules_source=joules.source,
            joules_how=joules.how,
            load_average=self._load,
            busy=why_busy(wall, cpu, self._threads, stolen_share(self._times, times)),
        )

    def _note_peak(self) -> None:
        peak, self._source = peak_bytes(self._fresh, self._proc)
        self._peak = max(self._peak, peak)
        self._gpu_peak = max(self._gpu_peak, _gpu_peak())

    def _joules(self, wall: float, cpu: float, times: MachineTimes | None) -> energy.Joules:
        machine = times.busy - self._times.busy if times and self._times else None
        share = energy.share_of_busy(cpu, machine)
        counted = energy.counted_joules(self._counters, energy.read_counters(self._powercap), wall, share)
        gpu = None
        if self._gpu and self._gpu_before is not None:
            after = self._gpu.joules()
            gpu = None if after is None else after - self._gpu_before
        return energy.combine(counted, share, energy.model(cpu, wall, self._peak), gpu, self._on_gpu)


# Arithmetic


def stolen_share(before: MachineTimes | None, after: MachineTimes | None) -> float:
    """Share of all cores' time between both readings that the host gave to others; 0 where it is not known."""
    if before is None or after is None or after.total <= before.total:
        return 0.0
    return (after.stolen - before.stolen) / (after.total - before.total)


def why_busy(wall_seconds: float, cpu_seconds: float, threads: int, stolen: float) -> str:
    """Why a block's seconds are doubtful; empty where they are not, or where it was too short to tell."""
    if wall_seconds < SHORTEST_SECONDS:
        return ""
    reasons = []
    if threads == 1 and wall_seconds > BUSY_RATIO * cpu_seconds:
        reasons.append(f"{wall_seconds:.2f} s on the clock for {cpu_seconds:.2f} s of work by one thread")
    if stolen > STOLEN_SHARE:
        reasons.append(f"the host took {stolen:.0%} of the machine's time")
    return "; ".join(reasons)


def parse_machine_times(text: str, ticks: float) -> MachineTimes | None:
    """The first line of Linux's `stat`: user (guests too), nice, system, idle, iowait, irq, softirq, steal."""
    words = text.split("\n", 1)[0].split()
    if len(words) < 9 or words[0] != "cpu":
        return None
    user, nice, system, idle, waiting, irq, softirq, stolen = (int(word) / ticks for word in words[1:9])
    busy = user + nice + system + irq + softirq
    return MachineTimes(busy, stolen, busy + idle + waiting + stolen)


# Reading


def load_average() -> float | None:
    """Processes that wanted a core in the last minute, on average."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows has none
        return None


def read_machine_times(proc: Path = PROC) -> MachineTimes | None:
    """CPU seconds of all cores; None where the system doesn't say."""
    text = text_of(proc / "stat")
    return parse_machine_times(text, ticks_per_second()) if text else None


def _gpu() -> Any:
    """The deep learning library's view of its GPU, if a learner has already started it; never starts it."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return cuda if cuda is not None and cuda.is_initialized() else None


def _reset_gpu_peak() -> None:
    gpu = _gpu()
    if gpu is not None:
        gpu.reset_peak_memory_stats()


def _gpu_peak() -> int:
    gpu = _gpu()
    return 0 if gpu is None else int(gpu.max_memory_allocated())
