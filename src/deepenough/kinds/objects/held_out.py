"""A person's own test: other pictures with their boxes, from which nobody learns."""

from __future__ import annotations

import numpy as np

from deepenough.errors import SourceError
from deepenough.kinds import file_held_out, file_store
from deepenough.kinds.objects import boxes, marks, sources
from deepenough.kinds.objects.task import ObjectsTask, as_lists, sizes_of
from deepenough.task import held_out
from deepenough.task.task import HeldOut, Question


def with_test(task: ObjectsTask, question: Question) -> ObjectsTask:
    """The task with its test, if there is one. Raises an InputError where it can't be tested on."""
    if question.test is None or task.reader is None:
        return task
    found = sources.read(question.test, question)
    name, there = str(found.frame.facts["name"]), [p for p, item in enumerate(found.items) if item is not None]
    decoded = file_store.decoded([item for item in found.items if item is not None], task.reader)
    read = np.array(there, dtype=np.int64)[decoded.there]
    if not len(read):
        raise SourceError(f"None of the files of --test {name} is a picture that can be used.")
    own = marks.kept(found.marks, sizes_of(read, decoded), known=task.things)
    lists = as_lists(own, read)
    if not boxes.counted(lists, len(task.things)).sum():
        raise SourceError(f"--test {name} holds no box of a class that is raced ({', '.join(task.things[:6])}).")
    frame, inputs = found.frame.take(read), task.inputs_like(decoded)
    notes = [f"{name}: {said}" for said in own.said]
    if lost := len(found.items) - len(read):
        notes.append(f"{lost:,} pictures of {name} could not be used and are set aside.")
    notes += file_held_out.all_weigh(frame, question, name, task.form.units)
    weights, weighed = held_out.weights(task, frame, lists, question, name)
    flags, overlapping = file_held_out.overlap(task, inputs, name)
    notes = [*notes, *weighed, *overlapping]
    test = HeldOut(name, inputs, lists, weights, held_out.clusters(frame, question), tuple(notes), flags)
    held_out.attached(task, test)
    return task
