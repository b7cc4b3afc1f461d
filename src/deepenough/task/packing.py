"""Packed files: what is in them, as a copy on the disk, as long as it can be a table.

Needs that the design answers:

* A packed file says nothing true of how large it is, so unpacking ends where no table would be so large, or no disk.
* Nothing is held in memory but a few megabytes; a workbook, which its reader holds whole, is refused beyond a gigabyte.
* What is broken, locked, of several files, or packed into itself, is said by name.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import zipfile
import zlib
from pathlib import Path
from tempfile import gettempdir
from typing import IO, Any

from deepenough.errors import SourceError

CHUNK_BYTES = 4 << 20
UNPACKED_BYTES, UNPACKED_TIMES = 1 << 30, 200
"""A packed file may become larger than this only while that is no more than so many times its size. Tables become 2 to
100 times smaller when they are packed; what becomes a thousand times smaller was made to fill disks."""
LAYERS = 3
"""So often a file may be packed: one that holds itself would never end."""

_OPENERS: dict[str, Any] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
FORMS = ("zip", *_OPENERS)


def form_of_zip(path: Path, name: str) -> str:
    """`excel` where the archive is a workbook, else `zip`."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        raise SourceError(f"{name} is a broken zip archive: {error}. Download or pack it again.") from error
    names = [member.filename for member in members]
    if not any(member.startswith("xl/") or member == "content.xml" for member in names):
        return "zip"
    if sum(member.file_size for member in members) > UNPACKED_BYTES:
        raise SourceError(
            f"{name} is a workbook of more than {UNPACKED_BYTES >> 30} GB when it is unpacked, and would have to be "
            "held in memory. Save the sheet as CSV and give that."
        )
    return "excel"


def unpacked(path: Path, form: str, folder: Path, name: str) -> Path:
    """A copy of what a packed file holds, in the folder."""
    layers = len(list(folder.glob("unpacked*")))
    if layers == LAYERS:
        raise SourceError(f"{name} is packed more than {LAYERS} times over. Unpack it and name the table in it.")
    target = folder / f"unpacked{layers}"
    try:
        _unpack(path, form, target, name)
    except (EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise SourceError(f"{name} can't be unpacked ({form}): {error}. Download or pack it again.") from error
    except OSError as error:
        if error.errno is not None:
            raise  # the disk's matter, and not the file's
        raise SourceError(f"{name} can't be unpacked ({form}): {error}. Download or pack it again.") from error
    return target


def _unpack(path: Path, form: str, target: Path, name: str) -> None:
    if form != "zip":
        with _OPENERS[form](path, "rb") as source:
            return _copy(source, target, path, name)
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
        if len(members) != 1:
            shown = ", ".join(repr(member.filename) for member in members[:5])
            raise SourceError(f"{name} holds {len(members)} files ({shown}). Unpack it and name one of them.")
        with archive.open(members[0]) as source:
            return _copy(source, target, path, name)


def _copy(source: IO[bytes], target: Path, packed: Path, name: str) -> None:
    """Unpack as much as a table may be: `UNPACKED_TIMES` of what it was at most, and half of the free disk."""
    most = max(UNPACKED_BYTES, UNPACKED_TIMES * packed.stat().st_size)
    room = shutil.disk_usage(target.parent).free // 2
    written = 0
    with open(target, "wb") as out:
        while chunk := source.read(CHUNK_BYTES):
            written += len(chunk)
            if written > min(most, room):
                so_large = f"{written / 1e9:.1f} GB and more"
                why = "as no table does" if written > most else f"and {gettempdir()} has not enough room for that"
                raise SourceError(
                    f"{name} unpacks to {so_large} from {packed.stat().st_size / 1e6:,.1f} MB, {why}. If you trust it, "
                    "unpack it yourself and name the table in it."
                )
            out.write(chunk)
