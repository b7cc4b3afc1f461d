"""Where a race writes: a folder of its own, and only one race at a time."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from errno import ENAMETOOLONG, EROFS
from pathlib import Path

from deepenough.errors import NO_ROOM, RunError
from deepenough.evidence import JOURNAL

_NO_PLACE = (EROFS, ENAMETOOLONG)


def new_folder(out: str | Path | None, source: str) -> Path:
    """A new folder: the one that was named, or the next free `runs/<name>-<number>`."""
    if out is not None:
        folder = Path(out)
        with _writable(folder):
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise RunError(
                    f"--out {folder} is not empty. Name another folder, or go on there with: deepenough resume {folder}"
                )
            _make(folder)
        return folder
    name = re.sub(r"[^\w.-]+", "-", source).strip("-.")[:80] or "race"
    stem = Path("runs") / (Path(name).stem or "race")
    for number in range(1, 100_000):
        folder = Path(f"{stem}-{number}")
        with contextlib.suppress(FileExistsError), _writable(folder):
            folder.mkdir(parents=True)
            return folder
    raise RunError(f"{stem}-1 to -99999 exist already: name another folder with --out.")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileNotFoundError, FileExistsError) as error:  # no folders can be made there; a link that leads nowhere
        raise RunError(f"{folder} can't be made ({error.strerror}). Name another folder with --out.") from error


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one race writes into a folder. The lock ends with its process, however that ends.

    A disk that fills up meanwhile is the person's matter, and what was measured by then is kept: RunError says so.
    """
    import fcntl

    with _writable(folder), open(folder / "lock", "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(f"{folder} is in use by another race. Wait for it, or name another folder.") from None
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


@contextlib.contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in NO_ROOM:
            begun = (folder / JOURNAL).is_file() and (folder / JOURNAL).stat().st_size > 0
            again = f"go on with: deepenough resume {folder}" if begun else "race again with another --out."
            kept = " What was measured is kept." if begun else ""
            raise RunError(
                f"No room is left to write {folder} ({error.strerror}).{kept} Make room, then {again}"
            ) from error
        if isinstance(error, PermissionError | NotADirectoryError) or error.errno in _NO_PLACE:
            raise RunError(f"{folder} can't be written ({error.strerror}). Name another folder with --out.") from error
        raise


def in_use(folder: Path) -> bool:
    """Whether a race writes into a folder now."""
    import fcntl

    path = folder / "lock"
    if not path.exists():
        return False
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
