"""Whole series: heartbeats, gestures, days of sensors, and the class or the number that belongs to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepenough.kinds import Codec, Kind
from deepenough.task.task import Question, Task


class Series(Kind):
    """Series as units, and a class or a number to predict from how each one goes."""

    name = "series"
    about = "whole series (a column of lists, or rows told apart by --series), and a class or a number of each"
    extra = "series"
    precedence = 20

    def recognise(self, source: Any, question: Question) -> str:
        from deepenough.kinds.series import sources

        return sources.recognised(source, question)

    def load(self, source: Any, question: Question) -> Task:
        from deepenough.kinds.series import task

        loaded = task.load(source, question)
        if question.test is None:
            return loaded
        from deepenough.kinds.series import held_out

        return held_out.with_test(loaded, question)

    def codec(self, task: Any) -> Codec:
        from deepenough.kinds.series.codec import SeriesCodec

        return SeriesCodec.of(task)

    def codec_class(self) -> type[Codec]:
        from deepenough.kinds.series.codec import SeriesCodec

        return SeriesCodec

    def expectation(self, task: Any) -> Sequence[Mapping[str, str]]:
        from deepenough.kinds.series import expectation

        return expectation.of(task.rows, task.n_classes is None)

    def toys(self) -> Mapping[str, Task]:
        from deepenough.kinds.series import toys

        return toys.toys()
