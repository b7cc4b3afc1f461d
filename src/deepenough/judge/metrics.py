"""Records per unit to a number, and what counts as practically equal.

Needs that this module answers:

* One referee for every kind: whoever scores gives one record a unit, and all that follows (choosing, pairing,
  intervals) sees only records. A new kind brings a metric, not a new referee.
* Differences of any metric get a standard error without resampling: `evaluate` gives each unit's influence, so that
  the mean of the influences is the loss and their spread is its uncertainty. For means this is the unit's loss
  itself; for smooth functions of means it is the delta method; for AUC the placements of DeLong et al. (1988).
* Inside, lower is better, always. Only `show` speaks as a person reads the metric.

A record of log loss is clipped at a probability of 1e-15: one row that a model called impossible costs 34.5 nats,
which is dear enough that nobody gains by saying zero, and finite, so that one row can't make a mean meaningless.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.errors import OptionError

SMALLEST_PROBABILITY = 1e-15
EQUAL_SHARE = 0.05
"""Share of what is left unexplained, or of what is explained, that counts as practically equal."""
EQUAL_FLOOR = 0.001
"""Practically equal is never less than this share of the trivial loss."""


@dataclass(frozen=True)
class Metric(ABC):
    """One way to say how wrong predictions are.

    name: as in `--metric`.
    higher_is_better: as a person reads it; inside, lower is better always.
    about: one plain sentence.
    unit: what the number counts, in words; `the target's unit` where the target has one.
    trivial: the loss of knowing nothing, where that is no matter of the data; else None.
    is_rate: records are 0 or 1, so that a tie of all units must not look certain (see `stats`).
    n_classes: None where a number is predicted.
    """

    name: str
    higher_is_better: bool
    about: str
    unit: str = ""
    trivial: float | None = None
    is_rate: bool = False
    n_classes: int | None = None

    @abstractmethod
    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        """What the metric needs of each unit, float64, shape (m, c).

        truth: class codes, shape (m,), or numbers, shape (m,).
        prediction: probabilities, shape (m, n_classes), or numbers, shape (m,).
        """

    @abstractmethod
    def evaluate(self, records: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """The loss, lower is better, and each unit's influence on it, shape (m,); their mean is the loss.

        groups: which model made each record, shape (m,). Only AUC needs it: scores of two models are no common scale.
        A loss that the units can't tell (AUC of one class) is (nan, zeros).
        """

    def show(self, loss: float) -> float:
        """The loss as a person reads it."""
        return 1.0 - loss if self.higher_is_better else loss


class _Mean(Metric):
    """The loss is the mean of one number a unit."""

    def evaluate(self, records: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        losses = _column(records, 0)
        return (float(losses.mean()), losses) if len(losses) else _untold(records)


class LogLoss(_Mean):
    """Minus the log of the probability that was given to what happened."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        given = prediction[np.arange(len(truth)), truth.astype(np.int64)]
        return _one(-np.log(np.clip(given.astype(np.float64), SMALLEST_PROBABILITY, 1.0)))


class Accuracy(_Mean):
    """The share of units whose most probable class is another than the true one."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return _one(prediction.argmax(axis=1) != truth)


class Brier(_Mean):
    """Half the squared distance between the probabilities and what happened (Brier, 1950), from 0 to 1."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        distance = prediction.astype(np.float64).copy()
        distance[np.arange(len(truth)), truth.astype(np.int64)] -= 1.0
        return _one(0.5 * (distance**2).sum(axis=1))


