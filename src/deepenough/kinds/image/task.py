"""One question about pictures: how large they are read, what hides parts of them, what is odd about them.

Needs that this module answers:

* Pictures are read at one size, theirs where they are small; what is kept of large ones is said.
"""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from deepenough.errors import SourceError
from deepenough.judge.traits import Trait
from deepenough.kinds import folders, picture_files
from deepenough.kinds.copies import Copies
from deepenough.kinds.file_sources import Form
from deepenough.kinds.file_store import Decoded
from deepenough.kinds.folders import Item
from deepenough.kinds.image import copies
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.pixel_inputs import Pixels, brightness, colourfulness
from deepenough.kinds.pixel_sizes import usual_size
from deepenough.kinds.pixel_task import PixelTask
from deepenough.task.rows import Asked
from deepenough.task.task import Question

LONGEST, SHORTEST = 96, 16
"""Pixels of the longer side that pictures are read with, at most; and of any side, at least."""
LOOKED_AT = 300
"""Pictures whose own sizes say how large all are read."""
FIELDS = 6
"""A side, that are hidden one after the other to see what an answer goes by."""
TINY = 8
SHOWN_SIDE = 96


FORM = Form(
    "picture",
    "pictures",
    "image",
    picture_files.is_picture,
    "Where pictures show faces, they are personal data. Nothing of them leaves this machine.",
)


@dataclass(frozen=True)
class PictureReader:
    """Pictures drawn to one size."""

    height: int
    width: int

    units = FORM.units
    advice = "decode smaller: --side"
    dtype = "|u1"

    @property
    def key(self) -> str:
        return f"{picture_files.VERSION} {self.height} {self.width}"

    @property
    def row(self) -> tuple[int, ...]:
        return (self.height, self.width, 3)

    @property
    def bytes_each(self) -> int:
        return self.height * self.width * 3

    def __call__(self, content: bytes) -> tuple[np.ndarray, dict[str, Any]]:
        pixels, seen = picture_files.decoded(content, self.height, self.width)
        return pixels[None], asdict(seen)


class ImageTask(PixelTask):
    """Pictures and the answer to predict, made ready."""

    form: ClassVar[Form] = FORM
    inputs_class = Pictures

    @classmethod
    def reader_for(cls, items: Sequence[Item], question: Question) -> PictureReader:
        return PictureReader(*size_of(items, question.options.get("side")))

    @classmethod
    def copies_of(cls, inputs: Pictures, targets: np.ndarray, apart: bool) -> Copies:
        return copies.of(inputs, targets, apart)

    def read_as(self) -> Mapping[str, Any]:
        height, width, channels = self.all_inputs.shape
        return {"height": height, "width": width, "channels": channels}

    def show(self, fold: int, places: np.ndarray) -> Sequence[Mapping[str, Any]]:
        judged = self.splits.folds[fold].judged[places]
        pixels = self.all_inputs.take(judged).read()
        return [
            {"form": "picture", "name": self.names[row], "picture": base64.b64encode(png(each)).decode("ascii")}
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

    def traits_of(self) -> Sequence[Trait]:
        light, spread, colour, detail = measured(self.all_inputs).T
        found = (
            Trait("brightness", light),
            Trait("contrast", spread),
            Trait("detail", detail),
            Trait("width", self.decoded.each("width")[self.order].astype(np.float64)),
            Trait("height", self.decoded.each("height")[self.order].astype(np.float64)),
        )
        return (*found, Trait("colour", colour)) if self.all_inputs.channels == 3 else found

    @classmethod
    def say_what_is_odd(cls, inputs: Pictures, names: Sequence[str], decoded: Decoded, asked: Asked) -> None:
        _say_what_is_odd(inputs, names, decoded, asked)


def measured(pictures: Pixels) -> np.ndarray:
    """Of each picture brightness, contrast, colourfulness and detail, from 0 to about 1; shape (n, 4)."""
    found = []
    for portion in pictures.portions():
        grey = brightness(portion)
        across, down = (np.abs(np.diff(grey, axis=axis)).mean(axis=(1, 2)) for axis in (2, 1))
        colour = colourfulness(portion).mean(axis=(1, 2)) / 255
        found.append(np.stack([grey.mean(axis=(1, 2)), grey.std(axis=(1, 2)), colour, across + down], axis=1))
    return np.concatenate(found).astype(np.float64)


def png(pixels: np.ndarray, side: int = SHOWN_SIDE) -> bytes:
    """A picture as a PNG, no longer than `side`. pixels: uint8, shape (height, width, channels)."""
    from PIL import Image

    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((side, side))
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return content.getvalue()


def size_of(items: Sequence[Item], side: int | None) -> tuple[int, int]:
    """Height and width that pictures are read with: of their usual shape and size, no longer than `LONGEST`.

    side: the longer side that a person asked for.
    """
    looked = items[:: max(1, len(items) // LOOKED_AT)]
    sizes = []
    for item in looked:
        try:
            seen = picture_files.look(item.read())
        except (picture_files.NoPicture, OSError, SourceError):
            continue
        sizes.append((seen.height, seen.width))
    return usual_size(np.array(sizes), side, LONGEST, SHORTEST, 3 * len(items))


def _say_what_is_odd(pictures: Pictures, names: Sequence[str], decoded: Decoded, asked: Asked) -> None:
    notes = asked.found.notes
    height, width, channels = pictures.shape
    sizes = np.stack([decoded.each("width"), decoded.each("height")], axis=1)
    usual = np.median(sizes, axis=0)
    colour = "in colour" if channels == 3 else "in grey, for none has colour"
    smaller = usual.max() > max(height, width)
    larger = f" (half of them have {usual[0]:,.0f} x {usual[1]:,.0f} or more)" if smaller else ""
    notes.append(f"Pictures are read at {width} x {height} pixels{larger}, {colour}; --side asks for more or fewer.")
    tiny = int((sizes.min(axis=1) < TINY).sum())
    if tiny:
        notes.append(f"{tiny:,} pictures are smaller than {TINY} pixels; they are drawn larger and raced.")
    animated = int((decoded.each("frames") > 1).sum())
    if animated:
        notes.append(f"{animated:,} files hold several pictures (animations, pages); the first of each is read.")
    formats = [seen["format"] for seen in decoded.seen]
    lying = [(n, form) for n, form in zip(names, formats, strict=True) if picture_files.strange_ending(n, form)]
    if lying:
        forms = ", ".join(f"{form} {count:,}" for form, count in Counter(form for _, form in lying).most_common(4))
        shown = folders.shown([name for name, _ in lying], 3)
        notes.append(f"{len(lying):,} files are of another format than their names say ({forms}): {shown}.")
    flat = measured(pictures)[:, 1] < 0.004
    if flat.any():
        notes.append(f"{int(flat.sum()):,} pictures are of one colour throughout.")
    if flat.mean() > 0.5:
        asked.found.flag("empty", "distrust", f"{int(flat.sum()):,} of {len(pictures):,} pictures are of one colour")
