"""Where pictures and the boxes in them come from: a table with a row a box, a folder with one, or files beside them.

Needs that this module answers:

* A table's row is a box, and a unit is a picture: what else a row says (a group, a time, a fold, a weight) must be the
  same in all rows of a picture.
* A picture without a box counts as one without objects only where its source can say so: a row with four empty cells, a
  folder that is listed, COCO's list, YOLO's lines.
"""

from __future__ import annotations

import hashlib
import os.path
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from deepenough.errors import ColumnError, InputError, OptionError, SourceError
from deepenough.kinds import file_sources, folders, picture_files
from deepenough.kinds.folders import Item
from deepenough.kinds.objects import beside, marks
from deepenough.kinds.objects.marks import Marks
from deepenough.kinds.picture_task import FORM
from deepenough.task import source as tables
from deepenough.task import sql
from deepenough.task.frame import Frame, Raw
from deepenough.task.task import Question

FILE = file_sources.FILE
NO_PICTURE = "name no picture"
OF_PICTURES = ("group", "time", "folds", "weights")
"""Options that name a column of what is true of a whole picture."""


@dataclass(frozen=True)
class Found:
    """frame: a row a picture. items: their files, None where one is not there. column: of the frame, that names them.
    marks: the boxes; their pictures are the frame's rows. target: what the class is called."""

    frame: Frame
    items: tuple[Item | None, ...]
    column: str
    marks: Marks
    target: str


def recognised(source: Any, question: Question) -> str:
    """Why a source holds boxes around objects, and they are asked about; empty where it does not."""
    if any(question.options.get(name) for name in file_sources.OTHERS) or sql.is_address(source):
        return ""
    if question.options.get("boxes"):
        return f"you named {question.options['boxes']} as the table of boxes"
    if isinstance(source, str | Path):
        path = Path(os.path.expanduser(source))
        if os.path.isdir(path) or path.suffix.lower() == ".zip":
            form = beside.form_of(folders.everything(path, beside.wanted, FORM.units))
            return f"pictures, and boxes around objects in {form}" if form else ""
    try:
        frame = file_sources.head(source, question)
    except (InputError, OSError):
        return ""  # whoever loads it says what is wrong
    found = marks.columns_of(frame)
    paths = [column.name for column in frame.columns if file_sources.names_files(column, FORM)]
    if found is None or not paths or question.target in found.names:
        return ""
    return f"{paths[0]!r} names pictures, and {', '.join(found.names)} say where a box is"


def read(source: Any, question: Question) -> Found:
    """The pictures and their boxes. Raises an InputError where there are none."""
    boxes = question.options.get("boxes")
    path = Path(os.path.expanduser(source)) if isinstance(source, str | Path) and not sql.is_address(source) else None
    if path is not None and (os.path.isdir(path) or path.suffix.lower() == ".zip"):
        return _beside_a_table(path, str(boxes), question) if boxes else _beside_files(path, question)
    if boxes:
        raise OptionError(
            f"--boxes {boxes} goes with a folder of pictures, and {source} is none. Leave one of them out."
        )
    return _of_table(source, question)


# --- a table ----------------------------------------------------------------------------------------------------------


def _of_table(source: Any, question: Question) -> Found:
    frame = _whole(source, question)
    column = _path_column(frame, question)
    base = file_sources.base_of(source)
    first, owner = _first_rows(frame.column(column).strings())
    pictures = _of_pictures(frame, first, owner, question)
    names = [name or "" for name in pictures.column(column).strings()]
    items = tuple(file_sources.item_of(base, name) for name in names)
    if not any(items):
        shown = folders.shown([repr(name) for name in names if name][:1])
        raise SourceError(
            f"None of the files that {column!r} names is there ({shown}). Paths are read from {base}; write them from "
            "there, or whole."
        )
    found, target = _read_rows(frame, column, owner, names, question)
    return Found(_facts(pictures, found, str(frame.facts.get("name", "table"))), items, column, found, target)


def _whole(source: Any, question: Question) -> Frame:
    frame = tables.read(source, question.options, seed=question.seed)
    if (rows := frame.facts["rows_in_source"]) > frame.rows:
        raise SourceError(f"The table has {rows:,} rows; {frame.rows:,} can be read. Give fewer boxes or columns.")
    return frame


def _path_column(frame: Frame, question: Question) -> str:
    if wanted := question.options.get(FORM.option):
        return frame.column(str(wanted), f"--{FORM.option}").name
    found = [each.name for each in frame.columns if file_sources.names_files(each, FORM)]
    found = [name for name in found if name != question.target]
    if len(found) != 1:
        said = f"{' and '.join(map(repr, found))} name pictures" if found else "No column names pictures"
        raise OptionError(f"{said}. Name the one to read: --image COLUMN. There are: {', '.join(frame.names[:12])}.")
    return found[0]


