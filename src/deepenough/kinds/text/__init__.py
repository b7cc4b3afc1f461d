"""Documents: messages, reviews, articles, and the class or the number that belongs to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepenough.kinds import Codec, Kind
from deepenough.task.task import Question, Task


class Text(Kind):
    """Documents, and a class or a number to predict from what they say."""

    name = "text"
    about = "documents (a column of texts, or a folder of .txt files a class), and a class or a number to predict"
    extra = "text"
    precedence = 30

    def recognise(self, source: Any, question: Question) -> str:
        from deepenough.kinds.text import sources

        return sources.recognised(source, question)

    def load(self, source: Any, question: Question) -> Task:
        from deepenough.kinds.text import task

        loaded = task.load(source, question)
        if question.test is None:
            return loaded
        from deepenough.kinds.text import held_out

        return held_out.with_test(loaded, question)

    def codec(self, task: Any) -> Codec:
        from deepenough.kinds.text.codec import TextCodec

        return TextCodec.of(task)

    def codec_class(self) -> type[Codec]:
        from deepenough.kinds.text.codec import TextCodec

        return TextCodec

    def expectation(self, task: Any) -> Sequence[Mapping[str, str]]:
        from deepenough.kinds.text import expectation

        return expectation.of(task.rows)

    def toys(self) -> Mapping[str, Task]:
        from deepenough.kinds.text import toys

        return toys.toys()
