"""A person's own test: other documents with their answers, from which nobody learns."""

from __future__ import annotations

import numpy as np

from deepenough.errors import ColumnError
from deepenough.kinds.copies import repeat_by_nature
from deepenough.kinds.text import copies, sources
from deepenough.kinds.text.codec import TextCodec
from deepenough.kinds.text.task import TextTask
from deepenough.task import held_out
from deepenough.task.task import HeldOut, Question


def with_test(task: TextTask, question: Question) -> TextTask:
    """The task with its test. Raises an InputError where the documents can't be tested on."""
    frame = sources.read(question.test, question)
    name = str(frame.facts["name"])
    for wanted in (task.target.name, *task.names):
        if wanted not in frame.names:
            raise ColumnError(f"--test {name} lacks {wanted!r}. A test needs the target and the texts that are read.")
    frame, weightless = held_out.weighing(frame, question)
    truth, rows, notes = held_out.truth(task.target, frame, name)
    frame = frame.take(rows)
    texts = TextCodec.of(task).encode(frame)
    weights, weighed = held_out.weights(task, frame, truth, question, name)
    flags, said = _overlap(task, texts.texts, name)
    notes = [*frame.notes, *weightless, *notes, *weighed, *said]
    clusters = held_out.clusters(frame, question)
    held_out.attached(task, HeldOut(name, texts, truth, weights, clusters, tuple(notes), flags))
    return task


def _overlap(task: TextTask, texts: tuple[str, ...], name: str) -> tuple[tuple[dict[str, str], ...], list[str]]:
    """What is said where documents of the test, or near copies of them, were raced too."""
    both = [*task.all_inputs.texts, *texts]
    alike = copies.of(both, np.zeros(len(both), dtype=np.int64)).alike
    known = np.isin(alike[task.rows :], alike[: task.rows])
    if not known.any() or repeat_by_nature(alike[: task.rows]):
        return (), []
    said = f"{int(known.sum()):,} of {len(texts):,} documents of {name} were raced too, or near copies of them"
    if known.mean() > 0.05:
        return ({"flag": "test_overlap", "severity": "warn", "reason": said},), []
    return (), [f"{said}."]
