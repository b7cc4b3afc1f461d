"""What comes next: one series or many, with what is known in advance, forecast so many steps ahead with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepenough.kinds import Codec, Kind
from deepenough.task.task import Question, Task


class Forecast(Kind):
    """One series or many, and quantiles of what comes next."""

    name = "forecast"
    about = "one series or many over time, and what comes next: so many steps ahead (--horizon), with intervals"
    extra = "series"
    precedence = 10

    def recognise(self, source: Any, question: Question) -> str:
        horizon = question.options.get("horizon")
        return f"you asked for what comes in the next {horizon} steps" if horizon else ""

    def load(self, source: Any, question: Question) -> Task:
        from deepenough.kinds.forecast import task

        return task.load(source, question)

    def codec(self, task: Any) -> Codec:
        from deepenough.kinds.forecast.codec import ForecastCodec

        return ForecastCodec.of(task)

    def codec_class(self) -> type[Codec]:
        from deepenough.kinds.forecast.codec import ForecastCodec

        return ForecastCodec

    def expectation(self, task: Any) -> Sequence[Mapping[str, str]]:
        from deepenough.kinds.forecast import expectation

        return expectation.of(len(task.series))

    def toys(self) -> Mapping[str, Task]:
        from deepenough.kinds.forecast import toys

        return toys.toys()