class MeanAbsoluteError(_Mean):
    """The mean distance between prediction and truth."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return _one(np.abs(prediction.astype(np.float64) - truth))


class RootMeanSquaredError(Metric):
    """The root of the mean squared error; the influences are by the delta method."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return _one((prediction.astype(np.float64) - truth) ** 2)

    def evaluate(self, records: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        squares = _column(records, 0)
        if not len(squares):
            return _untold(records)
        loss = float(np.sqrt(squares.mean()))
        return (loss, loss + (squares - loss**2) / (2 * loss)) if loss > 0 else (0.0, np.zeros(len(squares)))


class RSquared(Metric):
    """One minus the share of the target's variance that is explained."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        truth = truth.astype(np.float64)
        return np.column_stack([(prediction - truth) ** 2, truth])

    def evaluate(self, records: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        squares, truth = _column(records, 0), _column(records, 1)
        spread = (truth - truth.mean()) ** 2 if len(truth) else truth
        variance = float(spread.mean()) if len(truth) else 0.0
        if variance <= 0:
            return _untold(records)
        loss = float(squares.mean()) / variance
        return loss, loss + (squares - loss * spread) / variance


class _ByClass(Metric):
    """Records are the true and the most probable class; the loss is a mean over classes."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return np.column_stack([truth, prediction.argmax(axis=1)]).astype(np.float64)

    def evaluate(self, records: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        truth, guess = _column(records, 0), _column(records, 1)
        told = [part for code in self._classes(truth, guess) if (part := self._of_class(truth == code, guess == code))]
        if not told:
            return _untold(records)
        losses, influences = zip(*told, strict=True)
        return float(np.mean(losses)), np.mean(influences, axis=0)

    def _classes(self, truth: np.ndarray, guess: np.ndarray) -> np.ndarray:
        return np.unique(truth)

    @abstractmethod
    def _of_class(self, is_true: np.ndarray, is_guess: np.ndarray) -> tuple[float, np.ndarray] | None:
        """Loss and influences of one class; None where the units can't tell."""


class BalancedAccuracy(_ByClass):
    """The mean over classes of the share that is missed."""

    def _of_class(self, is_true: np.ndarray, is_guess: np.ndarray) -> tuple[float, np.ndarray] | None:
        share = is_true.mean()
        missed = is_true & ~is_guess
        loss = float(missed.mean() / share)
        return loss, loss + (missed - loss * is_true) / share


class F1(_ByClass):
    """One minus F1: of the positive class (code 1) where there are two classes, else the mean over classes."""

    def _classes(self, truth: np.ndarray, guess: np.ndarray) -> np.ndarray:
        return np.array([1.0]) if self.n_classes == 2 else np.union1d(truth, guess)

    def _of_class(self, is_true: np.ndarray, is_guess: np.ndarray) -> tuple[float, np.ndarray] | None:
        either = is_true.astype(np.float64) + is_guess
        if either.sum() == 0:
            return None
        loss = float(1.0 - 2.0 * (is_true & is_guess).sum() / either.sum())
        return loss, loss + (either * (1.0 - loss) - 2.0 * (is_true & is_guess)) / either.mean()


class AreaUnderCurve(Metric):
    """One minus the chance that a positive unit is ranked above a negative one (DeLong et al., 1988)."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return np.column_stack([truth, prediction[:, 1]]).astype(np.float64)

    def evaluate(self, records: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        truth, score = _column(records, 0) == 1, _column(records, 1)
        models = np.zeros(len(truth)) if groups is None else np.asarray(groups)
        total, told, influence = 0.0, 0, np.zeros(len(truth))
        for model in np.unique(models):
            rows = np.flatnonzero(models == model)
            if truth[rows].any() and not truth[rows].all():
                loss, influence[rows] = _misranked(truth[rows], score[rows])
                total, told = total + loss * len(rows), told + len(rows)
        if not told:
            return _untold(records)
        return total / told, total / told + influence * (len(truth) / told)


def _misranked(truth: np.ndarray, score: np.ndarray) -> tuple[float, np.ndarray]:
    """One minus AUC and the centred influences of one model's units, by the placements of each among the others."""
    below = np.empty(len(score))
    for side in (True, False):
        others = np.sort(score[truth != side])
        rank = np.searchsorted(others, score[truth == side], "left")
        rank = rank + np.searchsorted(others, score[truth == side], "right")
        share = rank / (2 * len(others))
        below[truth == side] = 1 - share if side else share
    loss = float(below[truth].mean())
    share_of_side = np.where(truth, truth.mean(), 1 - truth.mean())
    return loss, (below - loss) / share_of_side


class MeanRecord(_Mean):
    """A kind's own number a unit (an episode's return, a user's NDCG), as a person reads it; no predictions needed."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return np.asarray(prediction, dtype=np.float64).reshape(len(prediction), -1)[:, :1]

    def evaluate(self, records: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        return super().evaluate(-records if self.higher_is_better else records)

    def show(self, loss: float) -> float:
        return -loss if self.higher_is_better else loss


def _one(values: np.ndarray) -> np.ndarray:
    """One number a unit, as records."""
    return np.asarray(values, dtype=np.float64).reshape(-1, 1)


def _column(records: np.ndarray, column: int) -> np.ndarray:
    array = np.asarray(records, dtype=np.float64)
    return array if array.ndim == 1 else array[:, column]


def _untold(records: np.ndarray) -> tuple[float, np.ndarray]:
    return float("nan"), np.zeros(len(records))


_CLASSES: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        LogLoss("log_loss", False, "How surprised the model was by what happened; 0 is never.", "nats"),
        Accuracy("accuracy", True, "The share of cases that it gets right.", "share of cases", is_rate=True),
        AreaUnderCurve("auc", True, "How often a positive case ranks above a negative one.", "share of pairs", 0.5),
        Brier("brier", False, "The squared distance of the probabilities from what happened, from 0 to 1."),
        F1("f1", True, "How well the positive cases are found without false alarms."),
        BalancedAccuracy("balanced_accuracy", True, "The share that it gets right, every class counting the same."),
    )
}
_NUMBERS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        RootMeanSquaredError("rmse", False, "The typical size of an error; large errors weigh more.", "target"),
        MeanAbsoluteError("mae", False, "The mean size of an error.", "target"),
        RSquared("r2", True, "The share of the target's variance that it explains.", "share of variance"),
    )
}
METRIC_WORDS = {
    "log_loss": ("log loss", False),
    "accuracy": ("accuracy", True),
    "auc": ("AUC", True),
    "brier": ("Brier score", False),
    "f1": ("F1", True),
    "balanced_accuracy": ("balanced accuracy", True),
    "rmse": ("RMSE", False),
    "mae": ("mean absolute error", False),
    "r2": ("R2", False),
}
"""How a metric is called in a sentence, and whether its differences are told in points of a hundred."""
_OTHER_NAMES = {"logloss": "log_loss", "roc_auc": "auc", "acc": "accuracy", "brier_score": "brier", "f1_score": "f1"}


def find(name: str, n_classes: int | None) -> Metric:
    """The metric of that name for so many classes (None: a number is predicted).

    Raises OptionError, with the names and the nearest, where there is none or it does not fit the target.
    """
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    wanted = _OTHER_NAMES.get(wanted, wanted)
    known, other = (_NUMBERS, _CLASSES) if n_classes is None else (_CLASSES, _NUMBERS)
    if wanted == "auc" and n_classes not in (None, 2):
        raise OptionError(f"--metric auc takes two classes, and the target has {n_classes}. Take log_loss or f1.")
    if wanted in known:
        return _with_classes(known[wanted], n_classes)
    target = "a number" if n_classes is None else "a class"
    if wanted in other:
        raise OptionError(f"--metric {name} does not fit a target that is {target}. Take one of: {', '.join(known)}.")
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise OptionError(f"--metric {name!r} is not known.{hint} For a target that is {target}: {', '.join(known)}.")


def _with_classes(metric: Metric, n_classes: int | None) -> Metric:
    values: dict[str, Any] = {item: getattr(metric, item) for item in metric.__dataclass_fields__}
    return type(metric)(**(values | {"n_classes": n_classes}))


def default(n_classes: int | None) -> Metric:
    """What is judged when nobody names a metric: log loss for classes, RMSE for numbers."""
    return find("rmse" if n_classes is None else "log_loss", n_classes)


def beside(metric: Metric, n_classes: int | None) -> list[Metric]:
    """The metrics that are always shown beside the judged one."""
    if n_classes is None:
        names = ["rmse", "r2", "mae"]
    else:
        names = ["log_loss", "accuracy", "auc" if n_classes == 2 else "balanced_accuracy"]
    return [find(name, n_classes) for name in names if name != metric.name]


def named(name: str, question: Mapping[str, Any]) -> Metric:
    """The metric of a race from its plan's question; a kind's own metric is the mean of its records.

    question: `classes` (a count or the list of them; absent or empty for numbers) and, for a kind's own metric,
    `higher_is_better`.
    """
    classes = question.get("classes")
    n_classes = classes if isinstance(classes, int) else len(classes) if classes else None
    known = _CLASSES if n_classes else _NUMBERS
    if name in known:
        return find(name, n_classes or None)
    higher = bool(question.get("higher_is_better", name in ("return", "ndcg")))
    return MeanRecord(name, higher, f"The mean {name} of a unit.", name)


def practically_equal(best_loss: float, trivial_loss: float | None) -> float:
    """The difference under which two losses are practically equal.

    5 % of what the better finalist leaves unexplained (its loss) or of what it explains (the trivial loss less its
    own), whichever is smaller, never under 0.1 % of the trivial loss. A share of the trivial loss alone fails at both
    ends: it calls 43 % fewer errors equal on easy data, and on a weak signal most of all there is to gain.
    """
    if trivial_loss is None or not np.isfinite(trivial_loss):
        return EQUAL_SHARE * abs(best_loss)
    explained = max(trivial_loss - best_loss, 0.0)
    unexplained = best_loss if best_loss >= 0 else explained  # a loss that may be negative has no zero to count from
    return max(EQUAL_SHARE * min(unexplained, explained), EQUAL_FLOOR * abs(trivial_loss))
