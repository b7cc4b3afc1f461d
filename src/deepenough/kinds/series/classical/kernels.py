"""Random convolution kernels and a weighted sum of how a series answers to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepenough.kinds import linear
from deepenough.kinds.series.kernels import Kernels as Features
from deepenough.learner import Examples, Learner, Limits, Model


@dataclass(frozen=True)
class Kernels(Learner):
    """Many short random kernels slide over the series, and how often and how much they fit is weighed and summed.

    Kernels of nine steps, spread by different dilations, with the share of steps above a threshold (Dempster, Schmidt
    and Webb, MiniRocket, 2021; Dempster, Petitjean and Webb, Rocket, 2020), of the series and of its differences (Tan,
    Dempster, Bergmeir and Webb, 2022), then ridge or logistic regression. Time and memory grow with series times steps
    times kernels. A bad choice where it matters when in the series something happens.

    dilations: how many spreads of the kernels, at most. penalty: on the squared weights; None: chosen.
    """

    dilations: int = 5
    penalty: float | None = None

    preload = ("scipy.optimize", "scipy.sparse")
    priority = 15

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Kernels, their answers, then the weights."""
        features, matrix = Features.fit_transform(examples.inputs, seed, self.dilations, limits)
        return linear.fit(features, matrix, examples, limits, KernelsModel, self.penalty, seed)


class KernelsModel(linear.LinearModel):
    """Weights of what the kernels say."""

    @staticmethod
    def read_features(folder: Path) -> Features:
        return Features.load(folder)
