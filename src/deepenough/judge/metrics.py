"""Records per unit to a number, and what counts as practically equal.

Needs that this module answers:

* One referee for every kind: whoever scores gives one record a unit, and all that follows (choosing, pairing,
  intervals) sees only records. A new kind brings a metric, not a new referee.
* Differences of any metric get a standard error without resampling: `evaluate` gives each unit's influence, so that
  the mean of the influences is the loss and their spread is its uncertainty. For means this is the unit's loss
  itself; for smooth functions of means it is the delta method; for AUC the placements of DeLong et al. (1988).
* Inside, lower is better, always. Only `show` speaks as a person reads the metric.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

from deepenough.errors import OptionError
from deepenough.judge.by_class import F1, AreaUnderCurve, BalancedAccuracy, QuadraticKappa
from deepenough.judge.losses import (
    SMALLEST_RATE,
    Accuracy,
    Brier,
    ClassDistance,
    LogLoss,
    MeanAbsoluteError,
    MeanRecord,
    Metric,
    PoissonDeviance,
    RootMeanSquaredError,
    RSquared,
    Weighted,
)
from deepenough.judge.precision import AveragePrecision

__all__ = [
    "METRIC_WORDS",
    "SMALLEST_RATE",
    "Metric",
    "Weighted",
    "beside",
    "default",
    "find",
    "named",
    "practically_equal",
]

EQUAL_SHARE = 0.05
"""Share of what is left unexplained, or of what is explained, that counts as practically equal."""
EQUAL_FLOOR = 0.001
"""Practically equal is never less than this share of the trivial loss."""


_CLASSES: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        LogLoss("log_loss", False, "How surprised the model was by what happened; 0 is never.", "nats"),
        Accuracy("accuracy", True, "The share of cases that it gets right.", "share of cases", is_rate=True),
        AreaUnderCurve("auc", True, "How often a positive case ranks above a negative one.", "share of pairs", 0.5),
        Brier("brier", False, "The squared distance of the probabilities from what happened, from 0 to 1."),
        F1("f1", True, "How well the positive cases are found without false alarms."),
        BalancedAccuracy("balanced_accuracy", True, "The share that it gets right, every class counting the same."),
        QuadraticKappa("kappa", True, "Agreement beyond chance, far misses counting more; classes in their order."),
        ClassDistance("class_distance", False, "How many classes away the answer is, in their order.", "classes"),
    )
}
LISTS = AveragePrecision(
    "average_precision",
    True,
    "How much is found, and how few false finds come before it, best first; the mean of the classes.",
    "share of what there is to find",
)
"""What lists are judged by."""
ORDERED = ("kappa", "class_distance")
"""Metrics that make sense only where the classes have an order."""
_NUMBERS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        RootMeanSquaredError("rmse", False, "The typical size of an error; large errors weigh more.", "target"),
        MeanAbsoluteError("mae", False, "The mean size of an error.", "target"),
        RSquared("r2", True, "The share of the target's variance that it explains.", "share of variance"),
        PoissonDeviance("poisson_deviance", False, "How surprising the counts are, were each rate as predicted."),
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
    "poisson_deviance": ("Poisson deviance", False),
    "kappa": ("weighted kappa", False),
    "class_distance": ("distance in classes", False),
    "average_precision": ("average precision", False),
    "average_precision_75": ("average precision at three quarters", False),
}
"""How a metric is called in a sentence, and whether its differences are told in points of a hundred."""
_SHARES = ("accuracy", "auc", "brier", "f1", "balanced_accuracy", "average_precision", "average_precision_75")
_OTHER_NAMES = {"logloss": "log_loss", "roc_auc": "auc", "acc": "accuracy", "brier_score": "brier", "f1_score": "f1"}
_OTHER_NAMES |= {"qwk": "kappa", "quadratic_weighted_kappa": "kappa", "poisson": "poisson_deviance"}


def reach(name: str) -> tuple[float, float]:
    """The lowest and the highest value of a metric, as a person reads it; infinite where there is none, or none is
    known."""
    if name in _SHARES:
        return 0.0, 1.0
    return {"r2": (-np.inf, 1.0), "kappa": (-1.0, 1.0)}.get(name, (-np.inf, np.inf))


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


def beside(metric: Metric, n_classes: int | None, ordered: bool = False, counts: bool = False) -> list[Metric]:
    """The metrics that are always shown beside the judged one.

    ordered: the classes have an order. counts: the numbers are counts of something.
    """
    if n_classes is None:
        names = ["rmse", "r2", "mae", *(["poisson_deviance"] if counts else [])]
    else:
        names = ["log_loss", "accuracy", "auc" if n_classes == 2 else "balanced_accuracy"]
        names += ORDERED if ordered else ()
    return [find(name, n_classes) for name in names if name != metric.name]


def named(name: str, question: Mapping[str, Any]) -> Metric:
    """The metric of a race from its plan's question; a kind's own metric is the mean of its records.

    question: `classes` (a count or the list of them; absent or empty for numbers), `lists` ([most, classes, width]
    where these are predicted), `weighted` where units have weights, and, for a kind's own metric, `higher_is_better`.
    """
    if question.get("lists") and name == LISTS.name:
        found = _with_classes(LISTS, question["lists"][1])
        return Weighted.of(found) if question.get("weighted") else found
    classes = question.get("classes")
    n_classes = classes if isinstance(classes, int) else len(classes) if classes else None
    known = _CLASSES if n_classes else _NUMBERS
    if name in known:
        metric = find(name, n_classes or None)
        return Weighted.of(metric) if question.get("weighted") else metric
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
