"""What a saved model of pictures and their class or number accepts, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from deepenough.kinds.file_codec import OfFiles
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.picture_codec import PictureCodec


@dataclass(frozen=True)
class FilePictures(Pictures, OfFiles):
    """Pictures of files."""

    def take(self, rows: np.ndarray) -> Self:
        """These pictures, in this order."""
        files = tuple(self.files[row] for row in rows.tolist())
        return replace(self, places=self.places[rows], files=files)


@dataclass(frozen=True, kw_only=True)
class ImageCodec(PictureCodec):
    """What is read and told, see `PictureCodec`."""

    def inputs_of(self, contents: Sequence[bytes | None], files: tuple[str, ...]) -> FilePictures:
        read = self.read(contents)
        return FilePictures(read.pixels, np.arange(len(contents)), self.channels, files=files, unread=read.unread)
