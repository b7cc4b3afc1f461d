"""The model that is handed over: the winner refitted on all rows, or the models that were judged; checked and saved.

Needs that this module answers:

* The winner saw as many rows as there are, or as many as the time allows; where that is no more than it was judged
  with, or its refit was cut early, the mean of its fold models is handed over, else the one that was judged. Which it
  is, is said, and that a refitted model was not scored itself.
* Its calibration hangs on no luck of a few inner rows: those of its contender's judged models have a say in it.
* What is saved was loaded again and predicted the same, in the trial that saved it.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from deepenough.evidence import FAMILIES, FINISHED, Event, Plan, Trial
from deepenough.judge.called import called, said
from deepenough.judge.verdict import Verdict
from deepenough.model.folder import Member
from deepenough.racing.loop import Loop
from deepenough.racing.order import Order, next_number
from deepenough.racing.scheduler import GRACE_SECONDS, ONE_ROW_SECONDS, threads_in_lane
from deepenough.racing.standing import RESEED, SAVE_SECONDS, Race, explain_seconds
from deepenough.racing.testing import seconds_wanted

REFIT_PART = 0.6
"""So much of what a refit is predicted to take must be left: at its deadline it gives its best so far. It must have as
long as one of the judged models had, too: as many steps, on more rows."""
ROWS_A_THREAD = 500
"""With fewer rows a refit's threads only spin."""
WORTH_A_REFIT = 1.5
"""A refit on a part of the rows must see so many times as many as the judged models did."""
POOLED_ROWS = 1000
"""What the calibrations of all judged models together say beside the refit's own, in rows that a model learnt from."""
WORTH_HANDING = 0.5
"""Of the planned steps, a refit must get through so much of the share that the judged models got through."""


@dataclass(frozen=True)
class HandOver:
    """What is handed over: its members, how it came to be, from how many rows, and a sentence that says so."""

    members: tuple[Member, ...]
    how: str
    rows: int
    note: str


def members(loop: Loop, verdict: Verdict) -> Iterator[Event | HandOver]:
    """Refit the winner (or winners, for a blend), and give what is handed over as the last item."""
    found: list[Member] = []
    hows = set()
    seen: list[int] = []
    for name, weight in zip(verdict.winner, verdict.winner_weights, strict=True):
        trial, judged = _refitted(loop, name), _fold_models(loop, verdict, name)
        rows = _refit_rows(loop, verdict, name)
        if trial is None and rows is not None:
            shown = {"contender": name, "family": loop.plan.contender(name).family, "purpose": "refit", "n_train": rows}
            yield loop.say("trial_started", shown)
            trial = _refit(loop, name, rows)
            yield loop.say("trial_ended", shown | {"status": trial.status, "wall_seconds": trial.wall_seconds})
        if trial is not None and trial.model:
            _calibrate(loop, trial, judged)
        kept = [trial] if trial is not None and _stands(trial, judged) else judged
        hows.add("refit" if kept and kept[0].purpose == "refit" else "fold_models" if len(kept) > 1 else "judged")
        found.extend(_member(loop, each, name, weight / len(kept)) for each in kept)
        seen.append(kept[0].n_train if kept else 0)
    how = hows.pop() if len(hows) == 1 else "mixed"
    note = said(_note(loop, verdict, how, min(seen)), called(loop.plan.question))
    yield HandOver(tuple(found), how, min(seen), note)


def with_a_winner(loop: Loop, verdict: Verdict) -> Verdict:
    """The verdict, with somebody to hand over where no size was judged for both: the leader of the first family."""
    race = Race(loop.evidence, loop.clock())
    leaders = [leader for family in FAMILIES if (leader := race.leader(family))]
    if verdict.winner or not leaders:
        return verdict
    return dataclasses.replace(verdict, winner=(leaders[0].name,), winner_weights=(1.0,))


def _refit_rows(loop: Loop, verdict: Verdict, name: str) -> int | None:
    """Rows of the refit: all, or the most that its part of the time left allows; None where that gains too little."""
    if loop.plan.budget_seconds is None:
        return loop.plan.rows
    race = Race(loop.evidence, loop.clock())
    contender, waiting = loop.plan.contender(name), len(verdict.winner) - verdict.winner.index(name)
    seconds = _seconds_left(loop) / waiting
    if seconds < race.seconds_for(contender, verdict.n_train):
        return None
    sizes = [loop.plan.rows, *race.sizes()]
    worth = [rows for rows in sizes if rows == loop.plan.rows or rows >= WORTH_A_REFIT * verdict.n_train]
    return next((rows for rows in worth if REFIT_PART * race.seconds_for(contender, rows) <= seconds), None)


def _seconds_left(loop: Loop) -> float:
    budget = loop.plan.budget_seconds or 0.0
    return budget - loop.clock() - SAVE_SECONDS - explain_seconds(budget) - seconds_wanted(loop)


