"""A person's own test: another table of the same columns, from which nobody learns.

Needs that the design answers:

* It is read as a served table is: the same roles, the same decimal comma, columns in any order. A column that the
  models look at and that is not there is refused by name, before anything is raced.
* A test that stands in the table too is no test: equal rows are counted and said.
"""

from __future__ import annotations

import numpy as np

from deepenough.errors import ColumnError
from deepenough.kinds.table import columns as roles
from deepenough.kinds.table import duplicates
from deepenough.kinds.table.codec import TableCodec
from deepenough.kinds.table.inputs import Column, Table
from deepenough.kinds.table.task import TableTask
from deepenough.task import held_out
from deepenough.task import source as sources
from deepenough.task.frame import Frame, Raw
from deepenough.task.task import HeldOut, Question


def read(task: TableTask, question: Question) -> HeldOut:
    """The rows of `question.test`, as the task's models see them.

    Raises an InputError where they can't be tested on.
    """
    frame = sources.read(question.test, question.options, seed=question.seed)
    name = str(frame.facts["name"])
    codec = TableCodec.of(task)
    _check_columns(codec, frame, name)
    frame = codec.placed(frame, question.test)
    frame, weightless = held_out.weighing(frame, question)
    truth, rows, notes = held_out.truth(task.target, frame, name, lambda column: _numbers(task, column))
    frame = frame.take(rows)
    table = codec.encode(frame)
    weights, weighed = held_out.weights(task, frame, truth, question, name)
    flags, said = _overlap(task.table, table, name)
    notes = [*frame.notes, *weightless, *notes, *weighed, *said]
    return HeldOut(name, table, truth, weights, held_out.clusters(frame, question), tuple(notes), flags)


def _numbers(task: TableTask, column: Raw) -> np.ndarray:
    """A column of answers, read as the raced table's was."""
    given = column.strings() if column.form == "words" else column.values
    return roles.conformed(column.name, "number", task.raw[column.name].reading, given).values


def _check_columns(codec: TableCodec, frame: Frame, name: str) -> None:
    wanted = [codec.target, *(column.name for column in codec.columns)]
    absent = [column for column in wanted if column not in frame.names]
    if absent:
        what = "the target " if absent[0] == codec.target else ""
        more = f" and {len(absent) - 1} more ({', '.join(map(repr, absent[1:6]))})" if len(absent) > 1 else ""
        raise ColumnError(
            f"--test {name} lacks {what}{absent[0]!r}{more}. A test needs the target, and every column that the models "
            "look at. Add them, or leave them out of the race with --drop."
        )


def _overlap(raced: Table, test: Table, name: str) -> tuple[tuple[dict[str, str], ...], list[str]]:
    """What is said where rows of the test stand in the raced table too."""
    shared = int(np.isin(duplicates.row_hashes(_as_coded(test, raced)), duplicates.row_hashes(raced)).sum())
    if not shared:
        return (), []
    reason = f"{shared:,} of the {len(test):,} rows of {name} equal a row of the raced table in every column"
    if shared > duplicates.MANY_COPIES * len(test):
        return ({"flag": "test_overlap", "severity": "warn", "reason": f"{reason}, which flatters the test"},), []
    return (), [f"{reason}."]


def _as_coded(test: Table, raced: Table) -> Table:
    """The test's strings by the codes of the raced table; a string that it lacks gets a code beyond."""
    columns = []
    for column, own in zip(test.columns, raced.columns, strict=True):
        if column.levels:
            places = {level: place for place, level in enumerate(own.levels)}
            codes = [places.get(level, len(places) + place) for place, level in enumerate(column.levels)]
            values = np.append(np.array(codes, dtype=np.int32), -1)[column.values]
            column = Column(column.name, column.role, values.astype(np.int32), column.levels)
        columns.append(column)
    return Table(tuple(columns))


def with_test(task: TableTask, question: Question) -> TableTask:
    """The task with its person's own test."""
    held_out.attached(task, read(task, question))
    return task
