"""PURE: what drives predictions: how far the loss rises when one part of the inputs is shuffled.

Needs that this module answers:

* An interval that holds for the learner, not for one lucky fit: units, repeats of the shuffling and folds (each another
  fit on other rows) all vary, and all of that is in it.
* The judged metric's own unit, whatever the metric: influences are compared, as everywhere in the judge.

Permutation importance is Breiman's (Machine Learning, 2001); as model reliance, with the reason to shuffle units that
were not trained on, Fisher, Rudin and Dominici's (JMLR, 2019). Parts that tell the same share what they are worth, and
each looks smaller than both together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepenough.judge import stats

MISSED = 0.025
"""Probability with which each end of an interval is missed: 95 % in all."""
FOLD_SHARE = 0.15
"""Prior sd of one fold's rise as a share of the rise; worth as many degrees of freedom as the seeds' prior."""


@dataclass(frozen=True)
class Rise:
    """How much the loss rises, with the ends of its 95 % interval; infinite where too few units tell.

    p: the probability that luck alone makes it rise so far.
    """

    value: float
    low: float
    high: float
    p: float = 1.0


def rise(plain: Sequence[np.ndarray], shuffled: Sequence[np.ndarray], clusters: Sequence[np.ndarray]) -> Rise:
    """The rise of the loss over all folds.

    plain: by fold, each unit's influence on the loss, shape (m,).
    shuffled: by fold, the same with the part shuffled, shape (repeats, m).
    clusters: by fold, shape (m,); equal numbers are one observation.
    """
    means = [repeats.mean(axis=0) for repeats in shuffled]
    value = float((np.concatenate(means) - np.concatenate(list(plain))).mean())
    prior = stats.Component((FOLD_SHARE * value) ** 2, stats.SEED_PRIOR_DF)
    found = stats.difference(_measured(means), _measured(plain), np.concatenate(list(clusters)), prior, 0.0)
    low, high = found.bounds(MISSED) if math.isfinite(found.standard_error) else (-math.inf, math.inf)
    return Rise(value, low, high, found.p_above)


def _measured(influences: Sequence[np.ndarray]) -> stats.Measured:
    together = np.concatenate(list(influences))
    return stats.Measured(float(together.mean()), together, np.array([float(own.mean()) for own in influences]))
