"""Decoded files of a source in one file, which trials map into memory instead of holding it.

Needs that this module answers:

* Each is decoded once, by as many threads as there are cores, and found again by the next race of the files.
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
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir
from typing import IO, Any, Protocol

import numpy as np

from deepenough.errors import NO_ROOM, SourceError
from deepenough.kinds.folders import Item

LAYOUT = 2
"""Of the files that are kept; another one decodes anew."""
MOST_BYTES = 8 << 30
"""Of the cache."""
LARGEST_BYTES = 4 << 30
"""Of one source: where it would take more, a kind reads less of each file."""
VARIABLE = "DEEPENOUGH_CACHE"
"""Environment variable that names another folder for it."""
AT_ONCE = 256
ATTEMPTS = 3
ABANDONED_SECONDS = 86_400.0
"""What is unfinished for so long was left by a process that was killed."""


class Unusable(ValueError):
    """A file that can't be used; the message says why, as a clause."""


class Reader(Protocol):
    """How a kind decodes its files, with settings that are the same for all files of a source.

    units: what they are called, and the cache's folder. key: of its version and settings. dtype: of its numbers, as
    numpy writes it. row: shape of one row of what is decoded; a file becomes one row or several. bytes_each: of a
    decoded file, about. advice: what a person can ask for where the disk has no room.
    """

    units: str
    advice: str
    dtype: str

    @property
    def key(self) -> str: ...

    @property
    def row(self) -> tuple[int, ...]: ...

    @property
    def bytes_each(self) -> int: ...

    def __call__(self, content: bytes) -> tuple[np.ndarray, dict[str, Any]]:
        """The rows of a file, shape (k, *row), and what is known of it in plain values. Raises Unusable."""


@dataclass(frozen=True)
class Decoded:
    """Files of a source. path: an .npy file of all their rows, one file's after the other's.

    there: which of the source's files these are. reasons: by file, why it is none of them. sha256: of all files' names
    and bytes. lengths: rows of each, int64. seen: what is known of each, as its reader said.
    """

    path: Path
    there: np.ndarray
    reasons: Mapping[int, str]
    sha256: str
    lengths: np.ndarray
    seen: tuple[Mapping[str, Any], ...]

    def each(self, name: str) -> np.ndarray:
        """One of the facts of all of them."""
        return np.array([seen[name] for seen in self.seen])

    def hashed(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Facts of a source, their hash now of the table, if there is one, and of all these files."""
        of_table = str(facts.get("sha256") or "")
        both = hashlib.sha256(f"{of_table}{self.sha256}".encode()).hexdigest() if of_table else self.sha256
        return {**facts, "sha256": both, "sha256_of": "all files"}


_Answer = tuple[np.ndarray, dict[str, Any]] | str
_held: dict[Path, IO[bytes]] = {}
"""Files of this process that nobody may remove from the cache."""


def decoded(items: Sequence[Item], reader: Reader) -> Decoded:
    """Decode the files, or find what was decoded before. Raises SourceError where the disk has no room for them."""
    folder = cache_folder(reader.units)
    key, wanted = _key(items, reader), len(items) * reader.bytes_each
    path, facts = folder / f"{key}.npy", folder / f"{key}.json"
    for _ in range(ATTEMPTS):
        if not (path.exists() and facts.exists()):
            _make_room(folder, wanted, reader)
            _write(items, reader, path, facts)
        with contextlib.suppress(FileNotFoundError):  # another race made room before it was held
            _hold(path)
            return _read(path, facts)
    raise SourceError(f"{folder} is emptied by others as fast as it is filled. Name another folder: {VARIABLE}=FOLDER.")


def cache_folder(units: str) -> Path:
    """Where what was decoded is kept: `DEEPENOUGH_CACHE`, else the user's cache folder, else a temporary one."""
    named = os.environ.get(VARIABLE)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deepenough"
    places = (Path(named),) if named else (home, Path(gettempdir()) / f"deepenough-{_who()}")
    for place in places:
        with contextlib.suppress(OSError):
            (place / units).mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.access(place / units, os.W_OK):
                return place / units
    raise SourceError(
        f"{places[0]} can't be written, and decoded {units} must be kept somewhere. Name a folder: {VARIABLE}=FOLDER."
    )


def _who() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _key(items: Sequence[Item], reader: Reader) -> str:
    digest = hashlib.blake2b(f"{LAYOUT} {reader.key}".encode(), digest_size=20)
    for item in items:
        digest.update(f"\0{item.name}\0{item.stamp}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _write(items: Sequence[Item], reader: Reader, path: Path, facts: Path) -> None:
    mine = path.with_name(f"{path.stem}-{uuid.uuid4().hex}.unfinished")
    there: list[int] = []
    lengths: list[int] = []
    reasons: dict[int, str] = {}
    seen: list[dict[str, Any]] = []
    digest = hashlib.sha256()
    try:
        with open(mine, "wb") as file:
            _header(file, reader, 0)
            for place, (answer, own) in enumerate(_each(items, reader)):
                digest.update(own)
                if isinstance(answer, str):
                    reasons[place] = answer
                    continue
                there.append(place)
                lengths.append(len(answer[0]))
                seen.append(answer[1])
                file.write(np.ascontiguousarray(answer[0], dtype=reader.dtype).tobytes())
            _header(file, reader, sum(lengths))
        told = {
            "there": there,
            "reasons": {str(place): reason for place, reason in reasons.items()},
            "sha256": digest.hexdigest(),
            "lengths": lengths,
            "seen": seen,
        }
        written = mine.with_suffix(".facts")
        written.write_text(json.dumps(told), encoding="utf-8")
        os.replace(mine, path)
        os.replace(written, facts)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise _no_room(path.parent, len(items) * reader.bytes_each, reader) from error
        raise
    finally:
        mine.unlink(missing_ok=True)


def _header(file: IO[bytes], reader: Reader, rows: int) -> None:
    """The beginning of an .npy file, of the same length whatever the shape."""
    file.seek(0)
    said = f"{{'descr': '{reader.dtype}', 'fortran_order': False, 'shape': {(rows, *reader.row)}, }}".ljust(117) + "\n"
    file.write(b"\x93NUMPY\x01\x00" + len(said).to_bytes(2, "little") + said.encode("latin1"))


def _each(items: Sequence[Item], reader: Reader) -> Iterator[tuple[_Answer, bytes]]:
    """Of each file in order its rows, or why there are none; and a digest of its name and bytes."""

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
            return reader(content), own.digest()
        except Unusable as reason:
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
        np.array(told["lengths"], dtype=np.int64),
        tuple(told["seen"]),
    )


@lru_cache(maxsize=8)
def mapped(file: str) -> np.ndarray:
    """The rows of a file that was decoded into, as they lie on the disk."""
    rows: np.ndarray = np.load(file, mmap_mode="r", allow_pickle=False)
    return rows


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


def _make_room(folder: Path, wanted: int, reader: Reader) -> None:
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
        raise _no_room(folder, wanted, reader)


def _no_room(folder: Path, wanted: int, reader: Reader) -> SourceError:
    return SourceError(
        f"{folder} has no room for {wanted / 1e6:,.0f} MB of decoded {reader.units}. Make room, name another folder "
        f"({VARIABLE}=FOLDER), or {reader.advice}."
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
