"""A person's own test: other pictures with their answers, from which nobody learns."""

from __future__ import annotations

import numpy as np

from deepenough.errors import ColumnError, SourceError
from deepenough.kinds.image import copies, sources, store
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.image.task import ImageTask, there_are
from deepenough.task import held_out
from deepenough.task.task import HeldOut, Question


def with_test(task: ImageTask, question: Question) -> ImageTask:
    """The task with its test. Raises an InputError where the pictures can't be tested on."""
    found = sources.read(question.test, question)
    name = str(found.frame.facts["name"])
    if task.target.name not in found.frame.names:
        raise ColumnError(f"--test {name} lacks {task.target.name!r}. A test needs the target and the pictures.")
    items, there = there_are(found.items)
    height, width, channels = task.all_inputs.shape
    decoded = store.decoded(items, height, width)
    if not len(decoded.there):
        raise SourceError(f"None of the files of --test {name} is a picture that can be used.")
    pictures, frame = Pictures.mapped(decoded.path, channels), found.frame.take(there[decoded.there])
    lost = found.frame.rows - frame.rows
    notes = [f"{lost:,} files of {name} could not be used and are set aside."] if lost else []
    weighing, weightless = held_out.weighing(frame, question)
    if weighing.rows < frame.rows:
        raise SourceError(f"--test {name} holds pictures of weight zero. Leave them out.")
    truth, rows, said = held_out.truth(task.target, frame, name)
    frame, pictures = frame.take(rows), pictures.take(rows)
    weights, weighed = held_out.weights(task, frame, truth, question, name)
    flags, overlapping = _overlap(task, pictures, name)
    notes = [*notes, *weightless, *said, *weighed, *overlapping]
    clusters = held_out.clusters(frame, question)
    held_out.attached(task, HeldOut(name, pictures, truth, weights, clusters, tuple(notes), flags))
    return task


def _overlap(task: ImageTask, pictures: Pictures, name: str) -> tuple[tuple[dict[str, str], ...], list[str]]:
    """What is said where pictures of the test, or near copies of them, were raced too."""
    both = Pictures.of(np.concatenate([_whole(task.all_inputs), _whole(pictures)]), task.all_inputs.channels)
    clusters = copies.of(both, np.zeros(len(both), dtype=np.int64)).clusters
    if clusters is None:
        return (), []
    known = np.isin(clusters[task.rows :], clusters[: task.rows])
    if not known.any():
        return (), []
    said = f"{int(known.sum()):,} of {len(pictures):,} pictures of {name} were raced too, or near copies of them"
    if known.mean() > 0.05:
        return ({"flag": "test_overlap", "severity": "warn", "reason": said},), []
    return (), [f"{said}."]


def _whole(pictures: Pictures) -> np.ndarray:
    return np.asarray(pictures.pixels[pictures.places])
