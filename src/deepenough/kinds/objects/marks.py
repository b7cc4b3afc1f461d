"""Boxes as people write them down, before anything is known of the pictures.

Needs that this module answers:

* Corners, or a corner with width and height, under the names that are usual; which were read is said.
* What can't be a box (no number, no area, outside of its picture) is set aside and counted; what can be mended (swapped
  corners, a box that reaches beyond the edge) is mended and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from deepenough.task.frame import Frame

CORNERS = (
    ("x0", "y0", "x1", "y1"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("left", "top", "right", "bottom"),
    ("x1", "y1", "x2", "y2"),
    ("bboxx0", "bboxy0", "bboxx1", "bboxy1"),
)
SIZES = (
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("left", "top", "width", "height"),
    ("xmin", "ymin", "width", "height"),
    ("bboxx", "bboxy", "bboxwidth", "bboxheight"),
    ("bboxx", "bboxy", "bboxw", "bboxh"),
)
CLASSES = ("class", "label", "category", "classname", "object")
"""Columns that are taken for the class of a box where nobody names one."""
ONE_CLASS = "object"
"""What everything is called where there are no classes."""
LEAST_PIXELS = 1.0
"""Of a side, in the picture as it is."""
LEAST_PICTURES = 5
"""That must hold a class."""


@dataclass(frozen=True)
class Columns:
    """Which of a table's columns say where a box is. are_sizes: the last two are width and height."""

    names: tuple[str, str, str, str]
    are_sizes: bool


@dataclass
class Marks:
    """Boxes as they were written down, one after the other.

    picture: of each the place of its picture among `names`. label: its class. place: corners, float64, shape (m, 4), in
    pixels, or as shares of the picture where `in_shares`. names: of all pictures, those without a box too.
    how: what was read, a sentence. notes: what else is to be said.
    """

    picture: np.ndarray
    label: list[str]
    place: np.ndarray
    names: list[str]
    in_shares: bool
    how: str
    notes: list[str] = field(default_factory=list)


def columns_of(frame: Frame) -> Columns | None:
    """The columns that say where boxes are; None where there are none."""
    numbers = {_plain(column.name): column.name for column in frame.columns if column.form == "number"}
    for are_sizes, known in ((False, CORNERS), (True, SIZES)):
        for names in known:
            if all(name in numbers for name in names):
                first, second, third, fourth = (numbers[name] for name in names)
                return Columns((first, second, third, fourth), are_sizes)
    return None


def class_column(frame: Frame) -> str | None:
    """The column that is taken for the class where nobody names one."""
    there = {_plain(column.name): column.name for column in frame.columns}
    return next((there[name] for name in CLASSES if name in there), None)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def corners(frame: Frame, columns: Columns) -> np.ndarray:
    """Corners of each row, NaN where a cell is empty; shape (rows, 4)."""
    found = np.stack([frame.column(name).values for name in columns.names], axis=1).astype(np.float64)
    if columns.are_sizes:
        found[:, 2:] += found[:, :2]
    return found


@dataclass(frozen=True)
class Kept:
    """Boxes that can be used: of which picture, of which class (a code), where as shares of the picture."""

    picture: np.ndarray
    code: np.ndarray
    place: np.ndarray
    classes: tuple[str, ...]
    said: tuple[str, ...]


def kept(marks: Marks, sizes: Mapping[int, tuple[int, int]], known: Sequence[str] = ()) -> Kept:
    """The boxes of pictures that were read.

    sizes: width and height of each of these, by its place among the names. known: the classes, where they are known.
    """
    counts: Counter[str] = Counter()
    there = np.array([picture in sizes for picture in marks.picture.tolist()], dtype=bool)
    finite = np.isfinite(marks.place).all(axis=1)
    counts["have no four numbers"] = int((there & ~finite).sum())
    rows = np.flatnonzero(there & finite)
    size = np.array([sizes[picture] for picture in marks.picture[rows].tolist()], dtype=np.float64).reshape(-1, 2)
    scale = np.ones_like(size) if marks.in_shares else size
    place = marks.place[rows] / np.tile(scale, 2)
    low, high = np.minimum(place[:, :2], place[:, 2:]), np.maximum(place[:, :2], place[:, 2:])
    mended = {"have their corners swapped and are put right": int((low != place[:, :2]).any(axis=1).sum())}
    cut = np.clip(np.concatenate([low, high], axis=1), 0.0, 1.0)
    flat = ((high - low) * size < LEAST_PIXELS).any(axis=1)
    outside = ~flat & ((cut[:, 2:] - cut[:, :2]) * size < LEAST_PIXELS).any(axis=1)
    counts["are less than a pixel wide or high"], counts["lie outside of their picture"] = (
        int(flat.sum()),
        int(outside.sum()),
    )
    slack = LEAST_PIXELS / np.maximum(np.tile(size, 2), 1)
    over = (np.abs(cut - np.concatenate([low, high], axis=1)) > slack).any(axis=1) & ~flat & ~outside
    mended["reach beyond the edge of their picture and are cut off there"] = int(over.sum())
    sound = np.flatnonzero(~flat & ~outside)
    said = [f"{count:,} boxes {what}: set aside." for what, count in counts.items() if count]
    said += [f"{count:,} boxes {what}." for what, count in mended.items() if count]
    picture, label = marks.picture[rows][sound], [marks.label[row] for row in rows[sound].tolist()]
    classes = tuple(known) or _raced(picture, label, said)
    if strange := sorted(set(label) - set(classes)) if known else []:
        said.append(f"Boxes of classes that are not raced are set aside: {', '.join(strange[:5])}.")
    codes = {name: code for code, name in enumerate(classes)}
    code = np.array([codes.get(name, -1) for name in label], dtype=np.int64)
    of_these = np.flatnonzero(code >= 0)
    return Kept(picture[of_these], code[of_these], cut[sound][of_these], classes, tuple(said))


def _raced(picture: np.ndarray, label: Sequence[str], said: list[str]) -> tuple[str, ...]:
    """The classes; those that too few pictures hold are set aside by name."""
    held: dict[str, set[int]] = {}
    for name, owner in zip(label, picture.tolist(), strict=True):
        held.setdefault(name, set()).add(owner)
    rare = sorted(name for name, owners in held.items() if len(owners) < LEAST_PICTURES)
    if rare:
        shown = ", ".join(f"{name!r} ({len(held[name])})" for name in rare[:5]) + (", ..." if len(rare) > 5 else "")
        said.append(f"Classes that fewer than {LEAST_PICTURES} pictures hold are set aside: {shown}.")
    return tuple(sorted(set(held) - set(rare)))
