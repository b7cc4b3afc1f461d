"""What a saved model of recordings accepts, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.errors import SourceError
from deepenough.kinds.audio import decode
from deepenough.kinds.audio.inputs import Recordings
from deepenough.kinds.audio.task import FORM, AudioTask, RecordingReader
from deepenough.kinds.file_codec import FileCodec, OfFiles
from deepenough.kinds.file_sources import Form

EXAMPLE_SECONDS = 0.5
EMPTY = np.full((1, decode.BANDS), decode.SILENCE, dtype=np.float16)
"""What stands where a recording can't be read."""


@dataclass(frozen=True)
class FileRecordings(Recordings, OfFiles):
    """Recordings of files."""

    def take(self, rows: np.ndarray) -> Self:
        """These recordings, in this order."""
        files = tuple(self.files[row] for row in rows.tolist())
        return replace(self, starts=self.starts[rows], lengths=self.lengths[rows], files=files)


@dataclass(frozen=True, kw_only=True)
class AudioCodec(FileCodec):
    """seconds: of a recording, that are read from its middle."""

    seconds: float

    form: ClassVar[Form] = FORM
    forms: ClassVar[str] = "paths, bytes, arrays of samples at 16,000 a second"

    @classmethod
    def of(cls, task: AudioTask) -> Self:
        """The codec of a task."""
        seconds = task.all_inputs.lengths.max(initial=1) * decode.STEP / decode.RATE + decode.WINDOW / decode.RATE
        if isinstance(task.reader, RecordingReader):
            seconds = task.reader.seconds
        return cls(seconds=float(seconds), **cls.facts_of(task, _example(task), "audio/wav"))

    def inputs_of(self, contents: Sequence[bytes | None], files: tuple[str, ...]) -> FileRecordings:
        heard, unread = [], 0
        for content in contents:
            try:
                heard.append(decode.decoded(content or b"", self.seconds)[0])
            except decode.NoSound:
                heard.append(EMPTY)
                unread += 1
        plain = Recordings.of(heard)
        return FileRecordings(plain.steps, plain.starts, plain.lengths, files=files, unread=unread)

    def is_own(self, given: Any) -> bool:
        """Samples of one recording: of one channel, or shape (n, channels)."""
        return isinstance(given, np.ndarray) and given.dtype.kind in "if" and given.ndim in (1, 2)

    def content_of(self, given: Any) -> bytes:
        return decode.as_file(given)


def _example(task: AudioTask) -> bytes:
    """Half a second of the first recording; of made ones a tone."""
    if task.items:
        try:
            return decode.as_file(decode.samples_of(task.items[0].read(), EXAMPLE_SECONDS)[0], form="FLAC")
        except (decode.NoSound, OSError, SourceError):
            pass  # its file is gone meanwhile
    return decode.as_file(0.3 * np.sin(np.arange(decode.RATE // 10) * 2 * np.pi * 440 / decode.RATE), form="FLAC")
