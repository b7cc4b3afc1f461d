"""Units that are files: a folder with a folder a class, or a zip of one. What kinds of files share.

Needs that this module answers:

* A folder is recognised by names alone; nothing is opened. What is hidden is not there.
* A class is a folder with all folders in it; what lies in none is not dropped without a word.
* Nothing of a zip is written anywhere: its names are names, so none can climb out of a folder.
* A file is read when it is wanted, so that more of them than memory holds can be gone through.
"""

from __future__ import annotations

import lzma
import os
import os.path
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from deepenough.errors import SourceError

Wanted = Callable[[PurePath], bool]
"""Whether a file is of the kind, by its name."""

SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"}
"""Folders whose names begin with these words part what is learnt from and what is not: they are no classes."""
UNPACKED_BYTES, UNPACKED_TIMES = 1 << 30, 200
"""A zip may hold more than that only while it is no more than so many times its own size."""


@dataclass(frozen=True)
class Item:
    """A file of a class. name: `class/file`. size: in bytes. stamp: changes when the file does. read: its content."""

    label: str
    name: str
    size: int
    stamp: str
    read: Callable[[], bytes]


def is_hidden(name: PurePath) -> bool:
    """Whether systems hide a file of this name, or it is what they leave behind."""
    return name.name.startswith(".") or name.parts[:1] == ("__MACOSX",)


def classes(source: str | Path, wanted: Wanted) -> list[str]:
    """Names of the folders that hold such files, at any depth, at least two of them; none where it is no such folder or
    zip, or where they part what is learnt from and what is not."""
    path = Path(os.path.expanduser(source))
    if os.path.isdir(path):
        inside = [each for each in sorted(path.iterdir()) if each.is_dir() and _is_seen(PurePath(each.name))]
        found = [each.name for each in inside if any(wanted(file) for file in _below(each))]
    elif is_zip(path):
        with _archive(path) as archive:
            found = sorted({name.parts[0] for _, name in _in_classes(archive, wanted)})
    else:
        return []
    return [] if len(found) < 2 or are_splits(found) else found


def are_splits(names: Sequence[str]) -> bool:
    """Whether folders of these names part what is learnt from and what is not."""
    return bool(names) and all(re.split(r"[^a-z]+", name.lower())[0] in SPLITS for name in names)


def is_zip(path: Path) -> bool:
    """Whether it is a zip by its name and by its bytes."""
    return path.suffix.lower() == ".zip" and os.path.isfile(path) and zipfile.is_zipfile(path)


def items(source: str | Path, wanted: Wanted, what: str) -> list[Item]:
    """Every such file, by class and name. what: they are called so. Raises SourceError where there are none."""
    path = Path(os.path.expanduser(source))
    labels = classes(path, wanted)
    if not labels:
        raise SourceError(
            f"{path} is a folder without a folder a class of {what}. Make one for each class, or give a table."
        )
    if os.path.isdir(path):
        files = [(label, file) for label in labels for file in sorted(_below(path / label)) if wanted(file)]
        return [file_item(file, label, file.relative_to(path).as_posix()) for label, file in files]
    with _archive(path) as archive:
        members = sorted(_in_classes(archive, wanted), key=lambda member: str(member[1]))
    return _unpacked(path, members, what)


def passed_over(source: str | Path, found: Sequence[Item], what: str) -> list[str]:
    """What is said of the files of a folder or zip that are none of those that were found, but for what is hidden.

    what: those that were looked for are called so.
    """
    path = Path(os.path.expanduser(source))
    known = {item.name for item in found}
    if os.path.isdir(path):
        names = sorted(file.relative_to(path).as_posix() for file in _below(path))
    else:
        with _archive(path) as archive:
            names = sorted(str(name) for _, name in _from_the_root(archive, lambda name: True))
    over = [name for name in names if name not in known]
    why = f"they lie in no class's folder, or have no name of {what}"
    return [f"{len(over):,} files are passed over: {why} ({shown(over, 3)})."] if over else []


def file_item(file: Path, label: str, name: str) -> Item:
    """One file. name: what it is called."""
    facts = file.stat()
    stamp = f"{facts.st_size}-{facts.st_mtime_ns}-{facts.st_ctime_ns}-{facts.st_ino}"  # unpackers set the first two
    return Item(label, name, facts.st_size, stamp, file.read_bytes)


