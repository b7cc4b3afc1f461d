"""Where series come from: a column of lists, or rows that a column tells apart.

Needs that this module answers:

* Lists of numbers in a table's cells are series, unless a person says otherwise; short lists are not.
* Rows are series where a person says by what they are told apart.
* Looking costs next to nothing: the head of a file is enough.
"""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.errors import InputError, OptionError, SourceError
from deepenough.kinds.series import cells
from deepenough.kinds.series.recording import MOST_VALUES
from deepenough.task import files, sql
from deepenough.task import frame as frames
from deepenough.task import source as tables
from deepenough.task.frame import Frame, Raw
from deepenough.task.task import Question

LOOKED_AT = 200
"""Rows of a table's head by which it is recognised, and cells of a column."""
MOST_ROWS = 5_000_000
"""Rows that are read where a row is one step."""
NEARLY_ALL = 0.9


def named(question: Question) -> tuple[str, ...]:
    """The columns that a person named."""
    return tuple(question.options.get("series") or ())


def read_as_they_stand(question: Question) -> tuple[str, ...]:
    """The columns that name series and groups: 007 is not 7."""
    return (*named(question), *filter(None, [question.group]))


def recognised(source: Any, question: Question) -> str:
    """Why a source holds series that are asked about as a whole; empty where it does not."""
    options = question.options
    if options.get("horizon") or options.get("text") or not _may_be_a_table(source):
        return ""
    if names := named(question):
        return f"you named {' and '.join(map(repr, names))} as what makes series, and no horizon to forecast"
    if sql.is_address(source) or question.target is None:
        return ""
    try:
        found = listed(head(source, question), question)
    except (InputError, OSError):
        return ""  # whoever loads it says what is wrong
    return f"the cells of {' and '.join(map(repr, found))} hold series of numbers" if found else ""


def _may_be_a_table(source: Any) -> bool:
    if frames.is_frame(source) or sql.is_address(source):
        return True
    if not isinstance(source, str | Path):
        return False
    path = Path(os.path.expanduser(source))
    return os.path.isfile(path) and (bool(files.tabular_ending(path.name)) or files.looks_tabular(path))


def head(source: Any, question: Question) -> Frame:
    """The first rows. Raises an InputError where there are none."""
    if sql.is_address(source):
        return tables.read(source, question.options, LOOKED_AT)
    if isinstance(source, str | Path):
        batch = next(iter(tables.batches(Path(os.path.expanduser(source)), LOOKED_AT, question.options)))
        return frames.from_frame(batch, LOOKED_AT)
    return frames.from_frame(source, LOOKED_AT)


def listed(frame: Frame, question: Question) -> tuple[str, ...]:
    """Names of the columns whose cells hold series; of those that a person named, where any of them does."""
    used = {question.target, question.group, question.time, question.folds, question.weights, *question.drop}
    wanted = named(question)
    own = [column.name for column in frame.columns if column.name in wanted and holds_series(column, least=1)]
    if own:
        return tuple(own)
    return tuple(
        column.name for column in frame.columns if column.name not in {*used, *wanted} and holds_series(column)
    )


def holds_series(column: Raw, least: int = cells.LEAST_STEPS) -> bool:
    """Whether nearly all cells of a column hold several numbers, usually at least so many."""
    if column.form != "words" or not column.levels:
        return False
    some = column.levels[:: max(1, len(column.levels) // LOOKED_AT)]
    read = [cells.parsed(cell) for cell in some if cells.is_listed(cell)]
    if len(read) < NEARLY_ALL * len(some):
        return False
    lengths = [len(numbers) for numbers, strange in read if len(numbers) > strange or not len(numbers)]
    return len(lengths) >= NEARLY_ALL * len(some) and float(np.median(lengths)) >= least


def read(source: Any, question: Question) -> tuple[Frame, tuple[str, ...]]:
    """The rows, and the columns of them that hold series; none where each row is one step.

    Raises an InputError where no series are found.
    """
    first = head(source, question)
    channels = listed(first, question)
    if not channels:
        _refuse_nested(first)
        return _rows(source, question, first), ()
    columns = [first.column(name) for name in channels]
    steps = sum(float(np.median([level.count(",") + 1 for level in column.levels])) for column in columns)
    most = int(np.clip(MOST_VALUES / max(1.0, steps), 1_000, tables.MAX_ROWS))
    ids = tuple(name for name in read_as_they_stand(question) if name not in channels)
    return tables.read(source, question.options, most, question.seed, ids), channels


def _refuse_nested(frame: Frame) -> None:
    for column in frame.columns:
        if column.levels and column.levels[0].startswith("[["):
            raise SourceError(
                f"{column.name!r} holds lists within lists. Give each channel a column of its own, so that a cell is "
                "one list of numbers."
            )


def _rows(source: Any, question: Question, first: Frame) -> Frame:
    names = named(question)
    if not names:
        raise SourceError(
            "No series were found: no column holds lists of numbers. Where each row is one step, name what tells "
            f"series apart and what orders them: --series COLUMN --time COLUMN. Columns: {', '.join(first.names[:12])}."
        )
    for name in names:
        first.column(name, "--series")
        for option in ("target", "time", "folds", "weights"):
            if getattr(question, option) == name:
                raise OptionError(f"--series {name!r} is named by --{option} too. Name another column for one of them.")
    frame = tables.read(source, question.options, MOST_ROWS, question.seed, read_as_they_stand(question))
    if frame.facts["rows_in_source"] > frame.rows:
        raise SourceError(
            f"{frame.facts['name']} has {frame.facts['rows_in_source']:,} rows, more than the {frame.rows:,} that can "
            "be read, and leaving rows out would tear series. Give fewer series, or average several steps into one."
        )
    return frame
