"""From trials to learning curves: each contender's losses by training size, with what their noise has in common.

Needs that this module answers:

* The sizes of a ladder are judged on the same units where they can be, so that the units' luck cancels between sizes;
  the largest size was perhaps judged on more folds, which then set the level of the whole curve.
* Noise is estimated, not assumed: over units from the records (by cluster), over training draws from the folds, pooled
  over sizes with a prior, falling like 1/n.
* Numbers up to four times the largest size, with words to each; none where the curve is too short or breaks the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.evidence import Evidence, Trial
from deepenough.judge import curves, stats
from deepenough.judge.finals import Judged, gather

DRAW_PRIOR_DF = 4
DRAW_SHARE = 0.02
"""Prior sd of one training draw at the smallest size, as a share of the trivial loss."""
DRAW_SHARE_RATE = 0.01
"""The same for losses of 0 and 1, absolute."""
FORECAST_SIZES = 4
"""Fewer sizes than this give no forecast."""
FIT_SIZES = 3
"""Fewer sizes than this give no fit at all."""
REACH = 4.0
"""Numbers are given up to so many times the largest size."""
REACH_BROKEN = 2.0
"""The same for a curve that breaks the rules."""


@dataclass(frozen=True)
class Rungs:
    """Ladders of one or more contenders with the covariance of all their losses, ladder after ladder."""

    names: tuple[str, ...]
    ladders: tuple[curves.Ladder, ...]
    covariance: np.ndarray
    scale: float


@dataclass(frozen=True)
class _Rung:
    """One contender at one size: per fold its loss and the units' influences."""

    name: str
    n_train: int
    losses: dict[int, float]
    influences: dict[int, np.ndarray]

    def loss(self, folds: Sequence[int]) -> float:
        """Over these folds, every unit counting the same."""
        weights = [len(self.influences[fold]) for fold in folds]
        return float(np.average([self.losses[fold] for fold in folds], weights=weights))


def rungs_of(judged: Judged, names: Sequence[str], trivial_loss: float | None) -> Rungs | None:
    """Ladders of these contenders; None where one has fewer than two sizes or the sizes share no fold."""
    found = [_read(judged, name, n_train) for name in names for n_train in sorted(judged.trials[name])]
    found = [rung for rung in found if rung.losses]
    if not found or any(sum(rung.name == name for rung in found) < 2 for name in names):
        return None
    shared = sorted(set.intersection(*(set(rung.losses) for rung in found)))
    if not shared:
        return None
    tops = np.array([max(i for i, other in enumerate(found) if other.name == rung.name) for rung in found])
    one_unit = _unit_covariance(judged, found, shared)
    covariance = _mean_covariance(judged, found, tops, one_unit, shared)
    scale = max(abs(trivial_loss) if trivial_loss else max(abs(rung.loss(shared)) for rung in found), 1e-9)
    ladders = []
    for name in names:
        own = [i for i, rung in enumerate(found) if rung.name == name]
        draws = _draw_variance(judged, [found[i] for i in own], len(shared), scale, one_unit[own, own])
        covariance[own, own] += draws  # the diagonal alone: other sizes are other draws
        ladders.append(_ladder(judged, [found[i] for i in own], shared))
    return Rungs(tuple(names), tuple(ladders), covariance, scale)


def gap_variances(judged: Judged, first: str, second: str) -> dict[int, float]:
    """Variance of the gap of two contenders on one judged unit, by the sizes at which both met the same units."""
    found = {}
    for n_train in sorted(set(judged.trials[first]) & set(judged.trials[second])):
        ours, theirs = (_read(judged, name, n_train).influences for name in (first, second))
        apart = [ours[fold] - theirs[fold] for fold in sorted(set(ours) & set(theirs))]
        if apart:
            found[n_train] = float(np.mean([gap.var() for gap in apart]))
    return found


def _read(judged: Judged, name: str, n_train: int) -> _Rung:
    """The rung, read once: many pairs have a contender in common."""
    key, memo = ("rung", name, n_train), judged.evidence.memo
    if key not in memo:
        memo[key] = _worked_out(judged, name, n_train)
    found: _Rung = memo[key]
    return found


