"""Other honest splits of documents: would the verdict stand for those to come, or for any?

Needs that this module answers:

* Only what the source itself suggests: by its first column of dates, and at random where the race was split otherwise.
* Copies of a document stand on one side of these splits too.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from deepenough.errors import OptionError
from deepenough.kinds.text import copies
from deepenough.task import splits
from deepenough.task.frame import Raw
from deepenough.task.task import OtherSplit

if TYPE_CHECKING:
    from deepenough.kinds.text.task import TextTask

FEWEST_MOMENTS = 20


def of(task: TextTask) -> Iterator[OtherSplit]:
    """The splits that these documents suggest beside their own."""
    if task.splitting != "random":
        yield OtherSplit("random", "", partial(resplit, task))
    dated = next((column for column in task.frame.columns if _has_moments(column)), None)
    if dated is not None and task.splitting != "time":
        yield OtherSplit("time", dated.name, partial(resplit, task, dated.values))


def _has_moments(column: Raw) -> bool:
    return column.form == "date" and len(np.unique(column.values[~column.missing])) >= FEWEST_MOMENTS


def resplit(task: TextTask, times: np.ndarray | None = None) -> TextTask:
    """The task with its documents split by these moments; at random without. Raises OptionError where nothing is left.

    times: shape (documents,), NaN where it is not known.
    """
    alike = copies.of(task.all_inputs.texts, task.targets).clusters
    made = splits.make(task.targets, task.n_classes, times=times, copies=alike)
    if len(made.folds) < 2:
        raise OptionError("There is one way only to split the documents so, and it takes two to judge.")
    other = copy.copy(task)
    other.splits = made
    other.largest, other.smallest, other.folds = made.largest, made.smallest, len(made.folds)
    other.judging, other.splitting = made.judging, made.splitting
    other.test, other.notes, other.flags = None, (), ()
    return other
