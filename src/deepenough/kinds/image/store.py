"""Decoded pictures in one file, which trials map into memory instead of holding them.

Needs that this module answers:

* Each picture is decoded once, by as many threads as there are cores, and found again by the next race of the files.
* Files in the cache are never changed: one is written under a name of its own and gets its name when it is whole, so
  neither `kill -9` nor a second race damages it.
* The cache has a limit; the files that were used longest ago go first, those in use stay.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import IO

import numpy as np

from deepenough.errors import NO_ROOM, SourceError
from deepenough.kinds.folders import Item
from deepenough.kinds.image import decode

VERSION = 1
"""Of how pictures are decoded; another one decodes anew."""
MOST_BYTES = 8 << 30
"""Of the cache."""
LARGEST_BYTES = 4 << 30
"""Of the pictures of one source: where they would take more, they are read smaller."""
VARIABLE = "DEEPENOUGH_CACHE"
"""Environment variable that names another folder for it."""
AT_ONCE = 256
ATTEMPTS = 3
ABANDONED_SECONDS = 86_400.0
"""What is unfinished for so long was left by a process that was killed."""


@dataclass(frozen=True)
class Decoded:
    """Pictures of a source. path: an .npy file of uint8, shape (pictures, height, width, 3).

    there: which of the source's files these are. reasons: by file, why it is none of them. sha256: of all files' names
    and bytes. Of each picture, as it came: sizes: width and height, int32; greys: whether it has no colour; formats;
    frames: how many its file holds.
    """

    path: Path
    there: np.ndarray
    reasons: dict[int, str]
    sha256: str
    sizes: np.ndarray
    greys: np.ndarray
    formats: tuple[str, ...]
    frames: np.ndarray


_Answer = tuple[np.ndarray, decode.Seen] | str
_held: dict[Path, IO[bytes]] = {}
"""Files of this process that nobody may remove from the cache."""


def decoded(items: Sequence[Item], height: int, width: int) -> Decoded:
    """Decode the files, or find what was decoded before. Raises SourceError where the disk has no room for them."""
    folder = cache_folder()
    key = _key(items, height, width)
    path, facts = folder / f"{key}.npy", folder / f"{key}.json"
    for _ in range(ATTEMPTS):
        if not (path.exists() and facts.exists()):
            _make_room(folder, len(items) * height * width * 3)
            _write(items, height, width, path, facts)
        with contextlib.suppress(FileNotFoundError):  # another race made room before it was held
            _hold(path)
            return _read(path, facts)
    raise SourceError(f"{folder} is emptied by others as fast as it is filled. Name another folder: {VARIABLE}=FOLDER.")


def cache_folder() -> Path:
    """Where decoded pictures are kept: `DEEPENOUGH_CACHE`, else the user's cache folder, else a temporary one."""
    named = os.environ.get(VARIABLE)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deepenough"
    places = (Path(named),) if named else (home, Path(gettempdir()) / f"deepenough-{_who()}")
    for place in places:
        with contextlib.suppress(OSError):
            (place / "pictures").mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.access(place / "pictures", os.W_OK):
                return place / "pictures"
    raise SourceError(
        f"{places[0]} can't be written, and decoded pictures must be kept somewhere. Name a folder: {VARIABLE}=FOLDER."
    )


