"""A few judged units as a person sees them: what they look like, what came, what was said. For the report.

Needs that this module answers:

* Where classes or numbers are predicted, the worst mistakes; where paths are, one of each sort from the worst to the
  middling, for forecasts that went well say as much as those that did not.
* A kind says how its units look (`SupervisedTask.show`); one that says nothing has no examples.
* Plain data of bounded size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deepenough.evidence import finite
from deepenough.task.task import SupervisedTask

if TYPE_CHECKING:
    from deepenough.racing.explain import Fit

MOST = 6
MOST_THINGS = 40
"""Of a list, that are shown."""
SHARES = (1.0, 0.9, 0.5)
"""Of paths: which of the losses, sorted, are shown."""


def of(task: SupervisedTask, own: Sequence[Fit], places: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """The examples at these places of fits and of their units, as `chosen` chose them.

    shown: what the kind shows of the unit. loss: its part of the judged loss.
    truth, said: a class's code each, `chance` of what was said and `chance_of_truth` beside; or a number each; or of
    paths the numbers that came and the quantiles, null where a step is not known; or of lists {code, place} of what
    there was, and {score, code, place} of what was said.
    """
    losses = [_losses(task, fit) for fit in own]
    found = []
    for place, row in places:
        fit = own[place]
        shown = task.show(fit.trial.fold, fit.rows[row : row + 1])
        if not shown:
            return []
        answer = _answer(task, fit.truth[row], fit.predictions[row])
        found.append({"shown": dict(shown[0]), "loss": finite(losses[place][row]), **answer})
    return found


def _losses(task: SupervisedTask, fit: Fit) -> np.ndarray:
    """Each unit's part of the judged loss, which is a mean for most metrics."""
    records = task.metrics()[0].records(fit.truth, fit.predictions)
    records = records if fit.weights is None else np.column_stack([records, fit.weights])
    return task.metric.evaluate(records)[1]


def chosen(task: SupervisedTask, own: Sequence[Fit]) -> list[tuple[int, int]]:
    """Places of fits, and of units in them."""
    losses = [_losses(task, fit) for fit in own]
    fits = np.repeat(np.arange(len(own)), [len(fit.rows) for fit in own])
    rows = np.concatenate([np.arange(len(fit.rows)) for fit in own])
    worst = np.argsort(-np.concatenate(losses), kind="stable")
    if task.paths is not None:
        worst = worst[[round((1 - share) * (len(worst) - 1)) for share in SHARES]]
    elif task.n_classes is not None:
        said = np.concatenate([fit.predictions.argmax(axis=1) for fit in own])
        truth = np.concatenate([fit.truth for fit in own])
        worst = worst[(said != truth)[worst]]
    return [(int(fits[place]), int(rows[place])) for place in dict.fromkeys(worst[:MOST].tolist())]


def _answer(task: SupervisedTask, truth: Any, prediction: np.ndarray) -> dict[str, Any]:
    if task.lists is not None:
        there = [_rounded(thing) for thing in truth.tolist() if np.isfinite(thing).all()]
        return {
            "truth": there,
            "said": [_rounded(thing) for thing in prediction.tolist() if thing[0] > 0][:MOST_THINGS],
        }
    if task.paths is not None:
        steps = [[finite(float(f"{value:.5g}")) for value in step] for step in prediction.tolist()]
        return {"truth": [finite(value) for value in truth[:-1].tolist()], "said": steps}
    if task.n_classes is None:
        return {"truth": float(truth), "said": float(prediction)}
    said, true = int(prediction.argmax()), int(truth)
    chances = {"chance": float(prediction[said]), "chance_of_truth": float(prediction[true])}
    return {"truth": true, "said": said, **chances}


def _rounded(thing: list[float]) -> list[float]:
    return [float(f"{value:.4g}") for value in thing]
