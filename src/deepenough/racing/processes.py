"""What this process and all that it started have used: CPU seconds and resident memory.

Needs that the design answers:

* Workers count, those that still run and those that ended meanwhile, each once.
* Linux tells it in small text files, which cost less to read than a library to import; elsewhere psutil and the
  standard library answer what they can.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")


def parse_process_times(text: str, ticks: float) -> float:
    """CPU seconds in one process's `stat`, its own and those of children that it has waited for."""
    after_name = text.rpartition(")")[2].split()  # a name may hold spaces and brackets
    return sum(int(word) for word in after_name[11:15]) / ticks


def parse_status(text: str, field: str) -> int | None:
    """Bytes of one field (`VmHWM`, `VmRSS`) of a process's `status`."""
    for line in text.splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return None


def reset_peak(proc: Path = PROC) -> bool:
    """Set this process's high-water mark of memory back to now; False where the system doesn't let us."""
    try:
        (proc / "self" / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_bytes(fresh: bool, proc: Path = PROC) -> tuple[int, str]:
    """The highest resident memory of this process plus its running workers' own; and since when.

    fresh: the mark was set back when the block began; then it is that of the `block`, else of the whole `process`.
    """
    own = parse_status(text_of(proc / "self" / "status"), "VmHWM")
    if own is not None:
        workers = (parse_status(text_of(proc / str(pid) / "status"), "VmHWM") or 0 for pid in descendants(proc))
        return own + sum(workers), "block" if fresh else "process"
    return _peak_elsewhere()


def _peak_elsewhere() -> tuple[int, str]:
    try:
        import resource
    except ImportError:  # Windows
        return _psutil_memory("peak_wset"), "process"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024), "process"


def resident_bytes(proc: Path = PROC) -> int:
    """Resident memory of this process plus its running workers', now."""
    own = parse_status(text_of(proc / "self" / "status"), "VmRSS")
    if own is None:
        return _psutil_memory("rss")
    workers = (parse_status(text_of(proc / str(pid) / "status"), "VmRSS") or 0 for pid in descendants(proc))
    return own + sum(workers)


def _psutil_memory(name: str) -> int:
    import psutil

    return int(getattr(psutil.Process().memory_info(), name, 0))


def tree_cpu_seconds(proc: Path = PROC) -> float:
    """CPU seconds so far of this process, of children that have ended, and of all that it started and that still run.

    A child that ends between two readings moves from one part to another, and the difference stays right.
    """
    workers = sum(_process_cpu_seconds(proc, pid) for pid in descendants(proc))
    return time.process_time() + _ended_children_cpu_seconds() + workers


def _ended_children_cpu_seconds() -> float:
    try:
        import resource
    except ImportError:  # Windows, where children's seconds are not added up
        return 0.0
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)  # in microseconds; os.times cuts to hundredths of a second
    return usage.ru_utime + usage.ru_stime


def _process_cpu_seconds(proc: Path, pid: int) -> float:
    text = text_of(proc / str(pid) / "stat")
    return parse_process_times(text, ticks_per_second()) if text else 0.0


def descendants(proc: Path = PROC) -> list[int]:
    """Process ids of all that this process started and that still run; empty where the system has no such files."""
    found: list[int] = []
    waiting: list[int] = list(_children(proc, "self"))
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting.extend(_children(proc, str(pid)))
    return found


def _children(proc: Path, process: str) -> Iterable[int]:
    """Children of every thread of a process."""
    try:
        threads = os.listdir(proc / process / "task")
    except OSError:  # it has ended, or there is no such folder
        return []
    texts = (text_of(proc / process / "task" / thread / "children") for thread in threads)
    return [int(word) for text in texts for word in text.split()]


def text_of(path: Path) -> str:
    """Content of a small file; empty where it can't be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def ticks_per_second() -> float:
    """How finely the system's files count CPU time."""
    return float(os.sysconf("SC_CLK_TCK")) if hasattr(os, "sysconf") else 100.0
