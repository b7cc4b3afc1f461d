"""PURE: who trains and who judges. Targets, groups, times, copies and a seed in; rows of each fold out.

Needs that the design answers:

* A split must be as hard as the future: rows of one group, and copies of one row, stand on one side; where time counts,
  what is judged comes after what is learnt from.
* Training sets are nested, so that a learning curve shows size and not luck: the first n rows of a fold's order are its
  rung n. Every prefix has about the class shares of the whole, and every class twice at the smallest rung.
* Up to 20,000 rows every row judges once, in folds. Above, so many judges are not needed: the same 2 x m rows judge in
  every fold, chosen on one half and judged on the other, and the folds differ in what they learn from.
* The same arguments give the same splits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepenough.errors import OptionError

FOLDS = 5
FOLDS_UP_TO_ROWS = 20_000
"""Up to so many rows each is judged in one fold; above, two halves are judged in every fold."""
HALF_SHARE, HALF_LEAST, HALF_MOST = 0.2, 200, 10_000
"""Rows of each half: this share of all, within these bounds."""
INNER_SHARE, INNER_LEAST, INNER_MOST = 0.15, 10, 5_000
"""Inner rows (to stop early and to calibrate on): this share of the training rows, within these bounds."""
SMALLEST, SMALLEST_PER_CLASS = 32, 8
TIME_JUDGED_SHARE = 0.5
"""Share of the rows, the latest, that are judged where time counts and rows are few: in as many blocks as folds."""
TARGET_BINS, ROWS_A_BIN = 10, 20
"""Numbers are stratified by so many bins at most, each of so many rows at least."""


@dataclass(frozen=True)
class Fold:
    """One train/test split: row numbers of the table, int64.

    order: rows to learn from; the first n are the rung n.
    judged: rows to judge on.
    parts: shape of `judged`; who is judged on a part is chosen on units of other parts.
    clusters: shape of `judged`; rows of one cluster (a group, copies of one row) are not independent.
    """

    order: np.ndarray
    judged: np.ndarray
    parts: np.ndarray
    clusters: np.ndarray


@dataclass(frozen=True)
class Splits:
    """All folds. `judging` is `folds` or `halves`; `splitting` is `random`, `group`, `time` or `own`.

    largest: rows of the largest training set that every fold has; smallest: of the smallest one that makes sense.
    strata, clusters, times: per row of the table, for choosing inner rows; times are None where time does not count.
    """

    folds: tuple[Fold, ...]
    judging: str
    splitting: str
    largest: int
    smallest: int
    strata: np.ndarray
    clusters: np.ndarray
    times: np.ndarray | None

    def train(self, n_train: int, fold: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The first `n_train` rows of the fold's order, and which places among them are inner."""
        rows = self.folds[fold].order[:n_train]
        return rows, self.inner(rows, [seed, fold])

    def inner(self, rows: np.ndarray, seed: list[int]) -> np.ndarray:
        """Places among these training rows to stop early and to calibrate on, ascending; at least one row stays out.

        Stratified; whole groups and all copies of a row; where time counts, the latest. The same rows and seed give the
        same places.
        """
        wanted = inner_count(len(rows))
        if wanted == 0:
            return np.empty(0, dtype=np.int64)
        if self.times is not None:
            return _latest(self.times[rows], wanted)
        rng = np.random.default_rng([*seed, len(rows), 1])
        return _inner_clusters(self.strata[rows], self.clusters[rows], wanted, rng)


