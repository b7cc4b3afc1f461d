"""PURE: forecast paths, and what too much and too little cost, to what to order at each step, and what that costs.

Needs that this module answers:

* The order is the newsvendor's quantile (see `orders`), as far from the median as judged paths were off, in the unit of
  each path at each step: the distance to its own outermost quantile on that side (after Romano, Patterson and Candès,
  Conformalized Quantile Regression, NeurIPS 2019).
* Series of one moment, and the steps of one path, go wrong together: whole moments are drawn, never single errors.
* An order is never tried on the errors that it was made from: each stretch of time is ordered for by the others.
* Few stretches know little: intervals widen by what as many know less than all (Student, 1908).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import ndtri

from deepenough.errors import OptionError, RunError
from deepenough.judge.orders import Costs
from deepenough.judge.stats import t_quantile
from deepenough.judge.value import DRAWS, FEWEST_DRAWS, LEVEL, Money, Promise, money_of

BLOCKS = 10
"""Of neighbouring stretches, at most, each of which is ordered for by the errors of the others."""
BEYOND = 10
"""With fewer errors of different series and stretches beyond the order, neighbouring steps count too."""
THINNEST_SIDE, THINNEST_STEP = 0.1, 0.01
"""No error's unit is less than this share of its step's width, nor than that of its path's mean width."""
MOST_NUMBERS = 40_000_000
PLAN, MEDIAN = "plan", "median"


