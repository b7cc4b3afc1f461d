"""How found objects are judged: average precision, a claim being right where its box agrees with a true one.

Needs that this module answers:

* What is judged is what is usual: boxes must agree by half (Everingham et al., 2010); beside it, by three quarters,
  which says how tightly boxes lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepenough.errors import OptionError
from deepenough.judge.precision import AveragePrecision, recorded
from deepenough.kinds.objects import boxes

UNIT = "share of what there is to find"
JUDGED, TIGHT = "average_precision", "average_precision_75"
_OTHER_NAMES = {"ap": JUDGED, "map": JUDGED, "ap50": JUDGED, "map50": JUDGED, "map_50": JUDGED}


@dataclass(frozen=True)
class BoxPrecision(AveragePrecision):
    """Average precision of boxes. least: agreement with a true box from which a claim is right."""

    least: float = boxes.RIGHT

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        """truth: class and box, shape (m, longest, 5), NaN behind the last. prediction: lists, shape (m, most, 6)."""
        is_right = boxes.right(prediction, truth, self.least)
        claims = np.stack([prediction[:, :, 0], prediction[:, :, 1], is_right], axis=2)
        return recorded(boxes.counted(truth, self.n_classes or 1), claims)


def all_of(classes: int) -> Mapping[str, BoxPrecision]:
    """By name, the metrics of so many classes."""
    about = "How many objects are found, and how few false finds come before them, best first; boxes agree by {}."
    half = BoxPrecision(JUDGED, True, about.format("half"), UNIT, n_classes=classes)
    tight = BoxPrecision(TIGHT, True, about.format("three quarters"), UNIT, n_classes=classes, least=0.75)
    return {JUDGED: half, TIGHT: tight}


def find(name: str | None, classes: int) -> BoxPrecision:
    """The judged metric. Raises OptionError where boxes are not judged by it."""
    wanted = (name or JUDGED).strip().lower().replace("-", "_").replace("@", "")
    if _OTHER_NAMES.get(wanted, wanted) != JUDGED:
        raise OptionError(f"--metric {name} does not fit boxes around objects. Take {JUDGED}.")
    return all_of(classes)[JUDGED]
