"""What the finals know of the handed-over model's errors: truth and predictions of rows that it was judged on.

Needs that this module answers:

* Each row counts once, predicted by a model that had not trained on it; where every fold judges the same rows, each
  fold's model answers for its part of them.
* A blend's prediction of a row is the blend of what its contenders said in the same fold.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deepenough.evidence import Trial
from deepenough.judge.verdict import Verdict
from deepenough.model.intervals import Intervals
from deepenough.racing.loop import Loop
from deepenough.task.task import SupervisedTask

FEWEST_ROWS = 10
"""With fewer no interval is worth its name."""


def intervals(loop: Loop, verdict: Verdict) -> Intervals | None:
    """Of the numbers that the winner predicts; None for classes, and where too few rows were judged."""
    task = loop.task
    is_number = (
        isinstance(task, SupervisedTask) and task.n_classes is None and task.paths is None and task.lists is None
    )
    if not isinstance(task, SupervisedTask) or not is_number or not verdict.n_train:
        return None
    parts = list(_judged(loop, task, verdict))
    if sum(len(truth) for truth, _, _ in parts) < FEWEST_ROWS:
        return None
    truth, predictions, weights = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Intervals.of(truth, predictions, None if (weights == weights[0]).all() else weights)


def _judged(loop: Loop, task: SupervisedTask, verdict: Verdict) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Truth, predictions and weights, fold by fold."""
    finals = [
        {trial.fold: trial for trial in loop.trials if _is_final(trial, name, verdict)} for name in verdict.winner
    ]
    folds = sorted(set.intersection(*(set(own) for own in finals)))
    shares = np.array(verdict.winner_weights) / sum(verdict.winner_weights)
    for index, fold in enumerate(folds):
        rows = np.arange(len(loop.units[fold].ids))
        if loop.plan.judging == "halves":
            rows = np.sort(np.argsort(loop.units[fold].ids, kind="stable")[index :: len(folds)])
        read = [np.load(loop.journal.folder / own[fold].predictions, allow_pickle=False) for own in finals]
        blend = np.tensordot(shares, np.stack(read).astype(np.float64), axes=1)
        weights = task.weights(fold)
        yield task.truth(fold)[rows], blend[rows], (np.ones(len(blend)) if weights is None else weights)[rows]


def _is_final(trial: Trial, name: str, verdict: Verdict) -> bool:
    return trial.contender == name and trial.n_train == verdict.n_train and bool(trial.predictions)


def keep_truth(loop: Loop) -> None:
    """Write down what the judged units really were, beside what was predicted of them: `truth/<fold>.npy`."""
    if isinstance(loop.task, SupervisedTask):
        for fold in range(loop.task.folds):
            loop.journal.array(truth_file(fold), loop.task.truth(fold))


def truth_file(fold: int) -> str:
    """Its path below the run's folder."""
    return f"truth/{fold}.npy"
