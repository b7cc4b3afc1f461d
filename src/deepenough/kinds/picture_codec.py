"""What a saved model of pictures accepts, whatever it answers.

Needs that this module answers:

* Paths, bytes, arrays and Pillow's images are read alike, to the size that the model was fitted on.
* How large a picture is as it lies is kept: where an answer is a place in it, that is said in its own pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.kinds import picture_files
from deepenough.kinds.file_codec import FileCodec
from deepenough.kinds.file_sources import Form
from deepenough.kinds.picture_reading import png
from deepenough.kinds.picture_task import FORM, PictureTask

EMPTY = 127
"""What stands where a picture can't be read."""


@dataclass(frozen=True)
class Read:
    """Pictures as they were read. pixels: uint8, shape (n, height, width, 3). sizes: width and height of each as it
    lies, int64, shape (n, 2). unread: how many could not be read."""

    pixels: np.ndarray
    sizes: np.ndarray
    unread: int


@dataclass(frozen=True, kw_only=True)
class PictureCodec(FileCodec):
    """height, width, channels: what pictures are read to."""

    height: int
    width: int
    channels: int

    form: ClassVar[Form] = FORM
    forms: ClassVar[str] = "paths, bytes, arrays, Pillow images"

    @classmethod
    def of(cls, task: PictureTask) -> Self:
        """The codec of a task."""
        height, width, channels = task.all_inputs.shape
        facts = cls.facts_of(task, png(task.all_inputs.read(slice(0, 1))[0]), "image/png")
        return cls(height=height, width=width, channels=channels, **facts)

    def read(self, contents: Sequence[bytes | None]) -> Read:
        """Pictures of files' contents; one that can't be read is of one grey."""
        pixels = np.full((len(contents), self.height, self.width, 3), EMPTY, dtype=np.uint8)
        sizes = np.tile(np.array([self.width, self.height], dtype=np.int64), (len(contents), 1))
        unread = 0
        for place, content in enumerate(contents):
            try:
                pixels[place], seen = picture_files.decoded(content or b"", self.height, self.width)
                sizes[place] = seen.width, seen.height
            except picture_files.NoPicture:
                unread += 1
        return Read(pixels, sizes, unread)

    def is_own(self, given: Any) -> bool:
        """Arrays of one picture, and Pillow's images."""
        if isinstance(given, np.ndarray):
            return given.ndim in (2, 3) and given.dtype.kind in "uif"
        return type(given).__module__.startswith("PIL.")

    def content_of(self, given: Any) -> bytes:
        return picture_files.as_file(given)
