"""Clips: what happens in them, and the class or the number that belongs to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepenough.kinds import Codec, Kind
from deepenough.task.task import Question, Task


class Video(Kind):
    """Clips, and a class or a number to predict from what happens in them."""

    name = "video"
    about = "clips (a folder of them a class, or a column of their paths), and a class or a number to predict"
    extra = "video"
    precedence = 17

    def recognise(self, source: Any, question: Question) -> str:
        from deepenough.kinds import file_sources
        from deepenough.kinds.video.task import FORM

        return file_sources.recognised(source, question, FORM)

    def load(self, source: Any, question: Question) -> Task:
        from deepenough.kinds import file_held_out
        from deepenough.kinds.video.task import VideoTask

        return file_held_out.with_test(VideoTask.load(source, question), question)

    def codec(self, task: Any) -> Codec:
        from deepenough.kinds.video.codec import VideoCodec

        return VideoCodec.of(task)

    def codec_class(self) -> type[Codec]:
        from deepenough.kinds.video.codec import VideoCodec

        return VideoCodec

    def expectation(self, task: Any) -> Sequence[Mapping[str, str]]:
        from deepenough.kinds.video import expectation

        return expectation.of(task.rows)

    def toys(self) -> Mapping[str, Task]:
        from deepenough.kinds.video import toys

        return toys.toys()
