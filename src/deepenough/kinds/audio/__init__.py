"""Recordings: words, voices, noises, music, and the class or the number that belongs to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepenough.kinds import Codec, Kind
from deepenough.task.task import Question, Task


class Audio(Kind):
    """Recordings, and a class or a number to predict from what they sound like."""

    name = "audio"
    about = "recordings (a folder of them a class, or a column of their paths), and a class or a number to predict"
    extra = "audio"
    precedence = 16

    def recognise(self, source: Any, question: Question) -> str:
        from deepenough.kinds import file_sources
        from deepenough.kinds.audio.task import FORM

        return file_sources.recognised(source, question, FORM)

    def load(self, source: Any, question: Question) -> Task:
        from deepenough.kinds import file_held_out
        from deepenough.kinds.audio.task import AudioTask

        return file_held_out.with_test(AudioTask.load(source, question), question)

    def codec(self, task: Any) -> Codec:
        from deepenough.kinds.audio.codec import AudioCodec

        return AudioCodec.of(task)

    def codec_class(self) -> type[Codec]:
        from deepenough.kinds.audio.codec import AudioCodec

        return AudioCodec

    def expectation(self, task: Any) -> Sequence[Mapping[str, str]]:
        from deepenough.kinds.audio import expectation

        return expectation.of(task.rows)

    def toys(self) -> Mapping[str, Task]:
        from deepenough.kinds.audio import toys

        return toys.toys()
