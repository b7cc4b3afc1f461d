"""What a person says of the rows by naming a column: when each was, of whom, in which fold, and what it weighs.

Needs that the design answers:

* None of these columns is an input, but for the time: new rows will have other groups and no folds.
* A split of the person's own is taken as it is; what makes it look better than it is (copies or groups on both sides)
  is said, not mended.
* A weight says how many rows a row stands for. Only their proportions count, so they are scaled to a mean of one; a row
  that weighs nothing takes no part.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deepenough.errors import OptionError
from deepenough.task.frame import Frame, Raw
from deepenough.task.parsing import plain_number
from deepenough.task.target import Target
from deepenough.task.task import Question

OWN_FOLDS = (2, 20)
"""How many different values a column of folds may have."""
UNEVEN_WEIGHTS = 0.2
"""Below this share the rows that the weights leave in effect (Kish, 1965) are worth a word."""
NOT_INPUTS = {
    "group": "it says which rows belong together (--group), and new rows will have new ones",
    "folds": "it says in which fold a row is judged (--folds)",
    "weights": "it says what a row weighs (--weights)",
}
"""Fields of the question that name a column which is no input, and why it is none."""


def times(frame: Frame, question: Question) -> np.ndarray | None:
    """A number per row, NaN where missing; None where time does not count."""
    if question.time is None:
        return None
    column = frame.column(question.time, "--time")
    if column.form == "words":
        raise OptionError(
            f"--time {question.time!r} holds words ({list(column.levels[:2])} ...), and no dates or numbers. "
            "Write its dates like 2024-12-31."
        )
    return column.values


def groups(frame: Frame, question: Question) -> np.ndarray | None:
    """A number per group; a row whose group is missing is a group of its own."""
    if question.group is None:
        return None
    found = group_codes(frame.column(question.group, "--group"))
    if len(np.unique(found)) < 2:
        raise OptionError(f"--group {question.group!r} has one group only: there is none left to judge on.")
    return found


def group_codes(column: Raw) -> np.ndarray:
    """The group of each row, int64; a row whose group is missing is a group of its own."""
    found = np.unique(np.where(column.missing, -1.0, column.values), return_inverse=True)[1].astype(np.int64)
    alone = np.flatnonzero(column.missing)
    found[alone] = found.max() + 1 + np.arange(len(alone))
    return np.asarray(found)


def own_folds(frame: Frame, question: Question) -> tuple[np.ndarray | None, list[str]]:
    """The fold of each row, -1 where it has none, and what is said of it; None where the split is not the person's."""
    if question.folds is None:
        return None, []
    if question.time is not None:
        raise OptionError("--folds and --time both say how to split. Leave one of them out.")
    column = frame.column(question.folds, "--folds")
    present = np.unique(column.values[~column.missing])
    least, most = OWN_FOLDS
    if not least <= len(present) <= most:
        raise OptionError(
            f"--folds {question.folds!r} has {len(present):,} different values, but a split has {least} to {most} "
            "folds: rows of one value are judged by models that learnt from all the others."
        )
    found = np.where(column.missing, -1, np.searchsorted(present, column.values)).astype(np.int64)
    shown = ", ".join(_shown(column, value) for value in present[:6].tolist())
    notes = [f"The split is yours: the {len(present)} values of {question.folds!r} ({shown}) are the folds."]
    if without := int(column.missing.sum()):
        notes.append(
            f"{without:,} rows have no {question.folds!r}: all models learn from them, none is judged on them."
        )
    return found, notes


def _shown(column: Raw, value: float) -> str:
    return column.levels[int(value)] if column.form == "words" else plain_number(float(value))


def on_both_sides(folds: np.ndarray, clusters: np.ndarray) -> int:
    """How many rows have a companion (a copy, a row of their group) in another fold."""
    order = np.lexsort((folds, clusters))
    own, fold = clusters[order], folds[order]
    starts = np.flatnonzero(np.append(True, own[1:] != own[:-1]))
    ends = np.append(starts[1:], len(own))
    mixed = fold[starts] != fold[ends - 1]
    return int((ends - starts)[mixed].sum())


