"""One question about pictures: how large they are read, which are copies, what is odd about them.

Needs that this module answers:

* Pictures are read at one size, theirs where they are small; what is kept of large ones is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from deepenough.judge.traits import Trait
from deepenough.kinds import folders, picture_copies, picture_files
from deepenough.kinds.copies import Copies
from deepenough.kinds.file_sources import Form
from deepenough.kinds.file_store import Decoded
from deepenough.kinds.folders import Item
from deepenough.kinds.picture_reading import PictureReader, size_of
from deepenough.kinds.pixel_inputs import Pixels, brightness, colourfulness
from deepenough.kinds.pixel_task import PixelTask
from deepenough.task.rows import Asked
from deepenough.task.task import Question

TINY = 8


FORM = Form(
    "picture",
    "pictures",
    "image",
    picture_files.is_picture,
    "Where pictures show faces, they are personal data. Nothing of them leaves this machine.",
)


class PictureTask(PixelTask):
    """Pictures and what is asked of them, made ready. longest: pixels of the longer side that they are read with, at
    most, unless a person asks for more."""

    form: ClassVar[Form] = FORM
    longest: ClassVar[int]

    @classmethod
    def reader_for(cls, items: Sequence[Item], question: Question) -> PictureReader:
        return PictureReader(*size_of(items, question.options.get("side"), cls.longest))

    @classmethod
    def copies_of(cls, inputs: Pixels, targets: np.ndarray, apart: bool) -> Copies:
        return picture_copies.of(inputs, targets, apart)

    def read_as(self) -> Mapping[str, Any]:
        height, width, channels = self.all_inputs.shape
        return {"height": height, "width": width, "channels": channels}

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
    def say_what_is_odd(cls, inputs: Pixels, names: Sequence[str], decoded: Decoded, asked: Asked) -> None:
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


def _say_what_is_odd(pictures: Pixels, names: Sequence[str], decoded: Decoded, asked: Asked) -> None:
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
