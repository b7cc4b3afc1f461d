"""What was said of the units that judged, and what they really were: read from a run's folder.

Needs that this module answers:

* Each unit counts once, predicted by models that had not learnt from it; where every fold judges the same units, each
  fold answers for its part of them.
* Whoever is compared is compared on the same units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepenough.errors import RunError
from deepenough.evidence import FAMILIES, Evidence, Trial
from deepenough.judge.verdict import Verdict
from deepenough.racing.residuals import truth_file

WINNER = "winner"


@dataclass(frozen=True)
class Judged:
    """The judged units.

    rows: which of the task's units they are, shape (m,). truth: classes as codes, or numbers. clusters: as in
    `evidence.Units`. predictions: by `winner` and by family, shape (m, ...); a family without a finalist is left out.
    """

    rows: np.ndarray
    truth: np.ndarray
    clusters: np.ndarray
    predictions: Mapping[str, np.ndarray]


def read(folder: Path, evidence: Evidence, verdict: Verdict) -> Judged:
    """The units that judged at the verdict's size. Raises RunError where the run holds no truth of them."""
    if not verdict.n_train or not verdict.winner:
        raise RunError(f"{folder}: nothing was judged, so there is nothing to hold promises against. Race longer.")
    sides: dict[str, tuple[Sequence[str], Sequence[float]]] = {WINNER: (verdict.winner, verdict.winner_weights)}
    for family in FAMILIES:
        if (side := getattr(verdict, family)) is not None:
            sides[family] = ((side.contender,), (1.0,))
    finals = {name: _finals(evidence, name, verdict.n_train) for names, _ in sides.values() for name in names}
    folds = sorted(set.intersection(*(set(own) for own in finals.values())))
    if not folds or not all((folder / truth_file(fold)).is_file() for fold in folds):
        raise RunError(
            f"{folder} does not hold what its judged units really were: it was raced by an older version, or cut "
            "short. Race again."
        )
    parts = [_fold(folder, evidence, fold, place, len(folds)) for place, fold in enumerate(folds)]
    predictions = {
        side: np.concatenate(
            [
                _blended(folder, [finals[name][fold] for name in names], weights)[taken]
                for fold, (taken, _) in zip(folds, parts, strict=True)
            ]
        )
        for side, (names, weights) in sides.items()
    }
    units = [(evidence.units[fold], taken) for fold, (taken, _) in zip(folds, parts, strict=True)]
    return Judged(
        np.concatenate([own.ids[taken] for own, taken in units]),
        np.concatenate([truth for _, truth in parts]),
        np.concatenate([own.clusters[taken] for own, taken in units]),
        predictions,
    )


def _finals(evidence: Evidence, name: str, n_train: int) -> dict[int, Trial]:
    """By fold, the contender's last fit at this size whose predictions were kept."""
    own = [t for t in evidence.trials if t.contender == name and t.n_train == n_train and t.predictions]
    return {trial.fold: trial for trial in own}


def _fold(folder: Path, evidence: Evidence, fold: int, place: int, folds: int) -> tuple[np.ndarray, np.ndarray]:
    """The places of the fold's units that it answers for, and their truth."""
    ids = evidence.units[fold].ids
    taken = np.arange(len(ids))
    if evidence.plan.judging == "halves":
        taken = np.sort(np.argsort(ids, kind="stable")[place::folds])
    return taken, _loaded(folder, truth_file(fold))[taken]


def _blended(folder: Path, trials: Sequence[Trial], weights: Sequence[float]) -> np.ndarray:
    shares = np.array(weights) / sum(weights)
    read = [_loaded(folder, trial.predictions).astype(np.float64) for trial in trials]
    return np.asarray(np.tensordot(shares, np.stack(read), axes=1))


def _loaded(folder: Path, name: str) -> np.ndarray:
    try:
        found: np.ndarray = np.load(folder / name, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise RunError(f"{folder / name} can't be read ({error}). The run's folder is damaged: race again.") from error
    return found
