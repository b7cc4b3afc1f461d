"""Random convolution kernels and a weighted sum of how a series answers to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.kinds import linear
from deepenough.kinds.series.inputs import Signals
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
        features, matrix, share = Features.fit_transform(examples.inputs, seed, self.dilations, limits)
        model = linear.fit(features, matrix, examples, limits, KernelsModel, self.penalty, seed)
        model.planned = min(model.planned, share)
        return model

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {"dilations": lambda random: int(random.integers(3, 9))}

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        rows = np.arange(24)
        signals = Signals(np.sin(np.outer(rows + 1.0, np.arange(12)))[:, None], ("value",))
        targets = rows.astype(np.float64) if n_classes is None else rows % n_classes
        cls(dilations=1).fit(Examples(signals, targets, n_classes, rows[18:]), Limits(), 0).predict(signals)


class KernelsModel(linear.LinearModel):
    """Weights of what the kernels say."""

    @staticmethod
    def read_features(folder: Path) -> Features:
        return Features.load(folder)
