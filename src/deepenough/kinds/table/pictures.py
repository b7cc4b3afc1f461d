"""Columns of pictures inside a table, as plain numbers that say what a picture looks like.

Needs that this module answers:

* A column of paths beside other columns is used, not dropped: both families see the same numbers of it, each with a
  name that a person understands. None of them was learnt from other pictures.
* A row without a picture that can be read keeps its other columns; how many these are is said.
* A file is decoded once and found again by the next race; a saved model reads one as it was read for the race.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.kinds import file_cells, file_sources, file_store, picture_files
from deepenough.kinds.file_sources import Form
from deepenough.kinds.file_store import Unusable
from deepenough.kinds.table.inputs import Column
from deepenough.task.frame import Frame, Raw
from deepenough.task.task import Question

FORM = Form("picture", "pictures", "image", picture_files.is_picture)
ROLE = "picture"
SIDE = 64
"""Pixels a side that pictures are drawn to before they are measured."""
VERSION = 1
"""Of the numbers; another one measures anew."""
MOST_LOST = 0.5
"""Share of a column's pictures that can't be read, above which the column is set aside."""
EXAMPLE_SIDE = 24


def _named() -> tuple[str, ...]:
    places = [f"{down} {across}" for down in ("top", "bottom") for across in ("left", "right")]
    fields = [f"brightness in row {row}, column {column} of 4" for row in range(1, 5) for column in range(1, 5)]
    edges = [
        f"{way} edges, {place}" for place in places for way in ("upright", "rising", "level", "falling")
    ]  # in the order of `_edges`
    whole = ["megapixels", "width by height", "brightness", "contrast", "colourfulness", "detail"]
    return (*whole, "red", "green", "blue", *fields, *edges)


NUMBERS = _named()
"""What is measured of each picture, in order."""


@dataclass(frozen=True)
class NumbersReader:
    """A picture as `NUMBERS`."""

    units = "pictures in tables"
    advice = "leave the column out: --drop"
    dtype = "<f4"
    key = f"{VERSION} {picture_files.VERSION}"
    row = (len(NUMBERS),)
    bytes_each = 4 * len(NUMBERS)

    def __call__(self, content: bytes) -> tuple[np.ndarray, dict[str, Any]]:
        return measured(content)[None].astype(np.float32), {}


def measured(content: bytes) -> np.ndarray:
    """`NUMBERS` of a picture file's bytes, float64; colours and brightness from 0 to 1. Raises Unusable."""
    pixels, seen = picture_files.decoded(content, SIDE, SIDE)
    values = pixels.astype(np.float64) / 255
    grey = values.mean(axis=2)
    across, down = np.diff(grey, axis=1), np.diff(grey, axis=0)
    whole = [
        seen.width * seen.height / 1e6,
        seen.width / seen.height,
        grey.mean(),
        grey.std(),
        (values.max(axis=2) - values.min(axis=2)).mean(),
        np.abs(across).mean() + np.abs(down).mean(),
    ]
    fields = grey.reshape(4, SIDE // 4, 4, SIDE // 4).mean(axis=(1, 3))
    return np.concatenate([whole, values.mean(axis=(0, 1)), fields.ravel(), _edges(grey)])


def _edges(grey: np.ndarray) -> np.ndarray:
    """How strong edges of four directions are on average in each quarter of the picture; shape (16,)."""
    down, across = np.gradient(grey)
    strength = np.hypot(across, down)
    turned = (np.arctan2(down, across) + np.pi / 8) % np.pi  # of the change, which is across the edge
    way = np.minimum((turned / (np.pi / 4)).astype(np.int64), 3)
    half = SIDE // 2
    quarters = [(slice(r, r + half), slice(c, c + half)) for r in (0, half) for c in (0, half)]
    return np.array([strength[q][way[q] == n].sum() / half**2 for q in quarters for n in range(4)])


def name_of(column: str, number: str) -> str:
    """What the column of a number is called."""
    return f"{column}: {number}"


# --- a table that is raced --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pictured:
    """What became of a table's columns of pictures.

    of: the picture's column of each column of its numbers. aside: columns that are not used, each with the reason.
    """

    of: Mapping[str, str] = field(default_factory=dict)
    aside: Mapping[str, str] = field(default_factory=dict)


def measured_in(frame: Frame, source: Any, question: Question) -> tuple[Frame, Pictured]:
    """The frame with each column of pictures as the columns of its numbers.

    source: where the frame was read from; paths are looked for beside it.
    """
    used = {question.target, question.group, question.time, question.folds, question.weights, *question.drop}
    found = [c for c in frame.columns if c.name not in used and file_sources.names_files(c, FORM)]
    if not found:
        return frame, Pictured()
    if importlib.util.find_spec("PIL") is None:
        why = f"it names pictures, which are not read: pip install 'deepenough[{FORM.option}]' to use them"
        return frame, Pictured(aside={column.name: why for column in found})
    base = file_sources.base_of(source)
    of: dict[str, str] = {}
    aside: dict[str, str] = {}
    for column in found:
        read = _read(column, base)
        if len(read.decoded.there) and read.lost <= MOST_LOST * read.named:
            frame, names = _with_numbers(frame, column, read)
            of |= dict.fromkeys(names, column.name)
        else:
            aside[column.name] = f"of {read.named:,} pictures {read.lost:,} can't be read ({read.why})"
    return frame, Pictured(of, aside)


@dataclass(frozen=True)
class _Read:
    """Of a column: which cell's picture stands in which row of what was decoded (-1: none), how many cells name one,
    how many of these can't be read, and why the first of them can't."""

    decoded: file_store.Decoded
    there: np.ndarray
    named: int
    lost: int
    why: str


def _read(column: Raw, base: Path) -> _Read:
    cells = column.strings()
    named = sorted({cell for cell in cells if cell})
    items = [item for cell in named if (item := file_sources.item_of(base, cell)) is not None]
    decoded = file_store.decoded(items, NumbersReader())
    row_of = {items[place].name: row for row, place in enumerate(decoded.there.tolist())}
    there = np.array([row_of.get(cell, -1) if cell else -1 for cell in cells], dtype=np.int64)
    lost = [cell for cell in cells if cell and cell not in row_of]
    reasons = {items[place].name: reason for place, reason in decoded.reasons.items()}
    why = f"{lost[0][:80]}: {reasons.get(lost[0], f'not in {base}')}" if lost else ""
    return _Read(decoded, there, sum(1 for cell in cells if cell), len(lost), why)


def _with_numbers(frame: Frame, column: Raw, read: _Read) -> tuple[Frame, Sequence[str]]:
    """The column replaced by its numbers, and what these are called."""
    rows = np.asarray(file_store.mapped(str(read.decoded.path)), np.float64)
    numbers = np.vstack([rows, np.full(len(NUMBERS), np.nan)])[read.there]
    made = [Raw(name_of(column.name, name), "number", numbers[:, place]) for place, name in enumerate(NUMBERS)]
    notes = [f"Of each picture in {column.name!r} {len(NUMBERS)} numbers are read: brightness, colours, edges."]
    if read.lost:
        gone = f"{read.lost:,} of {read.named:,} pictures in {column.name!r} can't be read"
        notes.append(f"{gone} and count as missing ({read.why}).")
    at = frame.names.index(column.name)
    columns = (*frame.columns[:at], *made, *frame.columns[at + 1 :])
    return Frame(columns, frame.rows, read.decoded.hashed(frame.facts), (*frame.notes, *notes)), [
        raw.name for raw in made
    ]


# --- a row that a saved model answers ---------------------------------------------------------------------------------


def numbers_of(cells: Sequence[Any]) -> np.ndarray:
    """`NUMBERS` of each cell, shape (n, numbers); NaN where none can be read.

    cells: paths, bytes of a file, `data:` addresses, arrays of pixels, Pillow images, or None.
    """
    found = np.full((len(cells), len(NUMBERS)), np.nan)
    for row, cell in enumerate(cells):
        try:
            content = file_cells.content(cell, _of_own)
            if content is not None:
                found[row] = measured(content).astype(np.float32)
        except Unusable:
            continue
    return found


def columns_of(picture: str, wanted: Sequence[str], cells: Sequence[Any]) -> Sequence[Column]:
    """Those columns of a picture's numbers that a model sees, of any later rows."""
    numbers = numbers_of(cells)
    place = {name_of(picture, number): place for place, number in enumerate(NUMBERS)}
    return [Column(name, "number", numbers[:, place[name]], of=picture) for name in wanted]


def _of_own(cell: Any) -> bytes:
    if isinstance(cell, np.ndarray) or type(cell).__module__.startswith("PIL"):
        return picture_files.as_file(cell)
    raise Unusable("there is none")


def example() -> str:
    """A picture as a served row holds it: a `data:` address. A plain grey one, for a person's own are not shown."""
    from PIL import Image

    content = io.BytesIO()
    Image.new("RGB", (EXAMPLE_SIDE, EXAMPLE_SIDE), (128, 128, 128)).save(content, "PNG")
    return file_cells.in_address(content.getvalue(), "image/png")
