"""Why, after the verdict: what drives each finalist's predictions, and where they are wrong. Evidence, as events.

Needs that this module answers:

* The report draws what was measured and nothing else, so what is found here is written into the journal, as plain data
  of bounded size: `explained` (what drives the predictions) and `examined` (where they are wrong).
* Only models that were judged are looked at, on units that they had not trained on, each unit by one model.
* Labels stay here: a trial's process predicts the shuffled units, and what it says is scored here.
* It takes what time is left, at most a twentieth of the budget, and never fails a race: what goes wrong is said.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from deepenough.evidence import FAMILIES, Event, Trial, finite, read
from deepenough.judge import importance, mistakes
from deepenough.judge.verdict import Finalist, Verdict
from deepenough.learner import Parted
from deepenough.racing import examples, occlusion
from deepenough.racing.executors.local import Outcome
from deepenough.racing.loop import Loop
from deepenough.racing.perturb import Effort
from deepenough.racing.scheduler import GRACE_SECONDS
from deepenough.task.jobs import Job, path_of
from deepenough.task.task import SupervisedTask

SHARE = 0.05
"""Of the budget, for both families together."""
REPORT_SECONDS = 2.0
"""Left for the report when the time is divided."""
LEAST_SECONDS = 0.15
"""With less than that for a finalist nothing could be shuffled."""
MOST_CELLS = 400_000
"""Units times parts that are predicted at once where there is no clock."""
REPEATS = 5
NO_TIME = ("no time was left to look", "no time was left to shuffle")
"""Reasons after which it is looked again: in a later sitting, or by `deepenough analyse`."""
MOST_ROWS, FEWEST_ROWS = 2000, 40
"""Units of all folds together, and of one fold at least."""
MOST_PARTS = 40
WIDE = 200
"""With more parts than that a race that counts trials shuffles fewer of them: it has no clock to stop by."""
MOST_BYTES = 48_000_000
"""Of predictions that come back from one trial."""


@dataclass(frozen=True)
class Fit:
    """One judged model, and the units of its fold that it is looked at with.

    rows: places among the fold's judged units. truth, predictions, clusters, weights: of these.
    """

    trial: Trial
    rows: np.ndarray
    truth: np.ndarray
    predictions: np.ndarray
    clusters: np.ndarray
    weights: np.ndarray | None

    def take(self, places: np.ndarray) -> Fit:
        """Only these of its units."""
        weights = None if self.weights is None else self.weights[places]
        own = (self.rows[places], self.truth[places], self.predictions[places], self.clusters[places])
        return Fit(self.trial, *own, weights)


def explanations(loop: Loop, verdict: Verdict) -> Iterator[Event]:
    """Look at both finalists, once a race: what an earlier sitting found is not looked for again."""
    events = read(loop.journal.folder).events
    there = {(event.what, event.data.get("family")) for event in events if event.data.get("reason") not in NO_TIME}
    sides = [(family, side) for family in FAMILIES if (side := getattr(verdict, family)) is not None]
    if not isinstance(loop.task, SupervisedTask):
        return
    for what, look in (("examined", _examined), ("explained", _explained)):
        waiting = [side for side in sides if (what, side[0]) not in there]
        for index, (family, finalist) in enumerate(waiting):
            about = {"family": family, "contender": finalist.contender, "n_train": finalist.n_train}
            try:
                found = look(loop, finalist, len(waiting) - index)
            except Exception as error:  # what explains a verdict must not undo it
                found = {"reason": f"it went wrong: {type(error).__name__}: {error}"[:500]}
            yield loop.say(what, about | found)


def _task(loop: Loop) -> SupervisedTask:
    assert isinstance(loop.task, SupervisedTask)
    return loop.task


def fits(loop: Loop, finalist: Finalist) -> list[Fit]:
    """The judged models of a finalist with their units; where all judge the same units, each gets its part of them."""
    trials = {
        trial.fold: trial
        for trial in loop.trials
        if trial.contender == finalist.contender and trial.n_train == finalist.n_train and trial.predictions
    }
    found = []
    for index, (fold, trial) in enumerate(sorted(trials.items())):
        units = loop.units[fold]
        rows = np.arange(len(units.ids))
        if loop.plan.judging == "halves":
            rows = np.sort(np.argsort(units.ids, kind="stable")[index :: len(trials)])
        read_back = np.load(loop.journal.folder / trial.predictions, allow_pickle=False).astype(np.float64)
        weights = _task(loop).weights(fold)
        whole = Fit(trial, np.arange(len(units.ids)), _task(loop).truth(fold), read_back, units.clusters, weights)
        found.append(whole.take(rows))
    return found


def _examined(loop: Loop, finalist: Finalist, waiting: int) -> dict[str, Any]:
    """Where the finalist is wrong."""
    own = fits(loop, finalist)
    if not own:
        return {"reason": "the predictions of its finals were not kept"}
    truth = np.concatenate([fit.truth for fit in own])
    predictions = np.concatenate([fit.predictions for fit in own])
    if _task(loop).lists is not None:
        records = _task(loop).metrics()[0].records(truth, predictions)
        found = mistakes.of_lists(records, loop.plan.question["things"])
    elif (paths := _task(loop).paths) is not None:
        found = mistakes.of_paths(truth[:, :-1], predictions, truth[:, -1], paths.levels)
    else:
        found = (mistakes.of_numbers if predictions.ndim == 1 else mistakes.of_classes)(truth, predictions)
    chosen = examples.chosen(_task(loop), own)
    shown = examples.of(_task(loop), own, chosen)
    looked = occlusion.of(loop, own, chosen, _seconds(loop, waiting)) if shown else []
    for item, fields in zip(shown, looked, strict=False):
        item["looked"] = fields
    return {"folds": len(own), "reason": "", "examples": shown, **found}


def _explained(loop: Loop, finalist: Finalist, waiting: int) -> dict[str, Any]:
    """What drives the finalist's predictions."""
    own = [fit for fit in fits(loop, finalist) if fit.trial.model]
    inputs = [_task(loop).inputs(fit.trial.fold) for fit in own]
    seconds = _seconds(loop, waiting)
    if not own or not isinstance(inputs[0], Parted):
        why = "its inputs have no parts that could be shuffled" if own else "none of its judged models was kept"
        return {"reason": why}
    if seconds is not None and seconds < LEAST_SECONDS:
        return {"reason": NO_TIME[0]}
    names = list(inputs[0].parts())
    own = sampled(own, _rows_each(own, len(names), seconds), loop.plan.seed)
    began = time.monotonic()
    taken = [each.take(fit.rows) for each, fit in zip(inputs, own, strict=True)]
    outcome = _ask(loop, own, taken, len(names), seconds)
    if not outcome.answers:
        return {"reason": f"it could not be looked at: {outcome.error or outcome.status}"[:500]}
    found = _drivers(loop, own, outcome, names)
    return {"folds": len(own), "seconds": round(time.monotonic() - began, 3), "reason": "", **found}


