"""A person's own test: other files with their answers, from which nobody learns."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from deepenough.errors import ColumnError, SourceError
from deepenough.kinds import file_sources, file_store
from deepenough.kinds.file_task import FileTask
from deepenough.task import held_out
from deepenough.task.frame import Frame
from deepenough.task.task import HeldOut, Question

AnyTask = TypeVar("AnyTask", bound=FileTask)


def with_test(task: AnyTask, question: Question) -> AnyTask:
    """The task with its test, if there is one. Raises an InputError where the files can't be tested on."""
    if question.test is None or task.reader is None:
        return task
    units, unit = task.form.units, task.form.unit
    found = file_sources.read(question.test, question, task.form)
    name = str(found.frame.facts["name"])
    if task.target.name not in found.frame.names:
        raise ColumnError(f"--test {name} lacks {task.target.name!r}. A test needs the target and the {units}.")
    items, there = found.there()
    decoded = file_store.decoded(items, task.reader)
    if not len(decoded.there):
        raise SourceError(f"None of the files of --test {name} is a {unit} that can be used.")
    inputs, frame = task.inputs_like(decoded), found.frame.take(there[decoded.there])
    lost = found.frame.rows - frame.rows
    notes = [f"{lost:,} files of {name} could not be used and are set aside."] if lost else []
    weightless = all_weigh(frame, question, name, units)
    truth, rows, said = held_out.truth(task.target, frame, name)
    frame, inputs = frame.take(rows), inputs.take(rows)
    weights, weighed = held_out.weights(task, frame, truth, question, name)
    flags, overlapping = overlap(task, inputs, name)
    notes = [*notes, *weightless, *said, *weighed, *overlapping]
    clusters = held_out.clusters(frame, question)
    held_out.attached(task, HeldOut(name, inputs, truth, weights, clusters, tuple(notes), flags))
    return task


def all_weigh(frame: Frame, question: Question, name: str, units: str) -> list[str]:
    """What is said of the weights. Raises SourceError where some weigh nothing: their files are read already."""
    weighing, said = held_out.weighing(frame, question)
    if weighing.rows < frame.rows:
        raise SourceError(f"--test {name} holds {units} of weight zero. Leave them out.")
    return said


def overlap(task: FileTask, inputs: Any, name: str) -> tuple[tuple[dict[str, str], ...], list[str]]:
    """What is said where files of the test, or near copies of them, were raced too."""
    both = task.beside(inputs)
    alike = task.copies_of(both, np.zeros(len(both), dtype=np.int64), True).alike
    known = np.isin(alike[task.rows :], alike[: task.rows])
    if not known.any():
        return (), []
    said = f"{int(known.sum()):,} of {len(inputs):,} {task.form.units} of {name} were raced too, or near copies of them"
    if known.mean() > 0.05:
        return ({"flag": "test_overlap", "severity": "warn", "reason": said},), []
    return (), [f"{said}."]
