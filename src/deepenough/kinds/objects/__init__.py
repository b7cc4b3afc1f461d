"""Objects in pictures: where they are, and of which class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepenough.kinds import Codec, Kind
from deepenough.task.task import Question, Task


class Objects(Kind):
    """Pictures, boxes around the objects in them, and where objects are in others."""

    name = "objects"
    about = (
        "pictures, boxes around the objects in them (a table, or COCO, YOLO, Pascal VOC files), and where others are"
    )
    extra = "objects"
    precedence = 12

    def recognise(self, source: Any, question: Question) -> str:
        from deepenough.kinds.objects import sources

        return sources.recognised(source, question)

    def load(self, source: Any, question: Question) -> Task:
        from deepenough.kinds.objects import held_out
        from deepenough.kinds.objects.task import ObjectsTask

        return held_out.with_test(ObjectsTask.load(source, question), question)

    def codec(self, task: Any) -> Codec:
        from deepenough.kinds.objects.codec import ObjectsCodec

        return ObjectsCodec.of(task)

    def codec_class(self) -> type[Codec]:
        from deepenough.kinds.objects.codec import ObjectsCodec

        return ObjectsCodec

    def expectation(self, task: Any) -> Sequence[Mapping[str, str]]:
        from deepenough.kinds.objects import expectation

        return expectation.of(task.rows)

    def toys(self) -> Mapping[str, Task]:
        from deepenough.kinds.objects import toys

        return toys.toys()