def doubt_own_folds(folds: np.ndarray, clusters: np.ndarray, grouped: bool, found: Any) -> None:
    """Say where the person's folds let a model learn what it is judged on."""
    shared = on_both_sides(folds, clusters)
    if shared:
        what = "of a group that other folds have too" if grouped else "copies of rows in other folds"
        found.flag("shared_folds", "warn", f"in your split {shared:,} rows are {what}, which flatters all learners")


def of_any_weight(frame: Frame, question: Question) -> tuple[Frame, list[str]]:
    """The rows that weigh something, and what is said of it. Raises OptionError where the column holds no weights."""
    if question.weights is None:
        return frame, []
    column = frame.column(question.weights, "--weights")
    if column.form != "number":
        raise OptionError(f"--weights {question.weights!r} holds no numbers. A weight is a number from 0 on.")
    missing, negative = int(column.missing.sum()), int((column.values < 0).sum())
    if missing or negative:
        what = f"{missing:,} rows without a weight" if missing else f"{negative:,} rows with a weight below zero"
        raise OptionError(f"--weights {question.weights!r} has {what}. Every row needs one, 0 or more.")
    if np.count_nonzero(column.values) < 2:
        raise OptionError(f"--weights {question.weights!r} is zero in all rows but one at most: nothing is left.")
    heavy = np.flatnonzero(column.values > 0)
    if len(heavy) == frame.rows:
        return frame, []
    return frame.take(heavy), [f"{frame.rows - len(heavy):,} rows weigh nothing ({question.weights!r}): set aside."]


def weights(frame: Frame, question: Question) -> tuple[np.ndarray | None, list[str]]:
    """What each row weighs, their mean one, and what is said of it; None where all weigh the same."""
    if question.weights is None:
        return None, []
    given = frame.column(question.weights, "--weights").values
    scaled = np.asarray(given / given.mean(), dtype=np.float64)
    effect = rows_in_effect(scaled)
    notes = [f"Rows weigh what {question.weights!r} says, in learning and in judging."]
    if effect < UNEVEN_WEIGHTS * len(scaled):
        notes.append(f"The weights are so uneven that {len(scaled):,} rows tell as much as {effect:,.0f} equal ones.")
    return scaled, notes


def of_classes(target: Target, question: Question) -> tuple[np.ndarray | None, list[str]]:
    """What a row of each class weighs, by the class's code, and what is said of it; None where all weigh the same.

    `balanced` makes the classes weigh alike: each row the inverse of its class's share. Raises OptionError.
    """
    asked = question.options.get("class_weights")
    if asked is None:
        return None, []
    if not target.classes:
        raise OptionError(f"--class-weights {asked!r}: {target.name!r} is a number and has no classes.")
    if asked == "balanced":
        found = len(target.values) / (len(target.classes) * np.bincount(target.values, minlength=len(target.classes)))
    else:
        named = _named_weights(asked, target)
        found = np.array([named.get(name, 1.0) for name in target.classes])
    shown = ", ".join(f"{name} {weight:.3g}" for name, weight in list(zip(target.classes, found, strict=True))[:6])
    note = f"A row counts by its class ({shown}{', ...' if len(found) > 6 else ''}), in learning and in judging"
    return found, [f"{note}: probabilities are those of rows that occur as often as they weigh."]


def _named_weights(asked: str, target: Target) -> dict[str, float]:
    """What `yes=5,no=1` says."""
    expected = "--class-weights expects balanced, or a weight above 0 for some classes, as yes=5,no=1"
    named = {}
    for part in asked.split(","):
        name, _, number = (word.strip() for word in part.rpartition("="))
        if name not in target.classes:
            raise OptionError(f"{expected}; {name or part!r} is no class of {target.name!r}: {_few(target.classes)}.")
        try:
            named[name] = float(number)
        except ValueError:
            raise OptionError(f"{expected}; {number!r} is no number.") from None
        if not 0 < named[name] < float("inf"):
            raise OptionError(f"{expected}; that of {name!r} is {number}.")
    return named


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")


def rows_in_effect(given: np.ndarray) -> float:
    """As many equal rows would tell as much (Kish, Survey Sampling, 1965)."""
    return float(given.sum() ** 2 / np.square(given).sum())
