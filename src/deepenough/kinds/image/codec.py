"""What a saved model of pictures accepts, and what it answers.

Needs that this module answers:

* A path, the bytes of a file, an array, a Pillow image, a list of them, a table with a column of paths, a folder: all
  are read alike, to the size that the model was fitted on.
* What is no picture gets an answer too, that of an empty one, and is counted: one bad file ends no batch.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import os.path
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.errors import ModelError, SourceError
from deepenough.kinds import Codec, folders
from deepenough.kinds.image import decode, sources
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.image.task import ImageTask, as_png
from deepenough.task import files as task_files
from deepenough.task import frame as frames
from deepenough.task import source as tables
from deepenough.task.frame import Frame
from deepenough.task.target import as_frame

FILE = "file"
"""Column of the answers that names the file, where files are given."""
EMPTY = 127
"""What stands where a picture can't be read."""


@dataclass(frozen=True)
class FilePictures(Pictures):
    """Pictures of files. files: their names; unread: how many could not be read, and count as empty ones."""

    files: tuple[str, ...] = ()
    unread: int = 0

    def take(self, rows: np.ndarray) -> Self:
        """These pictures, in this order."""
        files = tuple(self.files[row] for row in rows.tolist())
        return replace(self, places=self.places[rows], files=files)


@dataclass(frozen=True)
class ImageCodec(Codec):
    """What a model of pictures accepts and answers.

    column: of a table, that names the files. height, width, channels: what pictures are read to. target, classes,
    written, positive: as those of tables. example: of a row that it accepts.
    """

    column: str
    height: int
    width: int
    channels: int
    target: str
    classes: tuple[str, ...] = ()
    written: str = "words"
    positive: str | None = None
    example: Mapping[str, str] | None = None

    @classmethod
    def of(cls, task: ImageTask) -> Self:
        """The codec of a task."""
        target = task.target
        height, width, channels = task.all_inputs.shape
        told = (target.name, target.classes, target.written, target.positive)
        first = as_png(task.all_inputs.read(slice(0, 1))[0])
        return cls(task.column, height, width, channels, *told, {task.column: f"data:image/png;base64,{first}"})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, schema: Mapping[str, Any]) -> Self:
        try:
            return cls(**{**schema, "classes": tuple(schema["classes"])})
        except (KeyError, TypeError) as error:
            raise ModelError(f"The model's schema can't be read: {error}. It was damaged or edited.") from error

    def encode(self, rows: Any) -> Pictures:
        """Inputs of one picture or of several, each a path, bytes, an array, a Pillow image or a `data:` address; or of
        rows that hold such in the column that the model was fitted on.

        Raises ModelError where there is no such column, or where what is given is nothing of these.
        """
        if isinstance(rows, Pictures):
            return rows
        if _is_one(rows):
            return self._encoded([rows])
        if isinstance(rows, list | tuple) and all(each is None or _is_one(each) for each in rows):
            return self._encoded(rows)
        if isinstance(rows, np.ndarray) and rows.ndim == 4:
            return self._encoded(list(rows))
        if type(rows).__name__ in ("Series", "ndarray"):
            return self._encoded([None if frames.is_nothing(row) else row for row in rows])
        return self._encoded(self._cells(rows))

    def _cells(self, rows: Any) -> list[Any]:
        """What the column of pictures holds."""
        if isinstance(rows, Mapping):
            rows = [rows]
        if isinstance(rows, list | tuple) and all(isinstance(row, Mapping) for row in rows):
            self._check({key for row in rows for key in row})
            return [row.get(self.column) for row in rows]
        try:
            frame = rows if isinstance(rows, Frame) else frames.from_frame(rows)
        except Exception as error:
            raise ModelError(
                f"A {type(rows).__name__} holds no pictures. Give paths, bytes, arrays, Pillow images, or a table with "
                f"a column {self.column!r} of paths."
            ) from error
        self._check(frame.names)
        return list(frame.column(self.column).strings())

    def _check(self, names: Any) -> None:
        if self.column not in names:
            near = difflib.get_close_matches(self.column, list(map(str, names)), n=3, cutoff=0.5)
            hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise ModelError(f"The column {self.column!r} is missing from the rows: it names the pictures.{hint}")

    def _encoded(self, given: Sequence[Any], names: Sequence[str] | None = None) -> FilePictures:
        pixels = np.full((len(given), self.height, self.width, 3), EMPTY, dtype=np.uint8)
        unread = 0
        for place, each in enumerate(given):
            try:
                pixels[place] = decode.decoded(_content(each), self.height, self.width)[0]
            except (decode.NoPicture, OSError):
                unread += 1
        called = (
            tuple(names) if names is not None else tuple(str(e) if isinstance(e, str | Path) else "" for e in given)
        )
        return FilePictures(pixels, np.arange(len(given)), self.channels, "", called, unread)

    def decode(self, predictions: np.ndarray, inputs: Any) -> Any:
        answers = as_frame(predictions, self.target, self.classes, self.written)
        if isinstance(inputs, FilePictures) and any(inputs.files) and FILE not in answers:
            answers.insert(0, FILE, list(inputs.files))
        return answers

    def unread(self, rows: Any, inputs: Any) -> Mapping[str, int]:
        """Pictures that could not be read."""
        return {self.column: inputs.unread} if isinstance(inputs, FilePictures) and inputs.unread else {}

    def batches(self, source: Any, size: int) -> Iterator[Any]:
        """Pictures of a folder (in it, or in its folders) or of a zip, one picture, or the rows of a table."""
        if isinstance(source, list | tuple) and not all(isinstance(each, Mapping) for each in source):
            yield from (list(source[start : start + size]) for start in range(0, len(source), size))
            return
        if not isinstance(source, str | Path) or not _may_hold_files(Path(os.path.expanduser(source))):
            yield from self._of_table(source, size)
            return
        path = Path(os.path.expanduser(source))
        if path.is_dir() or not zipfile.is_zipfile(path):
            found = sources.files_of([path])
            items = [folders.file_item(file, "", _called(file, path)) for file in found]
        else:
            items = folders.items(path, decode.is_picture, "pictures")
        if not items:
            raise ModelError(
                f"{path} holds no pictures. Name a folder of them, one of them, or a table of their paths."
            )
        for start in range(0, len(items), size):
            some = items[start : start + size]
            yield self._encoded([_read(item) for item in some], [item.name for item in some])

    def _of_table(self, source: Any, size: int) -> Iterator[Any]:
        """Rows of a table; paths are read from its folder."""
        base = Path(os.path.expanduser(source)).absolute().parent if isinstance(source, str | Path) else None
        for rows in tables.batches(source, size, {"columns": [self.column]}):
            if base is None or self.column not in rows:
                yield rows
            else:
                named = [None if frames.is_nothing(cell) else str(base / str(cell)) for cell in rows[self.column]]
                yield self._encoded(named, [str(cell) for cell in rows[self.column]])


