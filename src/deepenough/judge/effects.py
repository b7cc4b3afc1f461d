"""PURE: which way an input moves the answers, and how far, in the answer's own unit.

Needs that this module answers:

* Inputs hang together: a number is moved only as far as its neighbours, and the small steps are added up, so that no
  answer is asked for about a unit that can't exist (accumulated local effects: Apley and Zhu, Journal of the Royal
  Statistical Society B, 2020). Categories have no neighbours: each unit answers as if it held each of the levels
  (partial dependence: Friedman, Annals of Statistics, 2001).
* An interval that holds for the learner on other rows, not for one lucky fit: units and folds (each another fit) are in
  it, and that folds share most of their rows, so that their fits are far more alike than fits on other rows would be.
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
from deepenough.judge.traits import Trait

MISSED = 0.025
"""Probability with which each end of an interval is missed: 95 % in all."""
TENTHS = np.arange(1, 10) / 10
MOST_LEVELS = 6
FEWEST_OF_A_LEVEL = 20
MOST_SHARED = 0.95
PRIOR_DF = 1.0
"""What is expected of a fit's variance is worth so many folds: with more, inputs that hang together would look surer
than they are, for their effects vary more than a comparison of means."""
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
class Fits:
    """The models that were asked.

    outcomes: what moves: places of classes, or None for a number. clusters: by fit, shape (m,); equal numbers are one
    observation. overlap: share of the rows that one learnt from which another learnt from too. noise: by outcome, the
    variance of what happened about the answers, over the number of rows that a model learnt from.
    """

    outcomes: Sequence[int | None]
    clusters: Sequence[np.ndarray]
    overlap: float
    noise: Sequence[float]


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
    own: Grid, values: Sequence[np.ndarray], lower: Sequence[np.ndarray], upper: Sequence[np.ndarray], fits: Fits
) -> Effect | None:
    """The surest effect of a number over all outcomes; None where too few units lie within the grid.

    values: by fit, what each unit holds, shape (m,). lower, upper: by fit, the answers with the value at either end of
    its bin, shape (m, outcomes).
    """
    where = [bins(own, held) for held in values]
    inside = [places >= 0 for places in where]
    where = [places[keep] for places, keep in zip(where, inside, strict=True)]
    steps = [(b - a)[keep] for a, b, keep in zip(lower, upper, inside, strict=True)]
    clusters = np.concatenate([of[keep] for of, keep in zip(fits.clusters, inside, strict=True)])
    if len(np.unique(clusters)) < FEWEST_OF_A_LEVEL:
        return None
    size, spread = len(own.values), float(np.nanvar(np.concatenate(list(values))))
    found = []
    for place, outcome in enumerate(fits.outcomes):
        moves = [step[:, place] for step in steps]
        means = _means(np.concatenate(where), np.concatenate(moves), size - 1)
        curve = np.concatenate([[0.0], np.cumsum(means)])
        one_way = abs(curve[-1]) >= ONE_WAY * np.abs(means).sum()
        start, end = (0, size - 1) if one_way else sorted((int(curve.argmin()), int(curve.argmax())))
        pairs = 1 if one_way else math.comb(size, 2)
        measured = _added(where, moves, (start, end), means)
        noise = fits.noise[place] * float(own.values[end] - own.values[start]) ** 2 / max(spread, 1e-300)
        low, high = _interval(measured, clusters, fits, noise, pairs)
        found.append(Effect(outcome, start, end, measured.loss, low, high, bool(one_way), _centred(curve)))
    return _surest(found)


def of_levels(own: Grid, values: Sequence[np.ndarray], answers: Sequence[np.ndarray], fits: Fits) -> Effect | None:
    """The surest effect of a category over all outcomes: of two levels the second against the first, of more the
    highest against the lowest; None where no fit has units of both.

    values: as of numbers. answers: by fit, with every unit at each level, shape (levels, m, outcomes).
    """
    levels = len(own.values)
    there = [holders(own, held) >= 0 for held in values]
    known = [held >= 0 for held in values]
    shares = np.array([np.mean(np.concatenate(list(values))[np.concatenate(known)] == level) for level in own.values])
    found = []
    for place, outcome in enumerate(fits.outcomes):
        told = [np.where(has[:, None], answer[:, :, place], np.nan) for has, answer in zip(there, answers, strict=True)]
        curve = np.nanmean(np.concatenate(told, axis=1), axis=1)
        start, end = (0, 1) if levels == 2 else (int(curve.argmin()), int(curve.argmax()))
        both = [has[start] and has[end] for has in there]
        gaps = [answer[end] - answer[start] for answer, has in zip(told, both, strict=True) if has]
        if not gaps:
            continue
        clusters = np.concatenate([of for of, has in zip(fits.clusters, both, strict=True) if has])
        together = np.concatenate(gaps)
        measured = stats.Measured(float(together.mean()), together, np.array([float(gap.mean()) for gap in gaps]))
        noise = fits.noise[place] * float(1 / shares[start] + 1 / shares[end])
        low, high = _interval(measured, clusters, fits, noise, math.comb(levels, 2))
        found.append(Effect(outcome, start, end, measured.loss, low, high, True, _centred(curve)))
    return _surest(found)


def _means(where: np.ndarray, steps: np.ndarray, count: int) -> np.ndarray:
    """The mean step of each bin; 0 where it is empty."""
    return np.bincount(where, weights=steps, minlength=count) / np.maximum(np.bincount(where, minlength=count), 1)


def _added(
    where: Sequence[np.ndarray], steps: Sequence[np.ndarray], pair: tuple[int, int], means: np.ndarray
) -> stats.Measured:
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
    return stats.Measured(value, value + moved, np.array(folds))


def _interval(
    measured: stats.Measured, clusters: np.ndarray, fits: Fits, noise: float, pairs: int
) -> tuple[float, float]:
    """Of an effect that was picked among so many pairs of values and all outcomes.

    noise: the variance that one fit's effect is expected to have.
    """
    units = stats.cluster_variance(measured.influence, clusters)
    models = _of_models(measured.fold_losses, fits.overlap, noise)
    variance = units.variance + models.variance
    if not math.isfinite(variance):
        return -math.inf, math.inf
    missed = MISSED / (pairs * len(fits.outcomes))
    width = stats.t_quantile(missed, stats.satterthwaite([units, models])) * math.sqrt(variance)
    return measured.loss - width, measured.loss + width


def _of_models(folds: np.ndarray, overlap: float, noise: float) -> stats.Component:
    """Variance of the mean effect of fits, each on a sample of its own of which any two share so much.

    Samples that share the share r have estimates that are correlated with r, so that their spread tells 1 - r of one
    estimate's variance, and the mean of k of them has (1 + (k - 1) r) / k of it. Of folds that leave out one k-th each
    that is the jackknife that deletes groups (Shao and Wu, Annals of Statistics, 1989). Few folds tell little of a
    variance, so that what a comparison of means would have joins them.
    """
    count, shared = len(folds), min(max(overlap, 0.0), MOST_SHARED)
    told = float(((folds - folds.mean()) ** 2).sum()) / (1 - shared)
    df = PRIOR_DF + count - 1.0
    one = (PRIOR_DF * noise + told) / df
    return stats.Component(one * (1 + (count - 1) * shared) / count, df)


def _centred(curve: np.ndarray) -> tuple[float, ...]:
    return tuple((curve - curve.mean()).tolist())


def _surest(found: Sequence[Effect]) -> Effect | None:
    """The one that lies furthest from nothing, for the width of its interval."""
    return max(found, key=lambda own: abs(own.value) / max(own.high - own.low, 1e-300), default=None)
