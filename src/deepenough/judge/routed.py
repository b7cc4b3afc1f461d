"""PURE: both finalists on the judged units, row by row, and the hybrid that sends each row to one of them.

Needs that this module answers:

* The finalists are compared at the judged size, on the judged units, in the order in which traits of them come.
* A hybrid is judged by its own records, as any contender: the mean of two RMSE is no RMSE.
* It pays only if it is ahead of the better finalist by more than what counts as equal, with certainty. It is evidence,
  and decides nothing.

The finalists were chosen on these units too, and whoever is the better of them as well: that makes the hybrid's lead
look rather smaller than it is. As with segments, the seeds' variance is not in the interval (see `judge.segments`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deepenough.evidence import FAMILIES, Evidence
from deepenough.judge import finals, stats
from deepenough.judge.finals import Judged, Panel
from deepenough.judge.verdict import Verdict


@dataclass(frozen=True)
class Pair:
    """The finalists on the judged units.

    records: by family, shape (layers, m, columns), with equally many layers. influences: by family, each unit's on the
    loss, averaged over the layers, shape (m,).
    """

    judged: Judged
    panel: Panel
    records: dict[str, np.ndarray]
    influences: dict[str, np.ndarray]

    @property
    def ahead(self) -> np.ndarray:
        """How far deep is ahead on each unit, shape (m,)."""
        return np.asarray(self.influences["classical"] - self.influences["deep"])

    @property
    def better(self) -> str:
        """The family with the smaller loss."""
        return "deep" if self.ahead.mean() > 0 else "classical"


@dataclass(frozen=True)
class Hybrid:
    """The routed hybrid against the better finalist: positive means that the hybrid is better.

    low, high: one-sided bounds. pays: the lower one exceeds what counts as equal. deep_share: of rows that deep got.
    """

    better: str
    value: float
    low: float
    high: float
    pays: bool
    deep_share: float


def pair_of(evidence: Evidence, verdict: Verdict) -> Pair | None:
    """The verdict's finalists, row by row; None where one is missing on some judged unit."""
    judged = finals.gather(evidence)
    panel = finals.panel_of(judged, verdict.n_train, range(verdict.folds))
    stacks = {}
    for family in FAMILIES:
        side = getattr(verdict, family)
        stack = None if side is None else finals.layers(judged, panel, side.contender)
        if stack is None:
            return None
        stacks[family] = stack
    folds = len(panel.folds) if judged.halves else 1
    depth = max(len(stack) for stack in stacks.values()) // folds
    stacks = {family: _deepened(stack, folds, depth) for family, stack in stacks.items()}
    influences = {family: finals.influences(judged, panel, stack).mean(axis=0) for family, stack in stacks.items()}
    return Pair(judged, panel, stacks, influences)


def _deepened(stack: np.ndarray, folds: int, depth: int) -> np.ndarray:
    """The stack with so many layers of each fold, its fits taken in turn (layers are fold-major)."""
    each = len(stack) // folds
    return stack[[fold * each + layer % each for fold in range(folds) for layer in range(depth)]]


def hybrid(pair: Pair, routed: np.ndarray, rho: float, alpha: float) -> Hybrid:
    """What it brings to let deep answer the `routed` units, shape (m,), and classical the others."""
    records = np.where(routed[None, :, None], pair.records["deep"], pair.records["classical"])
    influence = finals.influences(pair.judged, pair.panel, records).mean(axis=0)
    gain = pair.influences[pair.better] - influence
    spread = stats.cluster_variance(gain, pair.panel.clusters)
    width = stats.t_quantile(alpha, spread.df) * math.sqrt(spread.variance)
    value = float(gain.mean())
    return Hybrid(pair.better, value, value - width, value + width, value - width > rho, float(routed.mean()))
