"""What can be said of a table at a glance: its size and its classes, from a sample of its rows.

Needs that this module answers:

* Seconds, whatever the file: no split, no search for copies or leaks, no more than `MOST_ROWS` rows in memory.
* The target is read as a race reads it, and a target that no race would take is refused alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deepenough.errors import OptionError
from deepenough.kinds import Glance
from deepenough.task import source as sources
from deepenough.task import target as targets
from deepenough.task.task import Question

MOST_ROWS = 20_000


def of(source: Any, question: Question) -> Glance:
    """The glance. Raises an InputError where the source can't be read or the target not be predicted."""
    if question.target is None:
        raise OptionError("No column to predict was named: --target COLUMN.")
    frame = sources.read(source, question.options, MOST_ROWS, question.seed)
    target = targets.read(frame.column(question.target), question)
    rows = round(frame.facts["rows_in_source"] * len(target.rows) / frame.rows)
    features = len(frame.columns) - 1
    if not target.classes:
        return Glance(rows, features, unknown=f"{target.name!r} is a number, and what is shipped is of classes alone")
    counts = np.bincount(target.values, minlength=len(target.classes))
    return Glance(rows, features, len(target.classes), float(counts.max() / counts.sum()))
