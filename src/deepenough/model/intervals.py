"""Intervals around predicted numbers, from how wrong the judged models were on rows that they had not seen.

Needs that the design answers:

* No law of the errors is assumed: the interval's ends are ranks of the residuals (split conformal prediction; Vovk,
  Gammerman and Shafer, 2005; Lei et al., 2018). Both tails are counted, so that skewed errors get skewed intervals.
* Where errors grow with the prediction, residuals are taken relative to their size there, if that makes intervals that
  were not fitted on a row better for it by the interval score (Gneiting and Raftery, 2007).
* Small enough to lie in the manifest, whatever was judged: at most a thousand ranks, thinned to the careful side.
* A level that the residuals can't bear is refused; nothing is extrapolated.

What is guaranteed: a judged model covers new rows from where its judged rows came from at least as often as it says, on
average over rows. A model that was refitted on more rows, or the mean of several, is a little better than the models
that the residuals are of, so its intervals are rather too wide than too narrow (cross-conformal prediction; the bound
for it is looser: Barber et al., 2021, CV+). Later rows, or rows of other groups than judged, may be covered less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from deepenough.errors import ModelError, OptionError

MOST_RANKS = 1_000
ROWS_A_BIN, MOST_BINS, FEWEST_BINS = 50, 10, 3
SCORED_AT = 0.9
"""Level at which both ways are compared."""
WORTH_IT = 0.99
"""Relative residuals must bring the interval score under this share of that of plain ones."""
FLATTEST = 0.05
"""An error's size is nowhere taken for less than this share of its mean size."""


