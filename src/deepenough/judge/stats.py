"""Intervals of a difference between two ways to learn: paired, clustered, with the seeds' variance in.

Needs that this module answers:

* The claim is about the method retrained on these rows, so that what varies from fit to fit (seeds, draws) belongs
  into the interval. One run taken for the method declared a family in a third of true ties (seed sd .015).
* With two to five folds that variance can't be told from the folds alone: it is pooled with a prior worth a few
  degrees of freedom, and the folds' spread is corrected for what the judged units alone explain of it.
* Units of one cluster (a group, copies of one row) are one observation (cluster-robust variance).
* A fresh sample of the same size would also draw other training rows: the wider interval follows Nadeau and Bengio
  (Machine Learning, 2003). Degrees of freedom are Satterthwaite's (1946).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

SEED_PRIOR_DF = 3
"""Degrees of freedom that the prior of the seeds' variance is worth."""
SEED_SHARE = {"classical": 0.004, "deep": 0.01}
"""Prior seed sd as a share of the trivial loss."""
DRAW_SHARE = 0.001
"""The same for a learner that no seed changes: its training rows still differ from fold to fold."""
Z_DECIDE = 2.49
"""1.645 + .842: standard errors between truth and threshold for 80 % power at one-sided 5 %."""


@dataclass(frozen=True)
class Measured:
    """One way to learn on the judged units.

    influence: each unit's, averaged over the fits, shape (m,); their mean is the loss.
    fold_losses: the loss by fold, shape (k,); its fits averaged.
    by_fit: unit influences by fold, shape (k, m), where every fold judges the same units; else None.
    """

    loss: float
    influence: np.ndarray
    fold_losses: np.ndarray
    by_fit: np.ndarray | None = None


@dataclass(frozen=True)
class Component:
    """A variance and the degrees of freedom behind its estimate."""

    variance: float
    df: float


@dataclass(frozen=True)
class Difference:
    """How much larger the first loss is than the second: positive means that the second is better.

    units: variance of the mean difference over the judged units.
    fits: variance of one fold's difference beyond its units (seeds, training draws).
    fold_units: variance of one fold's difference by its units alone; 0 where all folds judge the same units.
    overlap: Nadeau and Bengio's n_test / n_train.
    """

    value: float
    units: Component
    fits: Component
    folds: int
    fold_units: float
    overlap: float

    @property
    def standard_error(self) -> float:
        """On these rows."""
        return math.sqrt(self.units.variance + self.fits.variance / self.folds)

    @property
    def standard_error_fresh(self) -> float:
        """On a fresh sample like this one."""
        one_fold = self.fold_units + self.fits.variance
        return math.sqrt(self.standard_error**2 + one_fold * self.overlap)

    @property
    def df(self) -> float:
        """Satterthwaite's degrees of freedom of the standard error."""
        return satterthwaite([self.units, Component(self.fits.variance / self.folds, self.fits.df)])

    @property
    def p_above(self) -> float:
        """The probability that luck alone puts it so far above zero, on these rows."""
        if not 0 < self.standard_error < math.inf:
            return 0.0 if self.standard_error == 0 and self.value > 0 else 1.0
        return t_tail(self.value / self.standard_error, self.df)

    def bounds(self, alpha: float, fresh: bool = False) -> tuple[float, float]:
        """One-sided bounds, each missed with probability alpha."""
        width = t_quantile(alpha, self.df) * (self.standard_error_fresh if fresh else self.standard_error)
        return self.value - width, self.value + width


def difference(
    first: Measured,
    second: Measured,
    clusters: np.ndarray,
    prior: Component,
    overlap: float,
    floor: float = 0.0,
) -> Difference:
    """The paired difference of two ways to learn on the same units and folds.

    clusters: shape (m,) or (m, 2), as `cluster_variance` has them; equal numbers are one observation.
    prior: variance of one fold's difference beyond its units, as expected before the folds are seen.
    floor: least standard error over units (for 0/1 losses, where ties of all units would look certain).
    """
    units = cluster_variance(first.influence - second.influence, clusters)
    units = Component(max(units.variance, floor**2), units.df)
    gaps = first.fold_losses - second.fold_losses
    shared = first.by_fit is not None and second.by_fit is not None
    noise = interaction(first, second) if shared else units.variance * len(gaps)
    fits = prior
    if len(gaps) > 1 and math.isfinite(noise):
        fits = pooled(prior, [(float(gaps.var(ddof=1)), noise, len(gaps) - 1)])
    fold_units = 0.0 if shared else noise
    return Difference(first.loss - second.loss, units, fits, len(gaps), fold_units, overlap)


