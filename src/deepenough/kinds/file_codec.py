"""What a saved model of files accepts, and what it answers: pictures, recordings, clips.

Needs that this module answers:

* A path, the bytes of a file, an array, a list of them, a table with a column of paths, a folder: all are read alike,
  as those that the model was fitted on.
* What can't be read gets an answer too, that of an empty one, and is counted: one bad file ends no batch.
"""

from __future__ import annotations

import difflib
import os.path
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.errors import ModelError, SourceError
from deepenough.kinds import Codec, file_cells, file_sources, folders, schemas
from deepenough.kinds.file_sources import Form
from deepenough.kinds.file_store import Unusable
from deepenough.kinds.file_task import FileTask
from deepenough.task import frame as frames
from deepenough.task import source as tables
from deepenough.task.frame import Frame
from deepenough.task.target import as_frame

FILE = "file"
"""Column of the answers that names the file, where files are given."""


@dataclass(frozen=True, kw_only=True)
class OfFiles:
    """Mixed into inputs that were read from files. files: their names; unread: how many could not be read."""

    files: tuple[str, ...] = ()
    unread: int = 0


@dataclass(frozen=True, kw_only=True)
class FileCodec(Codec):
    """What a model of files accepts and answers. A kind's own adds how its files are read, as fields.

    column: of a table, that names the files. target, classes, written, positive: as those of tables. example: of a row
    that it accepts.
    """

    column: str
    target: str
    classes: tuple[str, ...] = ()
    written: str = "words"
    positive: str | None = None
    example: Mapping[str, str] | None = None

    form: ClassVar[Form]
    takes_files: ClassVar[bool] = True
    forms: ClassVar[str]
    """In which forms one can be given, for messages."""
    once: ClassVar[bool] = False
    """Whether a file that several rows of a table name is asked about once."""

    @classmethod
    def facts_of(cls, task: FileTask, example: bytes, media: str) -> dict[str, Any]:
        """Those fields that are alike for all kinds. example: content of a file, of that media type."""
        target = task.target
        return {
            "column": task.column,
            "target": target.name,
            "classes": target.classes,
            "written": target.written,
            "positive": target.positive,
            "example": {task.column: file_cells.in_address(example, media)},
        }

    @abstractmethod
    def inputs_of(self, contents: Sequence[bytes | None], files: tuple[str, ...]) -> OfFiles:
        """What a model sees of files' contents; what can't be read counts as unread, and is an empty one."""

    def is_own(self, given: Any) -> bool:
        """Whether something that is neither a path nor bytes is one of the kind."""
        return False

    def content_of(self, given: Any) -> bytes:
        """Such a one as the content of a file. Raises Unusable where it is none."""
        raise Unusable("there is none")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, schema: Mapping[str, Any]) -> Self:
        try:
            return cls(**{**schema, "classes": tuple(schema["classes"])})
        except (KeyError, TypeError) as error:
            raise ModelError(f"The model's schema can't be read: {error}. It was damaged or edited.") from error

    def encode(self, rows: Any) -> Any:
        """Inputs of one file or of several, each a path, bytes, a `data:` address or in a form of the kind's own (an
        array); or of rows that hold such in the column that the model was fitted on.

        Raises ModelError where there is no such column, or where what is given is nothing of these.
        """
        if isinstance(rows, OfFiles):
            return rows
        if self._is_one(rows):
            return self._encoded([rows])
        if isinstance(rows, list | tuple) and all(each is None or self._is_one(each) for each in rows):
            return self._encoded(rows)
        if isinstance(rows, np.ndarray) and rows.ndim > 1 and len(rows) and self._is_one(rows[0]):
            return self._encoded(list(rows))
        if type(rows).__name__ in ("Series", "ndarray"):
            return self._encoded([None if frames.is_nothing(row) else row for row in rows])
        return self._encoded(self._cells(rows))

    def _cells(self, rows: Any) -> list[Any]:
        """What the column of files holds."""
        if isinstance(rows, Mapping):
            rows = [rows]
        if isinstance(rows, list | tuple) and all(isinstance(row, Mapping) for row in rows):
            self._check({key for row in rows for key in row})
            return [row.get(self.column) for row in rows]
        if hasattr(rows, "columns") and not isinstance(rows, Frame) and self.column in list(rows.columns):
            return [None if frames.is_nothing(cell) else cell for cell in rows[self.column]]
        try:
            frame = rows if isinstance(rows, Frame) else frames.from_frame(rows)
        except Exception as error:
            raise ModelError(
                f"A {type(rows).__name__} holds no {self.form.units}. Give {self.forms}, or a table with a column "
                f"{self.column!r} of paths."
            ) from error
        self._check(frame.names)
        return list(frame.column(self.column).strings())

    def _check(self, names: Any) -> None:
        if self.column not in names:
            near = difflib.get_close_matches(self.column, list(map(str, names)), n=3, cutoff=0.5)
            hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise ModelError(
                f"The column {self.column!r} is missing from the rows: it names the {self.form.units}.{hint}"
            )

    def _is_one(self, given: Any) -> bool:
        return isinstance(given, str | Path | bytes | bytearray) or self.is_own(given)

    def _encoded(self, given: Sequence[Any], names: Sequence[str] | None = None) -> OfFiles:
        if names is None:
            names = [_name(each) for each in given]
        return self.inputs_of([self._content(each) for each in given], tuple(names))

    def _content(self, given: Any) -> bytes | None:
        """The content of a file, whatever form it is given in; None where there is none."""
        return file_cells.content(given, self.content_of)

    def decode(self, predictions: np.ndarray, inputs: Any) -> Any:
        answers = as_frame(predictions, self.target, self.classes, self.written)
        if isinstance(inputs, OfFiles) and any(inputs.files) and FILE not in answers:
            answers.insert(0, FILE, [_printable(name) for name in inputs.files])
        return answers

    def row_schema(self) -> dict[str, Any]:
        about = f"One of the {self.form.units}: its file as data:TYPE/FORM;base64,..."
        return schemas.row({self.column: schemas.file(about)}, [self.column])

    def file(self) -> str:
        return f"the file of a {self.form.unit}"

    def answer_schema(self) -> dict[str, Any]:
        return schemas.answer(self.target, self.classes, self.written)

    def unread(self, rows: Any, inputs: Any) -> Mapping[str, int]:
        """Files that could not be read."""
        return {self.column: inputs.unread} if isinstance(inputs, OfFiles) and inputs.unread else {}

    def batches(self, source: Any, size: int) -> Iterator[Any]:
        """Files of a folder or of a zip (in it, or in any folder of it), one file, or the rows of a table."""
        if isinstance(source, list | tuple) and not all(isinstance(each, Mapping) for each in source):
            yield from (list(source[start : start + size]) for start in range(0, len(source), size))
            return
        if not isinstance(source, str | Path) or not self._may_hold_files(Path(os.path.expanduser(source))):
            yield from self._of_table(source, size)
            return
        path = Path(os.path.expanduser(source))
        items = folders.everything(path, self.form.wanted, self.form.units)
        if not items and self.form.wanted(path) and file_sources.is_there(path):
            items = [folders.file_item(path, "", path.name)]
        if not items:
            raise ModelError(
                f"{path} holds no {self.form.units}. Name a folder of them, one of them, or a table of their paths."
            )
        for start in range(0, len(items), size):
            some = items[start : start + size]
            yield self._encoded([_read(item) for item in some], [item.name for item in some])

    def _of_table(self, source: Any, size: int) -> Iterator[Any]:
        """Rows of a table; paths are read from its folder."""
        base = file_sources.base_of(source) if isinstance(source, str | Path) else None
        seen: set[str] = set()
        for rows in tables.batches(source, size, {"columns": [self.column]}):
            if base is None or self.column not in rows:
                yield rows
            else:
                cells = list(rows[self.column])
                if self.once:
                    cells = [cell for cell in dict.fromkeys(cells) if frames.is_nothing(cell) or str(cell) not in seen]
                    seen.update(str(cell) for cell in cells if not frames.is_nothing(cell))
                named = [file_sources.placed(cell, base) for cell in cells]
                yield self._encoded(named, [_name(cell) for cell in cells])

    def _may_hold_files(self, path: Path) -> bool:
        if path.is_dir() or self.form.wanted(path):
            return True
        return folders.is_zip(path) and bool(folders.everything(path, self.form.wanted, self.form.units))


def _printable(name: str) -> str:
    """A file's name as text: bytes of it that are none of UTF-8 are written as numbers."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _name(given: Any) -> str:
    """The name of a file; of what holds the file itself there is none."""
    is_name = isinstance(given, str | Path) and not str(given).startswith(file_cells.DATA)
    return str(given) if is_name else ""


def _read(item: folders.Item) -> bytes:
    """Its content; nothing where it can't be read, which then counts as unread."""
    try:
        return item.read()
    except (OSError, SourceError):
        return b""
