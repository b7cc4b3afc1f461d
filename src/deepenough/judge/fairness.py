"""PURE: how the same predictions treat groups of units: what is said of them, what happens, who is chosen.

Needs that this module answers:

* Nothing is hidden behind one number: rates, calibration and value stand side by side for each group, for no model can
  be fair by all of them at once where groups differ (Kleinberg, Mullainathan and Raghavan, 2017, arXiv 1609.05807;
  Chouldechova, 2017, arXiv 1610.07524).
* A difference is called one only where chance hardly makes it: each group against all others, with room for how many
  comparisons are made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepenough.judge import stats

ALPHA = 0.05
"""Probability that any difference is called one though there is none."""
FEWEST = 10
"""Units that a measure of a group is taken from, at least."""


@dataclass(frozen=True)
class Measure:
    """What is measured of each unit. values: shape (m,). where: of which units it is taken, bool (m,)."""

    name: str
    values: np.ndarray
    where: np.ndarray


@dataclass(frozen=True)
class Found:
    """A measure of one group. value: its mean there; None of too few units. units: that it is the mean of.

    more: how much more that is than in all other groups, with its bounds. differs: these leave 0 out.
    """

    value: float | None
    units: int
    more: float | None = None
    low: float | None = None
    high: float | None = None
    differs: bool = False


def of_classes(
    chances: np.ndarray, truth: np.ndarray, chosen: np.ndarray, worth: np.ndarray | None = None
) -> list[Measure]:
    """What is measured where a class is acted on. All arrays: shape (m,).

    truth: whether it is one. chosen: whether it is acted on. worth: what that came to in money.
    """
    all_of = np.ones(len(truth), dtype=bool)
    measures = [
        Measure("happened", truth.astype(np.float64), all_of),
        Measure("said", chances, all_of),
        Measure("said_too_much", chances - truth, all_of),
        Measure("chosen", chosen.astype(np.float64), all_of),
        Measure("caught", chosen.astype(np.float64), truth),
        Measure("false_alarms", chosen.astype(np.float64), ~truth),
        Measure("right_when_chosen", truth.astype(np.float64), chosen),
    ]
    return measures if worth is None else [*measures, Measure("worth", worth, all_of)]


def of_numbers(predictions: np.ndarray, truth: np.ndarray) -> list[Measure]:
    """What is measured where numbers are predicted."""
    all_of = np.ones(len(truth), dtype=bool)
    return [
        Measure("happened", truth, all_of),
        Measure("said", predictions, all_of),
        Measure("said_too_much", predictions - truth, all_of),
        Measure("error", np.abs(predictions - truth), all_of),
    ]


def by_group(
    measures: Sequence[Measure], groups: np.ndarray, count: int, clusters: np.ndarray
) -> list[Mapping[str, Found]]:
    """For each group every measure by name, and how it differs from that of all others.

    groups: each unit's, from 0 to count - 1, shape (m,). clusters: units of one cluster are not independent.
    """
    alpha = ALPHA / max(len(measures) * (count if count > 2 else 1), 1)  # of two groups each is the other's mirror
    return [{each.name: _found(each, groups == group, clusters, alpha) for each in measures} for group in range(count)]


def _found(measure: Measure, inside: np.ndarray, clusters: np.ndarray, alpha: float) -> Found:
    own, other = measure.where & inside, measure.where & ~inside
    units = int(own.sum())
    if units < FEWEST:
        return Found(None, units)
    value = float(measure.values[own].mean())
    if other.sum() < FEWEST:
        return Found(value, units)
    rest = float(measure.values[other].mean())
    taken = own | other
    # each unit's influence on the difference of both means
    pull = (
        np.where(own, (measure.values - value) / own.sum(), -(measure.values - rest) / other.sum())[taken] * taken.sum()
    )
    spread = stats.cluster_variance(pull, clusters[taken])
    width = stats.t_quantile(alpha / 2, spread.df) * math.sqrt(spread.variance)
    more = value - rest
    if not math.isfinite(width):
        return Found(value, units)
    return Found(value, units, more, more - width, more + width, abs(more) > width > 0)
