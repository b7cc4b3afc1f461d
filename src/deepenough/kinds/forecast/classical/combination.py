"""The mean of three statistical forecasts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from deepenough.kinds.forecast import points
from deepenough.kinds.forecast.classical.auto_arima import ArimaPoints
from deepenough.kinds.forecast.classical.auto_ets import EtsPoints
from deepenough.kinds.forecast.classical.auto_theta import ThetaPoints
from deepenough.kinds.forecast.inputs import Windows
from deepenough.learner import Examples, Learner, Limits, Model


@dataclass(frozen=True)
class Combination(Learner):
    """The median of exponential smoothing, the Theta method and ARIMA at every step.

    Petropoulos and Svetunkov, 2020; that such combinations are hard to beat is what the M competitions found
    (Makridakis, Spiliotis and Assimakopoulos, 2020). Time grows as that of the three together, above all with the
    series; memory with the windows times their history. A bad choice where covariates decide, or in little time.
    """

    needs = ("statsforecast",)
    preload = ("statsforecast.models",)
    deterministic = True
    priority = 50

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Fit all three, see how far off their median is, fit few series again with the newest."""

        def learn(examples: Examples, rows: np.ndarray, before: CombinedPoints | None) -> CombinedPoints:
            able = points.to_learn(limits)
            ets = EtsPoints.learn(examples, rows, _half(able), None if before is None else before.ets)
            arima = ArimaPoints.learn(examples, rows, able, None if before is None else before.arima)
            return CombinedPoints(ets, ThetaPoints(), arima)

        return points.fit(examples, limits, learn, CombinationModel)


def _half(limits: Limits) -> Limits:
    """Half of the time that is left."""
    return limits if limits.seconds is None else replace(limits, seconds=limits.seconds - limits.seconds_left() / 2)


class CombinedPoints:
    """Three of them."""

    again: float | None = None

    def __init__(self, ets: EtsPoints, theta: ThetaPoints, arima: ArimaPoints) -> None:
        self.ets, self.arima = ets, arima
        self.parts = (ets, theta, arima)
        self.planned = min(ets.planned, arima.planned)

    def paths(self, windows: Windows) -> np.ndarray:
        """The median of the three at every step."""
        return np.asarray(np.median([part.paths(windows) for part in self.parts], axis=0))

    def save(self, folder: Path) -> None:
        """A folder each."""
        for name, part in zip(("ets", "theta", "arima"), self.parts, strict=True):
            (folder / name).mkdir()
            part.save(folder / name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again."""
        theta = ThetaPoints.load(folder / "theta")
        return cls(EtsPoints.load(folder / "ets"), theta, ArimaPoints.load(folder / "arima"))


class CombinationModel(points.PointsModel):
    """All three, and how far off their median was."""

    needs = ()
    points_class = CombinedPoints