def _who() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _key(items: Sequence[Item], height: int, width: int) -> str:
    digest = hashlib.blake2b(f"{VERSION} {height} {width}".encode(), digest_size=20)
    for item in items:
        digest.update(f"\0{item.name}\0{item.stamp}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _write(items: Sequence[Item], height: int, width: int, path: Path, facts: Path) -> None:
    shape, mine = (height, width, 3), path.with_name(f"{path.stem}-{uuid.uuid4().hex}.unfinished")
    there: list[int] = []
    reasons: dict[int, str] = {}
    seen: list[decode.Seen] = []
    digest = hashlib.sha256()
    try:
        with open(mine, "wb") as file:
            _header(file, (len(items), *shape))
            for place, (answer, own) in enumerate(_each(items, height, width)):
                digest.update(own)
                if isinstance(answer, str):
                    reasons[place] = answer
                    continue
                there.append(place)
                seen.append(answer[1])
                file.write(answer[0].tobytes())
            _header(file, (len(there), *shape))
        told = {
            "there": there,
            "reasons": {str(place): reason for place, reason in reasons.items()},
            "sha256": digest.hexdigest(),
            "sizes": [[each.width, each.height] for each in seen],
            "greys": [each.is_grey for each in seen],
            "formats": [each.format for each in seen],
            "frames": [each.frames for each in seen],
        }
        written = mine.with_suffix(".facts")
        written.write_text(json.dumps(told), encoding="utf-8")
        os.replace(mine, path)
        os.replace(written, facts)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise _no_room(path.parent, len(items) * height * width * 3) from error
        raise
    finally:
        mine.unlink(missing_ok=True)


def _header(file: IO[bytes], shape: tuple[int, ...]) -> None:
    """The beginning of an .npy file of uint8, of the same length whatever the shape."""
    file.seek(0)
    said = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    file.write(b"\x93NUMPY\x01\x00" + len(said).to_bytes(2, "little") + said.encode("latin1"))


def _each(items: Sequence[Item], height: int, width: int) -> Iterator[tuple[_Answer, bytes]]:
    """Of each file in order the picture, or why there is none; and a digest of its name and bytes."""

    def one(item: Item) -> tuple[_Answer, bytes]:
        own = hashlib.sha256(item.name.encode("utf-8", "surrogatepass"))
        try:
            content = item.read()
        except OSError as error:
            return f"it can't be read ({error.strerror or error})", own.digest()
        except SourceError as error:  # a member of a zip that is broken or locked
            return f"it can't be read ({str(error).rstrip('.')})", own.digest()
        own.update(content)
        try:
            return decode.decoded(content, height, width), own.digest()
        except decode.NoPicture as reason:
            return str(reason), own.digest()

    with ThreadPoolExecutor(max_workers=max(1, os.cpu_count() or 1)) as pool:
        for start in range(0, len(items), AT_ONCE):
            yield from pool.map(one, items[start : start + AT_ONCE])


def _read(path: Path, facts: Path) -> Decoded:
    told = json.loads(facts.read_text(encoding="utf-8"))
    return Decoded(
        path,
        np.array(told["there"], dtype=np.int64),
        {int(place): reason for place, reason in told["reasons"].items()},
        told["sha256"],
        np.array(told["sizes"], dtype=np.int32).reshape(-1, 2),
        np.array(told["greys"], dtype=bool),
        tuple(told["formats"]),
        np.array(told["frames"], dtype=np.int64),
    )


# --- the limit --------------------------------------------------------------------------------------------------------


def _hold(path: Path) -> None:
    """Nobody removes it as long as this process lives."""
    import fcntl

    if path not in _held:
        file = open(path, "rb")  # noqa: SIM115  closed by `give_back`
        fcntl.flock(file, fcntl.LOCK_SH)
        if not path.exists():
            file.close()
            raise FileNotFoundError(path)
        _held[path] = file
    with contextlib.suppress(OSError):
        os.utime(path)


@atexit.register
def give_back() -> None:
    """Let others remove what this process held, as at its end."""
    while _held:
        _held.popitem()[1].close()


def _make_room(folder: Path, wanted: int) -> None:
    """Remove what was used longest ago until so much more fits into the cache, and onto the disk."""
    for path in [*folder.glob("*.unfinished"), *folder.glob("*.facts")]:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()
    sizes: dict[Path, tuple[float, int]] = {}
    for path in folder.glob("*.npy"):
        with contextlib.suppress(FileNotFoundError):  # another race makes room too
            facts = path.stat()
            sizes[path] = (facts.st_mtime, facts.st_size)
    held = sum(size for _, size in sizes.values())
    for path in sorted(sizes, key=lambda path: sizes[path]):
        if held + wanted <= MOST_BYTES and wanted < shutil.disk_usage(folder).free:
            return
        if _removed(path):
            held -= sizes[path][1]
    if wanted >= shutil.disk_usage(folder).free:
        raise _no_room(folder, wanted)


def _no_room(folder: Path, wanted: int) -> SourceError:
    return SourceError(
        f"{folder} has no room for {wanted / 1e6:,.0f} MB of decoded pictures. Make room, name another folder "
        f"({VARIABLE}=FOLDER), or decode smaller: --side."
    )


def _removed(path: Path) -> bool:
    """Whether nobody held it, and it is gone; nobody can begin to hold it meanwhile."""
    import fcntl

    try:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.with_suffix(".json").unlink(missing_ok=True)
            path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
