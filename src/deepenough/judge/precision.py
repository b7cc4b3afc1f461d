"""Average precision of lists: how well what is claimed of units is sorted into right and wrong, and how much is found.

Needs that this module answers:

* A unit's record is all that it claims, each claim with its class, its score and whether it was right, and how much
  there was to find; a kind says when a claim is right.
* It is no mean over units, for claims of all units are ranked together. Each unit's reaction is the exact derivative
  of the value by the unit's weight (the infinitesimal jackknife; Jaeckel, 1972): intervals are those of any metric.
* Claims of one score count together: in which order they come by chance changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.judge.losses import Metric, Told, untold


@dataclass(frozen=True)
class AveragePrecision(Metric):
    """One minus the mean over classes of their average precision: the mean, over all that there is to find, of the
    precision among the claims that score at least as high as the one that found it; 0 for what nobody found (Salton and
    McGill, 1983; per class over all units as in Everingham et al., 2010).

    n_classes: how many classes there are. Records, see `recorded`, hold `n_classes` counts and three numbers a claim.
    """

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        """truth: how many of each class there are to find, shape (m, n_classes). prediction: of each claim its score,
        class and whether it is right, shape (m, most, 3); a score of 0 stands for none."""
        return recorded(truth, prediction)

    def told(self, records: np.ndarray, share: np.ndarray, groups: np.ndarray | None) -> Told:
        there, claims = unrecorded(records, self.n_classes or 1)
        told = [
            _of_class(there[:, code], claims, code, share)
            for code in range(there.shape[1])
            if (share * there[:, code]).sum() > 0
        ]
        if not told:
            return untold(records)
        losses, reactions = zip(*told, strict=True)
        return float(np.mean(losses)), np.mean(reactions, axis=0)


def recorded(there: np.ndarray, claims: np.ndarray) -> np.ndarray:
    """Records, float64, shape (m, n_classes + 3 * most): counts of what there is, then score, class, right by claim."""
    return np.concatenate([there, claims.reshape(len(claims), -1)], axis=1).astype(np.float64)


def unrecorded(records: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """What was recorded: counts, shape (m, n_classes), and claims, shape (m, most, 3)."""
    return records[:, :n_classes], records[:, n_classes:].reshape(len(records), -1, 3)


def _of_class(there: np.ndarray, claims: np.ndarray, code: int, share: np.ndarray) -> Told:
    """Loss and reactions of one class. there: how much of it each unit holds, shape (m,)."""
    units, places = np.nonzero((claims[:, :, 0] > 0) & (claims[:, :, 1] == code))
    score, right = claims[units, places, 0], claims[units, places, 2]
    order = np.argsort(-score, kind="stable")
    units, score, right = units[order], score[order], right[order]
    weight, total = share[units], float((share * there).sum())
    last = np.searchsorted(-score, -score, side="right") - 1  # the last claim of the same score
    first = np.searchsorted(-score, -score, side="left")
    claimed, hits = np.cumsum(weight)[last], np.cumsum(weight * right)[last]
    precision = hits / claimed
    value = float((weight * right * precision).sum()) / total
    # Of what was found, that which scores no higher than a claim feels it: in its precision's upper and lower part.
    upper = _from_here(weight * right / claimed)[first]
    lower = _from_here(weight * right * hits / claimed**2)[first]
    moved = np.bincount(units, right * precision + right * upper - lower, minlength=len(there))
    return 1.0 - value, -(moved - value * there) * (len(there) / total)


def _from_here(values: np.ndarray) -> np.ndarray:
    """The sum of each and of all behind it."""
    return np.asarray(np.cumsum(values[::-1])[::-1])


def by_class(records: np.ndarray, names: Sequence[str]) -> list[dict[str, Any]]:
    """Of each class that occurs: how much there was, how much was found at all, and its average precision."""
    there, claims = unrecorded(records, len(names))
    share = np.ones(len(records))
    found = []
    for code, name in enumerate(names):
        if there[:, code].sum() > 0:
            hits = ((claims[:, :, 0] > 0) & (claims[:, :, 1] == code) & (claims[:, :, 2] > 0)).sum()
            value = 1.0 - _of_class(there[:, code], claims, code, share)[0]
            found.append({"name": name, "there": int(there[:, code].sum()), "found": int(hits), "precision": value})
    return found
