"""A file made readable: what it is, unpacked, in UTF-8, and the words under which DuckDB reads it.

Needs that the design answers:

* What a file is stands in its first bytes, not in its name: people call things `.csv` that are not.
* A file may be larger than memory: nothing here holds more than a few megabytes of it at once, however long its lines.
* What can't be read is named, with what to do: a folder, an archive of many files, a database, a picture.
"""

from __future__ import annotations

import codecs
import difflib
import hashlib
import os.path
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EACCES, EPERM
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import IO, Any

import numpy as np

from deepenough.errors import NO_ROOM, OptionError, SourceError
from deepenough.task import packing

ENDINGS = (
    *(".csv", ".tsv", ".tab", ".txt", ".dat", ".data", ".parquet", ".pq", ".json", ".jsonl", ".ndjson"),
    *(".xlsx", ".xlsm", ".xls", ".ods"),
)
PACKED = (".gz", ".bz2", ".xz", ".zip", ".zst")
CHUNK_BYTES = 4 << 20
WHOLE_HASH_BYTES = 1 << 30
"""Files up to this size are hashed whole and checked whole for their encoding; of larger ones evenly spaced blocks."""
LINE_BYTES = 2 << 20
"""A line of a text longer than this is no row: DuckDB takes none beyond two million bytes either."""

_MAGIC = {
    b"PAR1": "parquet",
    b"PK\x03\x04": "zip",
    b"\x1f\x8b": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"\xd0\xcf\x11\xe0": "excel",
}
_FOREIGN = {
    b"SQLite format 3": "an SQLite database: give it by its address, sqlite:///NAME?table=TABLE",
    b"ARROW1": "an Arrow (Feather) file: write it as Parquet, or give it as a frame",
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"%PDF": "a PDF document: copy its table into a CSV file first",
    b"\x89HDF": "an HDF5 file: write the table as Parquet, or give it as a frame",
    b"RIFF": "a sound, film or picture (RIFF)",
    b"\x80\x04\x95": "a Python pickle, which is not opened because it can run code",
    b"\x7fELF": "a program",
}


@dataclass(frozen=True)
class Opened:
    """A file that can be read as it is.

    name: as the person knows it.
    path: the file itself, or its unpacked and re-encoded copy.
    form: `csv`, `json`, `parquet` or `excel`.
    encoding: what the text was written in; empty for what is no text.
    packed: how it was packed; empty where it was not.
    """

    name: str
    path: Path
    form: str
    encoding: str = ""
    packed: str = ""


@contextmanager
def opened(path: Path, options: Mapping[str, Any] | None = None) -> Iterator[Opened]:
    """The file made readable; copies that had to be made are gone afterwards."""
    with TemporaryDirectory(prefix="deepenough-") as folder:
        try:
            check_exists(path)
            file = _open(_plainly_named(path, Path(folder)), Path(folder), dict(options or {}), path.name)
        except OSError as error:
            raise SourceError(f"{path.name[:80]} can't be read: {_why(error)}.") from error
        yield file


def _why(error: OSError) -> str:
    """What the system says, and what to do about it."""
    if error.errno in NO_ROOM:
        return f"no room is left for its unpacked copy ({gettempdir()}). Make room, or set TMPDIR to another disk"
    if error.errno in (EACCES, EPERM):
        return "you may not read it. Ask its owner, or copy it to where you may"
    return f"{error.strerror or error}. Check its name, and that its disk is there"


def _plainly_named(path: Path, folder: Path) -> Path:
    """The file under a name without the signs that DuckDB takes for a pattern of names."""
    if not set("*?[") & set(str(path)):
        return path
    link = folder / "named"
    link.symlink_to(path.absolute())
    return link


def check_exists(path: Path) -> None:
    """SourceError where there is no such file, with the nearest names of its folder; or it is a folder, or empty."""
    if os.path.isdir(path):
        inside = [item.name for item in sorted(path.iterdir()) if _tabular_name(item.name)][:5]
        hint = f" It holds {', '.join(inside)}: name one of them." if inside else " No table lies in it."
        raise SourceError(f"{path} is a folder, but a file with rows and columns is wanted.{hint}")
    if not os.path.isfile(path):
        raise SourceError(f"{_shown(path)} is not there. {_nearest(path)}")
    if path.stat().st_size == 0:
        raise SourceError(f"{path} is empty (0 bytes). Check how it was written or downloaded.")


def _shown(path: Path) -> str:
    """The path, its middle left out where it is longer than a screen's line or two."""
    text = str(path)
    return text if len(text) <= 200 else f"{text[:100]}...{text[-80:]}"


