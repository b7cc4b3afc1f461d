"""One question about one table: its columns typed, its rows split, what is wrong with it found and said.

Needs that the design answers:

* Whatever file comes, from ten rows on, is raced or refused with a reason; it never ends in a traceback.
* Every decision taken on the way (a column set aside, a class, a reading of the target) is kept for the report.
* Labels of judged rows stay here: a job holds inputs alone (see `SupervisedTask.job`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.errors import OptionError, SourceError, TargetError
from deepenough.evidence import Units
from deepenough.judge.metrics import Metric
from deepenough.judge.traits import Trait
from deepenough.kinds.table import columns as roles
from deepenough.kinds.table import data_checks, duplicates, row_facts
from deepenough.kinds.table import target as targets
from deepenough.kinds.table.inputs import Table
from deepenough.kinds.table.target import Target
from deepenough.learner import Examples
from deepenough.task import source as sources
from deepenough.task import splits
from deepenough.task.frame import Frame, Raw
from deepenough.task.splits import Splits
from deepenough.task.task import HeldOut, OtherSplit, Question, SupervisedMetric, SupervisedTask

LEAST_ROWS = 6
"""Rows with an answer under which nothing can be split."""
FEW_GROUPS = 10
"""With fewer, the groups' own differences are mistaken for those of the learners (up to half of all verdicts wrong)."""


@dataclass
class Found:
    """What was decided on the way from the source to the task, for the report."""

    set_aside: list[Mapping[str, str]]
    notes: list[str]
    flags: list[Mapping[str, str]]

    def aside(self, name: str, reason: str) -> None:
        """Say that a column takes no part."""
        self.set_aside.append({"name": name, "reason": reason})

    def flag(self, flag: str, severity: str, reason: str) -> None:
        """Raise a doubt about the race: `warn`, or `distrust` where its verdict can't be trusted."""
        self.flags.append({"flag": flag, "severity": severity, "reason": reason})