def interaction(first: Measured, second: Measured) -> float:
    """Variance of a fold's difference that comes from the units' own reactions to the fit, not from a common shift."""
    assert first.by_fit is not None and second.by_fit is not None
    gaps = first.by_fit - second.by_fit
    if len(gaps) < 2:
        return 0.0
    gaps = gaps - gaps.mean(axis=1, keepdims=True)
    return float(gaps.var(axis=0, ddof=1).mean() / gaps.shape[1])


def cluster_variance(values: np.ndarray, clusters: np.ndarray) -> Component:
    """Variance of the mean of `values`, shape (m,), where units of one cluster are not independent; df: clusters - 1.

    clusters: shape (m,), or (m, 2) where units hang together in two ways, as forecasts of one series and those of one
    moment do: then the second way adds what it explains beyond the cells of both (Cameron, Gelbach and Miller, Journal
    of Business and Economic Statistics, 2011).
    With fewer than two clusters nothing is known: infinite.
    """
    parts = [
        Component(float(covariance[0, 0]) if groups > 1 else math.inf, max(groups - 1.0, 1.0))
        for covariance, groups in _covariances(values[None], clusters)
    ]
    return parts[0] if len(parts) == 1 else Component(sum(part.variance for part in parts), satterthwaite(parts))


def cluster_covariance(table: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Covariance of the row means of a table, shape (rows, m), with clusters as `cluster_variance` has them."""
    return np.asarray(sum(covariance for covariance, _ in _covariances(table, clusters)))


def count_clusters(clusters: np.ndarray) -> int:
    """How many there are; of units that hang together in two ways, by the first."""
    return len(np.unique(clusters if clusters.ndim == 1 else clusters[:, 0]))


def _covariances(table: np.ndarray, clusters: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """What each way to hang together adds to the covariance of the row means, and how many clusters it has."""
    if clusters.ndim == 1:
        return [_one_way(table, clusters)]
    _, cells = np.unique(clusters, axis=0, return_inverse=True)
    added, groups = _one_way(table, clusters[:, 1])
    sizes, axes = np.linalg.eigh(added - _one_way(table, cells.ravel())[0])
    return [_one_way(table, clusters[:, 0]), ((axes * np.maximum(sizes, 0.0)) @ axes.T, groups)]


def _one_way(table: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, int]:
    _, code = np.unique(clusters, return_inverse=True)
    groups = int(code.max()) + 1 if len(code) else 0
    centred = table - table.mean(axis=1, keepdims=True)
    sums = np.stack([np.bincount(code, weights=row, minlength=groups) for row in centred])
    return sums @ sums.T * groups / max(groups - 1, 1) / table.shape[1] ** 2, groups


def pooled(prior: Component, seen: Sequence[tuple[float, float, float]]) -> Component:
    """A variance from its prior and from mean squares that noise of known size has joined.

    prior: scaled inverse chi-squared. seen: (mean square, variance of the noise in it, degrees of freedom) each.
    Without noise the result is the conjugate (nu0 s0^2 + SS) / (nu0 + df); with it, the same mean of 1/variance on a
    grid.
    """
    if prior.variance <= 0 or not seen:
        return prior
    top = max([prior.variance, *(mean_square for mean_square, _, _ in seen)])
    grid = np.geomspace(prior.variance * 1e-3, top * 1e3, 200)
    weight = -0.5 * prior.df * (np.log(grid) + prior.variance / grid)
    for mean_square, noise, df in seen:
        weight -= 0.5 * df * (np.log(grid + noise) + mean_square / (grid + noise))
    share = np.exp(weight - weight.max())
    variance = float(share.sum() / (share / grid).sum())
    told = sum(df * (variance / (variance + noise)) ** 2 for _, noise, df in seen)
    return Component(variance, prior.df + told)


def seed_prior(family: str, deterministic: bool, loss: float, trivial_loss: float | None) -> Component:
    """What is expected of the seeds' variance of one fit before it is seen.

    A share of the trivial loss, or of ten times the own loss where that is smaller: a learner that is nearly perfect
    can't vary by a percent of what knowing nothing costs.
    """
    share = DRAW_SHARE if deterministic else SEED_SHARE.get(family, SEED_SHARE["deep"])
    return Component((share * loss_scale(loss, trivial_loss)) ** 2, SEED_PRIOR_DF)


def loss_scale(loss: float, trivial_loss: float | None) -> float:
    """The size of a loss against which a share is meaningful; never zero."""
    scale = 2 * abs(loss) if trivial_loss is None else abs(trivial_loss)
    if loss > 0:
        scale = min(scale, 10 * loss)
    return max(scale, 1e-9)


def reseeded(prior: Component, groups: Sequence[Sequence[float]], weights: Sequence[float]) -> Component:
    """The seeds' variance pooled with fits that differ by their seed alone.

    groups: losses of such fits. weights: their training size as a share of the judged one; variance falls like 1/n.
    """
    seen = []
    for losses, weight in zip(groups, weights, strict=True):
        if len(losses) > 1:
            seen.append((float(np.var(losses, ddof=1)) * weight, 0.0, len(losses) - 1.0))
    return pooled(prior, seen)


def added(parts: Sequence[Component], counts: Sequence[float]) -> Component:
    """The variance of a difference of means: each part divided by how many fits were averaged."""
    shares = [Component(part.variance / count, part.df) for part, count in zip(parts, counts, strict=True)]
    return Component(sum(share.variance for share in shares), satterthwaite(shares))


def satterthwaite(parts: Sequence[Component]) -> float:
    """Degrees of freedom of a sum of variances (Satterthwaite, 1946)."""
    total = sum(part.variance for part in parts)
    if total <= 0 or not math.isfinite(total):
        return min((part.df for part in parts), default=1.0)
    return float(total**2 / sum(part.variance**2 / part.df for part in parts))


def t_quantile(alpha: float, df: float) -> float:
    """How many standard errors are exceeded with probability alpha."""
    return float(stdtrit(max(df, 1.0), 1.0 - alpha))


def t_tail(errors: float, df: float) -> float:
    """The probability that luck alone is so many standard errors above nothing."""
    return float(stdtr(max(df, 1.0), -errors))


def nadeau_bengio(gaps: np.ndarray, n_test: float, n_train: float) -> Component:
    """Variance of the mean of k fold differences on a fresh sample: var (1/k + n_test/n_train), df k - 1."""
    folds = len(gaps)
    return Component(float(gaps.var(ddof=1)) * (1 / folds + n_test / n_train), folds - 1.0)


def rate_floor(units: int) -> float:
    """Least standard error of a difference of 0/1 losses: half a unit."""
    return 0.5 / max(units, 1)


@dataclass(frozen=True)
class Wanted:
    """What would decide: `units` judged in all (None: no number of units), and why."""

    units: int | None
    reason: str


def units_wanted(gap: Difference, threshold: float, units: int) -> Wanted:
    """How many judged units would decide, with 80 % power, on which side of the threshold the difference lies."""
    distance = abs(gap.value - threshold)
    if not math.isfinite(gap.standard_error):
        return Wanted(None, "too few judged units to tell how far the families vary")
    if distance < 0.5 * gap.standard_error:
        return Wanted(None, "the gap sits at the threshold of what counts: no realistic number of rows decides this")
    per_unit = gap.units.variance * units
    left = (distance / Z_DECIDE) ** 2 - gap.fits.variance / gap.folds
    if left <= 0:
        return Wanted(None, "seeds and training draws vary more than that: repeats would decide, rows alone would not")
    return Wanted(max(math.ceil(per_unit / left), units), "to narrow the interval of the gap")
