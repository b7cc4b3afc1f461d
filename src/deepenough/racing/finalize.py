"""The model that is handed over: the winner refitted on all rows, or the models that were judged; checked and saved.

Needs that this module answers:

* The winner saw as many rows as there are, if the time allows; if not, the mean of its fold models is handed over, else
  the one that was judged. Which it is, is said, and that a refitted model was not scored itself.
* What is saved was loaded again and predicted the same, in the trial that saved it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deepenough.evidence import FINISHED, Event, Trial
from deepenough.judge.verdict import Verdict
from deepenough.model.folder import Member
from deepenough.racing.loop import Loop
from deepenough.racing.order import Order
from deepenough.racing.scheduler import GRACE_SECONDS, RESEED, threads_for
from deepenough.racing.standing import Race

SAVE_SECONDS = 1.5
"""Kept for writing the model folder and the report when the refit's deadline is set."""


@dataclass(frozen=True)
class HandOver:
    """What is handed over: its members, how it came to be, and a sentence that says so."""

    members: tuple[Member, ...]
    how: str
    note: str


def members(loop: Loop, verdict: Verdict) -> Iterator[Event | HandOver]:
    """Refit the winner (or winners, for a blend), and give what is handed over as the last item."""
    found: list[Member] = []
    hows = set()
    for name, weight in zip(verdict.winner, verdict.winner_weights, strict=True):
        trial = _refitted(loop, name)
        if trial is None and _there_is_time(loop, verdict, name):
            yield loop.say("trial_started", {"contender": name, "purpose": "refit", "n_train": loop.plan.rows})
            trial = _refit(loop, name)
            yield loop.say("trial_ended", {"contender": name, "purpose": "refit", "status": trial.status})
        kept = [trial] if trial is not None and trial.status in FINISHED else _fold_models(loop, verdict, name)
        hows.add("refit" if kept and kept[0].purpose == "refit" else "fold_models" if len(kept) > 1 else "judged")
        found.extend(_member(loop, each, name, weight / len(kept)) for each in kept)
    how = hows.pop() if len(hows) == 1 else "mixed"
    yield HandOver(tuple(found), how, _note(loop, verdict, how))


def _there_is_time(loop: Loop, verdict: Verdict, name: str) -> bool:
    """Whether a refit of every winner fits; without a clock it always does."""
    if loop.plan.budget_seconds is None:
        return True
    race = Race(loop.evidence, loop.clock())
    needed = sum(race.seconds_for(loop.plan.contender(each), loop.plan.rows) for each in verdict.winner)
    return needed <= _seconds_left(loop) * (1.0 if name == verdict.winner[0] else 2.0)


def _seconds_left(loop: Loop) -> float:
    return (loop.plan.budget_seconds or 0.0) - loop.clock() - SAVE_SECONDS


def _refitted(loop: Loop, name: str) -> Trial | None:
    """The refit that an earlier sitting made."""
    return next((t for t in loop.trials if t.purpose == "refit" and t.contender == name and t.model), None)


def _refit(loop: Loop, name: str) -> Trial:
    contender = loop.plan.contender(name)
    limit = None if loop.plan.budget_seconds is None else max(_seconds_left(loop), 0.5)
    seed = (loop.plan.seed * 1009 + RESEED // 2) % 2**31
    order = Order(
        number=max(trial.number for trial in loop.trials) + 1,
        contender=name,
        learner=contender.path,
        family=contender.family,
        settings=contender.settings,
        purpose="refit",
        n_train=loop.plan.rows,
        fold=0,
        seed=seed,
        limit_seconds=limit,
        kill_seconds=None if limit is None else limit + GRACE_SECONDS,
        threads=threads_for(loop.plan, loop.plan.rows),
        memory_bytes=loop.plan.memory_bytes,
        device=loop.plan.device if contender.family == "deep" else "cpu",
        keep=True,
        time_one=True,
    )
    return loop.unscored(order, loop.task.refit_job(seed))


def _fold_models(loop: Loop, verdict: Verdict, name: str) -> list[Trial]:
    kept = [
        t
        for t in loop.trials
        if t.contender == name and t.purpose == "final" and t.n_train == verdict.n_train and t.model and t.finished
    ]
    return kept or [t for t in loop.trials if t.contender == name and t.model and t.finished][-1:]


def _member(loop: Loop, trial: Trial, name: str, weight: float) -> Member:
    contender = loop.plan.contender(name)
    folder = loop.journal.folder / trial.model
    told = json.loads(Path(f"{folder}.json").read_text())
    return Member(
        name=contender.learner,
        learner=contender.path,
        model=told["class"],
        family=contender.family,
        weight=weight,
        temperature=told["temperature"],
        settings=contender.settings,
        source=folder,
    )


def _note(loop: Loop, verdict: Verdict, how: str) -> str:
    """What the handed-over model saw, beside what was judged."""
    judged, rows = verdict.n_train, loop.plan.rows
    if how == "refit":
        more = f"{(rows / judged - 1):.0%} more rows" if judged and rows > judged else "all rows"
        saw = f"this one saw {more} ({rows:,}) and was not scored itself"
        return f"The judged models learnt from {judged:,} rows; {saw}."
    if how == "fold_models":
        fitted = f"each fitted on {judged:,} of {rows:,} rows"
        return f"The mean of the models that were judged, {fitted}: there was no time for a refit."
    if how == "judged":
        return f"The model that was judged, fitted on {judged:,} of {rows:,} rows: there was no time for a refit."
    return f"Partly refitted on all {rows:,} rows, partly the models that were judged: there was no time for more."
