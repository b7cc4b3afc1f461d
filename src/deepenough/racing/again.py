"""The task of a race that was raced before, made ready again from its own data.

Needs that this module answers:

* The same question of the same data: what has changed since is refused, for what was measured no longer belongs to it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from deepenough import kinds
from deepenough.errors import SourceError
from deepenough.evidence import Plan
from deepenough.task.task import Question, Task


def task_of(plan: Plan, source: Any = None, test: Any = None) -> Task:
    """The task again.

    source, test: only where the race was given a frame. Raises SourceError where the data are gone or changed.
    """
    asked = {item.name for item in dataclasses.fields(Question)} & set(plan.question)
    question = Question(**{name: plan.question[name] for name in asked} | {"test": _test_again(plan, test)})
    task = kinds.find()[plan.kind].load(_source_again(plan, source), question)
    _refuse_other_data(plan, task)
    return task


def _test_again(plan: Plan, test: Any) -> Any:
    """What the race is tested on, as it was given."""
    was = plan.question.get("test")
    if test is None and isinstance(was, Mapping):
        raise SourceError("The race was given a frame to test on: give it again, resume(folder, test=frame).")
    return was if test is None else test


def _source_again(plan: Plan, source: Any) -> Any:
    if source is not None:
        return source
    path = plan.source.get("path")
    if not path:
        raise SourceError("The race was given a frame: give it again, deepenough.resume(folder, source=frame).")
    return path


def _refuse_other_data(plan: Plan, task: Any) -> None:
    was, now = plan.source.get("sha256"), task.source.get("sha256")
    if was != now:
        raise SourceError(
            f"{plan.source.get('name')} has changed since the race began (its content's hash was {str(was)[:12]}, now "
            f"{str(now)[:12]}): what was measured no longer belongs to it. Race it anew."
        )
