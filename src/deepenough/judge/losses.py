"""What a metric is, and those that are means, or smooth functions of means, over units.

Needs that this module answers:

* A new metric is a few lines: what it needs of each unit, and the loss with each unit's reaction, centred on zero.
* Weights of units are the same for all metrics: reactions are taken at the weighted units and scaled by each unit's
  share, which is the linearised ratio estimator of survey statistics (Sarndal, Swensson, Wretman, 1992).

A record of log loss is clipped at a probability of 1e-15: one row that a model called impossible costs 34.5 nats,
which is dear enough that nobody gains by saying zero, and finite, so that one row can't make a mean meaningless.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

SMALLEST_PROBABILITY = 1e-15
SMALLEST_RATE = 1e-3
"""Of a count: a smaller prediction is taken for this one, for a rate of nothing would make any event impossible."""

Told = tuple[float, np.ndarray]
"""A loss, and each unit's reaction: how the loss moves with the unit's share; their weighted mean is zero."""


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
    def told(self, records: np.ndarray, share: np.ndarray, groups: np.ndarray | None) -> Told:
        """The loss and the units' reactions. share: what each unit weighs, mean one; at least one unit is there."""

    def evaluate(
        self, records: np.ndarray, groups: np.ndarray | None = None, weights: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """The loss, lower is better, and each unit's influence on it, shape (m,); their mean is the loss.

        groups: which model made each record, shape (m,). Only AUC needs it: scores of two models are no common scale.
        weights: what each unit counts, shape (m,); by default all count the same.
        A loss that the units can't tell (AUC of one class) is (nan, zeros).
        """
        if not len(records):
            return untold(records)
        share = np.ones(len(records)) if weights is None else np.asarray(weights, dtype=np.float64)
        share = share / share.mean()
        loss, reaction = self.told(np.asarray(records, dtype=np.float64), share, groups)
        return (loss, loss + share * reaction) if np.isfinite(loss) else (loss, reaction)

    def show(self, loss: float) -> float:
        """The loss as a person reads it."""
        return 1.0 - loss if self.higher_is_better else loss

    def weights_in(self, records: np.ndarray) -> np.ndarray:
        """What each unit counts, shape (m,), by its records."""
        return np.ones(len(records))


@dataclass(frozen=True)
class Weighted(Metric):
    """Another metric, of units that do not count the same; the last column of the records holds what each weighs."""

    inner: Metric | None = None

    @classmethod
    def of(cls, metric: Metric) -> Self:
        """The metric with weights, under the same name."""
        values: dict[str, Any] = {item.name: getattr(metric, item.name) for item in fields(Metric)}
        return cls(**values, inner=metric)

    @property
    def _inner(self) -> Metric:
        assert self.inner is not None
        return self.inner

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        """Those of the metric itself; whoever knows the weights appends them."""
        return self._inner.records(truth, prediction)

    def told(self, records: np.ndarray, share: np.ndarray, groups: np.ndarray | None) -> Told:
        return self._inner.told(records, share, groups)

    def evaluate(
        self, records: np.ndarray, groups: np.ndarray | None = None, weights: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        return self._inner.evaluate(records[:, :-1], groups, records[:, -1])

    def show(self, loss: float) -> float:
        return self._inner.show(loss)

    def weights_in(self, records: np.ndarray) -> np.ndarray:
        return np.asarray(records)[:, -1]


class Mean(Metric):
    """The loss is the mean of one number a unit."""

    def told(self, records: np.ndarray, share: np.ndarray, groups: np.ndarray | None) -> Told:
        losses = column(records, 0)
        loss = float(np.mean(share * losses))
        return loss, losses - loss


class LogLoss(Mean):
    """Minus the log of the probability that was given to what happened."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        given = prediction[np.arange(len(truth)), truth.astype(np.int64)]
        return one(-np.log(np.clip(given.astype(np.float64), SMALLEST_PROBABILITY, 1.0)))


class Accuracy(Mean):
    """The share of units whose most probable class is another than the true one."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return one(prediction.argmax(axis=1) != truth)


class Brier(Mean):
    """Half the squared distance between the probabilities and what happened (Brier, 1950), from 0 to 1."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        distance = prediction.astype(np.float64).copy()
        distance[np.arange(len(truth)), truth.astype(np.int64)] -= 1.0
        return one(0.5 * (distance**2).sum(axis=1))


class ClassDistance(Mean):
    """How many places the most probable class is away from the true one, in the order of the classes."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return one(np.abs(prediction.argmax(axis=1) - truth))


class MeanAbsoluteError(Mean):
    """The mean distance between prediction and truth."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return one(np.abs(prediction.astype(np.float64) - truth))


class PoissonDeviance(Mean):
    """Twice the log likelihood that a Poisson rate lacks to a perfect one (Nelder, Wedderburn, 1972)."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        counts, rates = truth.astype(np.float64), np.maximum(prediction.astype(np.float64), SMALLEST_RATE)
        logs = np.log(np.where(counts > 0, counts, 1.0) / np.where(counts > 0, rates, 1.0))
        return one(2.0 * (counts * logs - counts + rates))


class RootMeanSquaredError(Metric):
    """The root of the mean squared error; the reactions are by the delta method."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return one((prediction.astype(np.float64) - truth) ** 2)

    def told(self, records: np.ndarray, share: np.ndarray, groups: np.ndarray | None) -> Told:
        squares = column(records, 0)
        loss = float(np.sqrt(np.mean(share * squares)))
        return (loss, (squares - loss**2) / (2 * loss)) if loss > 0 else (0.0, np.zeros(len(squares)))


class RSquared(Metric):
    """One minus the share of the target's variance that is explained."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        truth = truth.astype(np.float64)
        return np.column_stack([(prediction - truth) ** 2, truth])

    def told(self, records: np.ndarray, share: np.ndarray, groups: np.ndarray | None) -> Told:
        squares, truth = column(records, 0), column(records, 1)
        spread = (truth - np.mean(share * truth)) ** 2
        variance = float(np.mean(share * spread))
        if variance <= 0:
            return untold(records)
        loss = float(np.mean(share * squares)) / variance
        return loss, (squares - loss * spread) / variance


class MeanRecord(Mean):
    """A kind's own number a unit (an episode's return, a user's NDCG), as a person reads it; no predictions needed."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return np.asarray(prediction, dtype=np.float64).reshape(len(prediction), -1)[:, :1]

    def told(self, records: np.ndarray, share: np.ndarray, groups: np.ndarray | None) -> Told:
        return super().told(-records if self.higher_is_better else records, share, groups)

    def show(self, loss: float) -> float:
        return -loss if self.higher_is_better else loss


def one(values: np.ndarray) -> np.ndarray:
    """One number a unit, as records."""
    return np.asarray(values, dtype=np.float64).reshape(-1, 1)


def column(records: np.ndarray, place: int) -> np.ndarray:
    """One number a unit, of its records."""
    return records if records.ndim == 1 else records[:, place]


def untold(records: np.ndarray) -> Told:
    """What is said where the units can't tell."""
    return float("nan"), np.zeros(len(records))