@dataclass(frozen=True)
class Intervals:
    """What was learnt of the residuals.

    ranks: signed residuals (truth less prediction) at evenly spaced ranks, ascending; relative where `sizes` are given.
    rows: how many residuals there were (fewer where they weigh unlike). judged: rows that gave them.
    places, sizes: mean size of the error at predictions, linear between them and constant beyond; empty: the same
        everywhere.
    floor: no end is below it; 0 where the target never was negative, else None.
    """

    ranks: np.ndarray
    rows: int
    judged: int
    places: np.ndarray
    sizes: np.ndarray
    floor: float | None = None

    @classmethod
    def of(cls, truth: np.ndarray, predictions: np.ndarray, weights: np.ndarray | None = None) -> Self:
        """From predictions of rows by models that had not trained on them. weights: what each row counts."""
        residuals = np.asarray(truth, dtype=np.float64) - predictions
        nowhere = np.empty(0)
        places, sizes = _sizes(residuals, predictions)
        if not len(places) or not _pays(residuals, predictions):
            places = sizes = nowhere
        ranks, rows = _ranks(residuals / _at(predictions, places, sizes), weights)
        return cls(ranks, rows, len(residuals), places, sizes, 0.0 if (truth >= 0).all() else None)

    def around(self, predictions: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
        """The ends of intervals that hold the truth with this probability, shape of the predictions.

        Raises OptionError where the residuals are too few for the level.
        """
        low, high = self._tails(level)
        size = _at(predictions, self.places, self.sizes)
        ends = predictions + size * low, predictions + size * high
        return ends if self.floor is None else (np.maximum(ends[0], self.floor), np.maximum(ends[1], self.floor))

    def sizes_at(self, predictions: np.ndarray) -> np.ndarray:
        """What an error of rank is to be multiplied with at each prediction; shape of the predictions."""
        return _at(predictions, self.places, self.sizes)

    def _tails(self, level: float) -> tuple[float, float]:
        if not 0 < level < 1:
            raise OptionError(f"--interval must lie between 0 and 1, as 0.9, but got {level:g}.")
        tail = math.floor((self.rows + 1) * (1 - level) / 2 + 1e-9)  # of so many residuals beyond an end, on each side
        place = math.floor(tail * len(self.ranks) / max(self.rows, 1) + 1e-9)
        if place < 1:
            raise OptionError(
                f"--interval {level:g} needs more judged rows than the {self.judged:,} that this model was judged on: "
                f"the widest that they can bear is {self.widest:.3g}."
            )
        return float(self.ranks[place - 1]), float(self.ranks[len(self.ranks) - place])

    @property
    def widest(self) -> float:
        """The highest level that the residuals can bear, rounded down to three digits."""
        tail = math.ceil(self.rows / max(len(self.ranks), 1))
        return max(0.0, math.floor(1000 * (1 - 2 * tail / (self.rows + 1))) / 1000)

    def to_json(self) -> dict[str, Any]:
        """Plain values, seven digits each."""
        arrays = {name: [float(f"{value:.7g}") for value in getattr(self, name)] for name in _ARRAYS}
        return {**arrays, "rows": self.rows, "judged": self.judged, "floor": self.floor}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Itself again."""
        try:
            arrays = {name: np.array(facts[name], dtype=np.float64) for name in _ARRAYS}
            return cls(**arrays, rows=int(facts["rows"]), judged=int(facts["judged"]), floor=facts["floor"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The model's residuals can't be read: {error}. It was damaged or edited.") from error


_ARRAYS = ("ranks", "places", "sizes")


def _ranks(scores: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, int]:
    """Scores at evenly spaced ranks, and as how many rows they count (Kish, 1965, where they weigh unlike)."""
    order = np.argsort(scores, kind="stable")
    count = np.ones(len(scores)) if weights is None else np.asarray(weights, dtype=np.float64)[order]
    rows = int(count.sum() ** 2 / np.square(count).sum() + 1e-9)
    kept = min(rows, MOST_RANKS)
    share = np.cumsum(count) / count.sum()
    # the lower half is taken one rank down, the upper one rank up: thinning widens
    steps = np.arange(1, kept + 1)
    wanted = np.where(2 * steps <= kept, (steps - 1) / kept, steps / kept)
    if kept == len(scores):
        wanted = (steps - 0.5) / kept
    return scores[order][np.minimum(np.searchsorted(share, wanted - 1e-12), len(scores) - 1)], rows


def _sizes(residuals: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean predictions of bins, ascending, and the mean size of the error in each; empty where rows are few."""
    bins = min(MOST_BINS, len(residuals) // ROWS_A_BIN)
    if bins < FEWEST_BINS or predictions.max() == predictions.min():
        return np.empty(0), np.empty(0)
    parts = np.array_split(np.argsort(predictions, kind="stable"), bins)
    places = np.array([predictions[part].mean() for part in parts])
    sizes = np.array([np.abs(residuals[part]).mean() for part in parts])
    distinct = np.append(True, np.diff(places) > 0)
    return places[distinct], np.maximum(sizes, FLATTEST * max(sizes.mean(), 1e-300))[distinct]


def _at(predictions: np.ndarray, places: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    if not len(places):
        return np.ones(len(predictions))
    return np.asarray(np.interp(predictions, places, sizes))


def _pays(residuals: np.ndarray, predictions: np.ndarray) -> bool:
    """Whether relative residuals give the better intervals to the half of the rows that they were not learnt from."""
    plain = relative = 0.0
    halves = np.random.default_rng(0).permutation(len(residuals)) % 2
    for half in (0, 1):
        own, other = halves == half, halves != half
        places, sizes = _sizes(residuals[own], predictions[own])
        if not len(places):
            return False
        ends = np.quantile(residuals[own], _ENDS)
        plain += _interval_score(residuals[other], ends[0], ends[1])
        scale = _at(predictions[other], places, sizes)
        ends = np.quantile(residuals[own] / _at(predictions[own], places, sizes), _ENDS)
        relative += _interval_score(residuals[other], scale * ends[0], scale * ends[1])
    return relative < WORTH_IT * plain


_ENDS = ((1 - SCORED_AT) / 2, (1 + SCORED_AT) / 2)


def _interval_score(residuals: np.ndarray, low: Any, high: Any) -> float:
    """The mean width, and for each miss its distance, as dear as the level says."""
    missed = np.maximum(low - residuals, 0) + np.maximum(residuals - high, 0)
    return float(np.mean(high - low + 2 / (1 - SCORED_AT) * missed))
