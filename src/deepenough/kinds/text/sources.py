"""Where documents come from: a column of a table, or a folder (or a zip of one) with a folder a class of .txt files.

Needs that this module answers:

* A table is taken for documents only if a person says so, or if nothing else in it could help: a table with one column
  of prose among others is a table.
* Files are read in whatever encoding they are in, and it is said; what is no text is set aside by name.
* Looking costs next to nothing: the head of a file is enough.
"""

from __future__ import annotations

import codecs
import hashlib
import os.path
from collections import Counter
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from deepenough.errors import InputError, OptionError, SourceError
from deepenough.kinds import folders
from deepenough.kinds.prose import is_prose, tells_nothing
from deepenough.task import files, sql
from deepenough.task import frame as frames
from deepenough.task import source as tables
from deepenough.task.frame import Frame, Raw
from deepenough.task.task import Question

LOOKED_AT = 2_000
"""Rows of a table's head by which it is recognised."""
TEXT, CLASS = "text", "class"
"""Columns that a folder of files becomes."""
OTHERS = ("horizon", "series")
"""Options by which a person asks another question of rows of texts than this one."""
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32"}
_BOMS |= {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""The longer ones first: UTF-32's begins with UTF-16's."""


def columns(question: Question) -> tuple[str, ...]:
    """The columns that a person named."""
    return tuple(question.options.get("text") or ())


def recognised(source: Any, question: Question) -> str:
    """Why a source holds documents; empty where it does not."""
    if any(question.options.get(name) for name in OTHERS):
        return ""
    if isinstance(source, str | Path) and not sql.is_address(source) and folders.classes(source, is_text):
        return "a folder of .txt files for each class"
    if named := columns(question):
        return f"you named {' and '.join(map(repr, named))} as what to read"
    if sql.is_address(source) or question.target is None:
        return ""
    try:
        frame = _head(source, question)
    except (InputError, OSError):
        return ""  # whoever loads it says what is wrong
    found, others = prose_of(frame, question)
    return f"nothing but the texts of {' and '.join(map(repr, found))} to go by" if found and not others else ""


def _head(source: Any, question: Question) -> Frame:
    if isinstance(source, str | Path):
        path = Path(os.path.expanduser(source))
        tabular = os.path.isfile(path) and (files.tabular_ending(path.name) or files.looks_tabular(path))
        if not tabular:
            raise SourceError(f"{path} is no file of rows and columns.")
        source = next(tables.batches(path, LOOKED_AT, question.options))
    elif not frames.is_frame(source):
        raise SourceError("no frame")
    return frames.from_frame(source, LOOKED_AT)


def prose_of(frame: Frame, question: Question) -> tuple[list[str], list[str]]:
    """Names of the columns of prose, and of the others that could help; not those that are named for something else."""
    used = {question.target, question.group, question.time, question.folds, question.weights, *question.drop}
    found, others = [], []
    for column in frame.columns:
        if column.name in used:
            continue
        if column.form == "words" and is_prose(column)[0]:
            found.append(column.name)
        elif not tells_nothing(column):
            others.append(column.name)
    return found, others


def read(source: Any, question: Question) -> Frame:
    """The documents with what else is known of them, as rows and columns. Raises an InputError where there are none."""
    if isinstance(source, str | Path) and not sql.is_address(source):
        path = Path(os.path.expanduser(source))
        if os.path.isdir(path) or folders.classes(path, is_text):
            return _read_folder(path)
    used = {question.target, question.group, question.time, question.folds, question.weights}
    ids = [name for name in columns(question) if name not in used]
    return tables.read(source, question.options, seed=question.seed, ids=ids)


# --- folders of files -------------------------------------------------------------------------------------------------


def is_text(name: PurePath) -> bool:
    """Whether a file is a document, by its ending; what is hidden is none."""
    return name.suffix.lower() == ".txt" and not folders.is_hidden(name)


def _read_folder(path: Path) -> Frame:
    texts: list[str | None] = []
    classes: list[str | None] = []
    aside: list[str] = []
    encodings: Counter[str] = Counter()
    digest, size = hashlib.sha256(), 0
    items = folders.items(path, is_text, "texts")
    for item in items:
        content = item.read()
        digest.update(f"{item.name}\0".encode("utf-8", "surrogatepass"))
        digest.update(content)
        size += len(content)
        text, encoding = decoded(content)
        if text is None:
            aside.append(item.name)
            continue
        encodings[encoding] += 1
        texts.append(text)
        classes.append(item.label)
    if not texts:
        raise SourceError(f"{path} holds no .txt files that can be read. Give a folder with a folder of them a class.")
    notes = [f"{count:,} files were read as {name}." for name, count in encodings.items() if name != "utf-8"]
    if aside:
        shown = folders.shown(aside)
        notes.append(f"{len(aside):,} files are no texts (they hold NUL bytes) and are set aside: {shown}.")
    notes += folders.passed_over(path, items, ".txt files")
    levels = sorted({label for label in classes if label is not None})
    place = {label: code for code, label in enumerate(levels)}
    codes = np.array([place[str(label)] for label in classes], dtype=np.int32)
    made = (as_column(TEXT, texts), Raw(CLASS, "words", codes, tuple(levels)))
    facts: dict[str, Any] = {
        "name": path.name,
        "path": str(path.absolute()),
        "format": "folder",
        "sha256": digest.hexdigest(),
    }
    facts |= {"bytes": size, "rows": len(texts), "columns": 2, "rows_in_source": len(texts)}
    return Frame(made, len(texts), facts, tuple(notes))


def as_column(name: str, texts: list[str | None]) -> Raw:
    """A column of texts as they are: empty ones too, which other columns take for missing."""
    known: dict[str, int] = {}
    codes = [-1 if text is None else known.setdefault(text, len(known)) for text in texts]
    return Raw(name, "words", np.array(codes, dtype=np.int32), tuple(known))


def decoded(content: bytes) -> tuple[str | None, str]:
    """The text and its encoding: by its mark, else UTF-8, else Windows-1252; None where it holds NUL bytes."""
    for mark, encoding in _BOMS.items():
        if content.startswith(mark):
            return content.decode(encoding, errors="replace"), encoding.removesuffix("-sig")
    if b"\0" in content[: 1 << 16]:
        return None, ""
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace"), "windows-1252"


def named(frame: Frame, question: Question) -> list[str]:
    """The columns to read: those that a person named, else all of prose. Raises OptionError where there are none."""
    if wanted := columns(question):
        return list(dict.fromkeys(wanted))
    found, _ = prose_of(frame, question)
    if not found:
        raise OptionError(
            "No column of sentences was found to read. Name it: --text COLUMN. "
            f"There are: {', '.join(frame.names[:12])}."
        )
    return found
