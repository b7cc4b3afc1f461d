"""Where files to learn from come from: a folder (or a zip of one) with a folder a class, or a table of their paths.

Needs that this module answers:

* A table is taken for one of files only if a person says so, or if nothing but their paths could help to answer;
  else it stays a table.
* A path is looked for beside the table; nothing is fetched from anywhere.
* Looking costs next to nothing: names, and the head of a table.
"""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import numpy as np

from deepenough.errors import InputError, OptionError, SourceError
from deepenough.kinds import file_cells, folders
from deepenough.kinds.folders import Item
from deepenough.kinds.prose import tells_nothing
from deepenough.task import files, sql
from deepenough.task import frame as frames
from deepenough.task import source as tables
from deepenough.task.frame import Frame, Raw
from deepenough.task.task import Question

LOOKED_AT = 2_000
"""Rows of a table's head by which it is recognised."""
NEARLY_ALL = 0.9
"""Share of a column's cells that name files of a kind, where it is a column of them."""
FILE, CLASS = "file", "class"
"""Columns that a folder of files becomes."""
LONGEST = 120
"""Letters of a name that are shown of a file that is not there: it may be a file written as an address."""
OTHERS = ("horizon", "series", "text")
"""Options by which a person asks another question."""


@dataclass(frozen=True)
class Form:
    """What the files of a kind are.

    unit, units: what one is called, and several. option: of the command line, that names a table's column of paths.
    wanted: whether a file is one of them, by its name. personal: what is said of persons who can be told by them.
    """

    unit: str
    units: str
    option: str
    wanted: folders.Wanted
    personal: str = ""


@dataclass(frozen=True)
class Found:
    """frame: a row a file, with what else is known of it. items: the files, in the frame's order; None where a row's
    file isn't there. column: of the frame, that names them. of_folder: whether folders are the classes."""

    frame: Frame
    items: tuple[Item | None, ...]
    column: str
    of_folder: bool

    def there(self) -> tuple[list[Item], np.ndarray]:
        """The files that are there, and the rows that they belong to."""
        rows = np.array([row for row, item in enumerate(self.items) if item is not None], dtype=np.int64)
        return [item for item in self.items if item is not None], rows

    def absent(self) -> list[str]:
        """Names of the files that are not there; `(no name)` for an empty cell."""
        said = self.frame.column(self.column).strings()
        return [(name or "(no name)")[:LONGEST] for name, item in zip(said, self.items, strict=True) if item is None]


def recognised(source: Any, question: Question, form: Form) -> str:
    """Why a source holds such files, and they are asked about; empty where it does not."""
    if any(question.options.get(name) for name in OTHERS) or sql.is_address(source):
        return ""
    if isinstance(source, str | Path) and folders.classes(source, form.wanted):
        return f"a folder of {form.units} for each class"
    if isinstance(source, str | Path) and _holds_them_alone(Path(os.path.expanduser(source)), form):
        return f"a folder of {form.units}"
    if wanted := question.options.get(form.option):
        return f"you named {wanted!r} as the column of {form.units}"
    if question.target is None:
        return ""
    try:
        frame = head(source, question)
    except (InputError, OSError):
        return ""  # whoever loads it says what is wrong
    used = {question.target, question.group, question.time, question.folds, question.weights, *question.drop}
    paths: list[Raw] = []
    others: list[Raw] = []
    for column in frame.columns:
        if column.name not in used:
            (paths if names_files(column, form) else others).append(column)
    telling = [column for column in others if not tells_nothing(column)]
    return f"nothing but the {form.units} of {paths[0].name!r} to go by" if len(paths) == 1 and not telling else ""


def _holds_them_alone(path: Path, form: Form) -> bool:
    """Whether it is a folder of such files and of no table: whoever loads it says what it lacks."""
    if not os.path.isdir(path) or any(files.tabular_ending(each.name) for each in path.iterdir()):
        return False
    return bool(folders.everything(path, form.wanted, form.units))


