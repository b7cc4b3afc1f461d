"""The machine that a race runs on: what may be used of it, what is installed, what is missing.

Needs that the design answers:

* A race plans with what it may use, not with what is built in: affinity and control groups count, also those around.
* It must cost nothing: no library is imported to learn its version, none is loaded to learn a GPU's name.
* Whoever misses something reads how to get it.
"""

from __future__ import annotations

import importlib.metadata
import math
import os
import platform
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import deepenough
from deepenough.errors import OptionError
from deepenough.evidence import FAMILIES
from deepenough.racing import energy
from deepenough.racing.processes import PROC, text_of

CGROUPS = Path("/sys/fs/cgroup")
NO_LIMIT = 2**60
"""Control groups of version 1 write a number like this for none."""

MATTERS = (
    "numpy",
    "scipy",
    "pandas",
    "duckdb",
    "scikit-learn",
    "lightgbm",
    "catboost",
    "torch",
    "safetensors",
    "tabm",
    "rtdl-num-embeddings",
    "altair",
    "vl-convert-python",
)
"""Distributions whose versions can change a result or a report."""

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}

MEMORY_SHARE = 0.8
"""Of the memory that is free at the start, a trial may take so much unless told otherwise."""


def machine() -> dict[str, Any]:
    """What this process may use, as it goes into the plan.

    cores: CPU cores by affinity and control group. memory_bytes: of the machine, or of the control group where that is
    less. memory_free_bytes: of it, what is free. cuda: whether the installed torch can use a GPU that is here.
    """
    gpus = gpu_names()
    memory, free = memory_bytes()
    return {
        "cores": cores(),
        "memory_bytes": memory,
        "memory_free_bytes": free,
        "cpu": cpu_name(),
        "gpus": gpus,
        "cuda": bool(gpus) and gpu_visible(os.environ) and torch_build().startswith("cuda"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "energy": energy_meters(),
    }


def packages() -> dict[str, str]:
    """Versions of what is installed of the distributions that matter, and of Deepenough itself."""
    versions = {name: _version(name) for name in MATTERS}
    return {"deepenough": deepenough.__version__} | {name: version for name, version in versions.items() if version}


def doctor(folder: Path | None = None) -> dict[str, Any]:
    """What this machine has, what is missing, and how to get it.

    folder: where runs will be written; default the working directory.
    """
    return {
        "machine": machine(),
        "disk_free_bytes": free_disk_bytes(folder or Path.cwd()),
        "packages": packages(),
        "absent_packages": [name for name in MATTERS if not _version(name)],
        "torch": torch_build() or "absent",
        "learners": _learners(),
    }


def _learners() -> dict[str, Any]:
    """By kind: who can race, who can't and what would bring them, and whose weights were trained elsewhere."""
    from deepenough import kinds

    found = {}
    for name, kind in kinds.find().items():
        entries = kinds.find_learners(name)
        ready = {family: [e.name for e in entries if e.family == family and not e.missing] for family in FAMILIES}
        absent = [
            {"learner": e.name, "family": e.family, "missing": ", ".join(e.missing)} for e in entries if e.missing
        ]
        pretrained = [
            {"learner": e.name, "weights": f"{e.cls.pretrained.name} ({e.cls.pretrained.licence})"}
            for e in entries
            if e.cls.pretrained
        ]
        install = {"install": f"pip install 'deepenough[{kind.extra}]'"} if absent else {}
        found[name] = ready | {"absent": absent, "pretrained": pretrained} | install
    return found


def cores_to_use(wanted: int | None, about: Mapping[str, Any]) -> int:
    """As many cores as a person wants, and no more than there are. Raises OptionError for none."""
    if wanted is not None and wanted < 1:
        raise OptionError(f"--cores must be at least 1 but got {wanted}.")
    return min(wanted or int(about["cores"]), int(about["cores"]))


def memory_to_use(wanted: str | int | None, about: Mapping[str, Any]) -> int:
    """Bytes that a trial may hold: what a person wants, else most of what is free."""
    return int(MEMORY_SHARE * about["memory_free_bytes"]) if wanted is None else parse_bytes(wanted)


def parse_bytes(text: str | int) -> int:
    """Bytes of "4GB" (thousands), "512MiB" (1,024s) or a plain number.

    Raises OptionError where it is none of these, or nothing.
    """
    match = re.fullmatch(r"\s*([\d_]+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", str(text).lower())
    if match is None:
        raise OptionError(f"{text!r} is no amount of memory. Write it like 4GB, 500MB or 2GiB.")
    number = int(float(match[1].replace("_", "") or "0") * _UNITS[match[2] or ""])
    if number < 1:
        raise OptionError(f"An amount of memory must be at least 1 byte but got {text!r}. Write it like 4GB.")
    return number


def free_disk_bytes(folder: Path) -> int:
    """Free space where a folder is, or would be made."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def cores(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """CPU cores that this process may use at once, at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota(proc, cgroups)
    return allowed if quota is None else max(1, min(allowed, math.floor(quota)))


def cpu_quota(proc: Path = PROC, cgroups: Path = CGROUPS) -> float | None:
    """Cores' worth of time that the control groups grant; None without a limit."""
    quotas = []
    for folder in _group_folders("cpu", proc, cgroups):
        words = text_of(folder / "cpu.max").split()  # version 2: "150000 100000" or "max 100000"
        if not words:
            words = [text_of(folder / "cpu.cfs_quota_us").strip(), text_of(folder / "cpu.cfs_period_us").strip()]
        if len(words) == 2 and words[0].isdigit() and words[1].isdigit() and int(words[1]):
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


def memory_bytes(proc: Path = PROC, cgroups: Path = CGROUPS) -> tuple[int, int]:
    """Memory of the machine and what is free of it; of the tightest control group around where that is less."""
    total, free = _machine_memory(proc)
    for folder in _group_folders("memory", proc, cgroups):
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        if limit is None or limit >= NO_LIMIT:
            continue
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
        total = min(total, limit)
        free = min(free, max(0, limit - used + _reclaimable(folder)))
    return total, free


def _machine_memory(proc: Path) -> tuple[int, int]:
    lines = dict(re.findall(r"^(MemTotal|MemAvailable):\s+(\d+) kB$", text_of(proc / "meminfo"), re.MULTILINE))
    if len(lines) == 2:
        return int(lines["MemTotal"]) * 1024, int(lines["MemAvailable"]) * 1024
    import psutil

    memory = psutil.virtual_memory()
    return int(memory.total), int(memory.available)


def _reclaimable(folder: Path) -> int:
    """File pages that a control group counts as used and gives up when asked."""
    found = re.search(r"^(?:total_)?inactive_file (\d+)$", text_of(folder / "memory.stat"), re.MULTILINE)
    return int(found[1]) if found else 0


def _group_folders(controller: str, proc: Path, cgroups: Path) -> list[Path]:
    """Folders of the control group that this process is in and of all around it: each one's limit holds."""
    folders = []
    for line in text_of(proc / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        # Within a container the path is often that of the outside, and only the root is there.
        root = cgroups / controllers if controllers else cgroups
        group = root / path.lstrip("/")
        around = [group, *group.parents]
        folders += [folder for folder in around[: around.index(root) + 1] if folder.is_dir()]
    return folders


def cpu_name(proc: Path = PROC) -> str:
    """The processor as it calls itself; virtual machines often hide which it is."""
    found = re.search(r"^model name\s*:\s*(.+)$", text_of(proc / "cpuinfo"), re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def gpu_names(proc: Path = PROC) -> list[str]:
    """NVIDIA GPUs, as the driver lists them (Linux)."""
    names = []
    for page in sorted(proc.glob("driver/nvidia/gpus/*/information")):
        found = re.search(r"^Model:\s*(.+)$", text_of(page), re.MULTILINE)
        names.append(found[1].strip() if found else "NVIDIA GPU")
    return names


def gpu_visible(environment: Mapping[str, str]) -> bool:
    """Whether CUDA may use a GPU: an empty or negative CUDA_VISIBLE_DEVICES hides them all."""
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    return visible is None or (visible.strip() != "" and not visible.strip().startswith("-"))


def torch_build() -> str:
    """For what the installed torch was built: `cpu`, `cuda 13.0`; empty where there is none. Nothing is imported."""
    try:
        distribution = importlib.metadata.distribution("torch")
    except importlib.metadata.PackageNotFoundError:
        return ""
    return build_of(text_of(Path(str(distribution.locate_file("torch/version.py")))))


def build_of(text: str) -> str:
    """The same, from the text of torch's `version.py`."""
    found = re.search(r"^cuda\b[^=]*=\s*['\"]([\d.]+)['\"]", text, re.MULTILINE)
    return f"cuda {found[1]}" if found else "cpu"


def energy_meters(powercap: Path = energy.POWERCAP, driver: Path = energy.NVIDIA_DRIVER) -> dict[str, str]:
    """How the energy of processor and GPU will be known."""
    if energy.read_counters(powercap):
        processor = "measured by RAPL, this process's share of the package"
    elif any(powercap.glob("intel-rapl:*")):
        processor = f"modelled: RAPL is there, but only root may read it (chmod a+r {powercap}/intel-rapl:*/energy_uj)"
    else:
        processor = "modelled: no counter here"
    gpu = {"gpu": "measured by NVML where its counter can be read"} if energy.gpu_present(driver) else {}
    return {"cpu": processor} | gpu


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _number(path: Path) -> int | None:
    """A number in a small file; None where there is no such file, or it says `max`."""
    text = text_of(path).strip()
    return int(text) if text.isdigit() else None
