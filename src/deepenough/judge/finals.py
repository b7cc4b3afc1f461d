"""Who is judged, on which units: from rows of evidence to paired losses.

Needs that this module answers:

* Both families are judged at the same training size, on the same folds: the largest size at which both have someone.
* Repeats are averaged before anything is compared; a contender that is missing in one judged fold is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deepenough.evidence import FAMILIES, Evidence, Trial
from deepenough.judge import stats
from deepenough.judge.metrics import Metric, named

TOGETHER = "together"
BASELINE = "baseline"


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
    """Sort the evidence, once; trials without an answer, or with one that is no number, have no say here."""
    if "judged" not in evidence.memo:
        evidence.memo["judged"] = _gathered(evidence)
    found: Judged = evidence.memo["judged"]
    return found


def _gathered(evidence: Evidence) -> Judged:
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
    can't tell the loss (AUC of one class) gets the mean of the others. Where units have weights, a part counts what its
    units weigh.
    """
    table = np.empty(records.shape[:2])
    for layer, own in enumerate(records):
        weights = judged.metric.weights_in(own)
        for part in np.unique(panel.parts):
            rows = np.flatnonzero(panel.parts == part)
            loss, influence = judged.metric.evaluate(own[rows])
            part_weighs = float(weights[rows].mean() / weights.mean())
            table[layer, rows] = influence * part_weighs if np.isfinite(loss) else np.nan
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