def names_files(column: Raw, form: Form) -> bool:
    """Whether nearly all of a column's cells are names of such files."""
    if column.form != "words" or not column.levels:
        return False
    some = column.levels[:: max(1, len(column.levels) // 200)]
    return sum(form.wanted(_as_path(cell)) for cell in some) >= NEARLY_ALL * len(some)


def _as_path(cell: str) -> PurePath:
    return PurePosixPath(cell.replace("\\", "/").strip())


def head(source: Any, question: Question) -> Frame:
    """The first rows of a table. Raises SourceError where it is none."""
    if isinstance(source, str | Path):
        path = Path(os.path.expanduser(source))
        if not os.path.isfile(path) or not (files.tabular_ending(path.name) or files.looks_tabular(path)):
            raise SourceError(f"{path} is no file of rows and columns.")
        source = next(tables.batches(path, LOOKED_AT, question.options))
    elif not frames.is_frame(source):
        raise SourceError("no frame")
    return frames.from_frame(source, LOOKED_AT)


def read(source: Any, question: Question, form: Form) -> Found:
    """The files with what else is known of them. Raises an InputError where there are none."""
    if isinstance(source, str | Path) and not sql.is_address(source):
        path = Path(os.path.expanduser(source))
        if os.path.isdir(path) or folders.classes(path, form.wanted):
            _refuse_one_class(path, form)
            if wanted := question.options.get(form.option):
                said = f"--{form.option} {wanted} names a column of a table, and {path} is a folder of {form.units}."
                raise OptionError(said)
            return _of_folder(path, form)
    frame = tables.read(source, question.options, seed=question.seed)
    column = frame.column(_column(frame, question, form), f"--{form.option}")
    if column.name == question.target:
        raise OptionError(f"--{form.option} {column.name} is the target too. Name another column for one of them.")
    base = base_of(source)
    items = tuple(item_of(base, name) for name in column.strings())
    if not any(items):
        shown = folders.shown([repr(name) for name in column.strings() if name][:1])
        raise SourceError(
            f"None of the files that {column.name!r} names is there ({shown}). Paths are read from {base}; write them "
            "from there, or whole."
        )
    return Found(frame, items, column.name, of_folder=False)


def _refuse_one_class(path: Path, form: Form) -> None:
    if folders.classes(path, form.wanted):
        return
    if found := folders.everything(path, form.wanted, form.units):
        inside = sorted({name.parts[0] for item in found if len((name := PurePosixPath(item.name)).parts) > 1})
        if folders.are_splits(inside):
            learnt = next((name for name in inside if name.lower().startswith("train")), inside[0])
            raise SourceError(
                f"Folders of {path} part what is learnt from and what is not ({folders.shown(inside)}), and are no "
                f"classes. Name the one to learn from, {path / learnt}, and another one as a test: --test."
            )
        where = f"lie in {inside[0]!r}" if len(inside) == 1 else "lie in no folders"
        raise SourceError(
            f"{path} needs a folder of {form.units} for each class, and all its {form.units} {where}. Sort them into "
            "two or more, or give a table with a column of their paths and one of their answers."
        )


def _column(frame: Frame, question: Question, form: Form) -> str:
    if wanted := question.options.get(form.option):
        return str(wanted)
    others = [column for column in frame.columns if column.name != question.target]
    found = [column.name for column in others if names_files(column, form)]
    if len(found) != 1:
        said = f"{' and '.join(map(repr, found))} name {form.units}" if found else f"No column names {form.units}"
        there = ", ".join(frame.names[:12])
        raise OptionError(f"{said}. Name the one to read: --{form.option} COLUMN. There are: {there}.")
    return found[0]


def base_of(source: Any) -> Path:
    """The folder that paths in a table are looked for from: the table's own, else where the process runs."""
    if isinstance(source, str | Path) and not sql.is_address(source):
        return Path(os.path.expanduser(source)).absolute().parent
    return Path.cwd()


def path_of(base: Path, cell: str) -> Path:
    """Where the file lies that a cell names, seen from a folder."""
    return base / Path(cell.replace("\\", "/") if os.sep == "/" else cell)


def is_there(path: Path) -> bool:
    """Whether it is a file. What is too long for a name, or can't be looked at, is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def placed(cell: Any, base: Path) -> Any:
    """A cell that names a file as the path that leads to it from `base`; one that holds it (bytes, a `data:` address,
    an array) stays, one with nothing becomes None."""
    if frames.is_nothing(cell):
        return None
    if not isinstance(cell, str | Path) or str(cell).startswith(file_cells.DATA):
        return cell
    return str(path_of(base, str(cell))) if str(cell).strip() else None


def item_of(base: Path, name: str | None) -> Item | None:
    """The file that a cell names, seen from a folder; None where there is none."""
    if not name:
        return None
    path = path_of(base, name)
    return folders.file_item(path, "", name) if is_there(path) else None


def _of_folder(path: Path, form: Form) -> Found:
    items = folders.items(path, form.wanted, form.units)
    labels = sorted({item.label for item in items})
    codes = np.array([labels.index(item.label) for item in items], dtype=np.int32)
    names = tuple(item.name for item in items)
    made = (
        Raw(FILE, "words", np.arange(len(items), dtype=np.int32), names),
        Raw(CLASS, "words", codes, tuple(labels)),
    )
    facts: dict[str, Any] = {"name": path.name, "path": str(path.absolute()), "format": "folder"}
    facts |= {"bytes": sum(item.size for item in items), "rows": len(items), "columns": 2}
    facts |= {"rows_in_source": len(items)}
    notes = folders.passed_over(path, items, form.units)
    return Found(Frame(made, len(items), facts, tuple(notes)), tuple(items), FILE, of_folder=True)
