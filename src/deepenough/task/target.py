"""What is predicted: classes or a number, with the reason, and the rows that have an answer.

Needs that the design answers:

* Nobody should have to say what is plain: words and two values are classes, many different numbers are a number. Where
  it could be either, the reason is said, and `task` settles it.
* A row without an answer can't be learnt from or judged on: it is set aside and counted.
* A class with a row or two can't stand on both sides of a split: it is set aside by name, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.errors import OptionError, TargetError
from deepenough.task import parsing, scales
from deepenough.task.frame import Raw
from deepenough.task.parsing import plain_number
from deepenough.task.task import Question

FEW_NUMBERS = 10
"""Up to so many different whole numbers are classes, where each comes about five times or more."""
MANY_CLASSES = 1_000
LEAST_OF_A_CLASS = 5
"""Classes of fewer rows are set aside, if all of them together are no more than 5 % of the rows."""
TASKS = ("classification", "regression")


@dataclass(frozen=True)
class Target:
    """The answers of the rows that have one.

    rows: which rows of the frame they are, ascending.
    values: codes (int64) where classes are predicted, else numbers (float64); shape of `rows`.
    classes: the classes' names in the order of their codes; of two, the positive one is the second. Empty for numbers.
    written: how the source wrote the classes: `words`, `logical`, `integer` or `number`.
    positive: the class whose probability is the answer; None unless there are two.
    why: why classes or a number are predicted.
    ordered: why the classes have an order, from the first to the last; empty where they have none.
    counts: why the numbers are counts of something; empty where they are not.
    """

    name: str
    rows: np.ndarray
    values: np.ndarray
    classes: tuple[str, ...]
    written: str
    positive: str | None
    why: str
    notes: tuple[str, ...]
    set_aside: tuple[Mapping[str, str], ...]
    ordered: str = ""
    counts: str = ""

    @property
    def n_classes(self) -> int | None:
        """None where a number is predicted."""
        return len(self.classes) or None

    @property
    def task(self) -> str:
        """`binary`, `multiclass` or `regression`."""
        return {0: "regression", 2: "binary"}.get(len(self.classes), "multiclass")


def read(column: Raw, question: Question) -> Target:
    """The target as the question and its values say. Raises TargetError where nothing can be learnt of it."""
    rows = np.flatnonzero(~column.missing)
    _check(column, rows)
    without = len(column.values) - len(rows)
    notes = [f"{without:,} rows have no {column.name!r} and are set aside."] if without else []
    as_classes, why = _is_classes(column, rows, question)
    if as_classes:
        return _classes(column, rows, question, why, notes)
    if question.positive is not None:
        raise OptionError(f"--positive is for classes, but {column.name!r} is a number ({why}).")
    values = column.values[rows]
    counts = scales.are_counts(values)
    if counts:
        notes.append(
            f"{column.name!r} holds {counts}. It is predicted as a number and never below zero; "
            "--metric poisson_deviance judges it as a rate."
        )
    return Target(column.name, rows, values, (), "number", None, why, tuple(notes), (), counts=counts)


def _check(column: Raw, rows: np.ndarray) -> None:
    name, values = column.name, column.values[rows]
    if len(rows) == 0:
        raise TargetError(f"The target {name!r} has no value in any row. Name another column with --target.")
    if (values == values[0]).all():
        only = column.levels[int(values[0])] if column.form == "words" else plain_number(float(values[0]))
        raise TargetError(
            f"The target {name!r} is {_shown(only)} in every row, so there is nothing to tell apart. "
            "Give rows with other answers too, or name another column with --target."
        )
    if column.form == "date":
        raise TargetError(f"The target {name!r} is a date. Turn it into a number (days until then) or into classes.")
    distinct = len(np.unique(values))
    if column.form == "words" and (distinct > MANY_CLASSES or (distinct > 20 and distinct > 0.5 * len(rows))):
        raise TargetError(
            f"The target {name!r} has {distinct:,} different texts in {len(rows):,} rows: too many to learn each from "
            f"examples. {_what_it_could_be(column.levels)}Name a column of classes or numbers with --target."
        )


def _what_it_could_be(levels: Sequence[str]) -> str:
    """What texts look like that are neither classes nor, as they stand, numbers; empty where they look like nothing."""
    sample = list(levels[:: max(1, len(levels) // parsing.SAMPLE)])
    units = parsing.units(sample)
    if units.total() > 0.5 * len(sample):
        shown = ", ".join(unit for unit, _ in units.most_common(4))
        return (
            f"They look like numbers with different units ({shown}): write all in one unit and they can be predicted. "
        )
    odd = [text for text in sample if np.isnan(parsing.number_in_any_style(text))]
    if len(odd) < 0.5 * len(sample):
        shown = ", ".join(map(_shown, odd[:3]))
        share = 1 - len(odd) / len(sample)
        return f"{share:.0%} of them are numbers, but not {shown}: mend or empty those and they can be predicted. "
    return ""


def _shown(name: str) -> str:
    return repr(name if len(name) <= 60 else f"{name[:60]}...")


def _is_classes(column: Raw, rows: np.ndarray, question: Question) -> tuple[bool, str]:
    """Whether classes are predicted, and why."""
    asked = question.options.get("task")
    if asked not in (None, *TASKS):
        raise OptionError(f"task must be classification or regression but got {asked!r}.")
    if column.form == "words":
        if asked == "regression":
            raise TargetError(f"The target {column.name!r} holds words, so it can't be predicted as a number.")
        return True, "its values are true and false" if column.reading == "logical" else "its values are words"
    distinct = len(np.unique(column.values[rows]))
    as_classes, why = _asked(question)
    if as_classes is None:
        return _by_numbers(column.values[rows], distinct)
    if as_classes and distinct > min(MANY_CLASSES, len(rows) // 2):
        raise TargetError(
            f"The target {column.name!r} has {distinct:,} different numbers, too many to be classes, but {why}."
        )
    return as_classes, why


def _asked(question: Question) -> tuple[bool | None, str]:
    """Whether the person asked for classes, and how; None where nothing was said."""
    task, metric = question.options.get("task"), question.metric
    if task is not None:
        return task == "classification", f"you asked for {task}"
    if question.positive is not None:
        return True, "you named a positive class"
    if metric is not None:
        return _fits_classes(metric), f"you asked for {metric}"
    return None, ""


def _fits_classes(metric: str) -> bool | None:
    """Whether a metric is for classes; None where it is for neither, or for both."""
    from deepenough.judge import metrics

    fits = []
    for n_classes in (2, None):
        try:
            metrics.find(metric, n_classes)
            fits.append(True)
        except OptionError:
            fits.append(False)
    return None if fits[0] == fits[1] else fits[0]


def _by_numbers(values: np.ndarray, distinct: int) -> tuple[bool, str]:
    if distinct == 2:
        return True, "it has two different values"
    whole = bool((values == np.round(values)).all())
    if whole and distinct <= FEW_NUMBERS and distinct * LEAST_OF_A_CLASS <= len(values):
        return True, f"it has only {distinct} different whole numbers; task=regression predicts it as a number"
    if whole and distinct <= 3 * FEW_NUMBERS:
        return False, f"it has {distinct} different whole numbers; task=classification takes them for classes"
    return False, f"it has {distinct:,} different numbers"


def _classes(column: Raw, rows: np.ndarray, question: Question, why: str, notes: list[str]) -> Target:
    present, codes = np.unique(column.values[rows], return_inverse=True)
    names, written = _names(column, present)
    if column.form == "words" and len(names) > FEW_NUMBERS and (could_be := _what_it_could_be(names)):
        notes.append(f"The {len(names):,} classes of {column.name!r} may be meant otherwise. {could_be.strip()}")
    keep, set_aside = _common(names, np.bincount(codes), column.name)
    if len(keep) < 2:
        which = f"only {_shown(names[keep[0]])}" if len(keep) else "none of them"
        raise TargetError(
            f"The target {column.name!r} has {len(names)} classes, but {which} stands in two rows or more. Give more "
            "rows of the others, or name another column with --target."
        )
    kept = np.isin(codes, keep)
    codes = np.searchsorted(keep, codes[kept])
    names = [names[code] for code in keep]
    positive = _positive(names, np.bincount(codes), question, column.name)
    if positive is not None and names[1] != positive:
        names, codes = names[::-1], 1 - codes
    if positive is not None and question.positive is None:
        notes.append(f"The positive class is {positive!r}, the rarer one; --positive names another.")
    order, ordered = scales.order_of(names, written in ("integer", "number"))
    if order is not None:
        names, codes = [names[place] for place in order], np.argsort(order)[codes]
        notes.append(
            f"{column.name!r} is taken to have an order ({ordered}): it is raced as classes, and how far the answers "
            "are away is shown beside."
        )
    values = codes.astype(np.int64)
    told = (tuple(names), written, positive, why, tuple(notes), tuple(set_aside))
    return Target(column.name, rows[kept], values, *told, ordered=ordered)


def _names(column: Raw, present: np.ndarray) -> tuple[list[str], str]:
    if column.form == "words":
        return [column.levels[int(code)] for code in present], "logical" if column.reading == "logical" else "words"
    whole = bool((present == np.round(present)).all())
    return [plain_number(float(value)) for value in present], "integer" if whole else "number"


def _common(names: list[str], counts: np.ndarray, target: str) -> tuple[np.ndarray, list[Mapping[str, str]]]:
    """Codes of the classes that are raced, and what is said of the others."""
    rare = counts < LEAST_OF_A_CLASS
    if counts[rare].sum() > 0.05 * counts.sum() or (~rare).sum() < 2:
        rare = counts < 2
    set_aside: list[Mapping[str, str]] = [
        {"name": f"{target}={names[code]}", "reason": f"a class of {counts[code]} rows: too few to learn and to judge"}
        for code in np.flatnonzero(rare).tolist()
    ]
    return np.flatnonzero(~rare), set_aside


def _positive(names: list[str], counts: np.ndarray, question: Question, target: str) -> str | None:
    wanted: Any = question.positive
    if wanted is None:
        if len(names) != 2:
            return None
        return names[0] if counts[0] < counts[1] else names[1]
    shown = ", ".join(map(_shown, names[:12])) + (", ..." if len(names) > 12 else "")
    if len(names) != 2:
        raise OptionError(f"--positive {wanted} is for two classes, but {target!r} has {len(names)}: {shown}.")
    match = [name for name in names if name == str(wanted)] or [n for n in names if n.lower() == str(wanted).lower()]
    if not match:
        raise OptionError(f"--positive {wanted!r} is no class of {target!r}. Its classes are {shown}.")
    return match[0]


def as_frame(predictions: np.ndarray, name: str, classes: Sequence[str], written: str) -> Any:
    """A pandas frame of answers: a column called like the target and, for classes, `probability_<class>`.

    predictions: numbers, shape (n,), or probabilities, shape (n, n_classes). written: see `Target`.
    """
    import pandas as pd

    if not classes:
        return pd.DataFrame({name: np.asarray(predictions, dtype=np.float64)})
    answers = as_written(classes, written)[np.argmax(predictions, axis=1)]
    chances = {f"probability_{label}": predictions[:, code] for code, label in enumerate(classes)}
    return pd.DataFrame({name: answers, **chances})


def as_records(predictions: np.ndarray, name: str, classes: Sequence[str], written: str) -> list[dict[str, Any]]:
    """The same answers as plain values, an object a row: what one row costs should not be a frame."""
    if not classes:
        return [{name: value} for value in np.asarray(predictions, dtype=np.float64).tolist()]
    labels = as_written(classes, written).tolist()
    names = [f"probability_{label}" for label in classes]
    codes = np.argmax(predictions, axis=1).tolist()
    return [
        {name: labels[code]} | dict(zip(names, chances, strict=True))
        for code, chances in zip(codes, predictions.tolist(), strict=True)
    ]


def as_written(classes: Sequence[str], written: str) -> np.ndarray:
    """The classes as the source wrote them: whole numbers as such, true and false as such."""
    if written == "integer":
        return np.array([int(float(name)) for name in classes])
    if written == "number":
        return np.array([float(name) for name in classes])
    if written == "logical":
        return np.array([name == "true" for name in classes])
    return np.array(classes, dtype=object)
