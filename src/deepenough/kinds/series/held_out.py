"""A person's own test: other series with their answers, from which nobody learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deepenough.errors import ColumnError
from deepenough.kinds.series import reading, sources
from deepenough.kinds.series.inputs import Signals
from deepenough.kinds.series.reading import PLACE
from deepenough.kinds.series.task import SeriesTask, copies_of
from deepenough.task import held_out
from deepenough.task import source as tables
from deepenough.task.task import HeldOut, Question

MANY_SHARED = 0.05


def with_test(task: SeriesTask, question: Question) -> SeriesTask:
    """The task with its test. Raises an InputError where the series can't be tested on."""
    recording = task.recording
    lists = recording.form == "lists"
    most = tables.MAX_ROWS if lists else sources.MOST_ROWS
    ids = tuple(name for name in sources.read_as_they_stand(question) if name not in recording.channels)
    frame = tables.read(question.test, question.options, most, question.seed, ids)
    name = str(frame.facts["name"])
    for wanted in (task.target.name, *recording.channels, *(() if lists else (*recording.ids, recording.time))):
        if wanted and wanted not in frame.names:
            raise ColumnError(f"--test {name} lacks {wanted!r}. A test needs the target and what series are read from.")
    own = _known(frame.names, replace(question, drop=()))
    found = reading.collect(frame, recording.channels if lists else (), own, recording)
    rows, weightless = held_out.weighing(found.frame, question)
    truth, places, notes = held_out.truth(task.target, rows, name)
    rows = rows.take(places)
    signals = found.signals.take(rows.column(PLACE).values.astype(np.int64))
    weights, weighed = held_out.weights(task, rows, truth, question, name)
    flags, said = _overlap(task.signals, signals, name)
    if found.aside:
        said.append(f"{name}: set aside were {'; '.join(item['name'] for item in found.aside)}.")
    notes = [*frame.notes, *weightless, *notes, *weighed, *said]
    clusters = held_out.clusters(rows, question)
    held_out.attached(task, HeldOut(name, signals, truth, weights, clusters, tuple(notes), flags))
    return task


def _known(names: list[str], question: Question) -> Question:
    """The question without columns that a test need not have, where it has them not."""
    group, folds, weights = (
        name if name in names else None for name in (question.group, question.folds, question.weights)
    )
    return replace(question, group=group, folds=folds, weights=weights)


def _overlap(raced: Signals, test: Signals, name: str) -> tuple[tuple[dict[str, str], ...], list[str]]:
    """What is said where series of the test were raced too."""
    longest = max(raced.values.shape[2], test.values.shape[2])
    both = np.full((len(raced) + len(test), len(raced.channels), longest), np.nan)
    both[: len(raced), :, : raced.values.shape[2]] = raced.values
    both[len(raced) :, :, : test.values.shape[2]] = test.values
    codes = copies_of(Signals(both, raced.channels))
    if codes is None:
        return (), []
    shared = np.isin(codes[len(raced) :], codes[: len(raced)])
    if not shared.any():
        return (), []
    said = f"{int(shared.sum()):,} of {len(test):,} series of {name} were raced too"
    if shared.mean() > MANY_SHARED:
        return ({"flag": "test_overlap", "severity": "warn", "reason": said},), []
    return (), [f"{said}."]
