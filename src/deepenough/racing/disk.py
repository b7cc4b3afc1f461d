"""What a run folder keeps beyond its evidence: logs where they were asked for, models as long as there is room.

Needs that this module answers:

* Evidence is never removed: journal, records, predictions and units stay, whatever the limit.
* Models of beaten contenders go first, the worst before the better; those of the families' leaders stay, because one of
  them is handed over.
* What is gone is said, and no trial speaks of a model that is not there, also after a resume.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from deepenough.evidence import Trial
from deepenough.files import write_whole
from deepenough.racing.machine import parse_bytes

MOST_LOG_BYTES = 64_000
"""Of what a trial printed, the end is kept."""


def asked(keep_logs: bool, disk: str | int | None) -> dict[str, Any]:
    """What was asked for, as the plan's setup holds it; empty where nothing was."""
    logs = {"keep_logs": True} if keep_logs else {}
    return logs | ({} if disk is None else {"disk_bytes": parse_bytes(disk)})


def keep_log(run: Path, work: Path, number: int) -> None:
    """Keep the end of what a trial printed as `logs/<number>.log`; nothing where it was silent."""
    log = work / "log"
    size = log.stat().st_size if log.is_file() else 0
    if not size:
        return
    with open(log, "rb") as file:
        file.seek(max(size - MOST_LOG_BYTES, 0))
        text = file.read()
    cut = f"[{size - len(text):,} bytes before this are left out]\n".encode() if size > len(text) else b""
    write_whole(run / "logs" / f"{number}.log", cut + text)


def with_their_models(trials: Iterable[Trial], run: Path) -> list[Trial]:
    """The trials; those whose models were removed have none."""
    return [t if not t.model or (run / t.model).is_dir() else dataclasses.replace(t, model="") for t in trials]


def make_room(trials: Iterable[Trial], run: Path, limit_bytes: int, leaders: Collection[str]) -> tuple[list[str], int]:
    """Remove models of beaten contenders until the run folder keeps its limit.

    Returns whose models were removed, and how many bytes the folder holds now.
    """
    held = size_bytes(run)
    removed: list[str] = []
    beaten = [t for t in trials if t.model and t.purpose != "refit" and t.contender not in leaders]
    for trial in sorted(beaten, key=lambda t: -_mean_loss(beaten, t.contender)):
        if held <= limit_bytes:
            break
        shutil.rmtree(run / trial.model, ignore_errors=True)
        (run / f"{trial.model}.json").unlink(missing_ok=True)
        held = size_bytes(run)
        removed += [trial.contender] if trial.contender not in removed else []
    return removed, held


def _mean_loss(trials: Iterable[Trial], contender: str) -> float:
    losses = [trial.loss for trial in trials if trial.contender == contender and trial.loss is not None]
    return sum(losses) / len(losses) if losses else float("inf")


def size_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def said(removed: list[str], held: int, limit_bytes: int) -> Mapping[str, str]:
    """What was removed, and whether that was enough, in words."""
    gone = f"Models of {', '.join(removed)} were removed to keep the run within {limit_bytes / 1e6:,.0f} MB"
    left = f"what is left, {held / 1e6:,.0f} MB, is evidence and the models of who is ahead"
    if held <= limit_bytes:
        return {"said": f"{gone}."}
    return {"said": f"{gone}; {left}." if removed else f"The run needs more than {limit_bytes / 1e6:,.0f} MB: {left}."}
