"""PURE: which way an input moves the answers, and how far, in the answer's own unit.

Needs that this module answers:

* Inputs hang together: a number is moved only as far as its neighbours, and the small steps are added up, so that no
  answer is asked for about a unit that can't exist (accumulated local effects: Apley and Zhu, Journal of the Royal
  Statistical Society B, 2020). Categories have no neighbours: each unit answers as if it held each of the levels
  (partial dependence: Friedman, Annals of Statistics, 2001).
* An interval that holds for the learner, not for one lucky fit: units and folds (each another fit) are in it.
* Which two values are held against each other is fixed before for numbers (the lower and the upper tenth); where the
  most and the least of several are picked afterwards, the interval is wide enough for all pairs that could have been.

It says how the model answers. Whether changing the input would change what happens is another question.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepenough.judge import stats
from deepenough.judge.importance import FOLD_SHARE
from deepenough.judge.traits import Trait

MISSED = 0.025
"""Probability with which each end of an interval is missed: 95 % in all."""
TENTHS = np.arange(1, 10) / 10
MOST_LEVELS = 6
FEWEST_OF_A_LEVEL = 20
PRIOR_DF = 0.1
"""Of the variance between folds beyond what the folds themselves say."""
ONE_WAY = 0.8
"""A curve goes one way where its ends lie apart by so much of all its ups and downs."""


@dataclass(frozen=True)
class Grid:
    """The values of one input that answers are asked for at.

    values: ascending numbers that units hold, or levels' codes; shape (g,). is_category: whether they are levels.
    """

    values: np.ndarray
    is_category: bool


@dataclass(frozen=True)
class Effect:
    """How much higher the answer is at one value of an input than at another.

    outcome: the class whose probability is the answer; None for numbers. start, end: places in the grid.
    value, low, high: the answer at the end less that at the start, with the ends of its 95 % interval.
    one_way: whether numbers in between lie in between. curve: the answer at each place, about its mean.
    """

    outcome: int | None
    start: int
    end: int
    value: float
    low: float
    high: float
    one_way: bool
    curve: tuple[float, ...]

    @property
    def is_sure(self) -> bool:
        """Whether its direction is."""
        return self.low > 0 or self.high < 0


def grid(trait: Trait) -> Grid | None:
    """Where to ask: the tenths of numbers and dates, frequent levels of categories; None where all units are alike."""
    known = trait.values[~trait.missing]
    if trait.form == "category":
        levels, counts = np.unique(known, return_counts=True)
        frequent = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
        values = np.sort(levels[frequent][counts[frequent] >= FEWEST_OF_A_LEVEL])
    else:
        values = np.unique(np.quantile(known, TENTHS, method="inverted_cdf")) if len(known) else known
        if len(values) < 2 and len(known):  # nearly all are alike: the others may still matter
            values = np.unique([known.min(), values[0], known.max()])
    return Grid(values, trait.form == "category") if len(values) > 1 else None


def bins(own: Grid, values: np.ndarray) -> np.ndarray:
    """Of numbers: between which two neighbours each unit lies, shape (m,), from 0 on; -1 outside of all."""
    last = len(own.values) - 2
    places = np.clip(np.searchsorted(own.values, values, side="left") - 1, 0, last)
    inside = (values >= own.values[0]) & (values <= own.values[-1])
    return np.where(inside, places, -1)


def holders(own: Grid, values: np.ndarray) -> np.ndarray:
    """For each place of the grid a unit that holds its value, or the one that comes nearest; shape (g,). -1 where a
    level has none."""
    if own.is_category:
        found = [np.flatnonzero(values == level)[:1] for level in own.values]
        return np.array([unit[0] if len(unit) else -1 for unit in found])
    far = np.abs(np.where(np.isnan(values), np.inf, values)[None, :] - own.values[:, None])
    return np.asarray(far.argmin(axis=1))


def of_numbers(
    where: Sequence[np.ndarray],
    lower: Sequence[np.ndarray],
    upper: Sequence[np.ndarray],
    clusters: Sequence[np.ndarray],
    outcomes: Sequence[int | None],
    size: int,
) -> Effect | None:
    """The surest effect of a number over all outcomes; None where too few units lie within the grid.

    where: by fold, each unit's bin, shape (m,). lower, upper: by fold, the answers with the value at either end of its
    bin, shape (m, outcomes). clusters: by fold, shape (m,). size: of the grid.
    """
    inside = [own >= 0 for own in where]
    where = [own[keep] for own, keep in zip(where, inside, strict=True)]
    steps = [(b - a)[keep] for a, b, keep in zip(lower, upper, inside, strict=True)]
    kept = np.concatenate([own[keep] for own, keep in zip(clusters, inside, strict=True)])
    if len(np.unique(kept)) < FEWEST_OF_A_LEVEL:
        return None
    found = []
    for place, outcome in enumerate(outcomes):
        own = [step[:, place] for step in steps]
        means = _means(np.concatenate(where), np.concatenate(own), size - 1)
        curve = np.concatenate([[0.0], np.cumsum(means)])
        one_way = abs(curve[-1]) >= ONE_WAY * np.abs(means).sum()
        pair = (0, size - 1) if one_way else tuple(sorted((int(curve.argmin()), int(curve.argmax()))))
        chances = len(outcomes) * (1 if one_way else math.comb(size, 2))
        within = (where, own, pair, means)
        value, spread = _added(*within)
        found.append(_effect(outcome, pair, value, spread, kept, curve, bool(one_way), chances))
    return _surest(found)


def of_levels(
    answers: Sequence[np.ndarray], clusters: Sequence[np.ndarray], outcomes: Sequence[int | None]
) -> Effect | None:
    """The surest effect of a category over all outcomes: of two levels the second against the first, of more the highest
    against the lowest.

    answers: by fold, with every unit at each level, shape (levels, m, outcomes); NaN where the fold has no such level.
    """
    levels = answers[0].shape[0]
    found = []
    for place, outcome in enumerate(outcomes):
        own = [told[:, :, place] for told in answers]
        curve = np.array([np.nanmean(np.concatenate([told[level] for told in own])) for level in range(levels)])
        pair = (0, 1) if levels == 2 else (int(curve.argmin()), int(curve.argmax()))
        gaps = [told[pair[1]] - told[pair[0]] for told in own]
        whole = [np.isfinite(gap).all() for gap in gaps]
        gaps = [gap for gap, is_whole in zip(gaps, whole, strict=True) if is_whole]
        if not gaps:
            continue
        of = np.concatenate([own for own, is_whole in zip(clusters, whole, strict=True) if is_whole])
        together = np.concatenate(gaps)
        folds = np.array([float(gap.mean()) for gap in gaps])
        spread = stats.Measured(float(together.mean()), together, folds)
        chances = len(outcomes) * math.comb(levels, 2)
        found.append(_effect(outcome, pair, spread.loss, spread, of, curve, True, chances))
    return _surest(found)


def _means(where: np.ndarray, steps: np.ndarray, count: int) -> np.ndarray:
    """The mean step of each bin; 0 where it is empty."""
    return np.bincount(where, weights=steps, minlength=count) / np.maximum(np.bincount(where, minlength=count), 1)


def _added(
    where: Sequence[np.ndarray], steps: Sequence[np.ndarray], pair: Sequence[int], means: np.ndarray
) -> tuple[float, stats.Measured]:
    """The steps between two places of the grid added up, with what each unit has to do with the sum."""
    passed = np.zeros(len(means), dtype=bool)
    passed[pair[0] : pair[1]] = True
    value = float(means[passed].sum())
    together, changes = np.concatenate(list(where)), np.concatenate(list(steps))
    share = np.bincount(together, minlength=len(means)) / len(together)
    moved = np.where(passed[together], (changes - means[together]) / np.maximum(share[together], 1e-12), 0.0)
    folds = []
    for bins_of_fold, own in zip(where, steps, strict=True):
        there = np.bincount(bins_of_fold, minlength=len(means)) > 0
        folds.append(float(np.where(there, _means(bins_of_fold, own, len(means)), means)[passed].sum()))
    return value, stats.Measured(value, value + moved, np.array(folds))


def _effect(
    outcome: int | None,
    pair: Sequence[int],
    value: float,
    spread: stats.Measured,
    clusters: np.ndarray,
    curve: np.ndarray,
    one_way: bool,
    chances: int,
) -> Effect:
    nothing = stats.Measured(0.0, np.zeros(len(clusters)), np.zeros(len(spread.fold_losses)))
    prior = stats.Component(_prior(value, spread.fold_losses), PRIOR_DF)
    found = stats.difference(spread, nothing, clusters, prior, 0.0)
    sure = math.isfinite(found.standard_error)
    low, high = found.bounds(MISSED / chances) if sure else (-math.inf, math.inf)
    return Effect(outcome, pair[0], pair[1], value, low, high, one_way, tuple((curve - curve.mean()).tolist()))


def _prior(value: float, folds: np.ndarray) -> float:
    """Variance of one fold's effect: of several that of the folds themselves, for an effect that is nothing but luck
    has a size that tells nothing of it."""
    return float(folds.var(ddof=1)) if len(folds) > 1 else (FOLD_SHARE * value) ** 2


def _surest(found: Sequence[Effect]) -> Effect | None:
    """The one that lies furthest from nothing, for the width of its interval."""
    return max(found, key=lambda own: abs(own.value) / max(own.high - own.low, 1e-300), default=None)
