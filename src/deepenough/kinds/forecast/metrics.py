"""How forecasts are judged: pinball loss and absolute error, each in units of the series' own naive error.

Needs that this module answers:

* Series of any size count alike: what is measured is divided by how far last season's value is off on average, before
  the fold began (MASE's denominator, Hyndman and Koehler, 2006).
* Quantiles are judged, not only their middle: the pinball loss (Koenker and Bassett, 1978), doubled and averaged over
  the levels, is the absolute error where there is the median alone.
* A step that is not known counts nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepenough.errors import OptionError
from deepenough.judge.losses import MeanRecord, one
from deepenough.judge.quantiles import pinball

UNIT = "average errors of repeating the last season"


@dataclass(frozen=True)
class ScaledPinball(MeanRecord):
    """The pinball loss of each path over its scale. levels: of the quantiles."""

    levels: tuple[float, ...] = ()

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return one(pinball(prediction, truth[:, :-1], self.levels) / truth[:, -1])


@dataclass(frozen=True)
class ScaledError(MeanRecord):
    """The mean absolute error of each path's median over its scale: MASE."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        middle = prediction[:, :, prediction.shape[2] // 2, None]
        return one(pinball(middle, truth[:, :-1], (0.5,)) / truth[:, -1])


@dataclass(frozen=True)
class Held(MeanRecord):
    """The share of what came that lay within the outermost interval."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        paths = truth[:, :-1]
        known = np.isfinite(paths)
        inside = (paths >= prediction[:, :, 0]) & (paths <= prediction[:, :, -1])
        return one((inside & known).sum(axis=1) / np.maximum(known.sum(axis=1), 1))


def all_of(levels: Sequence[float]) -> Mapping[str, MeanRecord]:
    """By name, the metrics of such quantiles."""
    promised = f"{100 * (levels[-1] - levels[0]):.0f} % intervals"
    about = "How far the forecast quantiles are off, next to repeating the last season."
    return {
        "scaled_pinball": ScaledPinball("scaled_pinball", False, about, UNIT, levels=tuple(levels)),
        "mase": ScaledError("mase", False, "How far the median is off, next to repeating the last season.", UNIT),
        "held": Held("held", True, f"The share of what came that lay inside the {promised}.", "share of steps"),
    }


def find(name: str | None, levels: Sequence[float]) -> MeanRecord:
    """The judged metric. Raises OptionError where forecasts are not judged by it."""
    known = all_of(levels)
    wanted = (name or "scaled_pinball").strip().lower().replace("-", "_")
    wanted = {"pinball": "scaled_pinball"}.get(wanted, wanted)
    if wanted not in ("scaled_pinball", "mase"):
        raise OptionError(f"--metric {name} does not fit a forecast. Take one of: scaled_pinball, mase.")
    return known[wanted]
