"""What the verdict's better model found in the data, after it is explained: which way inputs move its answers and how
far, for whom what is predicted happens more often, and for whom the answers are worse. One event, `insights`.

Needs that this module answers:

* Nothing that luck also yields: where no learner was shown to beat the trivial answer nothing is looked for, of the
  inputs only those are looked at whose worth holds against the number of all (Holm), and groups are named by one half
  of the units and tested by the other.
* The evidence alone: judged models, on units that they had not learnt from, each unit by one model. Labels stay here.
* It takes what time is left, and never fails a race: what goes wrong is said.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from deepenough.evidence import FAMILIES, Event, finite, read
from deepenough.judge import effects, risks, traits
from deepenough.judge.effects import Effect, Fits, Grid
from deepenough.judge.segments import holm
from deepenough.judge.traits import Trait
from deepenough.judge.verdict import Finalist, Verdict
from deepenough.learner import Parted
from deepenough.racing import explain
from deepenough.racing.explain import REPORT_SECONDS, Fit, fits, sampled
from deepenough.racing.loop import Loop
from deepenough.racing.segments import FEWEST_UNITS, MOST_CELLS, MOST_TRAITS
from deepenough.task.jobs import Job, path_of
from deepenough.task.task import SupervisedTask

NO_TIME = "no time was left to ask what moves the answers"
"""After that it is looked again: in a later sitting, or by `deepenough analyse`."""
NO_SIGNAL = "no learner was shown to be better than the trivial answer, so that whatever stood here could be luck"
ALPHA = 0.05
MOST_DRIVERS = 8
MOST_ROWS = 2000
"""Units of all folds together that an input is moved for."""
SHARE = 0.025
"""Of the budget, for asking how answers move."""
LEAST_SECONDS = 0.1
SAVING_SECONDS = 0.3
"""Beyond the time, before the process is killed."""
MOST_CLASSES = 20


def insights(loop: Loop, verdict: Verdict) -> Iterator[Event]:
    """Look for them, once a race; what only lacked time is looked for again."""
    finalist = _better(verdict)
    if not isinstance(loop.task, SupervisedTask) or finalist is None:
        return
    said = [event.data for event in read(loop.journal.folder).events if event.what == "insights"]
    if any(data.get("lacks") != NO_TIME for data in said):
        return
    began = time.monotonic()
    family, own = finalist
    about = {"family": family, "contender": own.contender}
    try:
        found = _found(loop, verdict, family, own)
    except Exception as error:  # what explains a verdict must not undo it
        found = _nothing(f"it went wrong: {type(error).__name__}: {error}"[:500])
    yield loop.say("insights", about | found | {"seconds": round(time.monotonic() - began, 3)})


def _better(verdict: Verdict) -> tuple[str, Finalist] | None:
    """The finalist that is handed over, or of a blend or a tie the one with the lower loss."""
    sides = [(family, side) for family in FAMILIES if (side := getattr(verdict, family)) is not None]
    handed = [item for item in sides if item[0] == verdict.winner_family]
    return min(handed or sides, key=lambda item: item[1].loss, default=None)


def _nothing(reason: str) -> dict[str, Any]:
    nothing: dict[str, Any] = {name: [] for name in ("drivers", "outcomes", "errors", "found")}
    return nothing | {"reason": reason, "lacks": "", "looked_at": 0, "units": 0}


def _found(loop: Loop, verdict: Verdict, family: str, finalist: Finalist) -> dict[str, Any]:
    """The event's data."""
    if verdict.decision == "no_signal":
        return _nothing(NO_SIGNAL)
    own = fits(loop, finalist)
    if not own:
        return _nothing("the predictions of its finals were not kept")
    explained = _explained(loop, family)
    drivers = _sure_drivers(loop, explained)
    kept = [fit for fit in own if fit.trial.model]
    moved, lacks = _effects(loop, kept, [driver["name"] for driver in drivers])
    return {
        "reason": "",
        "lacks": NO_TIME if explained.get("reason") in explain.NO_TIME else lacks,
        "drivers": [driver | {"effect": moved.get(driver["name"])} for driver in drivers],
        "looked_at": len(explained.get("drivers", ())),
        "units": sum(len(fit.rows) for fit in own),
        "found": [dict(item) for item in _task(loop).found(ALPHA / 2)],
        **_risks(loop, own),
    }


def _task(loop: Loop) -> SupervisedTask:
    assert isinstance(loop.task, SupervisedTask)
    return loop.task


def _explained(loop: Loop, family: str) -> Mapping[str, Any]:
    """What was last said of what drives the family's finalist."""
    events = read(loop.journal.folder).events
    told = [event.data for event in events if event.what == "explained" and event.data.get("family") == family]
    return told[-1] if told else {}


