"""Other honest splits of a table: would the verdict stand for new groups, for the future, or for any row?

Needs that the design answers:

* Only splits that the table itself suggests: by a column whose values many rows share each, by a column of dates, and
  at random where the race was split otherwise. One of each sort at most, for each costs a race of its own.
* A column that rows are grouped by is no input there, as with --group: new rows will have new values of it.
* Copies of a row stand on one side of these splits too.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from deepenough.errors import OptionError
from deepenough.kinds.table import data_checks, duplicates
from deepenough.kinds.table.inputs import Column, Table
from deepenough.task import row_facts, splits
from deepenough.task.task import OtherSplit

if TYPE_CHECKING:
    from deepenough.kinds.table.task import TableTask

FEWEST_GROUPS = 10
LARGEST_SHARE = 0.25
"""No group may hold more of the rows than that: with it on one side, little would be left for the other."""
FEWEST_MOMENTS = 20


def of(task: TableTask) -> Iterator[OtherSplit]:
    """The splits that this table suggests beside its own."""
    if task.splitting != "random":
        yield OtherSplit("random", "", partial(resplit, task))
    column = _grouping(task.table) if task.splitting != "group" else None
    if column is not None:
        yield OtherSplit("group", column, partial(resplit, task, group=column))
    column = _dated(task.table) if task.splitting != "time" else None
    if column is not None:
        yield OtherSplit("time", column, partial(resplit, task, time=column))


def _grouping(table: Table) -> str | None:
    """The column that rows are most likely grouped by: one named like an owner or an identifier, else the category with
    the most values; None where no column has values that many rows share each."""
    able = {c.name: groups for c in table.columns if (groups := _groups_of(c))} if len(table.columns) > 1 else {}
    owners = [name for name in able if data_checks.names_owners(name)]
    return max(owners or able, key=lambda name: (able[name], name), default=None)


def _groups_of(column: Column) -> int:
    """How many groups its values make; 0 where they make none that could be split by."""
    present = column.values[~data_checks.missing(column)]
    if column.role == "category":
        counts = np.bincount(present)
    elif column.role == "number" and data_checks.names_owners(column.name):  # other numbers measure something
        counts = np.unique(present, return_counts=True)[1]
    else:
        return 0
    groups = int((counts > 0).sum())
    shared = FEWEST_GROUPS <= groups <= len(present) / 2
    return groups if shared and counts.max() <= LARGEST_SHARE * len(column.values) else 0


def _dated(table: Table) -> str | None:
    """The first column of dates with enough different moments."""
    dates = (column for column in table.columns if column.role == "date")
    return next((c.name for c in dates if len(np.unique(c.values[np.isfinite(c.values)])) >= FEWEST_MOMENTS), None)


def resplit(task: TableTask, group: str | None = None, time: str | None = None) -> TableTask:
    """The task with its rows split by this column; at random without one. Raises OptionError where nothing is left."""
    copies = duplicates.copies(task.table, task.targets, apart=group is None).clusters
    groups = None if group is None else row_facts.group_codes(task.raw[group])
    times = None if time is None else task.raw[time].values
    made = splits.make(task.targets, task.n_classes, groups=groups, times=times, copies=copies)
    if len(made.folds) < 2:
        raise OptionError("There is one way only to split the rows so, and it takes two to judge.")
    other = copy.copy(task)
    other.splits = made
    other.all_inputs = Table(tuple(column for column in task.table.columns if column.name != group))
    other.columns = len(other.table.columns)
    other.largest, other.smallest, other.folds = made.largest, made.smallest, len(made.folds)
    other.judging, other.splitting = made.judging, made.splitting
    other.test, other.notes, other.flags = None, (), ()
    return other
