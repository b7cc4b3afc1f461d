"""After the hand-over: a person's own test predicted by the judged models and by the one that is handed over.

Needs that this module answers:

* Rows of the test never train: no trial before has seen them, and the models are those that lie in the run folder.
* Labels stay here: a trial's process gets the inputs and gives back predictions.
* What it costs is reserved before the winner is refitted, so that the race ends in time; it never ends a race.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from deepenough.evidence import FAMILIES, Event, Trial, read
from deepenough.judge import held_out
from deepenough.judge.held_out import Tested
from deepenough.judge.metrics import named
from deepenough.judge.verdict import Verdict
from deepenough.model.folder import Member
from deepenough.racing.loop import Loop
from deepenough.task.jobs import predicting_job
from deepenough.task.task import HeldOut, SupervisedTask, scored, weighed

ATTEMPT_SECONDS = 0.3
"""Starting a process and loading its models, at least; one for each family."""
PATIENCE = 4.0
"""The process is killed after so many times what was reserved, and five seconds."""


def seconds_wanted(loop: Loop) -> float:
    """What predicting the test will probably take; 0 where there is none."""
    test = loop.task.held_out()
    if test is None:
        return 0.0
    rates = [trial.predict_rows_per_second for trial in loop.trials if trial.model and trial.predict_rows_per_second]
    rate = median(rates) if rates else 1e4
    models = 2 * loop.plan.folds + 1
    return len(FAMILIES) * ATTEMPT_SECONDS + 1.5 * models * len(test.truth) / rate


def tests(loop: Loop, verdict: Verdict, handed: Sequence[Member]) -> Iterator[Event]:
    """Score the person's own test, once a race; what goes wrong is said and ends nothing."""
    test = loop.task.held_out()
    if test is None or any(event.what == "tested" for event in read(loop.journal.folder).events):
        return
    try:
        found = _tested(loop, verdict, test, handed)
    except Exception as error:  # the verdict stands without it
        found = {"reason": f"it went wrong: {type(error).__name__}: {error}"[:500]}
    yield loop.say("tested", {"name": test.name, "rows": len(test.truth), "reason": ""} | found)


def _tested(loop: Loop, verdict: Verdict, test: HeldOut, handed: Sequence[Member]) -> dict[str, Any]:
    task = loop.task
    assert isinstance(task, SupervisedTask)
    judged = {family: _judged(loop, verdict, family) for family in FAMILIES}
    places = {family: [loop.journal.folder / trial.model for trial in trials] for family, trials in judged.items()}
    for member in handed:
        if member.source not in places.setdefault(member.family, []):
            places[member.family].append(member.source)
    predictions: dict[Path, np.ndarray] = {}
    for family, own in places.items():
        predictions |= _predicted(loop, test, family, own)
    metric, sides, told = named(task.metric.name, loop.plan.question), {}, {}
    for family, trials in judged.items():
        found = [predictions[loop.journal.folder / trial.model] for trial in trials]
        if found:
            records = [weighed(task.metrics()[0].records(test.truth, own), test.weights) for own in found]
            contender = loop.plan.contender(trials[0].contender)
            sides[family] = Tested(contender.name, np.stack(records), contender.deterministic)
            loss = held_out.measured(metric, sides[family]).loss
            told[family] = _side(metric, loss, [scored(task.metrics(), test.truth, own, test.weights) for own in found])
            told[family] |= {"contender": contender.name, "models": len(found)}
    clusters = np.arange(len(test.truth)) if test.clusters is None else test.clusters
    gap = held_out.gap(metric, sides, clusters, verdict.trivial_loss)
    verdict_gap = None if verdict.gap is None else verdict.gap.value
    return {
        **{family: told.get(family) for family in FAMILIES},
        "model": _handed(task, metric, test, handed, predictions),
        "gap": gap,
        "agreement": held_out.agreement(gap, verdict_gap),
    }


def _side(metric: Any, loss: float, scores: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {"loss": loss, "shown": float(metric.show(loss)), "scores": held_out.mean_scores(scores)}


def _judged(loop: Loop, verdict: Verdict, family: str) -> list[Trial]:
    """The kept models of the family's finalist at the judged size, one a fold."""
    finalist = getattr(verdict, family)
    if finalist is None:
        return []
    size = finalist.n_train
    own = [trial for trial in loop.trials if trial.contender == finalist.contender and trial.n_train == size]
    kept = {trial.fold: trial for trial in own if trial.model and trial.finished and trial.purpose != "refit"}
    return [kept[fold] for fold in sorted(kept)]


def _handed(
    task: SupervisedTask, metric: Any, test: HeldOut, handed: Sequence[Member], predictions: dict[Path, np.ndarray]
) -> dict[str, Any] | None:
    """The handed-over model: its members' predictions, weighed as it will weigh them."""
    if not handed or any(member.source not in predictions for member in handed):
        return None
    total = sum(member.weight for member in handed)
    blend = task.blended([predictions[each.source] for each in handed], [each.weight / total for each in handed])
    loss, _ = metric.evaluate(weighed(task.metrics()[0].records(test.truth, blend), test.weights))
    names = sorted({member.name for member in handed})
    return _side(metric, float(loss), [scored(task.metrics(), test.truth, blend, test.weights)]) | {"contenders": names}


def _predicted(loop: Loop, test: HeldOut, family: str, places: Sequence[Path]) -> dict[Path, np.ndarray]:
    """Each model's calibrated predictions of the test, by its folder, from one process a family."""
    if not places:
        return {}
    like = next(trial for trial in reversed(loop.trials) if trial.family == family and trial.model)
    killed = None if loop.plan.budget_seconds is None else PATIENCE * seconds_wanted(loop) + 5.0
    outcome = loop.beside(like, "test", predicting_job(loop.task, test.inputs, places), None, killed)
    if not outcome.answers or outcome.answers[0].predictions is None:
        raise ValueError(outcome.error or outcome.status)
    return dict(zip(places, outcome.answers[0].predictions.astype(np.float64), strict=True))
