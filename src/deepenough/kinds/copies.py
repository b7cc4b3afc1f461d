"""Units that are copies of each other, exact or near: who stands on one side of every split, and what is said of it.

Needs that this module answers:

* Copies of a unit on both sides of a split let a model remember instead of learn; they are kept on one side.
* Few different units (answers to a form, pictures of one button) repeat by nature and are left alone; so are near
  copies of different answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ALIKE_ANSWERS = 0.25
"""Copies whose answers differ more than that, as a part of how all do, are no copies."""
FEW_DISTINCT = 50
LARGEST_SHARE, LARGEST_SET = 0.2, 20
"""Near copies come in sets; one larger than both is one form, filled in again and again."""


@dataclass(frozen=True)
class Copies:
    """clusters: int per unit, equal for copies; None where there are none worth keeping together. share: of the units
    that repeat an earlier one. note: what to say of it; empty where nothing is."""

    clusters: np.ndarray | None
    share: float
    note: str = ""


def judged(
    exact: np.ndarray, pairs: Sequence[tuple[int, int]], targets: np.ndarray, apart: bool, units: str, how: str
) -> Copies:
    """Which of the copies that were found are kept together.

    exact: int per unit from 0, equal for equal units. pairs: of near copies. apart: whether the splits will keep them
    on one side. units: what the units are called. how: in which way near copies repeat another one.
    """
    near = joined(exact, pairs)
    small = len(exact) > 0 and np.bincount(near).max() <= max(LARGEST_SET, LARGEST_SHARE * len(exact))
    clusters = near if small and spread_within(near, targets) <= ALIKE_ANSWERS else exact
    distinct = int(clusters.max()) + 1
    repeats = len(exact) - distinct
    share = repeats / len(exact)
    if not repeats:
        return Copies(None, 0.0)
    if distinct < max(FEW_DISTINCT, 0.02 * len(exact)):
        few = f"Only {distinct:,} different {units} occur: repeats are natural here"
        return Copies(None, share, f"{few}, and are not kept on one side.")
    said = f"{repeats:,} {units} ({share:.1%}) repeat another one, {how}"
    if spread_within(clusters, targets) > ALIKE_ANSWERS:
        other = "and their answers differ: they are other units, and are not kept on one side"
        return Copies(None, share, f"{said}, {other}.")
    kept = "copies stand on one side of every split" if apart else "copies in different groups may be parted"
    return Copies(clusters.astype(np.int64), share, f"{said}; {kept}.")


def joined(exact: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Sets that come of equal units and of near pairs, numbered from 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not pairs:
        return exact
    one, other = exact[np.array(pairs).T]
    count = int(exact.max()) + 1
    graph = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1][exact])


def spread_within(clusters: np.ndarray, targets: np.ndarray) -> float:
    """How much the answers of copies differ, as a part of how much all do: 0 for true copies, about 1 by chance."""
    counts = np.bincount(clusters)
    repeated = counts[clusters] > 1
    if not repeated.any():
        return 0.0
    own, known = np.unique(clusters[repeated], return_inverse=True)[1], targets[repeated].astype(np.float64)
    sizes = np.bincount(own)
    if targets.dtype.kind == "f":
        means = np.bincount(own, weights=known) / sizes
        within = float(np.mean((known - means[own]) ** 2 * (sizes / (sizes - 1))[own]))
        overall = float(np.var(known))
    else:
        first = np.full(len(sizes), -1.0)
        first[own[::-1]] = known[::-1]
        within = float((known != first[own]).mean()) * 2
        shares = np.bincount(targets[repeated].astype(np.int64)) / len(known)
        overall = 1 - float((shares**2).sum())
    return within / overall if overall > 0 else 0.0