def _worked_out(judged: Judged, name: str, n_train: int) -> _Rung:
    losses, influences = {}, {}
    for fold, fits in judged.trials[name][n_train].items():
        told = [_evaluate(judged, trial) for trial in fits]
        loss = float(np.mean([loss for loss, _ in told]))
        if np.isfinite(loss):
            losses[fold], influences[fold] = loss, np.mean([influence for _, influence in told], axis=0)
    return _Rung(name, n_train, losses, influences)


def _evaluate(judged: Judged, trial: Trial) -> tuple[float, np.ndarray]:
    return judged.metric.evaluate(np.asarray(judged.evidence.records[trial.number]))


def _ladder(judged: Judged, own: Sequence[_Rung], shared: Sequence[int]) -> curves.Ladder:
    """Losses on the shared folds, all moved by what the other folds of the largest size say of its level."""
    top = own[-1]
    lift = top.loss(sorted(top.losses)) - top.loss(shared)
    losses = np.array([rung.loss(shared) + lift for rung in own])
    sizes = np.array([rung.n_train for rung in own], dtype=np.float64)
    return curves.Ladder(sizes, losses, judged.families[top.name])


def _unit_covariance(judged: Judged, found: Sequence[_Rung], shared: Sequence[int]) -> np.ndarray:
    """Covariance of the rungs' losses on one judged unit, from the shared folds, shape (rungs, rungs)."""
    table = _influence_table(judged, found, shared)
    clusters = [judged.evidence.units[fold].clusters for fold in (shared[:1] if judged.halves else shared)]
    return np.asarray(stats.cluster_covariance(table, np.concatenate(clusters)) * table.shape[1])


def _mean_covariance(
    judged: Judged, found: Sequence[_Rung], tops: np.ndarray, one_unit: np.ndarray, shared: Sequence[int]
) -> np.ndarray:
    """Covariance, by the units' luck, of losses that were moved as `_ladder` does: distance to the largest size on the
    shared units, plus the level of the largest size on all of its units; shape (rungs, rungs)."""
    level = np.zeros((len(found), len(found)))
    level[np.arange(len(found)), tops] = 1.0
    apart = np.eye(len(found)) - level
    units = np.array([_units_of(judged, found[top], sorted(found[top].losses)) for top in tops])
    cross = apart @ one_unit @ level.T / units[None, :]
    distance = apart @ one_unit @ apart.T / _units_of(judged, found[0], shared)
    height = level @ one_unit @ level.T / np.maximum(units[:, None], units[None, :])
    return np.asarray(distance + cross + cross.T + height)


def _influence_table(judged: Judged, found: Sequence[_Rung], shared: Sequence[int]) -> np.ndarray:
    if not judged.halves:
        return np.stack([np.concatenate([rung.influences[fold] for fold in shared]) for rung in found])
    return np.stack([np.mean([rung.influences[fold] for fold in shared], axis=0) for rung in found])


def _units_of(judged: Judged, rung: _Rung, folds: Sequence[int]) -> int:
    counts = [len(rung.influences[fold]) for fold in folds]
    return max(counts) if judged.halves else sum(counts)


def _draw_variance(judged: Judged, own: Sequence[_Rung], shared: int, scale: float, one_unit: np.ndarray) -> np.ndarray:
    """Variance by the training draw and the seed of each size's loss, averaged over its folds, shape (sizes,).

    The folds' spread is corrected for their units, and pooled over sizes as if seen at the smallest.
    """
    sizes = np.array([rung.n_train for rung in own], dtype=np.float64)
    prior = DRAW_SHARE * stats.loss_scale(own[0].loss(sorted(own[0].losses)), scale)
    prior = DRAW_SHARE_RATE if judged.metric.is_rate else prior
    seen = []
    for rung, growth, variance in zip(own, sizes / sizes[0], one_unit, strict=True):
        if len(rung.losses) > 1:
            units = np.mean([len(influence) for influence in rung.influences.values()])
            noise = 0.0 if judged.halves else float(variance / units)
            spread = float(np.var(list(rung.losses.values()), ddof=1))
            seen.append((spread * growth, noise * growth, len(rung.losses) - 1.0))
    first = stats.pooled(stats.Component(prior**2, DRAW_PRIOR_DF), seen).variance
    counts = np.array([shared] * (len(own) - 1) + [len(own[-1].losses)])
    return np.asarray(first * sizes[0] / sizes / counts)