def _below(folder: Path) -> Iterator[Path]:
    """The files of a folder and of all folders in it that are not hidden. Links are followed, but in no ring."""
    entered: dict[str, tuple[str, ...]] = {str(folder): (os.path.realpath(folder),)}
    for place, inside, names in os.walk(folder, followlinks=True):
        above = entered.pop(place)
        seen = [(name, os.path.realpath(os.path.join(place, name))) for name in inside if _is_seen(PurePath(name))]
        inside[:] = [name for name, real in seen if real not in above]
        entered |= {os.path.join(place, name): (*above, real) for name, real in seen if real not in above}
        files = (Path(place, name) for name in names if _is_seen(PurePath(name)))
        yield from (file for file in files if file.is_file())


def everything(source: str | Path, wanted: Wanted, what: str) -> list[Item]:
    """Such files of a folder or a zip and of all folders in it, named by their paths; none where it is neither."""
    path = Path(os.path.expanduser(source))
    if os.path.isdir(path):
        below = (file for file in sorted(_below(path)) if wanted(file))
        return [file_item(file, "", file.relative_to(path).as_posix()) for file in below]
    if not is_zip(path):
        return []
    with _archive(path) as archive:
        members = _members(archive, wanted)
    return _unpacked(path, sorted(members, key=lambda member: str(member[1])), what)


def _is_seen(name: PurePath) -> bool:
    return not any(part.startswith(".") or part == "__MACOSX" for part in name.parts)


Member = tuple[zipfile.ZipInfo, PurePosixPath]
"""Of a zip, and its name without what would climb out of a folder."""


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError) as error:
        raise SourceError(f"{path.name} is a damaged zip ({error}). Make it anew, or unpack what is left.") from error


def _members(archive: zipfile.ZipFile, wanted: Wanted) -> list[Member]:
    """The files of a zip that are not hidden."""
    found = [(info, PurePosixPath(info.filename)) for info in archive.infolist() if not info.is_dir()]
    plain = [(info, PurePosixPath(*(part for part in name.parts if part not in ("/", "..")))) for info, name in found]
    return [(info, name) for info, name in plain if name.name and _is_seen(name) and wanted(name)]


def _from_the_root(archive: zipfile.ZipFile, wanted: Wanted) -> list[Member]:
    """The same, named from the folder that holds the classes: not from those around it, which hold nothing else."""
    members = _members(archive, wanted)
    while members and all(len(name.parts) > 1 and name.parts[0] == members[0][1].parts[0] for _, name in members):
        members = [(info, PurePosixPath(*name.parts[1:])) for info, name in members]
    return members


def _in_classes(archive: zipfile.ZipFile, wanted: Wanted) -> list[Member]:
    """Those of them that lie in a folder."""
    return [(info, name) for info, name in _from_the_root(archive, wanted) if len(name.parts) > 1]


def _unpacked(path: Path, members: Sequence[Member], what: str) -> list[Item]:
    """Members of a zip as items, their class the folder that comes first."""
    archive = _archive(path)  # stays open as long as an item that reads from it
    most = max(UNPACKED_BYTES, UNPACKED_TIMES * path.stat().st_size)
    if sum(info.file_size for info, _ in members) > most:
        raise SourceError(f"{path.name} unpacks to more than {most / 1e9:.0f} GB, as no {what} do. Unpack it yourself.")

    def reader(info: zipfile.ZipInfo) -> Callable[[], bytes]:
        def read() -> bytes:
            try:
                return archive.read(info)
            except _BROKEN as error:
                raise SourceError(f"{path.name} can't be unpacked: {error}. Unpack it yourself.") from error

        return read

    return [Item(name.parts[0], str(name), info.file_size, f"{info.CRC:08x}", reader(info)) for info, name in members]


_BROKEN = (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, zlib.error, lzma.LZMAError)
"""What reading a member raises where it is damaged, locked, or packed in a way that is not known."""


def shown(names: Sequence[str], most: int = 5) -> str:
    """The first of some names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
