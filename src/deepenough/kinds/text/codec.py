"""What a saved model of documents accepts, and what it answers.

Needs that this module answers:

* One string costs next to nothing; a list of strings, of dicts, a frame or a file is read alike.
* A missing or empty text is a text; columns in another order, or more of them, change nothing; an absent one is named.
"""

from __future__ import annotations

import difflib
import os.path
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.errors import ModelError
from deepenough.kinds import Codec, schemas
from deepenough.kinds.text import reading, sources
from deepenough.kinds.text.inputs import Texts
from deepenough.kinds.text.task import TextTask
from deepenough.task import frame as frames
from deepenough.task import names as naming
from deepenough.task import parsing
from deepenough.task import source as tables
from deepenough.task.frame import Frame
from deepenough.task.target import as_frame

SHOWN_LETTERS = 200
FILE = "file"
"""Column of the answers that names the file, where a folder of them is read."""


@dataclass(frozen=True)
class FileTexts(Texts):
    """Documents of files. files: their names; unread: how many are no texts, and count as empty ones."""

    files: tuple[str, ...] = ()
    unread: int = 0

    def take(self, rows: np.ndarray) -> Self:
        """These documents, in this order."""
        places = rows.tolist()
        return replace(
            self, texts=tuple(self.texts[row] for row in places), files=tuple(self.files[row] for row in places)
        )


@dataclass(frozen=True)
class TextCodec(Codec):
    """What a model of documents accepts and answers.

    columns: that are read, in this order. target, classes, written, positive: as those of tables.
    """

    columns: tuple[str, ...]
    target: str
    classes: tuple[str, ...] = ()
    written: str = "words"
    positive: str | None = None
    example: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, task: TextTask) -> Self:
        """The codec of a task."""
        target = task.target
        first = {
            name: (task.frame.column(name).take(np.array([0])).strings()[0] or "")[:SHOWN_LETTERS]
            for name in task.names
        }
        return cls(task.names, target.name, target.classes, target.written, target.positive, first)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, schema: Mapping[str, Any]) -> Self:
        try:
            return cls(**{**schema, "columns": tuple(schema["columns"]), "classes": tuple(schema["classes"])})
        except (KeyError, TypeError) as error:
            raise ModelError(f"The model's schema can't be read: {error}. It was damaged or edited.") from error

    def encode(self, rows: Any) -> Texts:
        """Inputs of a string, a list of strings, a dict, a list of dicts, a frame, or a `Frame`.

        Raises ModelError where a column is absent; its name and the nearest ones are said.
        """
        if isinstance(rows, Texts):
            return rows
        if isinstance(rows, str | Mapping):
            rows = [rows]
        if type(rows).__name__ in ("Series", "ndarray"):
            rows = [None if frames.is_nothing(row) else row for row in rows]
        if isinstance(rows, list | tuple) and all(isinstance(row, str) or row is None for row in rows):
            return Texts(tuple(map(reading.cell, rows)))
        columns = _columns_of(rows)
        self._check(list(columns))
        cells = [[_as_text(cell) for cell in columns[name]()] for name in self.columns]
        return Texts(tuple("\n\n".join(filter(None, each)) for each in zip(*cells, strict=True)))

    def _check(self, names: Sequence[str]) -> None:
        for name in self.columns:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
                hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
                raise ModelError(f"The column {name!r} is missing from the rows; its texts may be empty.{hint}")

    def decode(self, predictions: np.ndarray, inputs: Any) -> Any:
        answers = as_frame(predictions, self.target, self.classes, self.written)
        if isinstance(inputs, FileTexts) and FILE not in answers:
            answers.insert(0, FILE, list(inputs.files))
        return answers

    def row_schema(self) -> dict[str, Any]:
        return schemas.row({name: schemas.text("A text.") for name in self.columns}, self.columns)

    def answer_schema(self) -> dict[str, Any]:
        return schemas.answer(self.target, self.classes, self.written)

    def unread(self, rows: Any, inputs: Any) -> Mapping[str, int]:
        """Files that are no texts; any cell of a table is one."""
        return {FILE: inputs.unread} if isinstance(inputs, FileTexts) and inputs.unread else {}

    def batches(self, source: Any, size: int) -> Iterator[Any]:
        """Rows of a table, or the .txt files of a folder: those in it, or in a folder for each class."""
        if isinstance(source, str | Path) and os.path.isdir(os.path.expanduser(source)):
            yield from self._files(Path(os.path.expanduser(source)), size)
            return
        if isinstance(source, list | tuple) and all(isinstance(row, str) for row in source):
            yield from (list(source[start : start + size]) for start in range(0, len(source), size))
            return
        yield from tables.batches(source, size, {"columns": list(self.columns)})

    def _files(self, folder: Path, size: int) -> Iterator[Any]:
        paths = [path for path in sorted([*folder.glob("*"), *folder.glob("*/*")]) if sources.is_text(path)]
        if not paths:
            raise ModelError(f"{folder} holds no .txt files. Name a folder of them, or a table.")
        for start in range(0, len(paths), size):
            some = paths[start : start + size]
            texts = [sources.decoded(path.read_bytes())[0] for path in some]
            names = tuple(path.relative_to(folder).as_posix() for path in some)
            yield FileTexts(tuple(text or "" for text in texts), files=names, unread=texts.count(None))


def _as_text(cell: Any) -> str:
    return "" if frames.is_nothing(cell) else reading.cell(parsing.as_id(cell))


def _columns_of(rows: Any) -> Mapping[str, Any]:
    """Functions that give the cells of each column."""
    if isinstance(rows, Frame):
        return {column.name: column.strings for column in rows.columns}
    if isinstance(rows, list | tuple):
        if not all(isinstance(row, Mapping) for row in rows):
            raise ModelError("Rows must be texts, a frame, or a list of dicts with the columns' names as keys.")
        keys = list(dict.fromkeys(key for row in rows for key in row))
        tidied = naming.tidied(keys)
        return {name: (lambda key=key: [row.get(key) for row in rows]) for key, name in zip(keys, tidied, strict=True)}
    if type(rows).__module__.startswith("pandas"):
        tidied = naming.tidied(list(rows.columns))
        return {name: (lambda place=place: rows.iloc[:, place].tolist()) for place, name in enumerate(tidied)}
    import narwhals as nw

    try:
        table = nw.from_native(frames.whole_table(frames.named_apart(rows)[0]), eager_only=True)
    except TypeError as error:
        raise ModelError(
            f"A {type(rows).__name__} holds no texts. Give strings, a frame, or a list of dicts."
        ) from error
    return {str(name): (lambda name=name: table[name].to_list()) for name in table.columns}
