"""Joules around a block: counters where there are any, else a model with its band, else nothing.

Needs that the design answers:

* Never a number without how it was known: `measured` (a counter of the processor or of the GPU), `modelled` (CPU
  seconds times watts, with a band of 2.5 either way), `unknown`.
* A processor's counter speaks of the whole package: what is taken is this process's share of the busy CPU time.
* Counters wrap around, some within minutes; where it can't be told how often, they are not used.
* Arithmetic is apart from reading, so that closed forms test it without the hardware.

Sources: RAPL's counters as Linux shows them (Documentation/power/powercap); NVML's total energy counter; how far models
are off: arXiv 2509.22092 (2025).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deepenough.judge.cost import Amount, Prices, modelled_joules

WATTS = Prices()
"""What a core and memory are taken to draw where nothing measures it."""
PACKAGE_CEILING_WATTS = 400.0
"""No processor package takes more for long; tells how often a counter can have wrapped."""

POWERCAP = Path("/sys/class/powercap")
NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class Joules:
    """An amount of energy, and how it was known.

    joules, low, high: None where unknown. low and high are the band of what was modelled.
    source: `measured`, `modelled` or `unknown`; of a mixture, the weaker.
    how: the same in words.
    """

    joules: float | None
    low: float | None
    high: float | None
    source: str
    how: str


UNKNOWN = Joules(None, None, None, "unknown", "no counter that can be read, and nothing to model from")


@dataclass(frozen=True)
class Counter:
    """One energy counter of a processor, in microjoules; it starts again at 0 after `range_microjoules`."""

    microjoules: int
    range_microjoules: int


def counted_joules(
    before: Mapping[str, Counter], after: Mapping[str, Counter], wall_seconds: float, share: float
) -> float | None:
    """This process's joules: the growth of all counters times its share; None where it can't be told.

    share: of the busy CPU time of the machine between both readings, 0 to 1.
    """
    if not before or set(before) != set(after):
        return None
    total = 0
    for name, first in before.items():
        if wall_seconds * PACKAGE_CEILING_WATTS > first.range_microjoules / 1e6:
            return None  # it may have wrapped more than once
        grown = after[name].microjoules - first.microjoules
        total += grown if grown >= 0 else grown + first.range_microjoules
    return total / 1e6 * share


def share_of_busy(process_seconds: float, machine_seconds: float | None) -> float:
    """What part of the machine's busy CPU seconds was this process's; 1 where the machine's are not known."""
    if machine_seconds is None or machine_seconds <= process_seconds:
        return 1.0
    return process_seconds / machine_seconds


def combine(counted: float | None, share: float, model: Amount, gpu: float | None, on_gpu: bool) -> Joules:
    """The energy of a block from what its counters and the model say.

    counted: joules of the processor by its counter; None without one.
    model: joules of the processor by the model, for where there is no counter.
    gpu: joules of the GPU by its counter; None without one.
    on_gpu: the block computed on a GPU; without its counter the whole is then unknown.
    """
    if on_gpu and gpu is None:
        return Joules(None, None, None, "unknown", "the GPU has no energy counter that can be read")
    extra = gpu if on_gpu and gpu is not None else 0.0
    with_gpu = ", and the whole GPU by its counter" if on_gpu else ""
    if counted is not None:
        total = counted + extra
        how = f"RAPL, this process's {share:.0%} share of the package by busy CPU time{with_gpu}"
        return Joules(total, total, total, "measured", how)
    if model.value is None or model.low is None or model.high is None:
        return UNKNOWN
    how = f"{WATTS.watts_per_core:g} W per busy core and {WATTS.watts_per_gib} W per GiB held{with_gpu}"
    return Joules(model.value + extra, model.low + extra, model.high + extra, "modelled", how)


def model(cpu_seconds: float, wall_seconds: float, resident_bytes: int) -> Amount:
    """Joules of the processor and its memory where no counter can be read, with the band."""
    return modelled_joules(cpu_seconds, wall_seconds, resident_bytes, WATTS)


def read_counters(powercap: Path = POWERCAP) -> dict[str, Counter]:
    """Every package's counter and its memory's; empty where there are none or only root may read them.

    Cores and graphics are zones within a package and already counted with it; memory (`dram`) is not.
    """
    counters = {}
    try:
        for zone in sorted(powercap.glob("intel-rapl:*")):
            name = (zone / "name").read_text().strip()
            if name == "dram" or (zone.name.count(":") == 1 and name.startswith("package")):
                microjoules = int((zone / "energy_uj").read_text())
                counters[zone.name] = Counter(microjoules, int((zone / "max_energy_range_uj").read_text()))
    except (OSError, ValueError):
        return {}
    return counters


class GpuCounter:
    """NVML's counter of one GPU since its driver was loaded, in joules; None where there is none.

    Of several GPUs it is the first that the process may see, as deep learners here use one.
    """

    def __init__(self, index: int | None = None, library: str = "libnvidia-ml.so.1") -> None:
        self._nvml: ctypes.CDLL | None = None
        self._device = ctypes.c_void_p()
        try:
            nvml = ctypes.CDLL(library)
        except OSError:
            return
        index = first_visible(os.environ) if index is None else index
        if nvml.nvmlInit_v2() == 0 and nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(self._device)) == 0:
            self._nvml = nvml

    def joules(self) -> float | None:
        """Now; only differences mean something."""
        if self._nvml is None:
            return None
        millijoules = ctypes.c_ulonglong()
        failed = self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._device, ctypes.byref(millijoules))
        return None if failed else millijoules.value / 1000

    def name(self) -> str:
        """As the driver calls it; empty where there is none."""
        text = ctypes.create_string_buffer(96)
        if self._nvml is None or self._nvml.nvmlDeviceGetName(self._device, text, 96) != 0:
            return ""
        return text.value.decode(errors="replace")


def gpu_present(driver: Path = NVIDIA_DRIVER) -> bool:
    """Whether an NVIDIA driver is loaded (Linux), without loading a library."""
    return driver.exists()


def first_visible(environment: Mapping[str, str]) -> int:
    """The place of the first GPU that CUDA may use; 0 where nothing is said or it is said by another name."""
    first = environment.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip()
    return int(first) if first.isdigit() else 0
