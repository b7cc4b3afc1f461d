"""A weighted sum of the last values, for each step ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.forecast import points
from deepenough.kinds.forecast.inputs import Windows
from deepenough.kinds.forecast.lags import Lags, Told, age, known_by
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Learner, Limits, Model

STRENGTHS = (300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.01)
MOST_ROWS = 30_000
"""Windows that a fit uses; more would hardly move the weights of a few dozen columns."""
MOST_TOLD = 2_000_000
"""Windows times steps that a fit uses: of each some ten simple paths are held at once."""
FEWEST = 5
"""Windows that must know a step, or the step before it speaks for it."""
LARGEST = 80.0
"""Told values are clipped here, in the window's unit."""
USUAL = 6.0
"""Windows that are told in larger numbers count less: where the unit is tiny, one would outweigh hundreds."""
ROUNDS = 3
"""Of counting windows less that are far off, on the way from least squares to least absolute errors."""
NEAR = 0.3
"""Times the median error, within which errors count as squares."""


@dataclass(frozen=True)
class LagsLinear(Learner):
    """Ridge regression of each step ahead on the last values, the same place in earlier seasons, simple paths, the
    calendar and what is known in advance, all in each window's own level and unit; absolute errors rather than squares.

    Hoerl and Kennard, 1970; reweighted towards absolute errors (Schlossmacher, 1973); the direct strategy (Taieb and
    Hyndman, 2014). One model for all series. Time grows with the windows times the square of the columns times the
    steps, memory with windows times columns. A bad choice where what comes depends on the last values in no straight
    way.

    recent: how many of the last values are told; 0: by the horizon and the season.
    penalty: on the squared weights; None: chosen on the newest windows.
    """

    recent: int = 0
    penalty: float | None = None

    priority = 10
    deterministic = True

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Choose the penalty on the newest windows, then fit every step."""
        return points.fit(examples, limits, self.learning(examples, limits, seed), LagsLinearModel)

    def learning(self, examples: Examples, limits: Limits, seed: int) -> points.Learn:
        """How it learns from some of these examples."""
        lags = Lags.fit(examples.inputs, self.recent or None)

        def learn(examples: Examples, rows: np.ndarray, before: LinearPoints | None) -> LinearPoints:
            penalty = self.penalty if before is None else before.penalty
            return LinearPoints.fit(lags, examples, rows, penalty, limits)

        return learn

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {"recent": lambda random: int(random.choice([8, 16, 32, 64, 128]))}


class LinearPoints:
    """weights: float64, shape (steps, columns + 1), the last column the intercepts."""

    again: float | None = None

    def __init__(self, lags: Lags, weights: np.ndarray, penalty: float, planned: float = 1.0) -> None:
        self.lags, self.weights, self.penalty, self.planned = lags, weights, penalty, planned

    @classmethod
    def fit(cls, lags: Lags, examples: Examples, rows: np.ndarray, penalty: float | None, limits: Limits) -> Self:
        """Of every step in turn; one that hardly a window knows, or that the clock left no time for, says what the step
        before it does."""
        ages = age(examples.inputs)
        most = min(MOST_ROWS, MOST_TOLD // examples.targets.shape[1])
        rows = rows[np.argsort(-ages[rows], kind="stable")][: max(1, most)]
        told = lags.told(examples.inputs.take(rows))
        wanted = told.relative(examples.targets[rows])
        common = _without_holes(told.common())
        if penalty is None:
            penalty = _chosen(told, common, wanted, ages[rows])
        steps, done = wanted.shape[1], 0
        weights: list[np.ndarray] = []
        for step in range(steps):
            known = np.isfinite(wanted[:, step])
            late = limits.seconds_left() <= 0
            if weights and (late or known.sum() < FEWEST):
                weights.append(weights[-1])
                done += not late
                continue
            columns = np.concatenate([common, _without_holes(told.of_step(step))], axis=1)
            weights.append(_solved(columns[known], wanted[known, step], penalty))
            done += 1
        return cls(lags, np.stack(weights), penalty, done / steps)

    def paths(self, windows: Windows) -> np.ndarray:
        """One path a window."""
        told = self.lags.told(windows)
        common = _without_holes(told.common()).astype(np.float64)
        found = np.empty((len(windows), len(self.weights)))
        for step, weights in enumerate(self.weights):
            own = _without_holes(told.of_step(step)).astype(np.float64)
            found[:, step] = common @ weights[: common.shape[1]] + own @ weights[common.shape[1] : -1] + weights[-1]
        return told.absolute(found)

    def save(self, folder: Path) -> None:
        """JSON and npz."""
        write(folder, "linear", {"lags": self.lags.to_json(), "penalty": self.penalty}, {"weights": self.weights})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again."""
        facts, arrays = read(folder, "linear")
        return cls(Lags.from_json(facts["lags"]), arrays["weights"], facts["penalty"])


