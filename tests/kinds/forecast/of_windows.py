"""Windows made by hand, for tests of what learns from them."""

from __future__ import annotations

import numpy as np

from deepenough.kinds.forecast.inputs import Layout, Windows
from deepenough.kinds.forecast.steps import Step
from deepenough.learner import Examples, Paths

LEVELS = (0.1, 0.5, 0.9)
DAY = 86_400.0


def of_series(
    values: np.ndarray, horizon: int, seasons: tuple[int, ...] = (), known: np.ndarray | None = None
) -> Examples:
    """All windows of one series by day with ten steps of history or more; the latest fifth is inner."""
    steps = len(values)
    covariates = np.zeros((steps + horizon, 0)) if known is None else known[:, None]
    names = () if known is None else ("known",)
    layout = Layout(horizon, LEVELS, seasons, Step("seconds", DAY), names)
    pool = np.append(values, np.full(horizon, np.nan))
    at = np.arange(9, steps - 1)
    targets = pool[at[:, None] + np.arange(1, horizon + 1)]
    times = DAY * np.arange(steps + horizon)
    zeros = np.zeros(len(at), dtype=np.int64)
    windows = Windows(pool, times, covariates, at, zeros, zeros, ("one",), layout)
    inner = np.arange(len(at) - len(at) // 5, len(at))
    return Examples(windows, targets, None, inner, paths=Paths(horizon, LEVELS))


def of_memory(count: int, lag: int, length: int = 32, seed: int = 0) -> Examples:
    """Windows of drawn signs, each with a stretch of its own; what comes next is the value so many steps before it."""
    rng = np.random.default_rng(seed)
    values = rng.choice([-1.0, 1.0], (count, length)) + 0.1 * rng.normal(size=(count, length))
    pool = np.concatenate([values, np.full((count, 1), np.nan)], axis=1).ravel()
    start = np.arange(count) * (length + 1)
    layout = Layout(1, LEVELS)
    times = np.tile(np.arange(length + 1.0), count)
    series = np.zeros(count, dtype=np.int64)
    windows = Windows(pool, times, np.zeros((len(pool), 0)), start + length - 1, start, series, ("one",), layout)
    inner = np.arange(count - count // 5, count)
    return Examples(windows, values[:, [length - lag]], None, inner, paths=Paths(1, LEVELS))
