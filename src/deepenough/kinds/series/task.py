"""One question about whole series: what is read of them, who learns and who judges, what is odd about them.

Needs that this module answers:

* What is asked of the rows is read as for all kinds (see `task.rows`); a row is a whole series here.
* A series that comes twice stands on one side.
* What is the same throughout a series and takes no part is still what errors can be told apart by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from deepenough.errors import OptionError
from deepenough.judge.traits import Trait
from deepenough.kinds.series import reading, sources
from deepenough.kinds.series.inputs import Signals
from deepenough.kinds.series.reading import PLACE, Collected
from deepenough.kinds.series.recording import Recording, averaged
from deepenough.task import rows
from deepenough.task.frame import Frame, Raw
from deepenough.task.rows import Asked, RowsTask
from deepenough.task.splits import Splits
from deepenough.task.task import Question

MANY_COPIES = 0.05
BY_NATURE = 0.5
"""Where a larger share are copies, few different series are all there is, and new ones will be copies as well."""
SHOWN_STEPS = 200
"""Of a series in a picture."""
MOST_LEVELS = 200
"""Categories with more levels are no traits."""


class SeriesTask(RowsTask):
    """Series with an answer each, made ready.

    recording: how the series are read. facts: what else is known of each, by which errors may be told apart.
    """

    called = ("series", "series")

    def __init__(
        self, signals: Signals, asked: Asked, made: Splits, recording: Recording, facts: Sequence[Raw]
    ) -> None:
        super().__init__(signals, asked, made, len(signals.channels))
        self.recording, self.facts = recording, tuple(facts)

    @property
    def signals(self) -> Signals:
        """All series that have an answer."""
        signals: Signals = self.all_inputs
        return signals

    def show(self, fold: int, places: np.ndarray) -> Sequence[Mapping[str, Any]]:
        some = self.inputs(fold).take(places)
        return [
            {"form": "curve", "name": name, "channels": _drawn(values, length, some.channels)}
            for name, values, length in zip(some.names, some.values, some.lengths.tolist(), strict=True)
        ]

    def traits(self, fold: int) -> Sequence[Trait]:
        judged = self.splits.folds[fold].judged
        return tuple(trait.take(judged) for trait in self._traits)

    @cached_property
    def _traits(self) -> tuple[Trait, ...]:
        values, known = self.signals.values, np.isfinite(self.signals.values)
        counts = np.maximum(known.sum(axis=2), 1)
        means = np.where(known, values, 0.0).sum(axis=2) / counts
        spreads = np.sqrt(np.where(known, (values - means[:, :, None]) ** 2, 0.0).sum(axis=2) / counts)
        absent = ~known.any(axis=2)
        found = [Trait("steps", self.signals.lengths.astype(np.float64))]
        for place, name in enumerate(self.signals.channels[:20]):
            for what, numbers in (("mean", means), ("spread", spreads)):
                found.append(Trait(f"{what} of {name}", np.where(absent[:, place], np.nan, numbers[:, place])))
        return (*found, *map(_trait, self.facts))

    def describe(self) -> dict[str, Any]:
        """The series in plain values."""
        lengths = np.quantile(self.signals.lengths, (0, 0.5, 1)).tolist()
        return {
            "rows": self.rows,
            "columns": [{"name": name, "role": "channel"} for name in self.signals.channels],
            "steps": dict(zip(("shortest", "median", "longest"), lengths, strict=True)),
            "target": {**self.question_facts, "spread": self.spread()},
            "splits": {"judging": self.judging, "splitting": self.splitting, "folds": self.folds},
        }


def _drawn(values: np.ndarray, length: int, channels: Sequence[str]) -> dict[str, list[float | None]]:
    short = averaged(values[:, : max(1, length)], -(-max(1, length) // SHOWN_STEPS))
    return {
        name: [None if np.isnan(value) else float(value) for value in channel]
        for name, channel in zip(channels, short, strict=True)
    }


def _trait(column: Raw) -> Trait:
    if column.form == "words":
        return Trait(column.name, column.values, column.levels, "category")
    return Trait(column.name, column.values, form=column.form)


def load(source: Any, question: Question) -> SeriesTask:
    """Read a source and make its task ready. Raises an InputError that says what to do where it can't."""
    if question.target is None:
        rows.asked(Frame((), 0), question)  # which says that a target must be named
    frame, channels = sources.read(source, question)
    return make(frame, channels, question)


def make(frame: Frame, channels: Sequence[str], question: Question) -> SeriesTask:
    """The task of rows that were read. channels: columns whose cells hold series; none where a row is a step."""
    frame.column(str(question.target))
    if question.target in channels:
        raise OptionError(f"--target {question.target!r} holds series too. Name a column of one answer a series.")
    if question.time in channels or (channels and _holds_lists(frame, question.time)):
        raise OptionError(
            f"--time {question.time!r} holds lists. Steps of lists are taken to be equally far apart; leave --time "
            "out, or write one row a step and name what tells series apart with --series."
        )
    found = reading.collect(frame, channels, question)
    if not channels:  # rows were ordered by it, and dropped columns are gone
        question = replace(question, time=None, drop=())
    asked = rows.asked(found.frame, question)
    signals = found.signals.take(asked.frame.column(PLACE).values.astype(np.int64))
    asked.found.notes[:0] = found.notes
    asked.found.set_aside += found.aside
    facts = _facts(asked, question, found)
    copies = _checked_copies(signals, asked)
    rows.doubt_numbers(asked)
    if question.time is not None:
        asked.found.notes.append(f"What is judged comes later in {question.time!r} than what is learnt from.")
    made = rows.split(asked, copies)
    return SeriesTask(signals, asked, made, found.recording, facts)


def _holds_lists(frame: Frame, name: str | None) -> bool:
    return name is not None and sources.holds_series(frame.column(name, "--time"), least=1)


def _facts(asked: Asked, question: Question, found: Collected) -> list[Raw]:
    """What is known of each series and takes no part; that it does not is said."""
    out = rows.not_inputs(asked) | {PLACE, *found.recording.ids, question.time}
    facts = [column for column in asked.frame.columns if column.name not in out]
    for column in facts:
        asked.found.aside(column.name, "one value a series; only what has steps is read")
    return [
        column
        for column in facts
        if len(np.unique(column.values[~column.missing])) > 1 and len(column.levels) <= MOST_LEVELS
    ]


def copies_of(signals: Signals) -> np.ndarray | None:
    """Int per series, equal for those whose numbers are all equal; None where all differ."""
    plain = np.nan_to_num(signals.values, nan=-1.2345e300) + 0.0  # a negative zero is a zero
    codes: dict[bytes, int] = {}
    found = np.array([codes.setdefault(each.tobytes(), len(codes)) for each in plain], dtype=np.int64)
    return None if len(codes) == len(found) else found


def _checked_copies(signals: Signals, asked: Asked) -> np.ndarray | None:
    """Copies to keep on one side, after they were said; None where there are none, or where most series are copies."""
    copies = copies_of(signals)
    if copies is None:
        return None
    again = len(copies) - len(np.unique(copies))
    by_nature = again > BY_NATURE * len(copies)
    together = asked.question.group is None and asked.question.folds is None and not by_nature
    note = f"{again:,} series equal an earlier one in every step" + ("; copies stay on one side" if together else "")
    if again > MANY_COPIES * len(copies):
        asked.found.flag("duplicates", "warn", note)
    else:
        asked.found.notes.append(f"{note}.")
    return copies if together else None
