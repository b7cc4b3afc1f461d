"""Who stands for a family: chosen on one part of the units, judged on another.

Needs that this module answers:

* Nobody is judged on what chose it: on the units of a part, a family is whoever was best on the units of all other
  parts. Where every fold judges the same units, whoever judges with one fold's fit was also chosen by other folds'
  fits, for a lucky seed would be lucky on both parts.
* Choosing among equals must not look like knowing. Taking the luckiest alone leaves the loss unbiased but makes it vary
  more than its standard error says: simulated with four equal learners a family, 17 % of races declared one at the
  boundary, where 5 % was promised. So contenders that could be the best share the place by how credible each is, and
  what their shares owe to luck counts in the standard error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from deepenough.judge import stats
from deepenough.judge.finals import Judged, Panel, influences, layers, measure

LEAST_SHARE = 0.02
"""A contender less credible than this, beside the leader's 1, does not stand for its family."""


@dataclass(frozen=True)
class Lineup:
    """A family on the panel: who stands for it on each part, and how it did.

    picks: contender by part, the most credible. shares: how credible each contender is there, by part; they add to 1.
    table: influences, shape (layers, m). repeats: by how many fits a fold the variance of the seeds is divided.
    """

    family: str
    picks: Mapping[int, str]
    shares: Mapping[int, Mapping[str, float]]
    table: np.ndarray
    measured: stats.Measured
    repeats: float

    @property
    def contender(self) -> str:
        """The most credible over all parts together, the first by name of equals: picks of few parts, each on what the
        others said, may be whoever was lucky on one of them."""
        names = {name for shares in self.shares.values() for name in shares}
        weight = {name: sum(shares.get(name, 0.0) for shares in self.shares.values()) for name in names}
        return min(names, key=lambda name: (-weight[name], name))


def line_up(judged: Judged, panel: Panel, family: str, seeds: float) -> Lineup | None:
    """The family on every part; None when nobody finished all judged folds.

    seeds: variance that a seed gives to one fit's loss.
    """
    tables = {}
    for name in judged.of_family(family):
        stack = layers(judged, panel, name)
        if stack is not None:
            tables[name] = influences(judged, panel, stack)
    if not tables:
        return None
    folds = len(panel.folds) if judged.halves else 1
    depth = max(len(table) for table in tables.values())
    tables = {name: _spread(table, depth, folds) for name, table in tables.items()}
    choices = [_choose(panel, tables, seat, seeds) for seat in _seats(panel, depth, folds)]
    table = np.zeros((depth, len(panel)))
    for choice in choices:
        for name, share in choice.shares.items():
            table[choice.seat.judges] += share * tables[name][choice.seat.judges]
    for choice in choices:
        table[choice.seat.chooses] += _reaction(tables, choice)
    shares = _by_part(choices)
    picks = {part: max(sorted(own), key=lambda name: own[name]) for part, own in shares.items()}
    return Lineup(family, picks, shares, table, measure(judged, panel, table), _repeats(judged, panel, shares))


def _repeats(judged: Judged, panel: Panel, shares: Mapping[int, Mapping[str, float]]) -> float:
    """How many fits of one fold were averaged, so that the variance of a fold's seeds, divided by it, holds.

    Variances are what adds: a fold that was fitted four times makes up for none that was fitted once, and a contender
    that was repeated for none that was not. So these are harmonic means over folds, and over who shares the place.
    """
    fits = {name: judged.trials[name][panel.n_train] for own in shares.values() for name in own}
    once = {name: sum(1 / len(own[fold]) for fold in panel.folds) / len(panel.folds) for name, own in fits.items()}
    variances = [sum(share * once[name] for name, share in own.items()) for own in shares.values()]
    return len(variances) / sum(variances)