def inner_count(n_train: int) -> int:
    """How many of so many training rows are inner: 15 %, at least 10, at most 5,000, never more than a third."""
    return min(max(round(INNER_SHARE * n_train), INNER_LEAST), INNER_MOST, n_train // 3)


def make(
    targets: np.ndarray,
    n_classes: int | None,
    *,
    groups: np.ndarray | None = None,
    times: np.ndarray | None = None,
    copies: np.ndarray | None = None,
    own: np.ndarray | None = None,
    seed: int = 0,
    folds: int = FOLDS,
) -> Splits:
    """The splits of a table.

    targets: codes 0..n_classes-1, or numbers; shape (n,), n at least 4.
    groups: int per row; rows of one group stand on one side.
    times: number per row, NaN where unknown (then the row counts as the oldest); later rows are judged.
    copies: int per row; rows of one number are copies of each other, and stand on one side. Groups count more: joining
        groups through the copies that they share could leave a single one.
    own: int per row: the fold of a person's own split, -1 where a row is only learnt from. Nothing is split anew then;
        `folds` counts no more, and each row with a fold judges whatever their number.
    folds: how many at most; there are fewer where rows or groups are few.

    Raises OptionError where groups or times leave nothing to split.
    """
    strata = target_strata(targets, n_classes)
    together = groups if groups is not None else copies
    clusters = _dense(np.arange(len(targets)) if together is None else together)
    rng = np.random.default_rng([seed, 0])
    few = len(targets) <= FOLDS_UP_TO_ROWS or own is not None
    if own is not None:
        sides = _own_folds(own)
    elif times is not None:
        times = np.where(np.isnan(times), -np.inf, times)
        sides = _time_blocks(times, clusters, folds) if few else _time_halves(times, clusters)
    else:
        sides = _random_folds(strata, clusters, folds, rng) if few else _random_halves(strata, clusters, rng)
    if not few:
        sides = sides * folds
    made = []
    for index, (pool, judged, parts) in enumerate(sides):
        if times is not None:
            order = _recent_order(pool, times, strata)
        else:
            order = _order(pool, strata, few, index, folds, seed)
        made.append(Fold(order, judged, np.full_like(parts, index) if few else parts, clusters[judged]))
    largest = min(len(fold.order) for fold in made)
    smallest = min(largest, max(SMALLEST, SMALLEST_PER_CLASS * (n_classes or 0)))
    splitting = "time" if times is not None else "group" if groups is not None else "random"
    splitting = splitting if own is None else "own"
    return Splits(tuple(made), "folds" if few else "halves", splitting, largest, smallest, strata, clusters, times)


def target_strata(targets: np.ndarray, n_classes: int | None) -> np.ndarray:
    """The class of each row, or the bin of its number: up to ten bins of equal size, equal numbers in one."""
    if n_classes is not None:
        return np.asarray(targets, dtype=np.int64)
    bins = int(np.clip(len(targets) // ROWS_A_BIN, 2, TARGET_BINS))
    edges = np.quantile(targets, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(np.unique(edges), targets, side="right").astype(np.int64)


_Side = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Rows to learn from, rows to judge on, their parts."""


def _own_folds(own: np.ndarray) -> list[_Side]:
    sides = [(np.flatnonzero(own != fold), np.flatnonzero(own == fold)) for fold in np.unique(own[own >= 0]).tolist()]
    if len(sides) < 2 or min(len(pool) for pool, _ in sides) < 4:
        raise OptionError("--folds leaves fewer than two folds, or fewer than 4 rows to learn from. Spread the rows.")
    return [(pool, judged, own[judged]) for pool, judged in sides]


def _random_folds(strata: np.ndarray, clusters: np.ndarray, folds: int, rng: np.random.Generator) -> list[_Side]:
    folds = min(folds, int(clusters.max()) + 1, len(strata) // 2)
    if folds < 2:
        raise OptionError(
            f"{len(strata)} rows in {int(clusters.max()) + 1} groups can't be split: at least 2 groups are needed, one "
            "to learn from and one to judge on."
        )
    fold_of = dealt(strata, clusters, np.full(folds, 1.0 / folds), rng)
    each = [fold_of == fold for fold in np.unique(fold_of).tolist()]
    return [(np.flatnonzero(~judged), np.flatnonzero(judged), fold_of[judged]) for judged in each]


def _random_halves(strata: np.ndarray, clusters: np.ndarray, rng: np.random.Generator) -> list[_Side]:
    share = half_rows(len(strata)) / len(strata)
    side_of = dealt(strata, clusters, np.array([share, share, 1 - 2 * share]), rng)
    judged = np.flatnonzero(side_of < 2)
    pool = np.flatnonzero(side_of == 2)
    if len(pool) == 0 or len(np.unique(side_of[judged])) < 2:
        raise OptionError("The groups are too few or too large to be split in three. Leave --group out.")
    return [(pool, judged, side_of[judged])]


def half_rows(rows: int) -> int:
    """Rows of each half."""
    return int(np.clip(round(HALF_SHARE * rows), HALF_LEAST, HALF_MOST))


def dealt(strata: np.ndarray, clusters: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Which side each row goes to, sides as large as their shares, whole clusters, every stratum spread evenly."""
    sizes = np.bincount(clusters)
    side_of_cluster = np.zeros(len(sizes), dtype=np.int64)
    need = shares[:, None] * np.bincount(strata)[None, :].astype(np.float64)
    _deal_large(strata, clusters, np.flatnonzero(sizes > 1), need, side_of_cluster, rng)
    _deal_single(strata, clusters, sizes, need, side_of_cluster, rng)
    return np.asarray(side_of_cluster[clusters])


def _deal_large(
    strata: np.ndarray,
    clusters: np.ndarray,
    large: np.ndarray,
    need: np.ndarray,
    side_of_cluster: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Clusters of several rows, the largest first, each to the side that still needs most of what it brings."""
    if len(large) == 0:
        return
    by_cluster = np.argsort(clusters, kind="stable")
    ends = np.cumsum(np.bincount(clusters))
    mixed = rng.permutation(large)
    sizes = np.bincount(clusters)
    whole = np.maximum(need.sum(axis=1), 1e-9)
    for cluster in mixed[np.argsort(-sizes[mixed], kind="stable")].tolist():
        rows = by_cluster[ends[cluster] - sizes[cluster] : ends[cluster]]
        brings = np.bincount(strata[rows], minlength=need.shape[1])
        side = int(np.argmax(need.sum(axis=1) / whole + (need @ brings) / (whole * brings.sum())))
        side_of_cluster[cluster] = side
        need[side] -= brings


def _deal_single(
    strata: np.ndarray,
    clusters: np.ndarray,
    sizes: np.ndarray,
    need: np.ndarray,
    side_of_cluster: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Clusters of one row: each stratum is dealt out in the proportions that are still needed, the rest in turn."""
    single = rng.permutation(np.flatnonzero(sizes[clusters] == 1))
    spare = np.zeros(len(need))
    for stratum in range(need.shape[1]):
        rows = single[strata[single] == stratum]
        want = np.maximum(need[:, stratum], 0.0)
        want = want / want.sum() * len(rows) if want.sum() > 0 else np.full(len(need), len(rows) / len(need))
        counts = np.floor(want).astype(np.int64)
        for side in np.argsort(-(want - counts + spare), kind="stable")[: len(rows) - counts.sum()].tolist():
            counts[side] += 1
        spare += want - counts
        side_of_cluster[clusters[rows]] = np.repeat(np.arange(len(need)), counts)


def _time_blocks(times: np.ndarray, clusters: np.ndarray, folds: int) -> list[_Side]:
    """The latest rows in blocks, each learnt for from all before it; no moment stands in two blocks."""
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    first = round(len(times) * (1 - TIME_JUDGED_SHARE))
    wanted = np.linspace(first, len(times), min(folds, len(times) // 2) + 1).astype(np.int64)[:-1]
    starts = sorted({int(np.searchsorted(ordered, ordered[place], side="left")) for place in wanted.tolist()} - {0})
    if not starts:
        raise OptionError("--time has too few different moments: nothing lies before what would be judged.")
    sides = []
    for part, (start, end) in enumerate(zip(starts, [*starts[1:], len(times)], strict=True)):
        judged = np.sort(order[start:end])
        sides.append((_apart(order[:start], judged, clusters), judged, np.full(len(judged), part, dtype=np.int64)))
    return _with_enough(sides)


def _time_halves(times: np.ndarray, clusters: np.ndarray) -> list[_Side]:
    """The latest rows, the earlier of them one half and the later the other."""
    order = np.argsort(times, kind="stable")
    half = half_rows(len(times))
    start = int(np.searchsorted(times[order], times[order[-2 * half]], side="left"))
    if start == 0:
        raise OptionError("--time has too few different moments: nothing lies before what would be judged.")
    judged = order[start:]
    parts = (np.arange(len(judged)) >= len(judged) // 2).astype(np.int64)
    return _with_enough([(_apart(order[:start], judged, clusters), judged, parts)])


def _apart(pool: np.ndarray, judged: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """The rows of the pool that share no cluster with what is judged."""
    return pool[~np.isin(clusters[pool], clusters[judged])]


def _with_enough(sides: list[_Side]) -> list[_Side]:
    kept = [side for side in sides if len(side[0]) >= 4 and len(side[1])]
    if not kept:
        raise OptionError(
            "Groups or copies span all of the time: nothing is left to learn from. Leave --group or --time out."
        )
    return kept


def _order(pool: np.ndarray, strata: np.ndarray, few: bool, fold: int, folds: int, seed: int) -> np.ndarray:
    """A nested order. With the same pool in every fold, each fold begins elsewhere in one order: small rungs of
    different folds then share no row."""
    rng = np.random.default_rng([seed, 1, fold if few else 0])
    order = pool[interleaved(strata[pool], rng)]
    if not few:
        order = np.roll(order, -(fold * len(order) // folds))
    return every_class_first(order, strata)


def interleaved(strata: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An order of all places in which every stretch has about the strata's shares."""
    mixed = rng.permutation(len(strata))
    counts = np.bincount(strata)
    by_stratum = np.argsort(strata[mixed], kind="stable")
    rank = np.empty(len(strata))
    rank[by_stratum] = np.arange(len(strata)) - np.repeat(np.cumsum(counts) - counts, counts)
    offset = rng.uniform(0, 1, len(counts))
    own = strata[mixed]
    return mixed[np.argsort((rank + offset[own]) / counts[own], kind="stable")]


def every_class_first(order: np.ndarray, strata: np.ndarray, times: int = 2) -> np.ndarray:
    """The same order, but the first two of each stratum stand in front, those in turn."""
    by_stratum = np.argsort(strata[order], kind="stable")
    counts = np.bincount(strata[order])
    counts = counts[counts > 0]
    starts = np.cumsum(counts) - counts
    front = [by_stratum[starts[counts > turn] + turn] for turn in range(times)]
    head = np.concatenate([np.sort(turn) for turn in front])
    rest = np.ones(len(order), dtype=bool)
    rest[head] = False
    return np.concatenate([order[head], order[rest]])


def _recent_order(pool: np.ndarray, times: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """The most recent rows first, but two of each class, the most recent ones, before all."""
    recent = pool[np.argsort(-times[pool], kind="stable")]
    return every_class_first(recent, strata)


def _latest(times: np.ndarray, wanted: int) -> np.ndarray:
    return np.sort(np.argsort(-times, kind="stable")[:wanted])


def _inner_clusters(strata: np.ndarray, clusters: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Whole clusters, by turns from every stratum, until enough; each stratum keeps at least half of its rows out."""
    names, first, own, sizes = np.unique(clusters, return_index=True, return_inverse=True, return_counts=True)
    if len(names) < 2:
        return _inner_rows(strata, wanted, rng)
    order = interleaved(_dense(strata[first]), rng)
    left = np.bincount(strata) // 2
    chosen = np.zeros(len(names), dtype=bool)
    count = 0
    for cluster in order.tolist():
        stratum, size = strata[first[cluster]], int(sizes[cluster])
        if left[stratum] < size or (count and count + size > wanted + max(1, wanted // 4)):
            continue
        chosen[cluster] = True
        left[stratum] -= size
        count += size
        if count >= wanted:
            break
    inner = chosen[own]
    if not inner.any() or len(np.unique(strata[~inner])) < len(np.unique(strata)):
        # groups larger than half of their class, or that hold all of it: rows of one group must stand on both sides
        return _inner_rows(strata, wanted, rng)
    return np.flatnonzero(inner)


def _inner_rows(strata: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Rows by turns from every stratum, at most half of each."""
    order = interleaved(_dense(strata), rng)
    rank = np.empty(len(order), dtype=np.int64)
    by_stratum = np.argsort(strata[order], kind="stable")
    counts = np.bincount(strata)
    rank[by_stratum] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    free = order[rank < counts[strata[order]] // 2]
    return np.sort(free[:wanted] if len(free) else order[:1])


def _dense(labels: np.ndarray) -> np.ndarray:
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
