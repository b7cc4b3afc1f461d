"""Tables: rows and columns, and one column to predict."""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepenough.kinds import Codec, Glance, Kind
from deepenough.learner import Learner
from deepenough.task import files, frame, sql
from deepenough.task.task import Question, Task


class Table(Kind):
    """Rows and columns, and one column to predict from the others."""

    name = "table"
    about = "rows and columns (a file, a database, a frame), and one column to predict from the others"
    extra = "table"
    precedence = 90  # rows and columns can hold other kinds of data: those are asked before

    def recognise(self, source: Any, question: Question) -> str:
        if frame.is_frame(source):
            return f"a {type(source).__name__} of rows and columns"
        if sql.is_address(source):
            return "a table of a database"
        if not isinstance(source, str | Path):
            return ""
        path = Path(os.path.expanduser(source))
        ending = files.tabular_ending(path.name)
        if ending and not os.path.isdir(path):  # also where no file is: loading it then says which names are near
            return f"a file of rows and columns ({ending})"
        return "a text of rows and columns" if os.path.isfile(path) and files.looks_tabular(path) else ""

    def load(self, source: Any, question: Question) -> Task:
        from deepenough.kinds.table import task

        loaded = task.load(source, question)
        if question.test is None:
            return loaded
        from deepenough.kinds.table import held_out

        return held_out.with_test(loaded, question)

    def codec(self, task: Any) -> Codec:
        from deepenough.kinds.table.codec import TableCodec

        return TableCodec.of(task)

    def codec_class(self) -> type[Codec]:
        from deepenough.kinds.table.codec import TableCodec

        return TableCodec

    def glance(self, source: Any, question: Question) -> Glance:
        from deepenough.kinds.table import glance

        return glance.of(source, question)

    def expectation(self, task: Any) -> Sequence[Mapping[str, str]]:
        from deepenough.kinds.table import expectation

        return expectation.of(task.rows, task.splitting, task.n_classes)

    def mine(self, where: str) -> Learner:
        from deepenough.kinds.table import mine

        return mine.named(where)

    def toys(self) -> Mapping[str, Task]:
        from deepenough.kinds.table import toys

        return toys.toys()
