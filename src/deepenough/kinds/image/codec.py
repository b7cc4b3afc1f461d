"""What a saved model of pictures accepts, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.kinds import picture_files
from deepenough.kinds.file_codec import FileCodec, OfFiles
from deepenough.kinds.file_sources import Form
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.image.task import ImageTask
from deepenough.kinds.picture_reading import png
from deepenough.kinds.picture_task import FORM

EMPTY = 127
"""What stands where a picture can't be read."""


@dataclass(frozen=True)
class FilePictures(Pictures, OfFiles):
    """Pictures of files."""

    def take(self, rows: np.ndarray) -> Self:
        """These pictures, in this order."""
        files = tuple(self.files[row] for row in rows.tolist())
        return replace(self, places=self.places[rows], files=files)


@dataclass(frozen=True, kw_only=True)
class ImageCodec(FileCodec):
    """height, width, channels: what pictures are read to."""

    height: int
    width: int
    channels: int

    form: ClassVar[Form] = FORM
    forms: ClassVar[str] = "paths, bytes, arrays, Pillow images"

    @classmethod
    def of(cls, task: ImageTask) -> Self:
        """The codec of a task."""
        height, width, channels = task.all_inputs.shape
        facts = cls.facts_of(task, png(task.all_inputs.read(slice(0, 1))[0]), "image/png")
        return cls(height=height, width=width, channels=channels, **facts)

    def inputs_of(self, contents: Sequence[bytes | None], files: tuple[str, ...]) -> FilePictures:
        pixels = np.full((len(contents), self.height, self.width, 3), EMPTY, dtype=np.uint8)
        unread = 0
        for place, content in enumerate(contents):
            try:
                pixels[place] = picture_files.decoded(content or b"", self.height, self.width)[0]
            except picture_files.NoPicture:
                unread += 1
        return FilePictures(pixels, np.arange(len(contents)), self.channels, files=files, unread=unread)

    def is_own(self, given: Any) -> bool:
        """Arrays of one picture, and Pillow's images."""
        if isinstance(given, np.ndarray):
            return given.ndim in (2, 3) and given.dtype.kind in "uif"
        return type(given).__module__.startswith("PIL.")

    def content_of(self, given: Any) -> bytes:
        return picture_files.as_file(given)
