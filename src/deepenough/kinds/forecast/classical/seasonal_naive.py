"""What was a season ago comes again."""

from __future__ import annotations

from dataclasses import dataclass

from deepenough.kinds.forecast import simple
from deepenough.learner import Examples, Learner, Limits, Model


@dataclass(frozen=True)
class SeasonalNaive(Learner):
    """What was a season ago comes again, with quantiles of how far that was off at each step.

    Hyndman and Athanasopoulos, 2021. Without a season, the last value stays. Time and memory grow with the windows. A
    bad choice where there is a trend, or where a season differs much from the next.
    """

    deterministic = True
    priority = 18

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """See how far off it is."""
        return LastSeason.fitted(examples)


class LastSeason(simple.SimpleModel):
    """The last season comes again."""

    paths = staticmethod(simple.last_season)