def _spread(table: np.ndarray, depth: int, folds: int) -> np.ndarray:
    """The table with as many layers as wanted, those of each fold taken in turn (layers are fold-major)."""
    per_fold = len(table) // folds
    return table[[fold * per_fold + i % per_fold for fold in range(folds) for i in range(depth // folds)]]


@dataclass(frozen=True)
class _Seat:
    """One place to fill: where someone judges, and where it is chosen, each as an index (layers, rows) of the tables.

    rows: the units that choose. fits: how many fits of a contender they see.
    """

    part: int
    judges: tuple[np.ndarray, ...]
    chooses: tuple[np.ndarray, ...]
    rows: np.ndarray
    fits: int


def _seats(panel: Panel, depth: int, folds: int) -> Iterator[_Seat]:
    """A seat a part; where every fold judges the same units, a seat a part and fold."""
    fold_of_layer = np.arange(depth) // (depth // folds)
    for part in np.unique(panel.parts):
        own = np.flatnonzero(panel.parts == part)
        others = np.flatnonzero(panel.parts != part)
        others = others if len(others) else own
        fits = len(np.unique(panel.fold[others])) if folds == 1 else folds - 1
        for fold in range(folds):
            here = np.flatnonzero(fold_of_layer == fold)
            elsewhere = np.flatnonzero(fold_of_layer != fold) if folds > 1 else here
            yield _Seat(int(part), np.ix_(here, own), np.ix_(elsewhere, others), others, fits)


@dataclass(frozen=True)
class _Choice:
    """Who fills a seat. behind: by how much those who choose put a contender behind the leader, with standard error."""

    seat: _Seat
    leader: str
    behind: Mapping[str, tuple[float, float]]
    shares: Mapping[str, float]


def _choose(panel: Panel, tables: Mapping[str, np.ndarray], seat: _Seat, seeds: float) -> _Choice:
    """How credible it is that each contender is the best.

    Twice the probability that it beats the leader, so that an equal counts as much as the leader; made to add to 1.
    """
    mean = {name: table[seat.chooses].mean(axis=0) for name, table in tables.items()}
    loss = {name: float(values.mean()) for name, values in mean.items()}
    leader = min(sorted(loss), key=lambda name: loss[name] if np.isfinite(loss[name]) else np.inf)
    behind, weights = {}, {leader: 1.0}
    for name in sorted(set(loss) - {leader}):
        distance = loss[name] - loss[leader]
        units = stats.cluster_variance(mean[name] - mean[leader], panel.clusters[seat.rows]).variance
        error = math.sqrt(units + 2 * seeds / seat.fits)
        weight = 2 * float(ndtr(-distance / error)) if error > 0 and np.isfinite(distance) else float(distance == 0)
        if weight >= LEAST_SHARE:
            behind[name], weights[name] = (distance, error), weight
    total = sum(weights.values())
    return _Choice(seat, leader, behind, {name: weight / total for name, weight in weights.items()})


def _reaction(tables: Mapping[str, np.ndarray], choice: _Choice) -> np.ndarray:
    """What those who chose add to the family's loss by their choice, one influence each; their mean is 0.

    The derivative of the shares (Efron's smoothed selection, JASA 2014): without it, the luck that chose a contender
    on several parts at once is missing in the standard error.
    """
    judges, chooses = choice.seat.judges, choice.seat.chooses
    own = {name: float(tables[name][judges].mean()) for name in choice.shares}
    family = sum(share * own[name] for name, share in choice.shares.items())
    reaction = np.zeros(tables[choice.leader][chooses].shape)
    weight = judges[0].size * judges[1].size / reaction.size
    for name, (distance, error) in choice.behind.items():
        if error > 0 and math.isfinite(error):
            slope = -2 * math.exp(-0.5 * (distance / error) ** 2) / math.sqrt(2 * math.pi) / error
            gain = (own[name] - family) * choice.shares[choice.leader] * slope
            gaps = tables[name][chooses] - tables[choice.leader][chooses]
            reaction += gain * (gaps - gaps.mean()) * weight
    return reaction


def _by_part(choices: Sequence[_Choice]) -> dict[int, dict[str, float]]:
    """Shares by part, the mean over its seats."""
    shares: dict[int, dict[str, float]] = {}
    for part in sorted({choice.seat.part for choice in choices}):
        own = [choice.shares for choice in choices if choice.seat.part == part]
        names = sorted({name for share in own for name in share})
        shares[part] = {name: sum(share.get(name, 0.0) for share in own) / len(own) for name in names}
    return shares
