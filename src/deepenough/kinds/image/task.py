"""One question about pictures: which are read and how large, who learns and who judges, what is odd about them.

Needs that this module answers:

* What is asked of the rows is read as for all kinds (see `task.rows`); here are the pictures.
* A file that can't be used is set aside by name, and the race goes on with the others.
* Pictures are read at one size, theirs where they are small; what is kept of large ones is said.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from deepenough.errors import SourceError
from deepenough.judge.traits import Trait
from deepenough.kinds import folders
from deepenough.kinds.folders import Item
from deepenough.kinds.image import copies, decode, sources, store
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.image.store import Decoded
from deepenough.task import rows
from deepenough.task.frame import Frame, Raw
from deepenough.task.rows import Asked, RowsTask
from deepenough.task.splits import Splits
from deepenough.task.task import Question

LONGEST, SHORTEST = 96, 16
"""Pixels of the longer side that pictures are read with, at most; and of any side, at least."""
WIDEST = 2.0
"""No side is read longer than so many times the other."""
LOOKED_AT = 300
"""Pictures whose own sizes say how large all are read."""
MANY_COPIES = 0.05
FIELDS = 6
"""A side, that are hidden one after the other to see what an answer goes by."""
TINY = 8
SHOWN_SIDE = 96
NAMED = 50
"""Files that are set aside are named one by one up to so many."""


class ImageTask(RowsTask):
    """Pictures and the answer to predict, made ready.

    column: of the frame, that names the files. names: of the files. decoded: what is known of each.
    """

    def __init__(
        self, pictures: Pictures, asked: Asked, made: Splits, column: str, names: Sequence[str], decoded: Decoded
    ) -> None:
        super().__init__(pictures, asked, made, 1)
        self.column, self.names, self.decoded = column, tuple(names), decoded
        self.frame = asked.frame

    def show(self, fold: int, places: np.ndarray) -> Sequence[Mapping[str, Any]]:
        judged = self.splits.folds[fold].judged[places]
        pixels = self.all_inputs.take(judged).read()
        return [
            {"form": "picture", "name": self.names[row], "picture": as_png(each)}
            for row, each in zip(judged.tolist(), pixels, strict=True)
        ]

    def occluded(self, units: Sequence[tuple[int, int]]) -> tuple[Any, tuple[int, int]] | None:
        """Each field in turn of the picture's mean colour."""
        rows = np.array([self.splits.folds[fold].judged[place] for fold, place in units], dtype=np.int64)
        some = self.all_inputs.take(rows)
        height, width, channels = some.shape
        hidden = np.repeat(np.array(some.pixels[some.places]), FIELDS**2, axis=0)
        for number in range(len(hidden)):
            row, column = divmod(number % FIELDS**2, FIELDS)
            region = (
                slice(row * height // FIELDS, (row + 1) * height // FIELDS),
                slice(column * width // FIELDS, (column + 1) * width // FIELDS),
            )
            hidden[number][region] = hidden[number].mean(axis=(0, 1))
        return Pictures.of(hidden, channels), (FIELDS, FIELDS)

    def traits(self, fold: int) -> Sequence[Trait]:
        judged = self.splits.folds[fold].judged
        return tuple(trait.take(judged) for trait in self._traits)

    @cached_property
    def _traits(self) -> tuple[Trait, ...]:
        light, spread, colour, detail = measured(self.all_inputs).T
        sizes = self.decoded.sizes[self.all_inputs.places].astype(np.float64)
        found = (
            Trait("brightness", light),
            Trait("contrast", spread),
            Trait("detail", detail),
            Trait("width", sizes[:, 0]),
            Trait("height", sizes[:, 1]),
        )
        return (*found, Trait("colour", colour)) if self.all_inputs.channels == 3 else found

    def describe(self) -> dict[str, Any]:
        """The pictures in plain values."""
        height, width, channels = self.all_inputs.shape
        return {
            "rows": self.rows,
            "columns": [{"name": self.column, "role": "picture"}],
            "read_as": {"height": height, "width": width, "channels": channels},
            "target": {**self.question_facts, "spread": self.spread()},
            "splits": {"judging": self.judging, "splitting": self.splitting, "folds": self.folds},
        }


def measured(pictures: Pictures) -> np.ndarray:
    """Of each picture brightness, contrast, colourfulness and detail, from 0 to about 1; shape (n, 4)."""
    found = []
    for portion in pictures.portions():
        values = portion.astype(np.float32) / 255
        grey = values.mean(axis=3)
        across, down = (np.abs(np.diff(grey, axis=axis)).mean(axis=(1, 2)) for axis in (2, 1))
        colour = (values.max(axis=3) - values.min(axis=3)).mean(axis=(1, 2))
        found.append(np.stack([grey.mean(axis=(1, 2)), grey.std(axis=(1, 2)), colour, across + down], axis=1))
    return np.concatenate(found).astype(np.float64)


def as_png(pixels: np.ndarray, side: int = SHOWN_SIDE) -> str:
    """A picture as base64 of a PNG, no longer than `side`. pixels: uint8, shape (height, width, channels)."""
    from PIL import Image

    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((side, side))
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return base64.b64encode(content.getvalue()).decode("ascii")


def load(source: Any, question: Question) -> ImageTask:
    """Read a source and make its task ready. Raises an InputError that says what to do where it can't."""
    found = sources.read(source, question)
    if question.target is None and found.of_folder:
        question = replace(question, target=sources.CLASS)
    if question.target is None:
        rows.asked(found.frame, question)  # which says that a target must be named
    items, there = there_are(found.items)
    height, width = size_of(items, question.options.get("side"))
    decoded = store.decoded(items, height, width)
    if not len(decoded.there):
        raise SourceError(
            f"None of the {len(items):,} files of {found.frame.facts['name']} is a picture that can be used: "
            f"{items[0].name}: {decoded.reasons[0]}."
        )
    frame = found.frame.take(there[decoded.there])
    frame = replace(frame, facts={**frame.facts, "sha256": _digest(frame, decoded)})
    pictures = Pictures.mapped(decoded.path, 1 if bool(decoded.greys.all()) else 3)
    names = [item.name for item in items]
    return made_of(frame, question, found.column, names, decoded, pictures, absent_of(found))


def _digest(frame: Frame, decoded: Decoded) -> str:
    """Of the table, if there is one, and of all the files that it names."""
    of_table = str(frame.facts.get("sha256") or "")
    return hashlib.sha256(f"{of_table}{decoded.sha256}".encode()).hexdigest() if of_table else decoded.sha256


def there_are(items: Sequence[Item | None]) -> tuple[list[Item], np.ndarray]:
    """The files that are there, and the rows that they belong to."""
    there = np.array([row for row, item in enumerate(items) if item is not None], dtype=np.int64)
    return [item for item in items if item is not None], there


def absent_of(found: sources.Found) -> list[str]:
    """Names of the files that are not there; `(no name)` for an empty cell."""
    said = found.frame.column(found.column).strings()
    return [name or "(no name)" for name, item in zip(said, found.items, strict=True) if item is None]


def size_of(items: Sequence[Item], side: int | None) -> tuple[int, int]:
    """Height and width that pictures are read with: of their usual shape and size, no longer than `LONGEST`.

    side: the longer side that a person asked for.
    """
    looked = items[:: max(1, len(items) // LOOKED_AT)]
    sizes = []
    for item in looked:
        try:
            seen = decode.look(item.read())
        except (decode.NoPicture, OSError, SourceError):
            continue
        sizes.append((seen.height, seen.width))
    if not sizes:
        return SHORTEST, SHORTEST
    heights, widths = np.array(sizes, dtype=np.float64).T
    shape = float(np.clip(np.median(heights / widths), 1 / WIDEST, WIDEST))
    longest = side or min(float(np.median(np.maximum(heights, widths))), LONGEST)
    most = longest * min(1.0, (store.LARGEST_BYTES / max(1, len(items)) / 3 / longest**2) ** 0.5)
    height, width = (most, most / shape) if shape >= 1 else (most * shape, most)
    return max(SHORTEST, round(height)), max(SHORTEST, round(width))


def made_of(
    frame: Frame,
    question: Question,
    column: str,
    names: Sequence[str],
    decoded: Decoded,
    pictures: Pictures,
    absent: Sequence[str],
) -> ImageTask:
    """The task of pictures that were decoded.

    frame: a row for each of them. names: of all files that were there. pictures: the decoded ones, in the frame's
    order. absent: names of files that are not there.
    """
    frame.column(str(question.target))  # names those that there are, where it is none
    asked = rows.asked(_placed(frame), question)
    order = asked.frame.column(PLACE).values.astype(np.int64)
    out = rows.not_inputs(asked) | {PLACE, column}
    for other in asked.frame.columns:
        if other.name not in out:
            asked.found.aside(other.name, "not read: only pictures are; --kind table reads all columns together")
    pictures = pictures.take(order)
    _say_what_was_set_aside(names, decoded, absent, asked)
    _say_what_is_odd(pictures, names, decoded, asked)
    found = copies.of(pictures, asked.target.values, apart=question.group is None and question.folds is None)
    if found.note and found.clusters is not None and found.share > MANY_COPIES:
        asked.found.flag("duplicates", "warn", found.note)
    elif found.note:
        asked.found.notes.append(found.note)
    rows.doubt_numbers(asked)
    raced = [names[place] for place in decoded.there[order].tolist()]
    return ImageTask(pictures, asked, rows.split(asked, found.clusters), column, raced, decoded)


PLACE = "place of the picture"
"""Column that is added while rows are read: which picture a row has."""


def _placed(frame: Frame) -> Frame:
    place = Raw(PLACE, "number", np.arange(frame.rows, dtype=np.float64))
    return replace(frame, columns=(*frame.columns, place))


def _say_what_was_set_aside(names: Sequence[str], decoded: Decoded, absent: Sequence[str], asked: Asked) -> None:
    reasons = [(names[place], reason) for place, reason in decoded.reasons.items()]
    reasons += [(name, "the file is not there") for name in absent]
    for name, reason in reasons[:NAMED]:
        asked.found.aside(name, reason)
    if reasons:
        shown = folders.shown([f"{name} ({reason})" for name, reason in reasons], 3)
        asked.found.notes.append(f"{len(reasons):,} files are set aside: {shown}.")
    lost = len(reasons) / (len(names) + len(absent))
    if lost > 0.2:
        asked.found.flag("unreadable", "warn", f"{lost:.0%} of the files could not be used")


def _say_what_is_odd(pictures: Pictures, names: Sequence[str], decoded: Decoded, asked: Asked) -> None:
    notes = asked.found.notes
    height, width, channels = pictures.shape
    usual = np.median(decoded.sizes, axis=0)
    colour = "in colour" if channels == 3 else "in grey, for none has colour"
    smaller = usual.max() > max(height, width)
    larger = f" (half of them have {usual[0]:,.0f} x {usual[1]:,.0f} or more)" if smaller else ""
    notes.append(f"Pictures are read at {width} x {height} pixels{larger}, {colour}; --side asks for more or fewer.")
    tiny = int((decoded.sizes.min(axis=1) < TINY).sum())
    if tiny:
        notes.append(f"{tiny:,} pictures are smaller than {TINY} pixels; they are drawn larger and raced.")
    animated = int((decoded.frames > 1).sum())
    if animated:
        notes.append(f"{animated:,} files hold several pictures (animations, pages); the first of each is read.")
    read = [names[place] for place in decoded.there.tolist()]
    lying = [(n, form) for n, form in zip(read, decoded.formats, strict=True) if decode.strange_ending(n, form)]
    if lying:
        forms = ", ".join(f"{form} {count:,}" for form, count in Counter(form for _, form in lying).most_common(4))
        shown = folders.shown([name for name, _ in lying], 3)
        notes.append(f"{len(lying):,} files are of another format than their names say ({forms}): {shown}.")
    flat = measured(pictures)[:, 1] < 0.004
    if flat.any():
        notes.append(f"{int(flat.sum()):,} pictures are of one colour throughout.")
    if flat.mean() > 0.5:
        asked.found.flag("empty", "distrust", f"{int(flat.sum()):,} of {len(pictures):,} pictures are of one colour")
