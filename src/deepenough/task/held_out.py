"""A person's own test, of any kind of rows: which of its rows can be judged, by what answer, and what they weigh.

Needs that this module answers:

* Rows that can't be judged (no answer, a class that nobody could learn) are set aside and counted.
* Its weights and groups are read as those of the race; a column of them that a test lacks is no error.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deepenough.errors import TargetError
from deepenough.task import row_facts
from deepenough.task.frame import Frame, Raw
from deepenough.task.rows import RowsTask
from deepenough.task.target import Target
from deepenough.task.task import HeldOut, Question

LEAST_ROWS = 2


def weighing(frame: Frame, question: Question) -> tuple[Frame, list[str]]:
    """The rows that weigh something, and what is said of the others."""
    return row_facts.of_any_weight(frame, question) if question.weights in frame.names else (frame, [])


def numbers_of(column: Raw) -> np.ndarray:
    """The numbers of a column that was read as such; NaN where it was not."""
    return column.values if column.form == "number" else np.full(len(column.values), np.nan)


def truth(
    target: Target, frame: Frame, name: str, numbers: Callable[[Raw], np.ndarray] = numbers_of
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The answers, the rows of the frame that they stand in, and what is said of the others.

    numbers: how a column is read as numbers, NaN where it holds none. Raises TargetError where too few rows are left.
    """
    column, notes = frame.column(target.name), []
    if not target.classes:
        values = numbers(column)
        known = ~np.isnan(values)
        unknown = int(known.size - known.sum())
    else:
        code = {label: place for place, label in enumerate(target.classes)}
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


def weights(
    task: RowsTask, frame: Frame, truth: np.ndarray, question: Question, name: str
) -> tuple[np.ndarray | None, list[str]]:
    """What the test's rows weigh, None where all weigh the same, and what is said of it."""
    if task.weighs is None:
        return None, []
    found: np.ndarray | None = np.ones(len(truth))
    notes = []
    if question.weights in frame.names:
        found, _ = row_facts.weights(frame, question)
    elif question.weights is not None:
        notes.append(f"{name} has no {question.weights!r}: there every row counts the same.")
    by_class, _ = row_facts.of_classes(task.target, question)
    if found is not None and by_class is not None:
        found = found * by_class[truth]
    return found, notes


def clusters(frame: Frame, question: Question) -> np.ndarray | None:
    """The test's groups, where it has the column that the race is grouped by."""
    grouped = question.group is not None and question.group in frame.names
    return row_facts.groups(frame, question) if grouped else None


def attached(task: RowsTask, test: HeldOut) -> None:
    """Give the task its person's own test; what is doubtful about the test is said with the task."""
    task.test = test
    task.notes = (*task.notes, *test.notes)
    task.flags = (*task.flags, *test.flags)
    task.question_facts = {**task.question_facts, "tested_on": {"name": test.name, "rows": len(test.truth)}}