def _nearest(path: Path) -> str:
    folder = path.parent
    if not os.path.isdir(folder):
        return f"Nor is its folder, {folder}. The command was started in {Path.cwd()}."
    names = [item.name for item in folder.iterdir() if item.is_file()]
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    near += [name for name in names if name.lower() == path.name.lower() and name not in near]
    if near:
        return "Did you mean " + " or ".join(repr(name) for name in near) + "?"
    tables = sorted(name for name in names if _tabular_name(name))[:5]
    return f"Tables in that folder: {', '.join(tables)}." if tables else f"No table lies in {folder.resolve()}."


def _tabular_name(name: str) -> bool:
    return tabular_ending(name) != ""


def tabular_ending(name: str) -> str:
    """The ending that says that a file is a table, of `data.csv.gz` too; empty where none does."""
    lower = name.lower()
    for packed in PACKED:
        if lower.endswith(packed):
            return packed if packed == ".zip" else tabular_ending(lower.removesuffix(packed))
    return next((ending for ending in ENDINGS if lower.endswith(ending)), "")


def _open(path: Path, folder: Path, options: dict[str, Any], name: str, packed: str = "") -> Opened:
    with open(path, "rb") as file:
        head = file.read(65_536)
    if not head.strip():
        raise SourceError(f"{name} holds nothing but white space.")
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise SourceError(f"{name} is {what}.")
    form = next((form for magic, form in _MAGIC.items() if head.startswith(magic)), "plain")
    if form == "zip":
        form = packing.form_of_zip(path, name)
    if form in packing.FORMS:
        return _open(packing.unpacked(path, form, folder, name), folder, options, name, form)
    if form == "zst":
        ending = tabular_ending(name)
        return Opened(name, path, "json" if ending in (".json", ".jsonl", ".ndjson") else "csv", "utf-8", "zst")
    if form in ("parquet", "excel"):
        return Opened(name, path, form, "", packed)
    encoding = str(options.get("encoding") or _encoding(path, head, name))
    text = path if encoding == "utf-8" else _recoded(path, encoding, folder / "recoded", name)
    if _is_json(text):
        return Opened(name, text, "json", encoding, packed)
    _check_lines(text, name)
    return Opened(name, text, "csv", encoding, packed)


def _check_lines(path: Path, name: str) -> None:
    """SourceError where the text begins with a line that can't be a row."""
    with open(path, "rb") as file:
        head = file.read(LINE_BYTES)
    if len(head) == LINE_BYTES and b"\n" not in head and b"\r" not in head:
        raise endless_lines(name, f"in its first {LINE_BYTES >> 20} MB")


def endless_lines(name: str, where: str) -> SourceError:
    """What is said of a text whose lines are no rows."""
    return SourceError(
        f"{name} has no end of a line {where}, but every row must stand on a line of its own. Check what it is, and "
        "write it as CSV with a row a line, or as Parquet."
    )


