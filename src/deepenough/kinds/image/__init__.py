"""Pictures: photos, scans, drawings, and the class or the number that belongs to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepenough.kinds import Codec, Kind
from deepenough.task.task import Question, Task


class Image(Kind):
    """Pictures, and a class or a number to predict from what they show."""

    name = "image"
    about = "pictures (a folder of them a class, or a column of their paths), and a class or a number to predict"
    extra = "image"
    precedence = 15

    def recognise(self, source: Any, question: Question) -> str:
        from deepenough.kinds import file_sources
        from deepenough.kinds.picture_task import FORM

        return file_sources.recognised(source, question, FORM)

    def load(self, source: Any, question: Question) -> Task:
        from deepenough.kinds import file_held_out
        from deepenough.kinds.image.task import ImageTask

        return file_held_out.with_test(ImageTask.load(source, question), question)

    def codec(self, task: Any) -> Codec:
        from deepenough.kinds.image.codec import ImageCodec

        return ImageCodec.of(task)

    def codec_class(self) -> type[Codec]:
        from deepenough.kinds.image.codec import ImageCodec

        return ImageCodec

    def expectation(self, task: Any) -> Sequence[Mapping[str, str]]:
        from deepenough.kinds.image import expectation

        return expectation.of(task.rows)

    def toys(self) -> Mapping[str, Task]:
        from deepenough.kinds.image import toys

        return toys.toys()
