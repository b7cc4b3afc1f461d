"""Where a race writes: a folder of its own, and only one race at a time."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from deepenough.errors import RunError


def new_folder(out: str | Path | None, source: str) -> Path:
    """A new folder: the one that was named, or the next free `runs/<name>-<number>`."""
    if out is not None:
        folder = Path(out)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RunError(
                f"--out {folder} is not empty. Name another folder, or go on there with: deepenough resume {folder}"
            )
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    name = re.sub(r"[^\w.-]+", "-", source).strip("-.") or "race"
    stem = Path("runs") / (Path(name).stem or "race")
    for number in range(1, 100_000):
        with contextlib.suppress(FileExistsError):
            folder = Path(f"{stem}-{number}")
            folder.mkdir(parents=True)
            return folder
    raise RunError(f"{stem}-1 to -99999 exist already: name another folder with --out.")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one race writes into a folder. The lock ends with its process, however that ends."""
    import fcntl

    with open(folder / "lock", "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(f"{folder} is in use by another race. Wait for it, or name another folder.") from None
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