def _seconds(loop: Loop, waiting: int) -> float | None:
    """Wall seconds for one of those that wait; None without a clock."""
    budget = loop.plan.budget_seconds
    if budget is None:
        return None
    left = budget - loop.clock() - REPORT_SECONDS
    return min(SHARE * budget / len(FAMILIES), left / (waiting + 1))  # one part is for `racing.insights`


def _rows_each(own: Sequence[Fit], parts: int, seconds: float | None) -> int:
    """Units of each fit with which all parts can be shuffled three times in half of the time."""
    most, names = MOST_ROWS // len(own), parts
    parts = min(parts, MOST_PARTS)
    bytes_each = 4 * int(own[0].predictions[0].size) * len(own)
    most = min(most, MOST_BYTES // (bytes_each * parts * REPEATS))
    rate = median(fit.trial.predict_rows_per_second or 1e4 for fit in own)
    if seconds is None:
        most = min(most, MOST_CELLS // (names * len(own)))
    else:
        call = median(fit.trial.predict_one_ms_p50 or 1.0 for fit in own) / 1000
        most = min(most, int(rate * (0.5 * seconds / (3 * parts * len(own)) - call)))
    return max(most, FEWEST_ROWS)


def sampled(own: Sequence[Fit], each: int, seed: int) -> list[Fit]:
    """The same fits with at most so many units each."""
    sampled = []
    for fit in own:
        drawn = np.random.default_rng([seed, fit.trial.fold, 11]).permutation(len(fit.rows))[:each]
        sampled.append(fit.take(np.sort(drawn)))
    return sampled


def _ask(loop: Loop, own: Sequence[Fit], inputs: Sequence[Any], parts: int, seconds: float | None) -> Outcome:
    """Let a process as a trial's predict the shuffled units."""
    killed = None if seconds is None else seconds + GRACE_SECONDS / 4
    return loop.beside(own[0].trial, "explain", _job(loop, own, inputs, parts, seconds), seconds, killed)


def _effort(parts: int, seconds: float | None) -> Effort:
    """With a clock as much as it allows; without one the less, the more parts there are, for then each is dearer."""
    if seconds is not None or parts <= WIDE:
        return Effort(MOST_PARTS, parts, REPEATS)
    most = max(WIDE * MOST_PARTS // parts, 5)
    return Effort(most, min(parts, max(5 * WIDE**2 // parts, most)), 2)


def _job(loop: Loop, own: Sequence[Fit], inputs: Sequence[Any], parts: int, seconds: float | None) -> Job:
    """The saved models by their place, and the units of each."""
    arrays = {f"{i}.{name}": array for i, each in enumerate(inputs) for name, array in each.to_arrays().items()}
    facts = {
        "inputs": path_of(inputs[0]),
        "n_classes": _task(loop).n_classes,
        "models": [str((loop.journal.folder / fit.trial.model).resolve()) for fit in own],
        "parts": parts,
        "effort": dataclasses.asdict(_effort(parts, seconds)),
    }
    return Job("shuffled", arrays, facts)


def _drivers(loop: Loop, own: Sequence[Fit], outcome: Outcome, names: Sequence[str]) -> dict[str, Any]:
    """The rise of the loss by part, the largest first, of what was shuffled for every model."""
    predictions = outcome.answers[0].predictions
    assert predictions is not None
    cuts = np.cumsum([len(fit.rows) for fit in own])[:-1]
    tables = [_influences(loop, own, np.split(answer, cuts)) for answer in predictions]
    repeats: dict[int, list[list[np.ndarray]]] = {}
    for (part, _), table in zip(outcome.told["done"], tables[1:], strict=True):
        repeats.setdefault(part, []).append(table)
    clusters = [fit.clusters for fit in own]
    rises = {
        part: importance.rise(tables[0], [np.stack(each) for each in zip(*found, strict=True)], clusters)
        for part, found in repeats.items()
    }
    ranked = sorted(rises.items(), key=lambda item: -item[1].value)
    drivers = [
        {"name": names[part], "rise": rise.value, "low": finite(rise.low), "high": finite(rise.high), "p": rise.p}
        for part, rise in ranked
    ]
    return {
        "rows": sum(len(fit.rows) for fit in own),
        "repeats": min((len(found) for found in repeats.values()), default=0),
        "loss": float(np.concatenate(tables[0]).mean()),
        "drivers": drivers,
        "said": list(_task(loop).said_of_drivers(drivers)),
        "parts": len(names),
        "reason": "" if drivers else NO_TIME[1],
    }


def _influences(loop: Loop, own: Sequence[Fit], answers: Sequence[np.ndarray]) -> list[np.ndarray]:
    """By fit, each unit's influence on the judged loss."""
    metric = _task(loop).metrics()[0]
    found = []
    for fit, answer in zip(own, answers, strict=True):
        records = metric.records(fit.truth, answer.astype(np.float64))
        records = records if fit.weights is None else np.column_stack([records, fit.weights])
        found.append(loop.task.metric.evaluate(records)[1])
    return found