def _sure_drivers(loop: Loop, explained: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The inputs whose worth holds against the number of all that were shuffled, the largest first."""
    found = [dict(item) for item in explained.get("drivers", ())]
    corrected = holm([item.get("p", 1.0) for item in found])
    sure = [item | {"p": p} for item, p in zip(found, corrected, strict=True) if p <= ALPHA and item["rise"] > 0]
    return [item for item in sure if not _task(loop).told_together(item["name"])][:MOST_DRIVERS]


# How inputs move the answers.


@dataclasses.dataclass(frozen=True)
class _Asked:
    """One input to move. grid: where to. held: by fit, what its units hold. changes: places of those asked about it."""

    name: str
    grid: Grid
    held: tuple[Trait, ...]
    changes: range


def _effects(loop: Loop, own: Sequence[Fit], names: Sequence[str]) -> tuple[dict[str, dict[str, Any]], str]:
    """By input which way and how far, as plain data, none of what has no values that a person would name; and why it
    could not be asked."""
    task = _task(loop)
    if not own or not names or own[0].predictions.ndim > 2 or task.paths is not None:
        return {}, ""
    if (seconds := _seconds(loop)) is not None and seconds < LEAST_SECONDS:
        return {}, NO_TIME
    own = sampled(own, _rows_each(own, len(names), seconds), loop.plan.seed)
    inputs = [task.inputs(fit.trial.fold).take(fit.rows) for fit in own]
    asked, rows = _changes(task, own, names) if isinstance(inputs[0], Parted) else ([], [])
    if not asked:
        return {}, ""
    parts = list(inputs[0].parts())
    job = _job(loop, own, inputs, [parts.index(item.name) for item in asked for _ in item.changes], rows)
    killed = None if seconds is None else seconds + SAVING_SECONDS
    outcome = loop.beside(own[0].trial, "explain", job, None, killed)
    if not outcome.answers or outcome.answers[0].predictions is None:
        is_late = outcome.status == "timeout"
        return {}, NO_TIME if is_late else f"the model could not be asked: {outcome.error or outcome.status}"[:300]
    answers, about = outcome.answers[0].predictions.astype(np.float64), _fits(own, loop.plan.rows)
    moved = {item.name: (item, _effect(item, answers[item.changes.start : item.changes.stop], about)) for item in asked}
    return {name: _plain(item, effect) for name, (item, effect) in moved.items() if effect is not None}, ""


def _seconds(loop: Loop) -> float | None:
    """Wall seconds for asking; None without a clock."""
    budget = loop.plan.budget_seconds
    return None if budget is None else min(SHARE * budget, budget - loop.clock() - REPORT_SECONDS)


def _rows_each(own: Sequence[Fit], names: int, seconds: float | None) -> int:
    """Units of each fit for which all inputs can be moved in half of the time."""
    rate = median(fit.trial.predict_rows_per_second or 1e4 for fit in own)
    most = MOST_ROWS if seconds is None else min(MOST_ROWS, int(0.5 * seconds * rate / (names * effects.MOST_LEVELS)))
    return max(most // len(own), 2 * effects.FEWEST_OF_A_LEVEL)


def _changes(task: SupervisedTask, own: Sequence[Fit], names: Sequence[str]) -> tuple[list[_Asked], list[np.ndarray]]:
    """What is asked of each input, and by change the unit whose value each unit takes, of all fits in turn."""
    known = [task.held(fit.trial.fold, names) for fit in own]
    asked: list[_Asked] = []
    rows: list[np.ndarray] = []
    for name in names:
        if not all(name in traits_of_fold for traits_of_fold in known):
            continue
        held = tuple(traits_of_fold[name].take(fit.rows) for traits_of_fold, fit in zip(known, own, strict=True))
        (together,) = traits.joined([(part,) for part in held])
        if (grid := effects.grid(together)) is None:
            continue
        by_fit = [_taken(grid, part) for part in held]
        begin = len(rows)
        rows += [np.concatenate(change) for change in zip(*by_fit, strict=True)]
        asked.append(_Asked(name, grid, held, range(begin, len(rows))))
    return asked, rows


def _taken(grid: Grid, held: Trait) -> list[np.ndarray]:
    """By change, whose value each unit takes: of a category's levels each in turn, of numbers the lower and the upper
    end of its bin. Who has none to take keeps its own."""
    stay = np.arange(len(held.values))
    holders = effects.holders(grid, held.values)
    if grid.is_category:
        return [np.where(holder >= 0, holder, stay) for holder in holders]
    where = effects.bins(grid, held.values)
    return [np.where(where >= 0, holders[np.maximum(where, 0) + side], stay) for side in (0, 1)]


def _effect(item: _Asked, answers: np.ndarray, fits: Fits) -> Effect | None:
    """answers: to each change of the input, of all fits' units in turn."""
    cuts = np.cumsum([len(held.values) for held in item.held])[:-1]
    codes = [code for code in fits.outcomes if code is not None]
    answers = answers[..., codes] if codes else answers[..., None]
    values, by_fit = [held.values for held in item.held], np.split(answers, cuts, axis=1)
    if item.grid.is_category:
        return effects.of_levels(item.grid, values, by_fit, fits)
    lower, upper = ([part[side] for part in by_fit] for side in (0, 1))
    return effects.of_numbers(item.grid, values, lower, upper, fits)


def _fits(own: Sequence[Fit], rows: int) -> Fits:
    """rows: of the whole data; two draws of so many from them share about that share."""
    truth, said = (np.concatenate([getattr(fit, name) for fit in own]) for name in ("truth", "predictions"))
    learnt, outcomes = own[0].trial.n_train, _outcomes(said)
    left = [truth - said if code is None else (truth == code) - said[:, code] for code in outcomes]
    noise = [float(each.var()) / learnt for each in left]
    return Fits(outcomes, [fit.clusters for fit in own], learnt / max(rows, 1), noise)


def _outcomes(predictions: np.ndarray) -> list[int | None]:
    """What moves: the number, or of two classes the second's probability, or that of each of more."""
    if predictions.ndim == 1:
        return [None]
    classes = predictions.shape[1]
    return [1] if classes == 2 else list(range(min(classes, MOST_CLASSES)))


def _job(
    loop: Loop, own: Sequence[Fit], inputs: Sequence[Any], parts: Sequence[int], rows: Sequence[np.ndarray]
) -> Job:
    arrays = {f"{i}.{name}": array for i, each in enumerate(inputs) for name, array in each.to_arrays().items()}
    arrays |= {f"rows.{place}": change.astype(np.uint32) for place, change in enumerate(rows)}
    facts = {
        "inputs": path_of(inputs[0]),
        "n_classes": getattr(loop.task, "n_classes", None),
        "models": [str((loop.journal.folder / fit.trial.model).resolve()) for fit in own],
        "changed": list(parts),
    }
    return Job("changed", arrays, facts)


def _plain(item: _Asked, effect: Effect) -> dict[str, Any]:
    """The effect with its grid in a person's values."""
    trait = item.held[0]
    values = item.grid.values.tolist()
    shown = [trait.levels[int(code)] if item.grid.is_category else traits.shown(code, trait) for code in values]
    told = dataclasses.asdict(effect) | {"curve": list(effect.curve), "form": trait.form}
    most = math.inf if effect.outcome is None else 1.0  # no probability moves further
    ends = {"low": finite(max(effect.low, -most)), "high": finite(min(effect.high, most))}
    return told | ends | {"at": values, "shown": [name[:200] for name in shown]}


# For whom it happens more often, and for whom the answers are worse.


def _risks(loop: Loop, own: Sequence[Fit]) -> dict[str, Any]:
    """Groups of the judged units by outcome and by error; empty where units have nothing to be named by."""
    task = _task(loop)
    nothing: dict[str, Any] = {"outcomes": [], "errors": []}
    truth = np.concatenate([fit.truth for fit in own])
    if len(truth) < FEWEST_UNITS or truth.ndim > 1 or task.paths is not None:
        return nothing
    most = min(MOST_TRAITS, max(MOST_CELLS // len(truth), 1))
    known = traits.joined([[each.take(fit.rows) for each in task.traits(fit.trial.fold)[:most]] for fit in own])
    if not known:
        return nothing
    predictions = np.concatenate([fit.predictions for fit in own])
    clusters = np.concatenate([fit.clusters for fit in own])
    if clusters.ndim > 1:
        return nothing
    is_rate = predictions.ndim > 1
    wrong = predictions.argmax(axis=1) != truth if is_rate else np.abs(predictions - truth)
    found = {"errors": risks.risks(wrong.astype(np.float64), clusters, known, loop.plan.seed, is_rate)}
    if not is_rate or predictions.shape[1] == 2:
        outcome = (truth == 1) if is_rate else truth
        found["outcomes"] = risks.risks(outcome.astype(np.float64), clusters, known, loop.plan.seed, is_rate)
    return nothing | {name: [_of_risk(risk) for risk in those] for name, those in found.items()}


def _of_risk(risk: risks.Risk) -> Mapping[str, Any]:
    spans = {
        name: {end: finite(value) for end, value in dataclasses.asdict(getattr(risk, name)).items()}
        for name in ("inside", "elsewhere")
    }
    return {item.name: getattr(risk, item.name) for item in dataclasses.fields(risk)} | spans
