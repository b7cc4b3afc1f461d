"""The trivial forecast."""

from __future__ import annotations

from dataclasses import dataclass

from deepenough.kinds.forecast import simple
from deepenough.learner import Examples, Learner, Limits, Model


@dataclass(frozen=True)
class Prior(Learner):
    """The trivial forecast: what was last seen stays, with quantiles of how far that was off at each step.

    The naive forecast (Hyndman and Athanasopoulos, 2021). What every other learner has to beat. Time and memory grow
    with the windows. A bad choice wherever there is a season or a trend.
    """

    deterministic = True
    priority = 0

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """See how far off it is."""
        return LastValue.fitted(examples)


class LastValue(simple.SimpleModel):
    """The last value stays."""

    paths = staticmethod(simple.last_value)
