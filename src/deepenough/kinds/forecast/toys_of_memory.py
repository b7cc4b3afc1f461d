"""Series that depend on nothing but what was so many steps before, and not in a straight line.

Needs that this module answers:

* A learner that claims to remember can be shown to: what lies between says nothing, and no weighted sum of the past
  says anything either, for the values are uncorrelated at every distance.
* Harder by one number: how many steps lie between.
"""

from __future__ import annotations

import numpy as np

from deepenough.kinds.forecast.task import ForecastTask, make
from deepenough.task import source
from deepenough.task.task import Question


def tent(values: np.ndarray) -> np.ndarray:
    """What follows on a value between -1 and 1: the tent map, whose values are evenly spread and uncorrelated."""
    return np.asarray(1 - 2 * np.abs(values))


def echoes(apart: int = 20, steps: int = 800, count: int = 1, noise: float = 0.05, seed: int = 0) -> np.ndarray:
    """Series of which each value follows on the one `apart` steps before, with noise; shape (count, steps)."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, (count, steps))
    for step in range(apart, steps):
        values[:, step] = np.clip(tent(values[:, step - apart]) + noise * rng.normal(size=count), -1, 1)
    return values


def remembering(
    apart: int = 20, steps: int = 800, count: int = 1, horizon: int = 5, noise: float = 0.05, seed: int = 0
) -> ForecastTask:
    """The task to forecast such series; `horizon` at most `apart`, so that what decides is always known."""
    values = echoes(apart, steps, count, noise, seed)
    rows = [
        {"id": f"echo {code}", "step": step, "value": float(values[code, step])}
        for code in range(count)
        for step in range(steps)
    ]
    return make(source.read(rows), Question("value", time="step", options={"horizon": horizon, "series": ("id",)}))
