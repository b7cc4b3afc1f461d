"""One question about one table: its columns typed, its rows split, what is wrong with it found and said.

Needs that the design answers:

* Whatever file comes, from ten rows on, is raced or refused with a reason; it never ends in a traceback.
* What is asked of the rows is read as for all kinds (see `task.rows`); here are the columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deepenough.errors import SourceError
from deepenough.judge.traits import Trait
from deepenough.kinds.table import columns as roles
from deepenough.kinds.table import data_checks, duplicates, pictures
from deepenough.kinds.table.inputs import Table
from deepenough.kinds.table.pictures import Pictured
from deepenough.task import rows
from deepenough.task import source as sources
from deepenough.task.frame import Frame, Raw
from deepenough.task.rows import Asked, RowsTask
from deepenough.task.splits import Splits
from deepenough.task.task import OtherSplit, Question


class TableTask(RowsTask):
    """A table and the column to predict, made ready.

    raw: by name, the columns as they were read, for the codec. why: by name, why a column has its role.
    """

    def __init__(self, table: Table, asked: Asked, made: Splits, why: Mapping[str, str]) -> None:
        super().__init__(table, asked, made, len(table.columns))
        self.raw: Mapping[str, Raw] = {column.name: column for column in asked.frame.columns}
        self.why = why

    @property
    def table(self) -> Table:
        """The columns of all rows that have an answer."""
        table: Table = self.all_inputs
        return table

    def other_splits(self) -> Sequence[OtherSplit]:
        from deepenough.kinds.table import other_splits

        return tuple(other_splits.of(self))

    def traits(self, fold: int) -> Sequence[Trait]:
        from deepenough.kinds.table import traits

        return tuple(traits.of(self.inputs(fold)))

    def describe(self) -> dict[str, Any]:
        """The table in plain values: each column's role with the reason, what is missing, how the target is spread."""
        return {
            "rows": self.rows,
            "columns": [self._described(place) for place in range(self.columns)],
            "target": {**self.question_facts, "spread": self.spread()},
            "splits": {"judging": self.judging, "splitting": self.splitting, "folds": self.folds},
        }

    def _described(self, place: int) -> dict[str, Any]:
        column = self.table.columns[place]
        absent = data_checks.missing(column)
        present = column.values[~absent]
        facts: dict[str, Any] = {"name": column.name, "role": column.role, "why": self.why[column.name]}
        facts |= {"missing_share": float(absent.mean()), "distinct": len(np.unique(present))}
        if column.levels:
            counts = np.bincount(present, minlength=len(column.levels))
            top = np.argsort(-counts, kind="stable")[:5].tolist()
            return facts | {"most_frequent": [[column.levels[code], int(counts[code])] for code in top]}
        middle = float(np.median(present))
        return facts | {"lowest": float(present.min()), "median": middle, "highest": float(present.max())}


def load(source: Any, question: Question) -> TableTask:
    """Read a source and make its task ready. Raises an InputError that says what to do where it can't."""
    frame = sources.read(source, question.options, seed=question.seed)
    frame, pictured = pictures.measured_in(frame, source, question)
    return make(frame, question, pictured)


def make(frame: Frame, question: Question, pictured: Pictured | None = None) -> TableTask:
    """The task of a frame that was read. pictured: what became of its columns of pictures; default: there are none."""
    asked = rows.asked(frame, question)
    table, why = _inputs(asked, pictured or Pictured())
    copies = _checked(table, asked)
    return TableTask(table, asked, rows.split(asked, copies), why)


def _inputs(asked: Asked, pictured: Pictured) -> tuple[Table, dict[str, str]]:
    """The columns to predict from, with their roles' reasons; what takes no part is said."""
    target, question, found = asked.target, asked.question, asked.found
    for name, reason in pictured.aside.items():
        found.aside(name, reason)
    out = rows.not_inputs(asked) | set(pictured.aside)
    of = pictured.of
    typed = [roles.typed(column, of.get(column.name, "")) for column in asked.frame.columns if column.name not in out]
    table = Table(tuple(column for column, _ in typed))
    keep = frozenset({question.time} if question.time is not None else ())
    unusable = dict(data_checks.unusable(table, keep))
    for name, reason in unusable.items():
        found.aside(name, reason)
    table = Table(tuple(column for column in table.columns if column.name not in unusable))
    leaks = dict(data_checks.given_away(table, target.values, target.n_classes, question.seed))
    for name, reason in leaks.items():
        found.aside(name, reason)
        found.flag("leak", "distrust", f"the column {name!r} {reason}; the race was run without it")
    table = Table(tuple(column for column in table.columns if column.name not in leaks))
    if not table.columns:
        asides = "; ".join(f"{item['name']}: {item['reason']}" for item in found.set_aside)
        raise SourceError(f"No column is left to predict {target.name!r} from. Set aside were {asides or 'none'}.")
    return table, {column.name: why for column, why in typed}


def _checked(table: Table, asked: Asked) -> np.ndarray | None:
    """Doubts and notes about the rows; returns which are copies of each other."""
    target, question, found = asked.target, asked.question, asked.found
    copies = duplicates.copies(table, target.values, apart=question.group is None and question.folds is None)
    if copies.note and copies.clusters is not None and copies.share > duplicates.MANY_COPIES:
        found.flag("duplicates", "warn", copies.note)
    elif copies.note:
        found.notes.append(copies.note)
    rows.doubt_numbers(asked)
    if question.group is None and (hidden := data_checks.grouped(table, question.seed)):
        found.flags.append(hidden)
    if question.time is None and (dates := [column.name for column in table.columns if column.role == "date"]):
        found.notes.append(
            f"Rows carry dates ({dates[0]!r}); if the model will predict the future, run again with --time {dates[0]}."
        )
    elif question.time is not None:
        later = f"What is judged comes later in {question.time!r} than what is learnt from"
        found.notes.append(f"{later}; the column stays an input.")
    return copies.clusters
