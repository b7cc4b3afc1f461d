"""What a saved model of clips accepts, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.kinds.file_codec import FileCodec, OfFiles
from deepenough.kinds.file_sources import Form
from deepenough.kinds.video import decode
from deepenough.kinds.video.inputs import Clips
from deepenough.kinds.video.task import FORM, VideoTask

EMPTY = 127
"""What stands where a clip can't be read."""
EXAMPLE = ("avi", "mjpeg", "yuvj420p")
"""How the clip is packed that stands in a model's schema."""


@dataclass(frozen=True)
class FileClips(Clips, OfFiles):
    """Clips of files."""

    def take(self, rows: np.ndarray) -> Self:
        """These clips, in this order."""
        files = tuple(self.files[row] for row in rows.tolist())
        return replace(self, places=self.places[rows], files=files)


@dataclass(frozen=True, kw_only=True)
class VideoCodec(FileCodec):
    """frames, height, width, channels: what clips are read to."""

    frames: int
    height: int
    width: int
    channels: int

    form: ClassVar[Form] = FORM
    forms: ClassVar[str] = "paths, bytes, arrays of frames"

    @classmethod
    def of(cls, task: VideoTask) -> Self:
        """The codec of a task."""
        frames, height, width, channels = task.all_inputs.shape
        first = np.asarray(task.all_inputs.pixels[task.all_inputs.places[0]])
        facts = cls.facts_of(task, decode.packed(first, *EXAMPLE), "video/x-msvideo")
        return cls(frames=frames, height=height, width=width, channels=channels, **facts)

    def inputs_of(self, contents: Sequence[bytes | None], files: tuple[str, ...]) -> FileClips:
        pixels = np.full((len(contents), self.frames, self.height, self.width, 3), EMPTY, dtype=np.uint8)
        unread = 0
        for place, content in enumerate(contents):
            try:
                pixels[place] = decode.decoded(content or b"", self.height, self.width, self.frames)[0]
            except decode.NoClip:
                unread += 1
        return FileClips(pixels, np.arange(len(contents)), self.channels, files=files, unread=unread)

    def is_own(self, given: Any) -> bool:
        """Arrays of one clip: frames of grey points, or of red, green and blue ones."""
        if not isinstance(given, np.ndarray) or given.dtype.kind not in "uif":
            return False
        return given.ndim == 3 or (given.ndim == 4 and given.shape[3] in (1, 3))

    def content_of(self, given: Any) -> bytes:
        if not isinstance(given, np.ndarray):
            raise decode.NoClip("there is none")
        return decode.as_file(given)