def _stands(refit: Trial, judged: Sequence[Trial]) -> bool:
    """Whether it was fitted about as far as the models that were judged: one that was cut early predicts worse."""
    usual = min((trial.planned for trial in judged), default=0.0)
    return refit.status in FINISHED and refit.planned >= WORTH_HANDING * usual


def _refitted(loop: Loop, name: str) -> Trial | None:
    """The refit that an earlier sitting made."""
    return next((t for t in loop.trials if t.purpose == "refit" and t.contender == name and t.model), None)


def _refit(loop: Loop, name: str, rows: int) -> Trial:
    contender = loop.plan.contender(name)
    limit = None if loop.plan.budget_seconds is None else max(_seconds_left(loop), 0.5)
    seed = (loop.plan.seed * 1009 + RESEED // 2) % 2**31
    order = Order.of(
        loop.plan,
        contender,
        number=next_number(loop.trials),
        purpose="refit",
        n_train=rows,
        fold=0,
        seed=seed,
        limit_seconds=limit,
        kill_seconds=None if limit is None else limit + GRACE_SECONDS,
        threads=_threads(loop.plan, rows),
        keep=True,
        one_row_seconds=ONE_ROW_SECONDS,
    )
    everything = rows == loop.plan.rows
    return loop.unscored(order, loop.task.refit_job(seed) if everything else loop.task.job(rows, 0, seed))


def _threads(plan: Plan, rows: int) -> int:
    """A refit runs alone: where the clock counts it has all cores, where trials do what any trial has: the same seed is
    to give the same model on another machine."""
    counted = plan.budget_seconds is None
    return threads_in_lane(plan, rows) if counted else min(plan.threads, max(1, rows // ROWS_A_THREAD))


def _fold_models(loop: Loop, verdict: Verdict, name: str) -> list[Trial]:
    kept = [
        t
        for t in loop.trials
        if t.contender == name and t.purpose == "final" and t.n_train == verdict.n_train and t.model and t.finished
    ]
    return kept or [t for t in loop.trials if t.contender == name and t.model and t.finished][-1:]


def _member(loop: Loop, trial: Trial, name: str, weight: float) -> Member:
    contender = loop.plan.contender(name)
    told = _told(loop, trial)
    return Member(
        name=contender.learner,
        learner=contender.path,
        model=told["class"],
        family=contender.family,
        weight=weight,
        temperature=told["temperature"],
        settings=contender.settings,
        source=loop.journal.folder / trial.model,
    )


def _calibrate(loop: Loop, refit: Trial, judged: Sequence[Trial]) -> None:
    """Move the refitted model's temperature (or spread) towards those of its contender's judged models.

    Its own was fitted on inner rows that are few in a small set. Those of the others count together as if they had been
    fitted by one model of POOLED_ROWS rows, or of as many as they had: of many rows the own says more, and what more
    rows change in a model, the others do not know. Its own is kept beside it: done again, it comes to the same.
    """
    own, others = _told(loop, refit), [trial for trial in judged if trial.model]
    if not others:
        return
    rows = min(sum(trial.n_train for trial in others), POOLED_ROWS)
    theirs = mean(math.log(_told(loop, trial)["temperature"]) for trial in others)
    alone = own.get("own_temperature", own["temperature"])
    logarithm = (refit.n_train * math.log(alone) + rows * theirs) / (refit.n_train + rows)
    loop.journal.note(f"{refit.model}.json", own | {"temperature": math.exp(logarithm), "own_temperature": alone})


def _told(loop: Loop, trial: Trial) -> dict[str, Any]:
    """What it takes to use the model that a trial kept."""
    told: dict[str, Any] = json.loads(Path(f"{loop.journal.folder / trial.model}.json").read_text())
    return told


def _note(loop: Loop, verdict: Verdict, how: str, seen: int) -> str:
    """What the handed-over model saw, beside what was judged."""
    judged, rows = verdict.n_train, loop.plan.rows
    if not judged:
        return f"Fitted on {seen:,} of {rows:,} rows. Nothing was judged at a size that both families finished."
    if how == "refit":
        times = seen / max(judged, 1)
        more = f"{times:.0f} times as many" if times >= 2 else f"{times - 1:.0%} more" if seen > judged else "as many"
        of = f"{seen:,} of {rows:,}" if seen < rows else f"all {rows:,}"
        saw = f"this one saw {more} ({of}) and was not scored itself"
        return f"The judged models learnt from {judged:,} rows; {saw}."
    if how == "fold_models":
        fitted = f"each fitted on {judged:,} of {rows:,} rows"
        return f"The mean of the models that were judged, {fitted}: there was no time for a refit."
    if how == "judged":
        return f"The model that was judged, fitted on {judged:,} of {rows:,} rows: there was no time for a refit."
    return f"Partly refitted on all {rows:,} rows, partly the models that were judged: there was no time for more."
