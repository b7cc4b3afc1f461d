"""A person's own test: another table of the same columns, from which nobody learns.

Needs that the design answers:

* It is read as a served table is: the same roles, the same decimal comma, columns in any order. A column that the
  models look at and that is not there is refused by name, before anything is raced.
* Rows that can't be judged (no answer, a class that nobody could learn) are set aside and counted.
* A test that stands in the table too is no test: equal rows are counted and said.
"""

from __future__ import annotations

import numpy as np

from deepenough.errors import ColumnError, TargetError
from deepenough.kinds.table import columns as roles
from deepenough.kinds.table import duplicates, row_facts
from deepenough.kinds.table.codec import TableCodec
from deepenough.kinds.table.inputs import Column, Table
from deepenough.kinds.table.task import TableTask
from deepenough.task import source as sources
from deepenough.task.frame import Frame
from deepenough.task.task import HeldOut, Question

LEAST_ROWS = 2


def read(task: TableTask, question: Question) -> HeldOut:
    """The rows of `question.test`, as the task's models see them.

    Raises an InputError where they can't be tested on.
    """
    frame = sources.read(question.test, question.options, seed=question.seed)
    name = str(frame.facts["name"])
    _check_columns(task, frame, name)
    frame, weightless = _weighing(frame, question)
    truth, rows, notes = _truth(task, frame, name)
    frame = frame.take(rows)
    table = TableCodec.of(task).encode(frame)
    weights = None if task.weighs is None else np.ones(len(rows))
    if weights is not None and question.weights in frame.names:
        weights, _ = row_facts.weights(frame, question)
    elif weights is not None and question.weights is not None:
        notes.append(f"{name} has no {question.weights!r}: there every row counts the same.")
    by_class, _ = row_facts.of_classes(task.target, question)
    if weights is not None and by_class is not None:
        weights = weights * by_class[truth]
    grouped = question.group is not None and question.group in frame.names
    clusters = row_facts.groups(frame, question) if grouped else None
    flags, said = _overlap(task.table, table, name)
    return HeldOut(name, table, truth, weights, clusters, (*frame.notes, *weightless, *notes, *said), flags)


def _check_columns(task: TableTask, frame: Frame, name: str) -> None:
    wanted = [task.target.name, *(column.name for column in task.table.columns)]
    absent = [column for column in wanted if column not in frame.names]
    if absent:
        what = "the target " if absent[0] == task.target.name else ""
        more = f" and {len(absent) - 1} more ({', '.join(map(repr, absent[1:6]))})" if len(absent) > 1 else ""
        raise ColumnError(
            f"--test {name} lacks {what}{absent[0]!r}{more}. A test needs the target, and every column that the models "
            "look at. Add them, or leave them out of the race with --drop."
        )


def _weighing(frame: Frame, question: Question) -> tuple[Frame, list[str]]:
    return row_facts.of_any_weight(frame, question) if question.weights in frame.names else (frame, [])


def _truth(task: TableTask, frame: Frame, name: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The answers, the rows of the frame that they stand in, and what is said of the others."""
    column, notes = frame.column(task.target.name), []
    if task.n_classes is None:
        given = column.strings() if column.form == "text" else column.values
        values = roles.conformed(column.name, "number", task.raw[column.name].reading, given).values
        known = ~np.isnan(values)
        unknown = int(known.size - known.sum())
    else:
        code = {label: place for place, label in enumerate(task.target.classes)}
        values = np.array([code.get(label, -1) if label is not None else -1 for label in column.strings()])
        known = values >= 0
        strange = sorted({str(label) for label in column.strings() if label is not None and label not in code})
        unknown = int(column.missing.sum())
        if strange:
            count = int((~known).sum()) - unknown
            shown = ", ".join(map(repr, strange[:5]))
            notes.append(f"{count:,} rows of {name} are of classes that nobody could learn ({shown}): set aside.")
    if unknown:
        notes.append(f"{unknown:,} rows of {name} have no {column.name!r} and are set aside.")
    rows = np.flatnonzero(known)
    if len(rows) < LEAST_ROWS:
        raise TargetError(
            f"--test {name}: {len(rows)} rows have a {column.name!r} that the race knows; at least {LEAST_ROWS} are "
            "needed. See that the answers are written as in the raced table."
        )
    return values[rows], rows, notes


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
    """The task, its person's own test read; what is doubtful about the test is said with the task."""
    test = read(task, question)
    task.test = test
    task.notes = (*task.notes, *test.notes)
    task.flags = (*task.flags, *test.flags)
    task.question_facts = {**task.question_facts, "tested_on": {"name": test.name, "rows": len(test.truth)}}
    return task
