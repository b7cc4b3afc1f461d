"""What single answers go by: how much surer, or how much further off, an answer is than with one field hidden.

Needs that this module answers:

* Only the models that judged a unit are asked about it (occlusion maps: Zeiler and Fergus, 2014, arXiv 1311.2901).
* Labels stay here; it takes one process, and only where the time left holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from deepenough.racing.loop import Loop
from deepenough.task.jobs import predicting_job
from deepenough.task.task import SupervisedTask

if TYPE_CHECKING:
    from deepenough.racing.explain import Fit

START_SECONDS = 0.5
"""Of a process that loads its models."""
SHARE = 0.5
"""Of the seconds for explaining a finalist, at most."""
PATIENCE = 3.0
LEAST = 1e-9


def of(
    loop: Loop, own: Sequence[Fit], chosen: Sequence[tuple[int, int]], seconds: float | None
) -> list[dict[str, Any]]:
    """Of each chosen unit how much each of its fields says for the answer; none where units have no fields, or no time
    is left.

    chosen: places of fits, and of units in them. seconds: for explaining, in all; None without a clock. A unit has
    {rows, columns, cells}: row by row, of a class the fall of the logarithm of its chance when the field is hidden, of
    a number how far the answer moves.
    """
    task = loop.task
    chosen = [(place, row) for place, row in chosen if own[place].trial.model]
    if not isinstance(task, SupervisedTask) or not chosen:
        return []
    hidden = task.occluded([(own[place].trial.fold, int(own[place].rows[row])) for place, row in chosen])
    if hidden is None:
        return []
    inputs, (rows, columns) = hidden
    fits = sorted({place for place, _ in chosen})
    rate = median(own[place].trial.predict_rows_per_second or 1e3 for place in fits)
    wanted = START_SECONDS + len(fits) * len(inputs) / rate
    if seconds is not None and wanted > SHARE * seconds:
        return []
    outcome = loop.beside(
        own[fits[0]].trial,
        "explain",
        predicting_job(task, inputs, [loop.journal.folder / own[place].trial.model for place in fits]),
        None,
        None if seconds is None else PATIENCE * wanted,
    )
    if not outcome.answers or outcome.answers[0].predictions is None:
        return []
    answers = outcome.answers[0].predictions.astype(np.float64)
    fields, found = rows * columns, []
    for number, (place, row) in enumerate(chosen):
        said = answers[fits.index(place), number * fields : (number + 1) * fields]
        cells = _moved(own[place].predictions[row], said)
        found.append({"rows": rows, "columns": columns, "cells": [float(f"{cell:.4g}") for cell in cells]})
    return found


def _moved(plain: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """plain: the answer as it is; hidden: with each field hidden, shape (fields, ...)."""
    if hidden.ndim == 1:
        return np.asarray(np.abs(hidden - plain))
    said = int(plain.argmax())
    return np.asarray(np.log(max(float(plain[said]), LEAST)) - np.log(np.maximum(hidden[:, said], LEAST)))
