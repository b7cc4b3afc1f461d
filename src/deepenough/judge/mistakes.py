"""PURE: where predictions are wrong: confusions and calibration of classes, residuals of numbers, misses of paths, what
lists leave out.

Needs that this module answers:

* Plain data of bounded size, whatever the number of units and classes.
* Every share comes with its interval (Wilson, 1927), so that a bin of twenty units is not read like one of thousands.
* Bins hold equally many units each: on a fixed grid most would be empty.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deepenough.judge import precision

MOST_CLASSES = 30
"""With more of them the whole table of confusions is not kept, only its largest cells."""
MOST_CONFUSIONS = 12
MOST_BINS = 10
FEWEST_IN_A_BIN = 20
MOST_POINTS = 240
MOST_STEPS = 60
Z = 1.959964
"""Of a two-sided interval of 95 %."""


def of_classes(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Confusions and calibration.

    truth: codes, shape (m,). probabilities: shape (m, n_classes).
    """
    n_classes = probabilities.shape[1]
    said = probabilities.argmax(axis=1)
    table = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(table, (truth.astype(np.int64), said), 1)
    return {
        "rows": len(truth),
        "confusion": table.tolist() if n_classes <= MOST_CLASSES else None,
        "confusions": _largest(table),
        "calibration": _calibration(*_asked(truth, probabilities)),
        "asked": "positive" if n_classes == 2 else "likeliest",
    }


def _largest(table: np.ndarray) -> list[dict[str, int]]:
    """The most frequent mistakes: the truth, what was said, how often, of how many."""
    wrong = table.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSIONS]
    places = [divmod(int(place), len(table)) for place in order]
    return [
        {"truth": true, "said": said, "count": int(wrong[true, said]), "of": int(table[true].sum())}
        for true, said in places
        if wrong[true, said]
    ]


def _asked(truth: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probability in question and whether it happened: of two classes the second, of more the likeliest."""
    if probabilities.shape[1] == 2:
        return probabilities[:, 1], truth == 1
    return probabilities.max(axis=1), truth == probabilities.argmax(axis=1)


def _calibration(given: np.ndarray, happened: np.ndarray) -> list[dict[str, Any]]:
    """By bins of the given probability: what was said on average, and how often it happened."""
    bins = []
    for rows in _bins(given):
        share = float(happened[rows].mean())
        low, high = wilson(share, len(rows))
        said = float(given[rows].mean())
        bins.append({"said": said, "happened": share, "low": low, "high": high, "rows": len(rows)})
    return bins


def _bins(values: np.ndarray) -> list[np.ndarray]:
    """Places of the values, sorted and cut into equal parts; equal values are not torn apart."""
    order = np.argsort(values, kind="stable")
    count = max(1, min(MOST_BINS, len(values) // FEWEST_IN_A_BIN))
    ranked = values[order]
    wanted = [round(index * len(values) / count) for index in range(1, count)]
    cuts = sorted({int(np.searchsorted(ranked, ranked[cut], "left")) for cut in wanted} - {0})
    return [part for part in np.split(order, cuts) if len(part)]


def wilson(share: float, count: int, z: float = Z) -> tuple[float, float]:
    """The interval of a share that was seen in so many cases (Wilson, 1927)."""
    if not count:
        return 0.0, 1.0
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def of_numbers(truth: np.ndarray, predictions: np.ndarray) -> dict[str, Any]:
    """Residuals: truth less prediction, over all units and by bins of the prediction, and some of the units.

    truth, predictions: shape (m,).
    """
    errors = truth - predictions
    places = np.linspace(0, len(truth) - 1, min(MOST_POINTS, len(truth))).astype(int)
    order = np.argsort(predictions, kind="stable")[places]
    return {
        "rows": len(truth),
        "bias": float(errors.mean()),
        "spread": [float(q) for q in np.quantile(errors, (0.05, 0.25, 0.5, 0.75, 0.95))],
        "bins": [_residuals(predictions[rows], errors[rows]) for rows in _bins(predictions)],
        "points": [[_rounded(predictions[place]), _rounded(errors[place])] for place in order],
    }


def of_paths(truth: np.ndarray, quantiles: np.ndarray, units: np.ndarray, levels: Sequence[float]) -> dict[str, Any]:
    """Step by step, how far the median is off and how often the outermost interval holds; NaN steps count nowhere.

    truth: shape (m, steps). quantiles: shape (m, steps, levels). units: what each path is measured in, shape (m,).
    """
    middle = quantiles.shape[2] // 2
    steps = []
    for step in range(truth.shape[1]):
        known = np.isfinite(truth[:, step])
        happened, said = truth[known, step], quantiles[known, step]
        if not len(happened):
            continue
        held = (happened >= said[:, 0]) & (happened <= said[:, -1])
        low, high = wilson(float(held.mean()), len(held))
        off = (happened - said[:, middle]) / units[known]
        told = {"step": step + 1, "rows": len(held), "error": float(np.abs(off).mean()), "bias": float(off.mean())}
        steps.append(told | {"held": float(held.mean()), "low": low, "high": high})
    return {"rows": len(truth), "promised": float(levels[-1] - levels[0]), "steps": _thinned(steps)}


def of_lists(records: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """By class how much there was and how much was found, and how often claims of each score were right.

    records: those of `precision.AveragePrecision`, without weights.
    """
    claims = precision.unrecorded(records, len(names))[1]
    made = claims[:, :, 0] > 0
    given, right = claims[:, :, 0][made], claims[:, :, 2][made]
    bins = _calibration(given, right > 0) if len(given) else []
    return {"rows": len(records), "things": precision.by_class(records, names), "calibration": bins}


def _thinned(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All of them, or so many that a picture shows."""
    places = np.linspace(0, len(steps) - 1, min(MOST_STEPS, len(steps))).astype(int)
    return [steps[place] for place in places]


def _residuals(predictions: np.ndarray, errors: np.ndarray) -> dict[str, Any]:
    low, middle, high = (float(q) for q in np.quantile(errors, (0.1, 0.5, 0.9)))
    return {"said": float(predictions.mean()), "low": low, "middle": middle, "high": high, "rows": len(errors)}


def _rounded(value: float) -> float:
    """Five digits: a point on a picture needs no more."""
    return float(f"{value:.5g}")
