"""Who is judged, on which units: from rows of evidence to paired losses.

Needs that this module answers:

* Both families are judged at the same training size, on the same folds: the largest size at which both have someone.
* Nobody is judged on what chose it: the units of a part are judged by the contender that was best on all other parts.
* Repeats are averaged before anything is compared; a contender that is missing in one judged fold is left out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from deepenough.evidence import FAMILIES, Evidence, Trial
from deepenough.judge import stats
from deepenough.judge.metrics import Metric, named

TOGETHER = "together"
BASELINE = "baseline"
LEAST_SHARE = 0.02
"""A contender less credible than this does not stand for its family."""


@dataclass(frozen=True)
class Judged:
    """The evidence as the judge uses it: finished trials with records, by contender, size and fold."""

    evidence: Evidence
    metric: Metric
    trials: Mapping[str, Mapping[int, Mapping[int, tuple[Trial, ...]]]]
    families: Mapping[str, str]

    @property
    def halves(self) -> bool:
        """Whether every fold judges the same units."""
        return self.evidence.plan.judging == "halves"

    def of_family(self, family: str) -> list[str]:
        """Names of its contenders that finished anything, sorted."""
        return sorted(name for name, own in self.families.items() if own == family)

    def folds_in_a_row(self, name: str, n_train: int) -> int:
        """How many folds 0, 1, 2, ... without a gap it finished at this size."""
        folds = self.trials[name].get(n_train, {})
        return next(fold for fold in range(len(folds) + 1) if fold not in folds)

    def reach(self, family: str, n_train: int) -> int:
        """The most folds in a row that any contender of the family finished at this size."""
        return max((self.folds_in_a_row(name, n_train) for name in self.of_family(family)), default=0)

    @cached_property
    def size_and_folds(self) -> tuple[int, int]:
        """The judged size and its number of folds; (0, 0) when the families have none in common yet."""
        families = [family for family in FAMILIES if self.of_family(family)]
        least = 1 if self.halves else min(2, self.evidence.plan.folds)
        sizes = {n_train for name in self.families for n_train in self.trials[name]}
        for n_train in sorted(sizes, reverse=True):
            folds = min((self.reach(family, n_train) for family in families), default=0)
            if folds >= least:
                return n_train, folds
        return 0, 0

    def is_deterministic(self, name: str) -> bool:
        """Whether the seed changes nothing for this contender; a variant of it follows its learner."""
        known = {contender.name: contender.deterministic for contender in self.evidence.plan.contenders}
        return known.get(name, known.get(name.rsplit("-", 1)[0], False))


def gather(evidence: Evidence) -> Judged:
    """Sort the evidence; trials without an answer, or with one that is no number, have no say here."""
    metric = named(str(evidence.plan.question.get("metric", "")), evidence.plan.question)
    trials: dict[str, dict[int, dict[int, tuple[Trial, ...]]]] = {}
    families: dict[str, str] = {}
    there = set(evidence.records)
    for trial in evidence.trials:
        if trial.finished and trial.purpose != "refit" and trial.number in there and trial.fold in evidence.units:
            folds = trials.setdefault(trial.contender, {}).setdefault(trial.n_train, {})
            folds[trial.fold] = (*folds.get(trial.fold, ()), trial)
            families[trial.contender] = trial.family
    return Judged(evidence, metric, trials, families)


@dataclass(frozen=True)
class Panel:
    """The judged units, in the order of all arrays below; `fold` is -1 where every fold judges all of them."""

    n_train: int
    folds: tuple[int, ...]
    parts: np.ndarray
    clusters: np.ndarray
    fold: np.ndarray
    overlap: float

    def __len__(self) -> int:
        return len(self.parts)


def panel_of(judged: Judged, n_train: int, folds: Iterable[int]) -> Panel:
    """The units that these folds judge at this size."""
    units, folds = judged.evidence.units, tuple(folds)
    source = folds[:1] if judged.halves else folds
    sizes = [len(units[fold].ids) for fold in source]
    fold_of = np.repeat(-1 if judged.halves else np.array(source), sizes)
    parts = np.concatenate([units[fold].parts for fold in source])
    clusters = np.concatenate([units[fold].clusters for fold in source])
    return Panel(n_train, folds, parts, clusters, fold_of, _overlap(judged, n_train, sizes))


def _overlap(judged: Judged, n_train: int, sizes: list[int]) -> float:
    """Nadeau and Bengio's ratio rho / (1 - rho), rho the share of rows that two folds' training sets have in common.

    For folds it is n_test / n_train as they give it; where all folds judge the same units, the training sets are draws
    from the rest. At most 1: more would say that the folds tell nothing.
    """
    if not judged.halves:
        return min(float(np.mean(sizes)) / n_train, 1.0)
    pool = max(judged.evidence.plan.rows - sizes[0], n_train + 1)
    share = n_train / pool
    return min(share / (1 - share), 1.0)


def layers(judged: Judged, panel: Panel, name: str, n_train: int | None = None) -> np.ndarray | None:
    """A contender's records on the panel, shape (layers, m, columns); None where one is missing or no number.

    A layer has one record a unit. Where every fold judges the same units, each fit is a layer; else a layer has one fit
    of every fold, and there are as many layers as the most repeated fold has fits.
    """
    folds = judged.trials[name].get(panel.n_train if n_train is None else n_train, {})
    if any(fold not in folds for fold in panel.folds):
        return None
    read = {fold: [_records(judged, trial) for trial in folds[fold]] for fold in panel.folds}
    repeats = max(len(fits) for fits in read.values())
    if judged.halves:
        stack = [
            _in_order(judged, panel, fold, read[fold][i % len(read[fold])])
            for fold in panel.folds
            for i in range(repeats)
        ]
    else:
        stack = [np.concatenate([read[fold][i % len(read[fold])] for fold in panel.folds]) for i in range(repeats)]
    array = np.stack(stack)
    return array if np.isfinite(array).all() and array.shape[1] == len(panel) else None


def _records(judged: Judged, trial: Trial) -> np.ndarray:
    records = np.asarray(judged.evidence.records[trial.number], dtype=np.float64)
    return records.reshape(len(records), -1)


def _in_order(judged: Judged, panel: Panel, fold: int, records: np.ndarray) -> np.ndarray:
    """The records in the order of the panel's first fold, by the units' identities."""
    wanted, own = judged.evidence.units[panel.folds[0]].ids, judged.evidence.units[fold].ids
    if np.array_equal(wanted, own):
        return records
    order = np.argsort(own, kind="stable")
    return records[order[np.searchsorted(own, wanted, sorter=order)]]


def influences(judged: Judged, panel: Panel, records: np.ndarray) -> np.ndarray:
    """Each unit's influence on the loss of its own part, shape (layers, m), layer by layer.

    Part by part, because the units of one part were perhaps judged by another model than those of the next. A part that
    can't tell the loss (AUC of one class) gets the mean of the others.
    """
    table = np.empty(records.shape[:2])
    for layer, own in enumerate(records):
        for part in np.unique(panel.parts):
            rows = np.flatnonzero(panel.parts == part)
            loss, influence = judged.metric.evaluate(own[rows])
            table[layer, rows] = influence if np.isfinite(loss) else np.nan
    told = np.nanmean(table) if np.isfinite(table).any() else np.nan
    return np.where(np.isfinite(table), table, told)


def measure(judged: Judged, panel: Panel, table: np.ndarray, rows: np.ndarray | None = None) -> stats.Measured:
    """Loss and losses by fold from the influences of layers, on all units or only these rows."""
    table = table if rows is None else table[:, rows]
    mean = table.mean(axis=0)
    if judged.halves:
        by_fit = table.reshape(len(panel.folds), -1, table.shape[1]).mean(axis=1)
        return stats.Measured(float(mean.mean()), mean, by_fit.mean(axis=1), by_fit)
    fold_of = panel.fold if rows is None else panel.fold[rows]
    by_fold = [float(mean[fold_of == fold].mean()) for fold in panel.folds if (fold_of == fold).any()]
    return stats.Measured(float(mean.mean()), mean, np.array(by_fold))


@dataclass(frozen=True)
class Lineup:
    """A family on the panel: who stands for it on each part, and how it did.

    picks: contender by part, the most credible. shares: how credible each contender is there, by part; they add to 1.
    table: influences, shape (layers, m). repeats: fits of one fold that were averaged.
    """

    family: str
    picks: Mapping[int, str]
    shares: Mapping[int, Mapping[str, float]]
    table: np.ndarray
    measured: stats.Measured
    repeats: int

    @property
    def contender(self) -> str:
        """The most frequent pick; of equals the one with the larger shares, then the first by name."""
        count = Counter(self.picks.values())
        weight = {name: sum(shares.get(name, 0.0) for shares in self.shares.values()) for name in count}
        return min(count, key=lambda name: (-count[name], -weight[name], name))


def line_up(judged: Judged, panel: Panel, family: str, seeds: float) -> Lineup | None:
    """The family on every part, chosen on the other parts; None when nobody finished all judged folds.

    Where several contenders could be the best, each stands for its family by how credible that is. Taking the luckiest
    alone leaves the estimate unbiased but makes it vary more than its standard error says: simulated with four equal
    learners a family, 17 % of races declared one at the boundary, where 5 % was promised.

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
    chosen = [_choose(panel, tables, int(part), seeds) for part in np.unique(panel.parts)]
    blend = np.zeros((depth, len(panel)))
    for choice in chosen:
        for name, share in choice.shares.items():
            blend[:, choice.rows] += share * tables[name][:, choice.rows]
    for choice in chosen:
        blend += _reaction(panel, tables, choice)
    picks = {choice.part: choice.pick for choice in chosen}
    shares = {choice.part: choice.shares for choice in chosen}
    return Lineup(family, picks, shares, blend, measure(judged, panel, blend), depth // folds)


def _spread(table: np.ndarray, depth: int, folds: int) -> np.ndarray:
    """The table with as many layers as wanted, those of each fold taken in turn (layers are fold-major)."""
    per_fold = len(table) // folds
    return table[[fold * per_fold + i % per_fold for fold in range(folds) for i in range(depth // folds)]]


@dataclass(frozen=True)
class _Choice:
    """Who stands for a family on one part. rows: the part's units. behind: by how much the units of all other parts put
    a contender behind the leader, and the standard error of that."""

    part: int
    rows: np.ndarray
    leader: str
    behind: Mapping[str, tuple[float, float]]
    shares: Mapping[str, float]

    @property
    def pick(self) -> str:
        """The most credible contender; of equals the first by name."""
        return max(sorted(self.shares), key=lambda name: self.shares[name])


def _choose(panel: Panel, tables: Mapping[str, np.ndarray], part: int, seeds: float) -> _Choice:
    """How credible it is that each contender is the best, from the units of all other parts.

    Twice the probability that it beats the leader, so that an equal counts as much as the leader; made to add to 1.
    """
    rows = _other_rows(panel, part)
    mean = {name: table[:, rows].mean(axis=0) for name, table in tables.items()}
    loss = {name: float(values.mean()) for name, values in mean.items()}
    leader = min(sorted(loss), key=lambda name: loss[name] if np.isfinite(loss[name]) else np.inf)
    fits = max(len(np.unique(panel.fold[rows])) if panel.fold[0] >= 0 else len(panel.folds), 1)
    behind, weights = {}, {leader: 1.0}
    for name in sorted(set(loss) - {leader}):
        distance = loss[name] - loss[leader]
        units = stats.cluster_variance(mean[name] - mean[leader], panel.clusters[rows]).variance
        error = math.sqrt(units + 2 * seeds / fits)
        weight = 2 * float(ndtr(-distance / error)) if error > 0 and np.isfinite(distance) else float(distance == 0)
        if weight >= LEAST_SHARE:
            behind[name], weights[name] = (distance, error), weight
    total = sum(weights.values())
    shares = {name: weight / total for name, weight in weights.items()}
    return _Choice(part, np.flatnonzero(panel.parts == part), leader, behind, shares)


def _other_rows(panel: Panel, part: int) -> np.ndarray:
    rows = np.flatnonzero(panel.parts != part)
    return rows if len(rows) else np.arange(len(panel))


def _reaction(panel: Panel, tables: Mapping[str, np.ndarray], choice: _Choice) -> np.ndarray:
    """What the units of other parts add to the family's loss by choosing for this one, shape (layers, m); their mean
    is 0.

    The derivative of the shares (Efron's smoothed selection, JASA 2014): without it, the luck that chose a contender
    on several parts at once is missing in the standard error.
    """
    rows, reaction = _other_rows(panel, choice.part), np.zeros(next(iter(tables.values())).shape)
    own = {name: float(tables[name][:, choice.rows].mean()) for name in choice.shares}
    family = sum(share * own[name] for name, share in choice.shares.items())
    for name, (distance, error) in choice.behind.items():
        if error > 0 and math.isfinite(error):
            slope = -2 * math.exp(-0.5 * (distance / error) ** 2) / math.sqrt(2 * math.pi) / error
            gain = (own[name] - family) * choice.shares[choice.leader] * slope
            gaps = tables[name][:, rows] - tables[choice.leader][:, rows]
            reaction[:, rows] += gain * (gaps - gaps.mean()) * len(choice.rows) / len(rows)
    return reaction


@dataclass(frozen=True)
class Trivial:
    """The trivial learner's influences on the panel, shape (layers, m), and the rows where it was judged."""

    table: np.ndarray
    rows: np.ndarray


def trivial(judged: Judged, panel: Panel) -> Trivial | None:
    """The trivial learner on the panel; None where it was never judged.

    It was perhaps fitted in some of the folds only, and at another size, which changes nothing for it.
    """
    for name in judged.of_family(BASELINE):
        by_fold: dict[int, np.ndarray] = {}
        for n_train in sorted(judged.trials[name]):  # the largest size is written last
            for fold, fits in judged.trials[name][n_train].items():
                if fold in panel.folds:
                    by_fold[fold] = _records(judged, fits[0])
        if by_fold:
            return _trivial_of(judged, panel, by_fold)
    return None


def _trivial_of(judged: Judged, panel: Panel, by_fold: Mapping[int, np.ndarray]) -> Trivial:
    folds = [fold for fold in panel.folds if fold in by_fold]
    if judged.halves:
        there = [_in_order(judged, panel, fold, by_fold[fold]) for fold in folds]
        stack = np.stack([there[i % len(there)] for i in range(len(panel.folds))])
        return Trivial(influences(judged, panel, stack), np.arange(len(panel)))
    stack = np.zeros((1, len(panel), by_fold[folds[0]].shape[1]))
    for fold in folds:
        stack[0, panel.fold == fold] = by_fold[fold]
    return Trivial(influences(judged, panel, stack), np.flatnonzero(np.isin(panel.fold, folds)))
