"""Units that are copies of each other, exact or near: who stands on one side of every split, and what is said of it.

Needs that this module answers:

* Copies of a unit on both sides of a split let a model remember instead of learn; they are kept on one side.
* Near copies are judged set by set: one form, filled in again and again with other answers, is left alone, and hides
  no true copies beside it.
* Texts that are equal may be different units (short answers to a form); files that are equal in every bit never are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

ALIKE_ANSWERS = 0.25
"""Copies whose answers differ more than that, as a part of how all do, are no copies."""
SMALL_SET, UNLIKE_ALONE = 5, 0.75
"""Sets of so many units at most say too little alone (one wrong answer is a half of two) and are judged together; a
larger one is judged by itself, and is no set of copies where its answers differ more than that part of how all do."""
FEW_DISTINCT, FEW_FILES = 50, 10
"""Of fewer different texts, repeats are natural; of fewer different files, copies kept together leave no folds."""
LARGEST_SHARE, LARGEST_SET = 0.2, 20
"""Near copies come in sets; one larger than both is one form, filled in again and again."""


@dataclass(frozen=True)
class Copies:
    """clusters: int per unit, equal for copies; None where there are none worth keeping together. share: of the units
    that repeat an earlier one. note: what to say of it; empty where nothing is.

    alike: int per unit, equal for units that repeat each other, whether or not they are kept together.
    disputed: places of the units that equal another one exactly, whose answer is another.
    """

    clusters: np.ndarray | None
    share: float
    note: str = ""
    alike: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    disputed: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def judged(
    exact: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    targets: np.ndarray,
    apart: bool,
    units: str,
    how: str,
    repeatable: bool = False,
) -> Copies:
    """Which of the copies that were found are kept together.

    exact: int per unit from 0, equal for equal units. pairs: of near copies. apart: whether the splits will keep them
    on one side. units: what the units are called. how: in which way near copies repeat another one. repeatable: whether
    equal units may be different ones, as short texts are.
    """
    found = joined(exact, pairs)
    form = _several(found, exact) & (_sizes(found) > max(LARGEST_SET, LARGEST_SHARE * len(exact)))
    alike = _parted(found, form, exact)
    clusters = _parted(alike, _others(alike, _several(alike, exact), targets), exact)
    disputed = np.flatnonzero(spreads(exact, targets)[exact] > 1e-9)
    natural = repeat_by_nature(clusters) if repeatable else _too_few(clusters, targets)
    if natural:
        distinct = int(clusters.max()) + 1
        few = f"Only {distinct:,} different {units} occur: repeats are natural here, and are not kept on one side."
        return Copies(None, 1 - distinct / len(exact), few, alike, disputed)
    if repeatable:
        clusters = _parted(clusters, _others(clusters, ~_several(clusters, exact), targets))
    left = int(((_sizes(found) > 1) & (_sizes(clusters) == 1)).sum())
    repeats = len(exact) - int(clusters.max()) - 1
    share = repeats / len(exact)
    kept = "copies stand on one side of every split" if apart else "copies in different groups may be parted"
    said = [f"{repeats:,} {units} ({share:.1%}) repeat another one, {how}; {kept}."] if repeats else []
    if left:
        why = "but so many are alike, or their answers differ so much, that they are other units"
        said.append(f"{left:,} {units} look like another one, {why}; they are not kept on one side.")
    return Copies(clusters.astype(np.int64) if repeats else None, share, " ".join(said), alike, disputed)


def repeat_by_nature(clusters: np.ndarray) -> bool:
    """Whether so few units differ that repeats say nothing, as of short answers to a form."""
    distinct = len(np.unique(clusters))
    return 2 * distinct <= len(clusters) and distinct < max(FEW_DISTINCT, 0.02 * len(clusters))


def _too_few(clusters: np.ndarray, targets: np.ndarray) -> bool:
    """Whether copies can't be kept together: most classes would have nothing to learn from, or nothing to judge on."""
    distinct = int(clusters.max()) + 1
    if distinct == len(clusters) or distinct < FEW_FILES or targets.dtype.kind == "f":
        return distinct < min(FEW_FILES, len(clusters))
    once = np.unique(np.stack([targets.astype(np.int64), clusters]), axis=1)[0]
    return bool(np.median(np.unique(once, return_counts=True)[1]) < 2)


def _others(sets: np.ndarray, looked: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Which of the units that are looked at stand in a set whose answers differ too much for copies; bool per unit."""
    sizes, spread = np.bincount(sets), spreads(sets, targets)
    own = np.zeros(len(sizes), dtype=bool)
    own[sets[looked]] = True
    out = own & (sizes > SMALL_SET) & (spread > UNLIKE_ALONE)
    small = own & (sizes > 1) & (sizes <= SMALL_SET)
    if small.any() and np.average(spread[small], weights=sizes[small]) > ALIKE_ANSWERS:
        out |= small
    return np.asarray(out[sets])


def _sizes(sets: np.ndarray) -> np.ndarray:
    """Of each unit's set."""
    return np.asarray(np.bincount(sets)[sets])


def _several(sets: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Whether each unit's set holds others than those that equal it; bool per unit."""
    return np.asarray(_sizes(sets) > _sizes(exact))


def _parted(sets: np.ndarray, out: np.ndarray, finer: np.ndarray | None = None) -> np.ndarray:
    """The sets, numbered from 0; units that are out stand in those of `finer` instead, or each alone."""
    own = np.arange(len(sets)) if finer is None else finer
    return np.unique(np.where(out, int(sets.max()) + 1 + own, sets), return_inverse=True)[1]


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


def spreads(sets: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """How much the answers in each set differ, as a part of how much all do: 0 for true copies, about 1 by chance.

    Of classes that is the chance that two units have different ones, of numbers the variance.
    """
    sizes = np.bincount(sets).astype(np.float64)
    if targets.dtype.kind == "f":
        known = targets.astype(np.float64)
        means = np.bincount(sets, weights=known) / sizes
        within = np.bincount(sets, weights=(known - means[sets]) ** 2) / np.maximum(sizes - 1, 1)
        overall = float(np.var(known))
    else:
        classes = targets.astype(np.int64)
        of_set, counts = np.unique(np.stack([sets, classes]), axis=1, return_counts=True)
        same = np.bincount(of_set[0], weights=counts * (counts - 1.0))
        within = np.where(sizes > 1, 1 - same / np.maximum(sizes * (sizes - 1), 1), 0.0)
        overall = 1 - float(((np.bincount(classes) / len(classes)) ** 2).sum())
    return np.asarray(within / overall) if overall > 0 else np.zeros(len(sizes))