class TableTask(SupervisedTask):
    """A table and the column to predict, made ready.

    table, targets: of all rows that have an answer.
    question_facts, source: for the plan: target, task, classes, positive, metric and why; name, sha256, path, sizes.
    set_aside, notes, flags: what was decided, each with its reason.
    raw: by name, the columns as they were read, for the codec.
    weighs: what each row weighs, their mean one; None where all weigh the same.
    test: rows that a person set aside to test on; None where there are none.
    """

    def __init__(
        self,
        table: Table,
        target: Target,
        made: Splits,
        metric: Metric,
        source: Mapping[str, Any],
        found: Found,
        raw: Mapping[str, Raw],
        why: Mapping[str, str],
        weighs: np.ndarray | None = None,
    ) -> None:
        self.table, self.target, self.targets, self.splits = table, target, target.values, made
        self.metric = self._metric = metric
        self.weighs = weighs
        self.test: HeldOut | None = None
        self.source, self.raw, self.why = dict(source), raw, why
        self.n_classes = target.n_classes
        self.largest, self.smallest, self.folds = made.largest, made.smallest, len(made.folds)
        self.judging, self.splitting = made.judging, made.splitting
        self.rows, self.columns = len(table), len(table.columns)
        self.set_aside = tuple(found.set_aside)
        self.notes = tuple(found.notes)
        self.flags = tuple(found.flags)
        self.question_facts = {
            "target": target.name,
            "task": target.task,
            "classes": list(target.classes),
            "positive": target.positive,
            "metric": metric.name,
            "weighted": weighs is not None,
            "ordered": target.ordered,
            "counts": target.counts,
            "why": target.why,
            "about": f"{target.name!r} is predicted as {'classes' if target.classes else 'a number'}: {target.why}.",
        }

    def train(self, n_train: int, fold: int, seed: int) -> Examples:
        rows, inner = self.splits.train(n_train, fold, seed)
        return Examples(self.table.take(rows), self.targets[rows], self.n_classes, inner, self._weights_of(rows))

    def everything(self, seed: int) -> Examples:
        rows = np.arange(self.rows)
        inner = self.splits.inner(rows, [seed, self.folds])
        return Examples(self.table, self.targets, self.n_classes, inner, self.weighs)

    def _weights_of(self, rows: np.ndarray) -> np.ndarray | None:
        return None if self.weighs is None else self.weighs[rows]

    def weights(self, fold: int) -> np.ndarray | None:
        return self._weights_of(self.splits.folds[fold].judged)

    def held_out(self) -> HeldOut | None:
        return self.test

    def other_splits(self) -> Sequence[OtherSplit]:
        from deepenough.kinds.table import other_splits

        return tuple(other_splits.of(self))

    def traits(self, fold: int) -> Sequence[Trait]:
        from deepenough.kinds.table import traits

        return tuple(traits.of(self.inputs(fold)))

    def inputs(self, fold: int) -> Table:
        return self.table.take(self.splits.folds[fold].judged)

    def truth(self, fold: int) -> np.ndarray:
        return np.asarray(self.targets[self.splits.folds[fold].judged])

    def units(self, fold: int) -> Units:
        split = self.splits.folds[fold]
        return Units(split.judged, split.parts, split.clusters)

    def metrics(self) -> Sequence[SupervisedMetric]:
        from deepenough.judge import metrics

        shape = {"ordered": bool(self.target.ordered), "counts": bool(self.target.counts)}
        beside: Any = metrics.beside(self._metric, self.n_classes, **shape)  # frozen, unlike the protocol's name
        return [self._metric, *(beside if self.weighs is None else map(metrics.Weighted.of, beside))]

    def describe(self) -> dict[str, Any]:
        """The table in plain values: each column's role with the reason, what is missing, how the target is spread."""
        return {
            "rows": self.rows,
            "columns": [self._described(place) for place in range(self.columns)],
            "target": {**self.question_facts, "spread": self._spread()},
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

    def _spread(self) -> dict[str, float]:
        if self.target.classes:
            shares = np.bincount(self.targets, minlength=len(self.target.classes)) / self.rows
            return {name: float(share) for name, share in zip(self.target.classes, shares, strict=True)}
        quantiles = np.quantile(self.targets, (0.0, 0.25, 0.5, 0.75, 1.0)).tolist()
        return dict(zip(("lowest", "quarter", "median", "three_quarters", "highest"), quantiles, strict=True))


def load(source: Any, question: Question) -> TableTask:
    """Read a source and make its task ready. Raises an InputError that says what to do where it can't."""
    return make(sources.read(source, question.options, seed=question.seed), question)


def make(frame: Frame, question: Question) -> TableTask:
    """The task of a frame that was read."""
    from deepenough.judge import metrics

    if question.target is None:
        raise OptionError(f"No column to predict was named: --target COLUMN. {_columns_of(frame)}")
    frame, weightless = row_facts.of_any_weight(frame, question)
    target = targets.read(frame.column(question.target), question)
    if len(target.rows) < LEAST_ROWS:
        raise TargetError(f"Only {len(target.rows)} rows have a {target.name!r}; at least {LEAST_ROWS} are needed.")
    name = question.metric
    metric = metrics.find(name, target.n_classes) if name else metrics.default(target.n_classes)
    if metric.name in metrics.ORDERED and len(target.classes) > 2 and not target.ordered:
        raise OptionError(
            f"--metric {metric.name} measures how far classes are apart, but those of {target.name!r} have no known "
            "order. Write them as numbers, or as low, medium and high; or take balanced_accuracy."
        )
    found = Found(list(target.set_aside), [*frame.notes, *weightless, *target.notes], [])
    frame = frame if len(target.rows) == frame.rows else frame.take(target.rows)
    weighs, weighing = row_facts.weights(frame, question)
    by_class, told = row_facts.of_classes(target, question)
    if by_class is not None:
        weighs = by_class[target.values] if weighs is None else weighs * by_class[target.values]
        weighs = weighs / weighs.mean()
    found.notes += [*weighing, *told]
    table, why = _inputs(frame, target, question, found)
    copies = _checked(table, target, question, found)
    made = _split(frame, target, question, copies, found)
    raw = {column.name: column for column in frame.columns}
    judged: Any = metric if weighs is None else metrics.Weighted.of(metric)
    return TableTask(table, target, made, judged, frame.facts, found, raw, why, weighs)


def _split(frame: Frame, target: Target, question: Question, copies: np.ndarray | None, found: Found) -> Splits:
    """Who learns and who judges, and what is doubtful about it."""
    times, groups = row_facts.times(frame, question), row_facts.groups(frame, question)
    own, notes = row_facts.own_folds(frame, question)
    found.notes += notes
    made = splits.make(
        target.values, target.n_classes, groups=groups, times=times, copies=copies, own=own, seed=question.seed
    )
    if groups is not None:
        _doubt_groups(groups, made, found)
    if own is not None:
        row_facts.doubt_own_folds(own, made.clusters, groups is not None, found)
    return made


def _columns_of(frame: Frame) -> str:
    shown = ", ".join(repr(name) for name in frame.names[:12])
    return f"The {len(frame.names)} columns are: {shown}{', ...' if len(frame.names) > 12 else ''}."


def _doubt_groups(groups: np.ndarray, made: Splits, found: Found) -> None:
    count = len(np.unique(groups))
    if count < FEW_GROUPS:
        found.flag("few_groups", "distrust", f"{count} groups are too few to judge on; {FEW_GROUPS} are the least")
    if made.splitting == "group" and made.largest < 0.25 * len(groups):
        found.flag("uneven_groups", "warn", f"one group is so large that {made.largest:,} rows are left without it")


def _inputs(frame: Frame, target: Target, question: Question, found: Found) -> tuple[Table, dict[str, str]]:
    """The columns to predict from, with their roles' reasons; what takes no part is said."""
    out = {target.name: ""}
    for name in question.drop:
        out[frame.column(name, "--drop").name] = "you dropped it"
    for field, reason in row_facts.NOT_INPUTS.items():
        if (named := getattr(question, field)) is not None:
            if named == target.name:
                raise OptionError(f"--{field} {named!r} is the target too. Name another column for one of them.")
            out.setdefault(named, reason)
    for name, reason in out.items():
        if reason:
            found.aside(name, reason)
    typed = [roles.typed(column) for column in frame.columns if column.name not in out]
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


def _checked(table: Table, target: Target, question: Question, found: Found) -> np.ndarray | None:
    """Doubts and notes about the rows; returns which are copies of each other."""
    copies = duplicates.copies(table, target.values, apart=question.group is None and question.folds is None)
    if copies.note and copies.clusters is not None and copies.share > duplicates.MANY_COPIES:
        found.flag("duplicates", "warn", copies.note)
    elif copies.note:
        found.notes.append(copies.note)
    if len(table) < data_checks.FEW_ROWS:
        least = f"; {data_checks.FEW_ROWS} are the least"
        found.flag("too_few", "distrust", f"{len(table)} rows are too few to trust any verdict{least}")
    if target.classes:
        rare = data_checks.rare_classes(list(target.classes), np.bincount(target.values, minlength=len(target.classes)))
        found.notes += [rare] if rare else []
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