def _encoding(path: Path, head: bytes, name: str) -> str:
    """The encoding of a text; SourceError where it is no text."""
    marks = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    for mark, encoding in marks:
        if head.startswith(mark):
            return encoding
    letters = np.frombuffer(head, dtype=np.uint8)
    nothing = letters[: len(letters) // 2 * 2] == 0
    if nothing.any():  # text of Latin letters in UTF-16 without its mark has a zero in every second byte
        even, odd = nothing[::2].mean(), nothing[1::2].mean()
        if max(even, odd) > 0.4 and min(even, odd) < 0.05:
            return "utf-16-le" if odd > even else "utf-16-be"
        raise SourceError(f"{name} is a binary file of an unknown kind. Give CSV, Parquet, JSON lines or Excel.")
    if ((letters < 32) & ~np.isin(letters, (9, 10, 12, 13, 27))).mean() > 0.02:
        raise SourceError(f"{name} is a binary file of an unknown kind. Give CSV, Parquet, JSON lines or Excel.")
    return "utf-8" if _is_utf8(path) else "cp1252"


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    large = path.stat().st_size > WHOLE_HASH_BYTES
    try:
        with open(path, "rb") as file:
            for count, chunk in enumerate(iter(lambda: file.read(CHUNK_BYTES), b"")):
                decoder.decode(chunk)
                if large and count >= 64:
                    return True
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _recoded(path: Path, encoding: str, target: Path, name: str) -> Path:
    """A copy in UTF-8; bytes that cp1252 has no letter for are read as Latin-1."""
    codecs.register_error("deepenough-latin-1", _as_latin_1)
    errors = "deepenough-latin-1" if encoding == "cp1252" else "strict"
    try:
        with open(path, encoding=encoding, errors=errors, newline="") as source, open(target, "wb") as out:
            for chunk in iter(lambda: source.read(CHUNK_BYTES), ""):
                out.write(chunk.encode("utf-8", "replace"))
    except LookupError as error:
        raise OptionError(f"The encoding {encoding!r} is not known. Try utf-8, utf-16 or cp1252.") from error
    except UnicodeError as error:
        raise SourceError(
            f"{name} is not written in {encoding}, though it says so: {error}. Save it anew as UTF-8."
        ) from error
    return target


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


def _is_json(path: Path) -> bool:
    """Whether it begins like an object, or like a list of objects: `[` alone may begin a cell of a CSV file."""
    with open(path, "rb") as file:
        head = file.read(4_096).removeprefix(codecs.BOM_UTF8).lstrip()
    if head.startswith(b"{"):
        return b'"' in head[:200] or head[1:].lstrip().startswith(b"}")
    return head.startswith(b"[") and head[1:].lstrip()[:1] in (b"{", b"]")


def fingerprint(path: Path) -> str:
    """Sha256 of the bytes; of a file above a gigabyte, of its size and evenly spaced blocks, marked `blocks:`."""
    size = path.stat().st_size
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        if size <= WHOLE_HASH_BYTES:
            for chunk in iter(lambda: file.read(CHUNK_BYTES), b""):
                digest.update(chunk)
            return digest.hexdigest()
        digest.update(str(size).encode())
        for place in np.linspace(0, size - CHUNK_BYTES, 64).astype(np.int64).tolist():
            file.seek(place)
            digest.update(file.read(CHUNK_BYTES))
    return f"blocks:{digest.hexdigest()}"


def can_be_cut(file: Opened) -> bool:
    """Whether every line of a text holds one whole row, by its first megabyte: no cell or object goes over lines."""
    if file.form not in ("csv", "json") or file.packed == "zst":
        return False
    with open(file.path, "rb") as source:
        lines = source.read(1 << 20).splitlines()[:-1]
    if file.form == "json":
        return all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines if line.strip())
    return all(line.count(b'"') % 2 == 0 for line in lines)


def sample_lines(path: Path, target: Path, wanted_bytes: int, seed: int, header: bool) -> int:
    """Copy whole lines of evenly spread random blocks, in the file's order; returns about how many lines it has.

    For text that is far too large to read through. A line that a block cuts at its start is left out.
    """
    size = path.stat().st_size
    block = 1 << 16
    count = max(1, wanted_bytes // block)
    starts = np.linspace(0, size - block, count + 1)[:-1]
    jitter = np.random.default_rng(seed).uniform(0, max(1.0, (size - block) / count - block), count)
    lines = written = 0
    with open(path, "rb") as source, open(target, "wb") as out:
        if header:
            _copy_line(source, out)
        first = source.tell()
        for start in (starts + jitter).astype(np.int64).tolist():
            source.seek(max(start, first))
            source.readline(LINE_BYTES)
            content = source.read(block) + (rest := source.readline(LINE_BYTES))
            if len(rest) == LINE_BYTES and not rest.endswith(b"\n"):
                content = content[: content.rfind(b"\n") + 1]  # a line that is too long to be a row
            out.write(content if content.endswith(b"\n") or not content else content + b"\n")
            lines += content.count(b"\n")
            written += len(content)
    return int(size * lines / max(1, written))


def _copy_line(source: IO[bytes], out: IO[bytes]) -> None:
    out.write(source.readline(LINE_BYTES))


def looks_tabular(path: Path) -> bool:
    """Whether a file without a telling name begins like a table: Parquet, a list of objects, or lines cut alike."""
    with open(path, "rb") as file:
        head = file.read(16_384)
    told = (magic for magic, form in _MAGIC.items() if form in ("gz", "bz2", "xz"))
    if head.startswith((b"PAR1", b"SQLite format 3", *told)):  # of a database, loading it says how it is given
        return True
    if not head.strip() or b"\0" in head:
        return False
    if _is_json(path):
        return True
    lines = [line for line in head.splitlines()[:20] if line.strip()]
    lines = lines[:-1] if len(head) == 16_384 else lines
    if len(lines) < 2:
        return False
    counts = [{line.count(mark) for line in lines} for mark in (b",", b";", b"\t", b"|")]
    return any(len(count) == 1 and count != {0} for count in counts)
