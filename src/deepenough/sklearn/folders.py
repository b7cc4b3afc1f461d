"""Run folders of estimators: named ones are kept, others go with the race; copies of a race bring their files along."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path

from deepenough.result import Race

LEFT_OUT = ("models", "work")
"""Folders of a run that a copy doesn't need: the model that was handed over lies elsewhere."""


def new(out: str | Path | None) -> Path:
    """An empty folder: the next one below the one that was named, or a temporary one."""
    return Path(tempfile.mkdtemp(prefix="deepenough-")) if out is None else _next(Path(out))


def _next(out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    number = 1 + sum(1 for _ in out.iterdir())
    while True:
        folder = out / f"fit-{number}"
        try:
            folder.mkdir()
            return folder
        except FileExistsError:  # another process fits below the same folder
            number += 1


def temporary(race: Race) -> Race:
    """The same race; its folder goes when it does, but not when a forked copy of it does."""
    weakref.finalize(race, _remove, race.folder, os.getpid())
    return race


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def packed(folder: Path) -> dict[str, bytes]:
    """The run's files by their paths below its folder."""
    paths = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.as_posix(): (folder / path).read_bytes() for path in paths if path.parts[0] not in LEFT_OUT}


def unpacked(files: Mapping[str, bytes]) -> Race:
    """A race of these files, in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="deepenough-"))
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return temporary(Race(folder))