def _without_holes(columns: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(np.nan_to_num(columns), -LARGEST, LARGEST))


def _solved(columns: np.ndarray, wanted: np.ndarray, penalty: float) -> np.ndarray:
    """Slopes and intercept of one step, by errors that count ever less as squares; 0 where nothing is known."""
    if not len(wanted):
        return np.zeros(columns.shape[1] + 1)
    usual = _counts(columns, wanted)
    found = _Spectrum(columns, wanted, usual).weights(penalty)
    for _ in range(ROUNDS):
        off = np.abs(columns @ found[:-1] + found[-1] - wanted) * np.sqrt(usual)
        counts = usual / np.maximum(off / max(float(np.median(off)), 1e-9), NEAR)
        found = _Spectrum(columns, wanted, counts).weights(penalty)
    return found


def _counts(columns: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """What each window counts, by how large the numbers are in which it is told, shape (n,)."""
    size = np.maximum(np.sqrt(np.square(columns, dtype=np.float64).mean(axis=1)), np.abs(wanted))
    return np.asarray(np.minimum(1.0, USUAL / np.maximum(size, USUAL)) ** 2)


class _Spectrum:
    """Ridge regression at any penalty from one decomposition of the columns' products."""

    def __init__(self, columns: np.ndarray, wanted: np.ndarray, counts: np.ndarray) -> None:
        self.centre = np.average(columns, axis=0, weights=counts)
        self.middle = float(np.average(wanted, weights=counts))
        centred = (columns - self.centre) * np.sqrt(counts)[:, None]
        self.values, self.vectors = np.linalg.eigh(centred.T @ centred)
        self.right = self.vectors.T @ (centred.T @ ((wanted - self.middle) * np.sqrt(counts)))

    def weights(self, penalty: float) -> np.ndarray:
        """Slopes, and the intercept at last."""
        slopes = self.vectors @ (self.right / (np.maximum(self.values, 0.0) + penalty))
        return np.append(slopes, self.middle - self.centre @ slopes)


def _chosen(told: Told, common: np.ndarray, wanted: np.ndarray, ages: np.ndarray) -> float:
    """The penalty with the lowest absolute error on the newest fifth of windows, over a few steps; 1 without any."""
    steps, newest = wanted.shape[1], np.arange(len(wanted)) < max(1, len(wanted) // 5)
    older = np.flatnonzero(~newest)
    begins = float(ages[newest].min())
    seen = wanted.copy()
    seen[older] = known_by(told.windows.take(older), wanted[older], begins)
    losses = np.zeros(len(STRENGTHS))
    for step in sorted({0, steps // 2, steps - 1}):
        columns = np.concatenate([common, _without_holes(told.of_step(step))], axis=1)
        known = np.isfinite(seen[:, step])
        on, held = known & ~newest, known & newest
        if on.sum() < FEWEST or not held.any():
            continue
        spectrum = _Spectrum(columns[on], wanted[on, step], _counts(columns[on], wanted[on, step]))
        for place, penalty in enumerate(STRENGTHS):
            weights = spectrum.weights(penalty)
            off = columns[held].astype(np.float64) @ weights[:-1] + weights[-1] - wanted[held, step]
            losses[place] += np.abs(off).mean()
    return STRENGTHS[int(losses.argmin())] if losses.any() else 1.0


class LagsLinearModel(points.PointsModel):
    """Weights of what is told, and how far off they were."""

    points_class = LinearPoints
