"""Questions about rows: each row has inputs of its kind, and one answer. What such tasks of all kinds share.

Needs that this module answers:

* Whatever can be asked of rows (classes or a number, groups, times, folds, weights, a metric) is read and checked in
  one place; a kind adds what its inputs are, and which rows are copies of each other.
* Every decision taken on the way (a column set aside, a class, a reading of the target) is kept for the report.
* Labels of judged rows stay here: a job holds inputs alone (see `SupervisedTask.job`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deepenough.errors import OptionError, TargetError
from deepenough.evidence import Units
from deepenough.judge.metrics import Metric
from deepenough.learner import Examples
from deepenough.task import row_facts, splits
from deepenough.task import target as targets
from deepenough.task.frame import Frame
from deepenough.task.splits import Splits
from deepenough.task.target import Target
from deepenough.task.task import HeldOut, Question, SupervisedMetric, SupervisedTask

LEAST_ROWS = 6
"""Rows with an answer under which nothing can be split."""
FEW_ROWS = 50
"""Fewer can't carry a verdict."""
FEW_GROUPS = 10
"""With fewer, the groups' own differences are mistaken for those of the learners (up to half of all verdicts wrong)."""
RARE_SHARE = 0.02


@dataclass
class Found:
    """What was decided on the way from the source to the task, for the report."""

    set_aside: list[Mapping[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    flags: list[Mapping[str, str]] = field(default_factory=list)

    def aside(self, name: str, reason: str) -> None:
        """Say that a column takes no part."""
        self.set_aside.append({"name": name, "reason": reason})

    def flag(self, flag: str, severity: str, reason: str) -> None:
        """Raise a doubt about the race: `warn`, or `distrust` where its verdict can't be trusted."""
        self.flags.append({"flag": flag, "severity": severity, "reason": reason})


@dataclass(frozen=True)
class Asked:
    """The rows that a question is about, and what it asks of them.

    frame: the rows that have an answer and weigh something.
    weighs: what each row weighs, their mean one; None where all weigh the same.
    metric: what is judged, heeding the weights.
    """

    frame: Frame
    target: Target
    metric: Metric
    weighs: np.ndarray | None
    question: Question
    found: Found


def asked(frame: Frame, question: Question) -> Asked:
    """Read the question's target, metric and weights from a frame. Raises an InputError where they can't be had."""
    from deepenough.judge import metrics

    if question.target is None:
        raise OptionError(f"No column to predict was named: --target COLUMN. {columns_of(frame)}")
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
    found = Found(list(target.set_aside), [*frame.notes, *weightless, *target.notes])
    frame = frame if len(target.rows) == frame.rows else frame.take(target.rows)
    weighs, weighing = row_facts.weights(frame, question)
    by_class, told = row_facts.of_classes(target, question)
    if by_class is not None:
        weighs = by_class[target.values] if weighs is None else weighs * by_class[target.values]
        weighs = weighs / weighs.mean()
    found.notes += [*weighing, *told]
    judged = metric if weighs is None else metrics.Weighted.of(metric)
    return Asked(frame, target, judged, weighs, question, found)


def columns_of(frame: Frame) -> str:
    """The first of a frame's columns, in a sentence."""
    shown = ", ".join(repr(name) for name in frame.names[:12])
    return f"The {len(frame.names)} columns are: {shown}{', ...' if len(frame.names) > 12 else ''}."


def not_inputs(asked: Asked) -> set[str]:
    """Columns that are no inputs: the target, what was dropped, and what says who is judged; each reason is noted."""
    target, question = asked.target, asked.question
    out = {target.name: ""}
    for name in question.drop:
        out[asked.frame.column(name, "--drop").name] = "you dropped it"
    for option, reason in row_facts.NOT_INPUTS.items():
        if (named := getattr(question, option)) is not None:
            if named == target.name:
                raise OptionError(f"--{option} {named!r} is the target too. Name another column for one of them.")
            out.setdefault(named, reason)
    for name, reason in out.items():
        if reason:
            asked.found.aside(name, reason)
    return set(out)


def split(asked: Asked, copies: np.ndarray | None) -> Splits:
    """Who learns and who judges, and what is doubtful about it.

    copies: int per row, equal for copies of each other; None where no rows are.
    """
    frame, target, question, found = asked.frame, asked.target, asked.question, asked.found
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


def _doubt_groups(groups: np.ndarray, made: Splits, found: Found) -> None:
    count = len(np.unique(groups))
    if count < FEW_GROUPS:
        found.flag("few_groups", "distrust", f"{count} groups are too few to judge on; {FEW_GROUPS} are the least")
    if made.splitting == "group" and made.largest < 0.25 * len(groups):
        found.flag("uneven_groups", "warn", f"one group is so large that {made.largest:,} rows are left without it")


def doubt_numbers(asked: Asked) -> None:
    """Say where there are too few rows to trust a verdict, or too few of a class."""
    target, rows = asked.target, len(asked.target.values)
    if rows < FEW_ROWS:
        asked.found.flag(
            "too_few", "distrust", f"{rows} rows are too few to trust any verdict; {FEW_ROWS} are the least"
        )
    if target.classes:
        rare = rare_classes(list(target.classes), np.bincount(target.values, minlength=len(target.classes)))
        asked.found.notes += [rare] if rare else []


def rare_classes(names: list[str], counts: np.ndarray) -> str:
    """A note where some class has under 2 % of the rows; empty where none has."""
    least = RARE_SHARE * counts.sum()
    rare = [f"{name!r} ({count:,} rows)" for name, count in zip(names, counts, strict=True) if count < least]
    if not rare:
        return ""
    shown = ", ".join(rare[:5]) + (f" and {len(rare) - 5} more" if len(rare) > 5 else "")
    return f"Rare classes: {shown}. Accuracy says little of them; look at the log loss."


class RowsTask(SupervisedTask):
    """Rows with an answer each, made ready. A kind's own task adds what its inputs are.

    all_inputs: of all rows that have an answer; targets: their answers.
    target: how the answers are read. weighs: what each row weighs; None where all weigh the same.
    question_facts, source: for the plan: target, task, classes, positive, metric and why; name, sha256, path, sizes.
    set_aside, notes, flags: what was decided, each with its reason.
    test: rows that a person set aside to test on; None where there are none.
    """

    def __init__(self, inputs: Any, asked: Asked, made: Splits, columns: int) -> None:
        target, found = asked.target, asked.found
        self.all_inputs, self.target, self.targets, self.splits = inputs, target, target.values, made
        self.metric = self._metric = asked.metric
        self.weighs = asked.weighs
        self.test: HeldOut | None = None
        self.source = dict(asked.frame.facts)
        self.n_classes = target.n_classes
        self.largest, self.smallest, self.folds = made.largest, made.smallest, len(made.folds)
        self.judging, self.splitting = made.judging, made.splitting
        self.rows, self.columns = len(inputs), columns
        self.set_aside = tuple(found.set_aside)
        self.notes = tuple(found.notes)
        self.flags = tuple(found.flags)
        self.question_facts = {
            "target": target.name,
            "task": target.task,
            "classes": list(target.classes),
            "positive": target.positive,
            "metric": asked.metric.name,
            "weighted": asked.weighs is not None,
            "ordered": target.ordered,
            "counts": target.counts,
            "why": target.why,
            "about": f"{target.name!r} is predicted as {'classes' if target.classes else 'a number'}: {target.why}.",
        }

    def train(self, n_train: int, fold: int, seed: int) -> Examples:
        rows, inner = self.splits.train(n_train, fold, seed)
        return Examples(self.all_inputs.take(rows), self.targets[rows], self.n_classes, inner, self._weights_of(rows))

    def everything(self, seed: int) -> Examples:
        rows = np.arange(self.rows)
        inner = self.splits.inner(rows, [seed, self.folds])
        return Examples(self.all_inputs, self.targets, self.n_classes, inner, self.weighs)

    def _weights_of(self, rows: np.ndarray) -> np.ndarray | None:
        return None if self.weighs is None else self.weighs[rows]

    def weights(self, fold: int) -> np.ndarray | None:
        return self._weights_of(self.splits.folds[fold].judged)

    def held_out(self) -> HeldOut | None:
        return self.test

    def inputs(self, fold: int) -> Any:
        return self.all_inputs.take(self.splits.folds[fold].judged)

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

    def spread(self) -> dict[str, float]:
        """How the answers are spread: the classes' shares, or quantiles of the numbers."""
        if self.target.classes:
            shares = np.bincount(self.targets, minlength=len(self.target.classes)) / self.rows
            return {name: float(share) for name, share in zip(self.target.classes, shares, strict=True)}
        quantiles = np.quantile(self.targets, (0.0, 0.25, 0.5, 0.75, 1.0)).tolist()
        return dict(zip(("lowest", "quarter", "median", "three_quarters", "highest"), quantiles, strict=True))