def _first_rows(names: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """The first row of each picture, and of each row the place of its picture; -1 where it names none."""
    places: dict[str, int] = {}
    first: list[int] = []
    owner: list[int] = []
    for row, name in enumerate(names):
        if name and name not in places:
            places[name] = len(first)
            first.append(row)
        owner.append(places[name] if name else -1)
    return np.array(first, dtype=np.int64), np.array(owner, dtype=np.int64)


def _of_pictures(frame: Frame, first: np.ndarray, owner: np.ndarray, question: Question) -> Frame:
    """A row a picture. Raises OptionError where rows of one say different things of it."""
    for option in OF_PICTURES:
        name = getattr(question, option)
        if name is None:
            continue
        values = np.nan_to_num(frame.column(name, f"--{option}").values.astype(np.float64), nan=-1.0)
        differing = np.flatnonzero((owner >= 0) & (values != values[first][owner]))
        if len(differing):
            raise OptionError(
                f"--{option} {name!r} differs between rows of one picture (row {differing[0] + 1}), and a picture "
                "stands on one side. Give all its rows the same."
            )
    return frame.take(first)


def _read_rows(frame: Frame, column: str, owner: np.ndarray, names: list[str], question: Question) -> tuple[Marks, str]:
    """The boxes of a table's rows, and what their class is called. column: that names the pictures."""
    columns = marks.columns_of(frame)
    if columns is None:
        raise ColumnError(
            "No columns say where boxes are. Name them x0, y0, x1, y1 (or xmin, ymin, xmax, ymax; left, top, right, "
            f"bottom; x, y, width, height), in pixels. There are: {', '.join(frame.names[:12])}."
        )
    target = question.target or marks.class_column(frame)
    of_class = None if target is None else frame.column(target)
    if of_class is not None and of_class.name in columns.names:
        raise OptionError(f"--target {target} says where boxes are. Name the column of their classes, or leave it out.")
    place = marks.corners(frame, columns)
    empty, nameless = np.isnan(place).all(axis=1), owner < 0
    rows = np.flatnonzero(~empty & ~nameless)
    told = [marks.ONE_CLASS] * frame.rows if of_class is None else of_class.strings()
    label = [told[row] or "" for row in rows.tolist()]
    shape = "the left upper corner, width and height" if columns.are_sizes else "two corners"
    whose = "all of one class" if of_class is None else f"classes from {target!r}"
    how = f"Boxes are read from {', '.join(columns.names)} ({shape}, in pixels of the pictures as they are), {whose}."
    read = {column, target, *columns.names, *question.drop, *(getattr(question, name) for name in OF_PICTURES)}
    notes = []
    if others := [name for name in frame.names if name not in read]:
        notes.append(f"Columns that say nothing of a box are not read: {folders.shown(others)}.")
    if without := len(set(owner[empty & ~nameless].tolist()) - set(owner[rows].tolist())):
        notes.append(f"{without:,} pictures are named without a box: they hold no objects.")
    if count := int(nameless.sum()):
        notes.append(f"{count:,} boxes {NO_PICTURE}: set aside.")
    if count := label.count(""):
        notes.append(f"{count:,} boxes have no class: set aside.")
    named = np.array([bool(name) for name in label], dtype=bool)
    rows, label = rows[named], [name for name in label if name]
    return Marks(owner[rows], label, place[rows], names, False, how, notes), target or marks.ONE_CLASS


# --- a folder ---------------------------------------------------------------------------------------------------------


def _beside_a_table(path: Path, boxes: str, question: Question) -> Found:
    """A folder (or zip) of pictures, and a table of boxes: pictures without a row hold nothing."""
    items = folders.everything(path, picture_files.is_picture, FORM.units)
    if not items:
        raise SourceError(f"{path} holds no pictures. Name the folder, or the zip, that they lie in.")
    frame = _whole(boxes, question)
    names = [item.name for item in items]
    paths, owner = frame.column(_path_column(frame, question)), np.full(frame.rows, -1, dtype=np.int64)
    found, unclear = _places(names, paths, path, file_sources.base_of(boxes))
    if unclear:  # whose boxes they are is not known, and without any they would count as empty
        items = [item for item in items if item.name not in unclear]
        names = [item.name for item in items]
        found, _ = _places(names, paths, path, file_sources.base_of(boxes))
    for row, name in enumerate(paths.strings()):
        owner[row] = found.get(name or "", -1)
    strange = sorted({name for name, place in found.items() if place < 0})
    if len(strange) == len(found):
        raise SourceError(f"No picture of {path} has a name that {paths.name!r} of {boxes} gives: {strange[0]!r}.")
    told, target = _read_rows(frame, paths.name, owner, names, question)
    told.notes = [note for note in told.notes if NO_PICTURE not in note]
    if strange:
        lost, shown = sum(name in set(strange) for name in paths.strings()), folders.shown(strange, 3)
        told.notes.append(f"{lost:,} boxes are of {len(strange):,} pictures that are not there: {shown}.")
    if unclear:
        shown = folders.shown(sorted(unclear), 3)
        told.notes.append(f"{len(unclear):,} pictures are set aside, for names of {boxes} may mean several: {shown}.")
    empty = len(names) - len(set(told.picture.tolist()))
    told.notes += [f"{empty:,} pictures of the folder have no box: they hold no objects."] if empty else []
    pictures = _listed(names, paths.name)
    for option in OF_PICTURES:  # of a picture without a box nothing is known
        if (name := getattr(question, option)) is not None and name != paths.name:
            pictures = _with_column(pictures, frame, frame.column(name, f"--{option}"), owner, option)
    return Found(_facts(pictures, told, path.name, path), tuple(items), paths.name, told, target)


def _places(names: Sequence[str], column: Raw, folder: Path, base: Path) -> tuple[dict[str, int], set[str]]:
    """Of each name that a table gives the place of its picture, -1 where it is not there; and pictures that such a name
    may mean beside others.

    folder: of the pictures. base: the table's. A path is one from either folder; else the end of one picture's path, or
    that ends with one, if it leads to no other file.
    """
    whole = {name: place for place, name in enumerate(names)}
    given = {name: name.replace("\\", "/").removeprefix("./") for name in column.strings() if name}
    found = {name: _whole_path(plain, whole, folder, base) for name, plain in given.items()}
    by_end: dict[str, list[str]] = {}
    for name in names:
        by_end.setdefault(PurePosixPath(name).name, []).append(name)
    taken, unclear = set(found.values()), set()
    for name, plain in given.items():
        if found[name] >= 0 or file_sources.is_there(file_sources.path_of(base, plain)):
            continue
        ends = [each for each in by_end.get(PurePosixPath(plain).name, ()) if _ends_alike(each, plain)]
        free = [whole[each] for each in ends if whole[each] not in taken]
        if len(free) == 1:
            found[name] = free[0]
        elif len(free) > 1:
            unclear |= {names[place] for place in free}
    claims = Counter(place for name, place in found.items() if place not in taken)
    contested = {place for place, count in claims.items() if count > 1}
    unclear |= {names[place] for place in contested}
    return {name: -1 if place in contested else place for name, place in found.items()}, unclear


def _whole_path(plain: str, whole: Mapping[str, int], folder: Path, base: Path) -> int:
    """The place of the picture whose path it is, from the pictures' folder or from the table's; -1 where none is."""
    from_base = os.path.relpath(base / plain, folder.absolute()).replace(os.sep, "/")
    return whole.get(plain, whole.get(from_base, -1))


def _ends_alike(one: str, other: str) -> bool:
    """Whether one path is the end of the other, in whole names."""
    return f"/{one}".endswith(f"/{other}") or f"/{other}".endswith(f"/{one}")


def _with_column(pictures: Frame, frame: Frame, column: Raw, owner: np.ndarray, option: str) -> Frame:
    rows = np.flatnonzero(owner >= 0)
    values = np.full(pictures.rows, -1 if column.form == "words" else np.nan, dtype=column.values.dtype)
    values[owner[rows]] = column.values[rows]
    given, kept = column.values[rows], values[owner[rows]]
    if not np.array_equal(given, kept, equal_nan=given.dtype.kind == "f"):
        raise OptionError(
            f"--{option} {column.name!r} differs between rows of one picture. Give all its rows the same."
        )
    return replace(pictures, columns=(*pictures.columns, replace(column, values=values)))


def _beside_files(path: Path, question: Question) -> Found:
    items = folders.everything(path, beside.wanted, FORM.units)
    found = beside.read(items, path.name)
    if not found.names:
        raise SourceError(f"None of the pictures that the boxes of {path} belong to is there.")
    for option in OF_PICTURES:
        if (name := getattr(question, option)) is not None:
            raise OptionError(
                f"--{option} {name} names a column, and there is no table. Give the boxes as one: --boxes."
            )
    by_name = {item.name: item for item in items}
    wanted = tuple(by_name[name] for name in found.names)
    facts = _facts(_listed(found.names), found, path.name, path)
    return Found(facts, wanted, FILE, found, question.target or marks.ONE_CLASS)


def _listed(names: Sequence[str], column: str = FILE) -> Frame:
    return Frame((Raw(column, "words", np.arange(len(names), dtype=np.int32), tuple(names)),), len(names))


def _facts(pictures: Frame, found: Marks, name: str, path: Path | None = None) -> Frame:
    """The frame with what is known of its source; the digest is of all boxes, that of the pictures is added later."""
    digest = hashlib.sha256("\n".join([*found.names, *found.label]).encode("utf-8", "surrogatepass"))
    digest.update(found.picture.tobytes() + found.place.tobytes())
    facts = {**pictures.facts, "name": name, "sha256": digest.hexdigest(), "boxes": len(found.label)}
    facts |= {"rows": pictures.rows, "rows_in_source": pictures.rows}
    facts |= {"path": str(path.absolute()), "format": "folder"} if path is not None else {}
    return replace(pictures, facts=facts)
