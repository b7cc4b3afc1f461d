"""The trivial forecast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepenough.kinds.forecast import simple
from deepenough.kinds.forecast.inputs import Windows
from deepenough.kinds.forecast.spread import units
from deepenough.learner import Examples, Learner, Limits, Model

LOOKED_AT = 2_000
"""Windows that say which is nearer."""


@dataclass(frozen=True)
class Prior(Learner):
    """The trivial forecast: what was last seen stays, or what was on average comes, whichever was the nearer; with
    quantiles of how far that was off at each step.

    The naive and the average method (Hyndman and Athanasopoulos, 2021): of a random walk nothing is better than the
    first, of values in random order nothing than the second. What every other learner has to beat. Time and memory
    grow with the windows. A bad choice wherever there is a season or a trend.
    """

    deterministic = True
    priority = 0

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """See which is nearer, and how far off it is."""
        stays, comes = _off(simple.last_value, examples), _off(simple.average, examples)
        return LastValue.fitted(examples) if stays <= comes else Average.fitted(examples)


class LastValue(simple.SimpleModel):
    """The last value stays."""

    paths = staticmethod(simple.last_value)


class Average(simple.SimpleModel):
    """The average of all that a window shows comes."""

    paths = staticmethod(simple.average)


def _off(paths: Callable[[Windows], np.ndarray], examples: Examples) -> float:
    """The median error of some windows; a mean would be that of those that know hardly a value."""
    some = np.linspace(0, len(examples) - 1, min(len(examples), LOOKED_AT)).astype(np.int64)
    windows = examples.inputs.take(some)
    off = np.abs(examples.targets[some] - paths(windows)) / units(windows)[:, None]
    return float(np.median(off[np.isfinite(off)])) if np.isfinite(off).any() else 0.0