@dataclass(frozen=True)
class Paths:
    """Forecasts.

    middle: the medians, shape (n, steps). below, above: the unit of an error on either side, above 0, same shape.
    floor: nothing is below it; None where anything may be.
    """

    middle: np.ndarray
    below: np.ndarray
    above: np.ndarray
    floor: float | None = None

    @classmethod
    def of(cls, quantiles: np.ndarray, floor: float | None = None, typical: float | None = None) -> Self:
        """From quantiles, shape (n, steps, levels), ascending, the middle one the median.

        typical: the unit of a path whose quantiles are all the same; None: the middle of the other paths'.
        """
        kept = np.asarray(quantiles if floor is None else np.maximum(quantiles, floor), dtype=np.float64)
        middle = kept[:, :, kept.shape[2] // 2]
        width = kept[:, :, -1] - kept[:, :, 0]
        mean = width.mean(axis=1, keepdims=True)
        if typical is None:
            typical = float(np.median(mean[mean > 0])) if (mean > 0).any() else 1.0
        least = np.maximum(THINNEST_SIDE * width, THINNEST_STEP * np.where(mean > 0, mean, typical))
        return cls(middle, np.maximum(middle - kept[:, :, 0], least), np.maximum(kept[:, :, -1] - middle, least), floor)

    @property
    def typical(self) -> float:
        """The unit in the middle of all paths'."""
        return float(np.median((self.below + self.above).mean(axis=1)))

    def at(self, errors: np.ndarray) -> np.ndarray:
        """What is so far from the medians, in the unit of each path; shape of the medians."""
        found = self.middle + np.where(errors > 0, self.above, self.below) * errors
        return np.asarray(found if self.floor is None else np.maximum(found, self.floor))

    def errors(self, truth: np.ndarray) -> np.ndarray:
        """How far the truth was from the medians, signed, in the unit of each path; NaN where it is not known."""
        off = truth - self.middle
        return np.asarray(off / np.where(off > 0, self.above, self.below))


@dataclass(frozen=True)
class Known:
    """How far judged paths were off.

    errors: as `Paths.errors`, shape (m, steps). moments: the stretch of time of each, as numbers from 0 on in their
    order, shape (m,). owners: which series each is of. order: places sorted by moment, by series, and by time.
    """

    errors: np.ndarray
    moments: np.ndarray
    owners: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, errors: np.ndarray, stretches: np.ndarray, owners: np.ndarray, ids: np.ndarray) -> Self:
        """ids: ascend in time within a series. Raises RunError where all lie in one stretch of time."""
        moments = np.unique(stretches, return_inverse=True)[1].ravel()
        if not len(moments) or moments.max() < 1:
            raise RunError(
                "All judged forecasts lie in one stretch of time, so nothing is known of how the next one may differ. "
                "Race with a shorter --horizon, or with longer histories."
            )
        return cls(_filled(errors), moments, owners, np.lexsort((ids, owners, moments)))

    @property
    def stretches(self) -> int:
        """How many there are."""
        return int(self.moments.max()) + 1

    @property
    def blocks(self) -> np.ndarray:
        """Which block of neighbouring stretches each path belongs to, shape (m,)."""
        return np.asarray(self.moments * min(BLOCKS, self.stretches) // self.stretches)

    @property
    def cells(self) -> int:
        """How many series and stretches there are, each pair counted once."""
        return len(np.unique(np.stack([self.owners, self.moments]), axis=1).T)


def _filled(errors: np.ndarray) -> np.ndarray:
    """What is not known with what is known of the same step, in turn; of a step of which nothing is, with all of it."""
    filled = errors.copy()
    known = errors[np.isfinite(errors)]
    for step in range(errors.shape[1]):
        absent = ~np.isfinite(errors[:, step])
        own = errors[~absent, step]
        filled[absent, step] = np.resize(own if len(own) else known, int(absent.sum()))
    return filled


def shifts(known: Known, costs: Costs) -> tuple[np.ndarray, np.ndarray]:
    """How far from the median to order, in the unit of the path: by all errors, shape (steps,), and for each block by
    the others and not by its neighbours, shape (blocks, steps).

    Raises OptionError where so many errors can't tell the quantile that costs least.
    """
    tail, steps, cells = min(costs.level, 1 - costs.level), known.errors.shape[1], known.cells
    if cells * steps * tail < 1:
        raise OptionError(
            f"--value asks for orders that suffice in {100 * costs.level:.4g} % of the cases, which so few judged "
            f"forecasts ({cells * steps:,} steps) can't tell. Give costs that are nearer to each other."
        )
    width = 0
    while cells * (2 * width + 1) * tail < BEYOND and 2 * width + 1 < 2 * steps:
        width += 1
    blocks = known.blocks
    others = []
    for block in range(int(blocks.max()) + 1):
        own = known.moments[blocks == block]
        far = (known.moments < own.min() - 1) | (known.moments > own.max() + 1)
        others.append(_quantiles(known.errors[far if far.any() else blocks != block], costs.level, width))
    return _quantiles(known.errors, costs.level, width), np.stack(others)


def _quantiles(errors: np.ndarray, level: float, width: int) -> np.ndarray:
    """Of each step, together with so many steps on either side."""
    steps = errors.shape[1]
    near = [errors[:, max(0, step - width) : step + width + 1] for step in range(steps)]
    return np.array([np.quantile(each, level, method="inverted_cdf") for each in near])


@dataclass(frozen=True)
class Ordered:
    """quantities: what to order, shape (n, steps). costs: what each is expected to cost, above 0. by_step: of all paths
    together, as money below zero. promise: of all of it, and against ordering the medians."""

    quantities: np.ndarray
    costs: np.ndarray
    by_step: Sequence[Money]
    promise: Promise


def order(paths: Paths, known: Known, costs: Costs, seed: int) -> Ordered:
    """What to order for new paths, all from one moment on, and what that is expected to cost.

    What may come is drawn: a judged moment, and for each path the errors that one of its series then had, step by step.
    """
    whole, by_block = shifts(known, costs)
    plans = [paths.at(np.broadcast_to(shift, paths.middle.shape)) for shift in by_block]
    rng, blocks = np.random.default_rng(seed), known.blocks
    draws = int(np.clip(MOST_NUMBERS // max(paths.middle.size, 1), FEWEST_DRAWS, DRAWS))
    drawn = np.empty((2, draws, paths.middle.shape[1]))
    each = np.zeros_like(paths.middle)
    moments = _Moments.of(known)
    for row in range(draws):
        taken = moments.drawn(len(paths.middle), rng)
        wanted = paths.at(known.errors[taken])
        cost = costs.of(plans[blocks[taken[0]]], wanted)
        each += cost / draws
        drawn[0, row] = -cost.sum(axis=0)
        drawn[1, row] = -costs.of(paths.middle, wanted).sum(axis=0)
    wider = widening(known.stretches)
    totals = drawn.sum(axis=2)
    sums = {name: _paid(own, wider) for name, own in zip((PLAN, MEDIAN), totals, strict=True)}
    more: Mapping[str, Money] = {MEDIAN: _told(totals[0] - totals[1], wider)}
    steps = [_paid(own, wider) for own in drawn[0].T]
    return Ordered(paths.at(np.broadcast_to(whole, paths.middle.shape)), each, steps, Promise(sums, more))


@dataclass(frozen=True)
class _Moments:
    """Judged paths by stretch and series, to draw moments from. starts, counts: of each stretch's series, in `order`;
    first: where each stretch's series begin in them."""

    known: Known
    places: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, known: Known) -> Self:
        moments, owners = known.moments[known.order], known.owners[known.order]
        starts = np.flatnonzero(np.append(True, (np.diff(moments) != 0) | (np.diff(owners) != 0)))
        counts = np.diff(np.append(starts, len(moments)))
        places = np.empty(len(moments), dtype=np.int64)
        places[known.order] = np.arange(len(moments))
        first = np.searchsorted(moments[starts], np.arange(known.stretches + 1))
        return cls(known, places, starts, counts, first)

    def drawn(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Judged paths of one moment, for so many series: each series' path at the same place of a drawn stretch."""
        one = int(rng.integers(len(self.places)))
        stretch, place = int(self.known.moments[one]), int(self.places[one])
        own = slice(self.first[stretch], self.first[stretch + 1])
        starts, counts = self.starts[own], self.counts[own]
        at = int(np.searchsorted(starts, place, side="right")) - 1
        share = (place - starts[at] + 0.5) / counts[at]
        together = self.known.order[starts + (share * counts).astype(np.int64)]
        mixed = rng.permutation(together)
        return mixed[:count] if count <= len(mixed) else np.append(mixed, rng.choice(together, count - len(mixed)))


def widening(stretches: int) -> float:
    """How many times as wide an interval of what comes next is, told by so many stretches and not by all there are."""
    tail = (1 - LEVEL) / 2
    known = np.sqrt((stretches + 1) / (stretches - 1))
    return float(known * t_quantile(tail, stretches - 1) / ndtri(1 - tail))


def _told(drawn: np.ndarray, wider: float) -> Money:
    middle = float(np.median(drawn))  # costs are skewed: around their mean the nearer end would be too far
    return money_of(float(drawn.mean()), middle + wider * (drawn - middle))


def _paid(drawn: np.ndarray, wider: float) -> Money:
    """Costs, as money: never above 0."""
    found = _told(drawn, wider)
    return Money(found.value, found.low, min(found.high, 0.0))


def tried(paths: Paths, truth: np.ndarray, known: Known, costs: Costs) -> np.ndarray:
    """What a step of each judged path came to on average, each ordered for by the errors of others, shape (m,)."""
    _, by_block = shifts(known, costs)
    return came(paths.at(by_block[known.blocks]), truth, costs)


def came(ordered: np.ndarray, truth: np.ndarray, costs: Costs) -> np.ndarray:
    """What a known step of each path came to on average, as money below zero, shape (m,)."""
    cost = costs.of(ordered, truth)
    known = np.isfinite(truth)
    return np.asarray(-np.where(known, cost, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1))
