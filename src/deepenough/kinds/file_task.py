"""One question about files, a unit each: pictures, recordings, clips. What the tasks of these kinds share.

Needs that this module answers:

* What is asked of the rows is read as for all kinds (see `task.rows`); here are the files.
* A file that can't be used is set aside by name, and the race goes on with the others.
* A kind says how its files are read (a `Reader`), what a model sees of them, which are copies, and what is odd.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.errors import SourceError
from deepenough.judge.traits import Trait
from deepenough.kinds import file_sources, file_store, folders
from deepenough.kinds.copies import Copies
from deepenough.kinds.file_sources import Form
from deepenough.kinds.file_store import Decoded, Reader
from deepenough.kinds.folders import Item
from deepenough.task import rows
from deepenough.task.frame import Frame, Raw
from deepenough.task.rows import Asked, RowsTask
from deepenough.task.splits import Splits
from deepenough.task.task import Question

MANY_COPIES = 0.05
MANY_LOST = 0.2
NAMED = 50
"""Files that are set aside are named one by one up to so many."""
PLACE = "place of the file"
"""Column that is added while rows are read: which of the decoded files a row has."""


class FileTask(RowsTask):
    """Files and the answer to predict, made ready.

    column: of the frame, that names the files. names: of each unit's file. order: of each its place among the decoded
    files. decoded: what is known of these. items: the files themselves, reader: how they were read; neither is there
    where a task was made of no files.
    """

    form: ClassVar[Form]

    def __init__(
        self,
        inputs: Any,
        asked: Asked,
        made: Splits,
        column: str,
        names: Sequence[str],
        decoded: Decoded,
        order: np.ndarray,
    ) -> None:
        super().__init__(inputs, asked, made, 1)
        units = self.form.units
        self.called = (self.form.unit, units)
        self.new_source = (f"new_{units}", f"a folder of {units}, one of them, or a table that names them")
        self.column, self.decoded, self.order, self.frame = column, decoded, order, asked.frame
        if self.form.personal:
            self.question_facts = {**self.question_facts, "personal": self.form.personal}
        self.names = tuple(names[place] for place in decoded.there[order].tolist())
        self.reader: Reader | None = None
        self.items: tuple[Item, ...] = ()

    @classmethod
    @abstractmethod
    def reader_for(cls, items: Sequence[Item], question: Question) -> Reader:
        """How these files are read: by what a person asked for, and by what they are."""

    @classmethod
    @abstractmethod
    def inputs_of(cls, decoded: Decoded) -> Any:
        """What a model sees of decoded files."""

    @abstractmethod
    def inputs_like(self, decoded: Decoded) -> Any:
        """The same of other files, read as these were."""

    @classmethod
    @abstractmethod
    def copies_of(cls, inputs: Any, targets: np.ndarray, apart: bool) -> Copies:
        """Which are copies of each other. apart: whether the splits will keep them on one side."""

    @abstractmethod
    def beside(self, other: Any) -> Any:
        """The inputs of this task with others after them."""

    @classmethod
    @abstractmethod
    def say_what_is_odd(cls, inputs: Any, names: Sequence[str], decoded: Decoded, asked: Asked) -> None:
        """Add notes and doubts. names: of all decoded files, in their order, as `decoded.seen` is."""

    @abstractmethod
    def traits_of(self) -> Sequence[Trait]:
        """Measured qualities of all units, by which judged ones may differ."""

    def traits(self, fold: int) -> Sequence[Trait]:
        judged = self.splits.folds[fold].judged
        if not hasattr(self, "_traits"):
            self._traits = tuple(self.traits_of())
        return tuple(trait.take(judged) for trait in self._traits)

    def describe(self) -> dict[str, Any]:
        """The files in plain values."""
        return {
            "rows": self.rows,
            "columns": [{"name": self.column, "role": self.form.unit}],
            "read_as": dict(self.read_as()),
            "target": {**self.question_facts, "spread": self.spread()},
            "splits": {"judging": self.judging, "splitting": self.splitting, "folds": self.folds},
        }

    @abstractmethod
    def read_as(self) -> Mapping[str, Any]:
        """What each file is read to, in plain values."""

    @classmethod
    def load(cls, source: Any, question: Question) -> Self:
        """Read a source and make its task ready. Raises an InputError that says what to do where it can't."""
        found = file_sources.read(source, question, cls.form)
        if question.target is None and found.of_folder:
            question = replace(question, target=file_sources.CLASS)
        if question.target is None:
            rows.asked(found.frame, question)  # which says that a target must be named
        items, there = found.there()
        reader = cls.reader_for(items, question)
        decoded = file_store.decoded(items, reader)
        if not len(decoded.there):
            raise SourceError(
                f"None of the {len(items):,} files of {found.frame.facts['name']} is a {cls.form.unit} that can be "
                f"used: {items[0].name}: {decoded.reasons[0]}."
            )
        frame = found.frame.take(there[decoded.there])
        frame = replace(frame, facts=decoded.hashed(frame.facts))
        names, inputs = [item.name for item in items], cls.inputs_of(decoded)
        task = cls.made_of(frame, question, found.column, names, decoded, inputs, found.absent())
        task.reader = reader
        task.items = tuple(items[place] for place in decoded.there[task.order].tolist())
        return task

    @classmethod
    def made_of(
        cls,
        frame: Frame,
        question: Question,
        column: str,
        names: Sequence[str],
        decoded: Decoded,
        inputs: Any,
        absent: Sequence[str] = (),
    ) -> Self:
        """The task of files that were decoded.

        frame: a row for each of them. names: of all files that were there. inputs: of the decoded ones, in the frame's
        order. absent: names of files that are not there.
        """
        frame.column(str(question.target))  # names those that there are, where it is none
        asked = rows.asked(placed(frame), question)
        order = asked.frame.column(PLACE).values.astype(np.int64)
        out = rows.not_inputs(asked) | {PLACE, column}
        for other in asked.frame.columns:
            if other.name not in out:
                why = f"not read: only {cls.form.units} are; --kind table reads all columns together"
                asked.found.aside(other.name, why)
        inputs = inputs.take(order)
        say_what_was_set_aside(names, decoded, absent, asked)
        cls.say_what_is_odd(inputs, [names[place] for place in decoded.there.tolist()], decoded, asked)
        if cls.form.personal:
            asked.found.notes.append(cls.form.personal)
        copies = cls.said_copies(inputs, asked)
        rows.doubt_numbers(asked)
        return cls(inputs, asked, rows.split(asked, copies.clusters), column, names, decoded, order)

    @classmethod
    def said_copies(cls, inputs: Any, asked: Asked) -> Copies:
        """Which files are copies; it is said, and doubted where they are many or have two answers."""
        question, said = asked.question, asked.found
        found = cls.copies_of(inputs, asked.target.values, question.group is None and question.folds is None)
        if found.note and found.clusters is not None and found.share > MANY_COPIES:
            said.flag("duplicates", "warn", found.note)
        elif found.note:
            said.notes.append(found.note)
        if len(found.disputed):
            few = f"{len(found.disputed):,} {cls.form.units} equal another one in all that is read of them"
            said.flag(
                "two_answers", "warn", f"{few}, and have another answer: some answers are wrong, or can't be seen"
            )
        return found


def placed(frame: Frame) -> Frame:
    """The frame with the column `PLACE`."""
    place = Raw(PLACE, "number", np.arange(frame.rows, dtype=np.float64))
    return replace(frame, columns=(*frame.columns, place))


def say_what_was_set_aside(names: Sequence[str], decoded: Decoded, absent: Sequence[str], asked: Asked) -> None:
    """Files that can't be used, by name, each with its reason. names: of all files that were there."""
    reasons = [(names[place], reason) for place, reason in decoded.reasons.items()]
    reasons += [(name, "the file is not there") for name in absent]
    for name, reason in reasons[:NAMED]:
        asked.found.aside(name, reason)
    if reasons:
        shown = folders.shown([f"{name} ({reason})" for name, reason in reasons], 3)
        asked.found.notes.append(f"{len(reasons):,} files are set aside: {shown}.")
    lost = len(reasons) / (len(names) + len(absent))
    if lost > MANY_LOST:
        asked.found.flag("unreadable", "warn", f"{lost:.0%} of the files could not be used")
