"""Does the verdict survive another honest split? Both finalists fitted and judged again, their rows split otherwise.

Needs that this module answers:

* It is the same judge: each other split is evidence of its own, in a folder below the run's with its own plan, units
  and trials, which `judge.verdict` reads as any other. So it can be looked into, and goes on where it stopped.
* Nobody is chosen anew: the finalists of the race run there, at the race's size where the split leaves so many rows,
  with the time that their finals had.
* It never moves the verdict: what flips is said beside it.
* It takes what the analysis may take and no more (see `racing.analysis`); what does not fit is said, and done by
  `deepenough analyse`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from deepenough.errors import InputError
from deepenough.evidence import FAMILIES, FINISHED, JOURNAL, Contender, Event, Evidence, Journal, Plan, finite, read
from deepenough.judge.verdict import Verdict, judge
from deepenough.racing.loop import Loop
from deepenough.racing.order import Order, next_number
from deepenough.racing.scheduler import GRACE_SECONDS, threads_in_lane
from deepenough.racing.standing import Race
from deepenough.task.task import OtherSplit, Task

FOLDS = 2
"""Folds that a split is judged on at least; where all fit, as many as the race had."""
NO_TIME = "no time was left to judge under it"
_SLACK = 1.25
"""Of the time that a finalist's finals took, each fit may take so much."""


def resplits(loop: Loop, verdict: Verdict, allowed: float) -> Iterator[Event]:
    """Judge under every other split that fits, once a race: one event `resplit` a split.

    allowed: for all of them together, in the budget's unit (seconds or trials); infinite without a budget.
    """
    if not verdict.trusted or verdict.classical is None or verdict.deep is None:
        return
    done = {_key(event.data) for event in read(loop.journal.folder).events if is_done(event)}
    waiting = [split for split in loop.task.other_splits() if (split.splitting, split.by) not in done]
    for index, split in enumerate(waiting):
        allowed -= yield from _resplit(loop, verdict, split, allowed / (len(waiting) - index))


def is_done(event: Event) -> bool:
    """Whether a split was judged, or can't be: what only lacked time is tried again."""
    return event.what == "resplit" and event.data.get("reason") != NO_TIME


def _key(data: Mapping[str, Any]) -> tuple[Any, Any]:
    return data.get("splitting"), data.get("by")


def _resplit(loop: Loop, verdict: Verdict, split: OtherSplit, allowed: float) -> Generator[Event, None, float]:
    """Judge under one split; gives back what it took of the budget."""
    began, trials = time.monotonic(), 0
    about: dict[str, Any] = {"splitting": split.splitting, "by": split.by, "reason": ""}
    try:
        folds = _folds_that_fit(loop, verdict, allowed)
        if folds is None:
            about["reason"] = NO_TIME
        else:
            evidence = yield from _judged_again(loop, verdict, split, folds)
            trials = len(evidence.trials)
            about |= _found(judge(evidence, curves=False))
    except InputError as error:
        about["reason"] = str(error)
    except Exception as error:  # what checks a verdict must not undo it
        about["reason"] = f"it went wrong: {type(error).__name__}: {error}"[:500]
    seconds = time.monotonic() - began
    yield loop.say("resplit", about | {"seconds": round(seconds, 3)})
    return trials if loop.plan.budget_trials is not None else seconds


def _finalists(loop: Loop, verdict: Verdict) -> list[Contender]:
    sides = [getattr(verdict, family) for family in FAMILIES]
    return [loop.plan.contender(side.contender) for side in sides]


def _folds_that_fit(loop: Loop, verdict: Verdict, allowed: float) -> int | None:
    """The most folds, up to those of the race, that fit into what is allowed; None where not even two do."""
    race = Race(loop.evidence, loop.clock())
    each = 3.0 if race.counted else sum(race.seconds_for(c, verdict.n_train) for c in _finalists(loop, verdict))
    most = max(verdict.folds, FOLDS)
    return next((folds for folds in range(most, FOLDS - 1, -1) if folds * each <= allowed), None)


def _judged_again(loop: Loop, verdict: Verdict, split: OtherSplit, folds: int) -> Generator[Event, None, Evidence]:
    """Run what is missing of the split's trials; gives its evidence back."""
    other, finalists = split.make(), _finalists(loop, verdict)
    size, folder = min(verdict.n_train, other.largest), loop.journal.folder / "splits" / _folder_name(split)
    with contextlib.closing(Journal(folder)) as journal:
        if (folder / JOURNAL).stat().st_size == 0:
            for fold in range(other.folds):
                journal.units(fold, other.units(fold))
            journal.append(_plan(loop.plan, other, finalists))
        own = Loop(other, read(folder), journal, loop.executor, loop.clock)
        for fold in range(min(folds, other.folds)):
            for contender in (*loop.baseline(), *finalists):
                if not _there(own, contender, size, fold):
                    yield from own.trial(_order(loop, own, contender, size, fold))
        return own.evidence


def _folder_name(split: OtherSplit) -> str:
    by = re.sub(r"[^\w.-]+", "-", split.by).strip("-.")[:60]
    return f"{split.splitting}-{by}" if by else split.splitting


def _plan(plan: Plan, other: Task, finalists: Sequence[Contender]) -> Plan:
    """The race's plan, for this split."""
    names = {contender.name for contender in finalists}
    return dataclasses.replace(
        plan,
        contenders=tuple(c for c in plan.contenders if c.family == "baseline" or c.name in names),
        largest=other.largest,
        smallest=other.smallest,
        folds=other.folds,
        judging=other.judging,
        splitting=other.splitting,
        units=tuple(len(other.units(fold).ids) for fold in range(other.folds)),
        columns=other.columns,
        flags=tuple(other.flags),
        notes=tuple(other.notes),
        setup={},
    )


def _there(own: Loop, contender: Contender, size: int, fold: int) -> bool:
    return any((t.contender, t.n_train, t.fold) == (contender.name, size, fold) for t in own.trials)


def _order(loop: Loop, own: Loop, contender: Contender, size: int, fold: int) -> Order:
    limit = None if loop.plan.budget_trials is not None else _limit_seconds(loop, contender)
    return Order.of(
        loop.plan,
        contender,
        number=next_number(own.trials),
        purpose="resplit",
        n_train=size,
        fold=fold,
        seed=Race(own.evidence).seed(fold),
        threads=threads_in_lane(loop.plan, size),
        limit_seconds=limit,
        kill_seconds=None if limit is None else limit + GRACE_SECONDS,
    )


def _limit_seconds(loop: Loop, contender: Contender) -> float | None:
    """The time that its finals had, so that both evidences speak of the same learner."""
    finals = [t for t in loop.trials if t.contender == contender.name and t.purpose == "final" and t.status in FINISHED]
    return _SLACK * max(trial.wall_seconds for trial in finals) + 0.5 if finals else None


def _found(verdict: Verdict) -> dict[str, Any]:
    """What the other split says of the pair, as plain data."""
    gap = verdict.gap
    return {
        "decision": verdict.under_budget,
        "trusted": verdict.trusted,
        "gap": None if gap is None else {name: finite(getattr(gap, name)) for name in ("value", "low", "high")},
        "equal_within": verdict.equal_within,
        "n_train": verdict.n_train,
        "folds": verdict.folds,
        "judged_rows": verdict.judged_rows,
        "losses": {f: side.loss for f in FAMILIES if (side := getattr(verdict, f)) is not None},
        "trivial_loss": verdict.trivial_loss,
        "flags": [flag["reason"] for flag in verdict.flags],
    }
