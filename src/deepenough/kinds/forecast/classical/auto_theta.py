"""The Theta method on each window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from deepenough.kinds.forecast import points, smoothing
from deepenough.kinds.forecast.statistical import LocalPaths, Settings
from deepenough.learner import Examples, Learner, Limits, Model


@dataclass(frozen=True)
class AutoTheta(Learner):
    """The Theta method: exponential smoothing with half of the trend as drift, the season apart; no covariates.

    Assimakopoulos and Nikolopoulos, 2000; Hyndman and Billah, 2003. The smoothing is chosen by each window itself, so
    that nothing is fitted but the spread. Time and memory grow with the windows times their history. A bad choice where
    covariates decide, or where seasons change.
    """

    deterministic = True
    priority = 20

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """See how far off it is."""
        return points.fit(examples, limits, lambda examples, rows, before: ThetaPoints(), AutoThetaModel)


class ThetaPoints(LocalPaths):
    """It has no settings."""

    def __init__(self) -> None:
        super().__init__({}, {})

    @staticmethod
    def filtered(values: np.ndarray, steps: int, season: int, settings: list[Settings]) -> np.ndarray:
        return smoothing.theta(values, steps, season)

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls()


class AutoThetaModel(points.PointsModel):
    """The method, and how far off it was."""

    points_class = ThetaPoints
