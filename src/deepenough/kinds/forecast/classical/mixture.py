"""The mean of trees and a line on lags and of the Theta method, each as heavy as it was near."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.forecast import points
from deepenough.kinds.forecast.classical.auto_theta import ThetaPoints
from deepenough.kinds.forecast.classical.lags_boosted import BoostedPoints, LagsBoosted
from deepenough.kinds.forecast.classical.lags_linear import LagsLinear, LinearPoints
from deepenough.kinds.forecast.inputs import Windows
from deepenough.kinds.forecast.spread import units
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Learner, Limits, Model

PARTS: dict[str, Any] = {"linear": LinearPoints, "theta": ThetaPoints, "boosted": BoostedPoints}


@dataclass(frozen=True)
class Mixture(Learner):
    """The weighted mean of ridge regression and boosted trees on the last values and of the Theta method.

    Weights by past errors: Bates and Granger, 1969; that means of statistical and learnt forecasts are hard to beat is
    what the M competitions found (Makridakis, Spiliotis and Assimakopoulos, 2020). Time and memory grow as those of the
    three together, above all of the trees. A bad choice where one of the three is far ahead.

    power: of the mean absolute error on the newest windows, by which each of them counts less; 0: all alike.
    """

    power: float = 4.0

    needs = ("lightgbm",)
    preload = ("lightgbm", "scipy.sparse")
    priority = 12

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Weigh the three on the newest windows, then fit them with these too."""
        linear = LagsLinear().learning(examples, limits, seed)
        boosted = LagsBoosted().learning(examples, limits, seed)

        def parts(examples: Examples, rows: np.ndarray, before: dict[str, Any]) -> dict[str, Any]:
            line = linear(examples, rows, before.get("linear"))
            return {"linear": line, "theta": ThetaPoints(), "boosted": boosted(examples, rows, before.get("boosted"))}

        def learn(examples: Examples, rows: np.ndarray, before: MixedPoints | None) -> MixedPoints:
            if before is not None:
                return MixedPoints(parts(examples, rows, before.parts), before.weights)
            older, newer = points.parted(examples, rows)
            if len(newer) < points.FEWEST_NEWER:
                return MixedPoints(parts(examples, rows, {}), np.full(len(PARTS), 1 / len(PARTS)))
            tried = parts(points.hidden(examples, older, newer), older, {})
            weights = _weights(tried, examples, newer, self.power)
            began = time.monotonic()
            made = MixedPoints(parts(examples, rows, tried), weights)
            made.again = time.monotonic() - began
            return made

        return points.fit(examples, limits, learn, MixtureModel)


def _weights(parts: dict[str, Any], examples: Examples, rows: np.ndarray, power: float) -> np.ndarray:
    """What each part counts, by how near it was to what came, shape (parts,)."""
    windows = examples.inputs.take(rows)
    off = [np.abs(points.paths_of(part, windows) - examples.targets[rows]) for part in parts.values()]
    mean = np.maximum([np.nanmean(each / units(windows)[:, None]) for each in off], 1e-12)
    counts = (mean.min() / mean) ** power
    return np.asarray(counts / counts.sum())


class MixedPoints:
    """Three learnt paths. weights: of each, in the order of `PARTS`."""

    again: float | None = None

    def __init__(self, parts: dict[str, Any], weights: np.ndarray) -> None:
        self.parts, self.weights = parts, weights
        self.planned = min(part.planned for part in parts.values())

    def paths(self, windows: Windows) -> np.ndarray:
        """The weighted mean at every step."""
        found = [part.paths(windows) for part in self.parts.values()]
        return np.asarray(np.tensordot(self.weights, np.stack(found), axes=1))

    def save(self, folder: Path) -> None:
        """A folder each, and JSON."""
        for name, part in self.parts.items():
            (folder / name).mkdir()
            part.save(folder / name)
        write(folder, "weights", {}, {"weights": self.weights})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again."""
        parts = {name: part.load(folder / name) for name, part in PARTS.items()}
        return cls(parts, read(folder, "weights")[1]["weights"])


class MixtureModel(points.PointsModel):
    """All three, and how far off their mean was."""

    needs = ("lightgbm",)
    points_class = MixedPoints