def fitted(rungs: Rungs, seed: int, horizon: float | None = None) -> curves.Fit:
    """The joint posterior of the ladders; see `curves.fit`."""
    first = min(ladder.sizes[0] for ladder in rungs.ladders)
    last = max(ladder.sizes[-1] for ladder in rungs.ladders)
    bank = curves.shape_bank(first, last, seed)
    return curves.fit(rungs.ladders, rungs.covariance, bank, rungs.scale, seed, horizon)


def chance_to_beat(
    evidence: Evidence, challenger: str, leader: str, n_train: int, margin: float = 0.0, judged: Judged | None = None
) -> float | None:
    """How probable it is that the challenger's loss at this size is lower than the leader's by more than the margin.

    None where the two share too few sizes to fit.
    """
    judged = judged or gather(evidence)
    if challenger not in judged.trials or leader not in judged.trials:
        return None
    rungs = rungs_of(judged, (challenger, leader), None)
    if rungs is None or min(len(ladder.sizes) for ladder in rungs.ladders) < FIT_SIZES:
        return None
    own, other = fitted(rungs, seed_of(evidence)).losses(np.array([n_train]))
    return float((own < other - margin).mean())


def slow_starter(evidence: Evidence, name: str, judged: Judged | None = None) -> bool:
    """Whether its loss falls faster at the end of its ladder than before: it is dropped more patiently."""
    judged = judged or gather(evidence)
    rungs = rungs_of(judged, (name,), None) if name in judged.trials else None
    return rungs is not None and curves.starts_slowly(rungs.ladders[0], rungs.covariance)


def seed_of(evidence: Evidence) -> int:
    """The seed of everything that is drawn in judging; it stands in the plan."""
    return int(evidence.plan.judge_options.get("seed", 0)) % 2**32


def curve_facts(judged: Judged, name: str, trivial_loss: float | None) -> dict[str, Any] | None:
    """One contender's curve as plain data; None with fewer than two sizes.

    points: [n_train, loss, standard error]. forecasts: [n_train, median, low, high, note], 90 % intervals.
    flags: {flag, reason}.
    """
    rungs = rungs_of(judged, (name,), trivial_loss)
    if rungs is None:
        return None
    ladder = rungs.ladders[0]
    errors = np.sqrt(rungs.covariance.diagonal())
    points = [[int(n), float(y), float(e)] for n, y, e in zip(ladder.sizes, ladder.losses, errors, strict=True)]
    flags = broken(ladder, rungs.covariance)
    forecasts: list[list[Any]] = []
    if len(ladder.sizes) >= FORECAST_SIZES:
        fit = fitted(rungs, seed_of(judged.evidence))
        if fit.misfit:
            flags.append({"flag": "ill_behaved", "reason": "no smooth curve fits the measured points"})
        forecasts = _forecasts(fit, ladder, REACH_BROKEN if flags else REACH)
    return {"family": ladder.family, "points": points, "forecasts": forecasts, "flags": flags}


def broken(ladder: curves.Ladder, covariance: np.ndarray) -> list[dict[str, str]]:
    """The rules that a curve breaks: {flag, reason}."""
    flags = [
        {"flag": "ill_behaved", "reason": f"the loss rose between {low:,} and {high:,} rows"}
        for low, high in curves.rises(ladder, covariance)
    ]
    if curves.starts_slowly(ladder, covariance):
        reason = "still speeding up at the largest size: more data may help more than any forecast shows"
        flags.append({"flag": "slow_start", "reason": reason})
    return flags


def _forecasts(fit: curves.Fit, ladder: curves.Ladder, reach: float) -> list[list[Any]]:
    times = np.array([step for step in 2.0 ** np.arange(0.5, 2.01, 0.5) if step <= reach + 1e-9])
    sizes = np.round(ladder.sizes[-1] * times)
    low, median, high = np.quantile(fit.losses(sizes)[0], [0.05, 0.5, 0.95], axis=0)
    notes = ["" if step <= 2 else "if the curve keeps its shape" for step in times]
    return [
        [int(n), float(middle), float(least), float(most), note]
        for n, middle, least, most, note in zip(sizes, median, low, high, notes, strict=True)
    ]
