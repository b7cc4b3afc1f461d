"""PURE: how a contender stands to its family's leader, from the small rungs that both climbed.

Needs that this module answers:

* A rival is compared with the leader only where both met the same rows and units.
* A rung tells less than the finals would: what is not known of the trend, the units and the draw widens the chance.
* One stretch of time tells little of the next: one fold must not throw a learner out.
"""

from __future__ import annotations

import math

import numpy as np

from deepenough.evidence import Contender, Trial
from deepenough.judge.stats import cluster_variance
from deepenough.racing.standing import Race

ONE_STRETCH = 0.1
"""By so much of the loss two learners' gap differs from one stretch of time to the next, beyond what its units say."""


def chance(race: Race, leader: Contender, rival: Contender) -> float:
    """Probability that the rival beats the leader at the finals' size, from the units that both were judged on.

    The gap at the rival's largest rung is carried on to the finals' size by half of its trend over the rungs; what is
    not known of the trend, of the units and of the draw widens it. A rival with fewer than three rungs is judged more
    patiently, one that is still gaining on the leader too. For one that starts late, and gained more between its last
    two rungs than before, these are its trend: nearly all bests of families that were lost had been late starters.
    """
    gaps = _gaps(race, leader, rival)
    if not gaps:
        return 1.0 if not race.trials(rival.name) else 0.0 if race.failed(rival) else 0.5
    size, gap, error = gaps[-1]
    if size >= (race.size or 0):
        return _below_zero(gap, error)
    doublings = math.log2(max((race.size or size) / size, 1))
    trend = min(_trend(gaps[0], gaps[-1]), _trend(gaps[-2], gaps[-1])) if len(gaps) > 1 else 0.0
    scale = abs(gap) + error
    spread = math.hypot(error, 0.5 * doublings * max(abs(trend), 0.1 * scale))
    patience = 1.0 if len(gaps) >= 3 else 1.5
    return _below_zero(gap + 0.5 * doublings * trend, patience * spread)


def _trend(first: tuple[int, float, float], last: tuple[int, float, float]) -> float:
    """By how much the gap changes a doubling; negative where the rival gains."""
    return (last[1] - first[1]) / max(math.log2(last[0] / first[0]), 1)


def _below_zero(mean: float, deviation: float) -> float:
    return 0.5 * math.erfc(mean / max(deviation, 1e-12) / math.sqrt(2))


def _gaps(race: Race, leader: Contender, rival: Contender) -> list[tuple[int, float, float]]:
    """(size, mean loss of rival less leader, its standard error) where both finished the same size and fold."""
    pair = leader.name, rival.name
    if pair not in race.gaps:
        race.gaps[pair] = _measured_gaps(race, leader, rival)
    return race.gaps[pair]


def _measured_gaps(race: Race, leader: Contender, rival: Contender) -> list[tuple[int, float, float]]:
    gaps = []
    by_size: dict[int, list[tuple[float, float]]] = {}
    for trial in race.trials(rival.name):
        other = race.done.get((leader.name, trial.n_train, trial.fold, trial.seed))
        if trial.loss is None or other is None or other.loss is None:
            continue
        error = _paired_error(race, trial, other)
        if race.plan.splitting == "time" and rival.learner != leader.learner:
            error = math.hypot(error, ONE_STRETCH * abs(other.loss))
        by_size.setdefault(trial.n_train, []).append((trial.loss - other.loss, error))
    for size, pairs in sorted(by_size.items()):
        gap, errors = np.mean([g for g, _ in pairs]), np.array([e for _, e in pairs])
        gaps.append((size, float(gap), float(np.sqrt((errors**2).sum()) / len(pairs))))
    return gaps


def _paired_error(race: Race, trial: Trial, other: Trial) -> float:
    """Standard error of a difference of mean losses over the units of a fold, those of one cluster taken together where
    the split goes by group or time; never under 1 % of the loss: the draw."""
    ours, theirs = race.evidence.records.get(trial.number), race.evidence.records.get(other.number)
    floor = 0.01 * abs(other.loss or 0.0)
    if ours is None or theirs is None or ours.shape != theirs.shape or ours.shape[1] != 1:
        return max(0.03 * abs(other.loss or 0.0), 1e-12)
    apart, units = ours[:, 0] - theirs[:, 0], race.evidence.units.get(trial.fold)
    if race.plan.splitting != "random" and units is not None and len(units.ids) == len(apart):
        return max(math.sqrt(cluster_variance(apart, units.clusters).variance), floor, 1e-12)
    apart -= apart.mean()
    return max(float(np.sqrt(apart.dot(apart))) / len(apart), floor, 1e-12)


def standing(race: Race, family: str, contender: Contender) -> float:
    """Lower is better: mean loss gap to the leader at the largest rung that both finished."""
    leader = race.leader(family)
    gaps = _gaps(race, leader, contender) if leader else []
    return gaps[-1][1] if gaps else 0.0 if leader and leader.name == contender.name else math.inf
