"""PURE: what differs between two periods: columns, answers, what really happened, and how far the inputs explain it.

Needs that this module answers:

* Nobody is sent after what chance does: each column's p-values are put together (Bonferroni) and held against the
  number of all columns (Holm); a difference has its interval.
* Whether the world changed or only its mix: what happened moved by what the model foretold for the new inputs, and by
  the rest, which no mix explains. With every input's effects unchanged the rest is nothing but error (the split that
  Oaxaca, International Economic Review, 1973, and Blinder, Journal of Human Resources, 1973, made for wages).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats as distributions

from deepenough.judge.traits import Trait

MISSED = 0.025
FEWEST = 20
"""With fewer known values in either period a column is not compared."""
MOST_LEVELS = 20
FEWEST_EXPECTED = 5.0
"""Levels of which fewer are expected in either period are put together."""


@dataclass(frozen=True)
class Change:
    """How much larger a mean is in the second period, with the ends of its 95 % interval."""

    before: float
    after: float
    value: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """Whether its direction is."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Shift:
    """How one column changed.

    p: that chance alone makes two samples of one distribution so different, not yet held against other columns.
    level: of categories, the one whose share changed most. change: of the mean of numbers, or of that level's share;
    None where too few are known. missing: of the share that is missing.
    """

    name: str
    p: float
    level: str
    change: Change | None
    missing: Change


def change(before: np.ndarray, after: np.ndarray) -> Change:
    """Of the mean of independent units (Welch, Biometrika, 1947); infinite ends where there are fewer than two."""
    value = float(after.mean() - before.mean())
    if min(len(before), len(after)) < 2:
        return Change(float(before.mean()), float(after.mean()), value, -math.inf, math.inf)
    parts = np.array([own.var(ddof=1) / len(own) for own in (before, after)])
    freedom = np.array([len(before) - 1, len(after) - 1])
    total = float(parts.sum())
    df = total**2 / float((parts**2 / freedom).sum()) if total > 0 else float(freedom.min())
    width = float(distributions.t.ppf(1 - MISSED, df)) * math.sqrt(total)
    return Change(float(before.mean()), float(after.mean()), value, value - width, value + width)


def shift(before: Trait, after: Trait) -> Shift:
    """How a column changed. Both have the same levels."""
    missing = [own.missing.astype(np.float64) for own in (before, after)]
    p_values = [_p_of_counts(np.array([[own.sum(), len(own) - own.sum()] for own in missing]))]
    known = [own.values[~own.missing] for own in (before, after)]
    level, found = "", None
    if min(map(len, known)) >= FEWEST:
        if before.form == "category":
            counts = np.array([np.bincount(own, minlength=len(before.levels)) for own in known])
            p_values.append(_p_of_counts(_few_together(counts)))
            shares = counts / counts.sum(axis=1, keepdims=True)
            most = int(np.abs(shares[1] - shares[0])[::-1].argmax())  # of two levels the second
            most = len(before.levels) - 1 - most
            level = before.levels[most]
            found = change(*((own == most).astype(np.float64) for own in known))
        else:
            found = change(*known)
            p_values += [
                _sound(distributions.ttest_ind(*known, equal_var=False).pvalue) if _vary(known) else 1.0,
                _sound(distributions.ks_2samp(*known, method="asymp").pvalue),
            ]
    p = min(1.0, len(p_values) * min(p_values))
    return Shift(before.name, p, level, found, change(*missing))


def rest(before: np.ndarray, after: np.ndarray, foretold_before: np.ndarray, foretold_after: np.ndarray) -> Change:
    """By how much what happened moved beyond what the model foretold for the inputs of either period.

    All of a period have a value a unit; shape (m,).
    """
    return change(before - foretold_before, after - foretold_after)


def _few_together(counts: np.ndarray) -> np.ndarray:
    """The most frequent levels, and all others as one. counts: shape (2, levels)."""
    order = np.argsort(-counts.sum(axis=0), kind="stable")
    expected = counts.sum(axis=0) * counts.sum(axis=1).min() / counts.sum()
    kept = [place for place in order[:MOST_LEVELS].tolist() if expected[place] >= FEWEST_EXPECTED]
    others = counts.sum(axis=1) - counts[:, kept].sum(axis=1)
    return np.column_stack([counts[:, kept], others])


def _p_of_counts(counts: np.ndarray) -> float:
    """Of two rows of counts from one distribution (chi-squared; few cases of two columns exactly, by Fisher's test)."""
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2:
        return 1.0
    if counts.shape[1] == 2 and counts.sum(axis=0).min() < 4 * FEWEST_EXPECTED:
        return _sound(distributions.fisher_exact(counts).pvalue)
    return _sound(distributions.chi2_contingency(counts, correction=False).pvalue)


def _vary(known: list[np.ndarray]) -> bool:
    return any(own.min() < own.max() for own in known)


def _sound(p: float) -> float:
    return float(p) if math.isfinite(p) else 1.0
