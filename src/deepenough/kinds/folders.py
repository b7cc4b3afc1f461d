"""Units that are files: a folder with a folder a class, or a zip of one. What kinds of files share.

Needs that this module answers:

* A folder is recognised by names alone; nothing is opened. What is hidden is not there.
* Nothing of a zip is written anywhere: its names are names, so none can climb out of a folder.
* A file is read when it is wanted, so that more of them than memory holds can be gone through.
"""

from __future__ import annotations

import os
import os.path
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from deepenough.errors import SourceError

Wanted = Callable[[PurePath], bool]
"""Whether a file is of the kind, by its name."""

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
    """Names of the folders that hold such files, at least two of them; none where it is no such folder or zip."""
    path = Path(os.path.expanduser(source))
    if os.path.isdir(path):
        folders = [each for each in sorted(path.iterdir()) if each.is_dir() and not each.name.startswith(".")]
        found = [each.name for each in folders if next(_files_in(each, wanted), None)]
    elif path.suffix.lower() == ".zip" and os.path.isfile(path) and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = [name for _, name in _members(archive, wanted)]
        found = sorted({name.parent.name for name in members})
        found = found if len({name.parent.parent for name in members}) == 1 else []  # train/a and test/a are no a
    else:
        return []
    return found if len(found) > 1 else []


def items(source: str | Path, wanted: Wanted, what: str) -> list[Item]:
    """Every such file, by class and name. what: they are called so. Raises SourceError where there are none."""
    path = Path(os.path.expanduser(source))
    labels = classes(path, wanted)
    if not labels:
        raise SourceError(
            f"{path} is a folder without a folder a class of {what}. Make one for each class, or give a table."
        )
    if os.path.isdir(path):
        return [file_item(file, label) for label in labels for file in sorted(_files_in(path / label, wanted))]
    return _items_of_zip(path, wanted, what)


def file_item(file: Path, label: str, name: str | None = None) -> Item:
    """One file. name: what it is called; default `class/file`."""
    facts = file.stat()
    stamp = f"{facts.st_size}-{facts.st_mtime_ns}-{facts.st_ctime_ns}-{facts.st_ino}"  # unpackers set the first two
    return Item(label, name or f"{label}/{file.name}", facts.st_size, stamp, file.read_bytes)


def _files_in(folder: Path, wanted: Wanted) -> Iterator[Path]:
    return (file for file in folder.iterdir() if not is_hidden(file) and wanted(file) and file.is_file())


def everything(source: str | Path, wanted: Wanted, what: str) -> list[Item]:
    """Such files of a folder or a zip and of all folders in it, named by their paths; none where it is neither."""
    path = Path(os.path.expanduser(source))
    if os.path.isdir(path):
        below = (file for file in sorted(path.rglob("*")) if _is_seen(file.relative_to(path)) and wanted(file))
        return [file_item(file, "", file.relative_to(path).as_posix()) for file in below if file.is_file()]
    if path.suffix.lower() != ".zip" or not os.path.isfile(path) or not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as archive:
        members = [(info, PurePosixPath(info.filename)) for info in archive.infolist() if not info.is_dir()]
    seen = [(info, name) for info, name in members if _is_seen(name) and wanted(name)]
    return _unpacked(path, sorted(seen, key=lambda member: str(member[1])), what, str)


def _is_seen(name: PurePath) -> bool:
    return not any(part.startswith(".") or part == "__MACOSX" for part in name.parts)


def _members(archive: zipfile.ZipFile, wanted: Wanted) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """The files of a zip that lie in a folder."""
    for info in archive.infolist():
        name = PurePosixPath(info.filename)
        if name.parent.name and not info.is_dir() and not is_hidden(name) and wanted(name):
            yield info, name


def _items_of_zip(path: Path, wanted: Wanted, what: str) -> list[Item]:
    with zipfile.ZipFile(path) as archive:
        members = sorted(_members(archive, wanted), key=lambda member: str(member[1]))
    return _unpacked(path, members, what, lambda name: f"{name.parent.name}/{name.name}")


def _unpacked(
    path: Path,
    members: Sequence[tuple[zipfile.ZipInfo, PurePosixPath]],
    what: str,
    called: Callable[[PurePosixPath], str],
) -> list[Item]:
    """Members of a zip as items. called: how one is called."""
    archive = zipfile.ZipFile(path)  # stays open as long as an item that reads from it
    most = max(UNPACKED_BYTES, UNPACKED_TIMES * path.stat().st_size)
    if sum(info.file_size for info, _ in members) > most:
        raise SourceError(f"{path.name} unpacks to more than {most / 1e9:.0f} GB, as no {what} do. Unpack it yourself.")

    def reader(info: zipfile.ZipInfo) -> Callable[[], bytes]:
        def read() -> bytes:
            try:
                return archive.read(info)
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
                raise SourceError(f"{path.name} can't be unpacked: {error}. Unpack it yourself.") from error

        return read

    return [
        Item(name.parent.name, called(name), info.file_size, f"{info.CRC:08x}", reader(info)) for info, name in members
    ]


def shown(names: Sequence[str], most: int = 5) -> str:
    """The first of some names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