def _is_one(given: Any) -> bool:
    """Whether it is one picture, in any form that one may have."""
    if isinstance(given, np.ndarray):
        return given.ndim in (2, 3) and given.dtype.kind in "uif"
    return isinstance(given, str | Path | bytes | bytearray) or _is_pillow(given)


def _is_pillow(given: Any) -> bool:
    return type(given).__module__.startswith("PIL.")


def _content(given: Any) -> bytes:
    """The bytes of a picture's file, whatever form it is given in. Raises NoPicture or OSError where there are none."""
    if isinstance(given, bytes | bytearray):
        return bytes(given)
    if isinstance(given, Path):
        return given.read_bytes()
    if isinstance(given, str) and given.startswith("data:"):
        try:
            return base64.b64decode(given.partition(",")[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise decode.NoPicture("its base64 is broken") from error
    if isinstance(given, str):
        return Path(os.path.expanduser(given.strip())).read_bytes()
    if isinstance(given, np.ndarray) or _is_pillow(given):
        return decode.as_file(given)
    raise decode.NoPicture("there is none")


def _may_hold_files(path: Path) -> bool:
    if path.is_dir() or decode.is_picture(path):
        return True
    is_zip = path.is_file() and not task_files.tabular_ending(path.name) and zipfile.is_zipfile(path)
    return is_zip and bool(folders.classes(path, decode.is_picture))


def _read(item: folders.Item) -> bytes:
    """Its content; nothing where it can't be read, which then counts as unread."""
    try:
        return item.read()
    except (OSError, SourceError):
        return b""


def _called(file: Path, place: Path) -> str:
    return file.relative_to(place).as_posix() if place.is_dir() else file.name
