"""A person's own test: the judged models of both finalists, and the one that is handed over, on rows of its own.

Needs that this module answers:

* The verdict stays that of the protocol: a test is one more sample, and whoever looks at it often fits to it.
* It says how the method does, not one lucky fit: a finalist's loss is the mean over its judged models, and what varies
  from fit to fit belongs into the interval of the gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.evidence import FAMILIES, finite
from deepenough.judge import stats
from deepenough.judge.losses import Metric

ALPHA = 0.05


@dataclass(frozen=True)
class Tested:
    """One side on the test: who it is, and the records of each of its models, shape (models, m, columns)."""

    contender: str
    records: np.ndarray
    deterministic: bool = False


def measured(metric: Metric, side: Tested) -> stats.Measured:
    """Loss, and units' influences by model."""
    told = [metric.evaluate(records) for records in side.records]
    by_fit = np.stack([influence for _, influence in told])
    losses = np.array([loss for loss, _ in told])
    return stats.Measured(float(losses.mean()), by_fit.mean(axis=0), losses, by_fit)


def gap(
    metric: Metric, sides: Mapping[str, Tested], clusters: np.ndarray, trivial_loss: float | None
) -> dict[str, Any] | None:
    """Classical loss less deep loss, with one-sided bounds as the verdict's; None where a side is absent."""
    if any(family not in sides for family in FAMILIES):
        return None
    first, second = (measured(metric, sides[family]) for family in FAMILIES)
    models = min(len(sides[family].records) for family in FAMILIES)
    priors = [
        stats.seed_prior(family, sides[family].deterministic, side.loss, trivial_loss)
        for family, side in zip(FAMILIES, (first, second), strict=True)
    ]
    found = stats.difference(_first(first, models), _first(second, models), clusters, stats.added(priors, (1, 1)), 0.0)
    low, high = found.bounds(ALPHA)
    return {"value": finite(found.value), "low": finite(low), "high": finite(high), "metric": metric.name}


def _first(side: stats.Measured, models: int) -> stats.Measured:
    """Only the first models, so that both sides are compared fit by fit."""
    assert side.by_fit is not None
    by_fit = side.by_fit[:models]
    losses = side.fold_losses[:models]
    return stats.Measured(float(losses.mean()), by_fit.mean(axis=0), losses, by_fit)


def agreement(found: Mapping[str, Any] | None, verdict_gap: float | None) -> str:
    """Whether the test points where the verdict does: `agrees`, `open` (it could be either) or `contradicts`."""
    if found is None or verdict_gap is None or found["low"] is None or found["high"] is None:
        return "open"
    sure = 1 if found["low"] > 0 else -1 if found["high"] < 0 else 0
    if sure == 0:
        return "open"
    return "agrees" if sure * verdict_gap > 0 else "contradicts"


def mean_scores(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of every metric over the models."""
    names = {name: [own[name] for own in scores if np.isfinite(own[name])] for name in scores[0]}
    return {name: float(np.mean(values)) for name, values in names.items() if values}
