"""Asks the scheduler, sends trials, scores, appends, yields events; knows no kind.

Needs that this module answers:

* What is on the disk is the truth: a trial counts when its line is written, so a race killed at any moment goes on from
  its journal and runs nothing twice.
* Predictions come back from a trial, records are made here, where the labels are.
* Terminal, web page and report listen to the same events.
"""

from __future__ import annotations

import dataclasses
import math
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from deepenough.evidence import FAMILIES, Contender, Event, Evidence, Journal, Trial, finite
from deepenough.judge.verdict import Verdict, judge
from deepenough.judge.words import decision_sentence
from deepenough.kinds import settings_of
from deepenough.racing import disk
from deepenough.racing.executors.local import Outcome
from deepenough.racing.order import Order
from deepenough.racing.scheduler import dropped, next_order
from deepenough.racing.standing import Race
from deepenough.task.jobs import Job
from deepenough.task.task import Answer, SupervisedTask, Task

BLEND_WEIGHTS = (0.25, 0.5, 0.75)
"""Shares of the classical finalist in the blends that are judged beside the two."""


VERDICT_SECONDS, VERDICT_SHARE = 1.0, 0.04
"""The verdict so far is asked for at most so often, and takes at most so much of the time between two: many small fits
make it as dear as one of them."""

MOST_MISSES = 20
"""Draws from a search space in a row that may bring nothing new, before it counts as exhausted."""

TWICE_SECONDS = 1.0
"""Two signals closer than that are one Ctrl-C: shells and wrappers pass on what the terminal sent already."""


class Executor(Protocol):
    """Runs one trial in a folder; ours is `executors.local`."""

    def run(self, order: Order, job: Job, folder: Path, stop: Callable[[], bool]) -> Outcome: ...


class _CtrlC:
    """The first Ctrl-C asks the race to stop between two steps, with nothing left half done; a later one insists."""

    def __init__(self) -> None:
        self.asked = False
        self._when = 0.0

    def __enter__(self) -> _CtrlC:
        if threading.current_thread() is threading.main_thread():  # elsewhere nobody may set signals
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before)

    def __call__(self) -> bool:
        return self.asked

    def _note(self, number: int, frame: object) -> None:
        if self.asked and time.monotonic() - self._when > TWICE_SECONDS:
            raise KeyboardInterrupt
        self.asked, self._when = True, self._when or time.monotonic()


class Loop:
    """One sitting of a race: from what the journal holds to the verdict."""

    def __init__(
        self, task: Task, evidence: Evidence, journal: Journal, executor: Executor, clock: Callable[[], float]
    ) -> None:
        self.task = task
        self.plan = evidence.plan
        self.journal = journal
        self.executor = executor
        self.clock = clock
        self.trials = disk.with_their_models(evidence.trials, journal.folder)
        self.records: dict[int, np.ndarray] = dict(evidence.records)
        self.units = {fold: task.units(fold) for fold in range(task.folds)}
        self.interrupted = False
        self.stop = _CtrlC()
        self._judge_again_seconds = -math.inf
        self._disk_full = False
        self._dropped = {name for name, _ in dropped(self.evidence)}

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.plan, tuple(self.trials), self.records, self.units)

    def run(self, kept_seconds: Callable[[], float] = float) -> Iterator[Event]:
        """Every trial until the budget is spent, then the blends. Ctrl-C ends it cleanly, with `interrupted`.

        kept_seconds: what comes after the race takes so long, beside the model and the report.
        """
        try:
            with self.stop:
                while (order := next_order(self.evidence, self.clock() + kept_seconds())) is not None:
                    yield from self.trial(order)
                yield from self._blends()
        except KeyboardInterrupt:
            self.interrupted = True
            yield self.say("interrupted", {"trials": len(self.trials)})

    def say(self, what: str, data: Mapping[str, Any]) -> Event:
        """An event, written before anybody hears it."""
        event = Event(what, round(self.clock(), 3), data)
        self.journal.append(event)
        return event

    def work_folder(self, number: int) -> Path:
        """An empty place for a trial; what an earlier sitting left there is removed."""
        folder = self.journal.folder / "work" / str(number)
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def _run(self, order: Order, job: Job, folder: Path) -> Outcome:
        """Run it, with the cache that its family shares as long as the race goes on."""
        shared = self.journal.folder / "cache" / order.family
        return self.executor.run(dataclasses.replace(order, cache=str(shared)), job, folder, self.stop)

    def forget(self) -> None:
        """Remove what trials left for each other: the race is over."""
        shutil.rmtree(self.journal.folder / "cache", ignore_errors=True)

    def trial(self, order: Order) -> Iterator[Event]:
        """Run one trial and write it down; its events."""
        shown = {"number": order.number, "contender": order.contender, "family": order.family}
        shown |= {"purpose": order.purpose, "n_train": order.n_train, "fold": order.fold}
        yield self.say("trial_started", shown | {"limit_seconds": order.limit_seconds})
        started, folder = self.clock(), self.work_folder(order.number)
        outcome = self._run(order, self.task.job(order.n_train, order.fold, order.seed), folder)
        for trial in self._rows(order, outcome, started):
            self.journal.append(trial)
            self.trials.append(trial)
            told = {"status": trial.status, "loss": trial.loss, "scores": dict(trial.scores), "error": trial.error}
            yield self.say("trial_ended", shown | told | {"wall_seconds": round(trial.wall_seconds, 3)})
        if self.plan.setup.get("keep_logs"):
            disk.keep_log(self.journal.folder, folder, order.number)
        shutil.rmtree(folder, ignore_errors=True)
        yield from self._make_room()
        yield from self._after(order)

    def _make_room(self) -> Iterator[Event]:
        """Keep to the disk that was allowed: models of beaten contenders are removed, and it is said."""
        limit = self.plan.setup.get("disk_bytes")
        if limit is None:
            return
        race = Race(self.evidence)
        leaders = [leader.name for family in FAMILIES if (leader := race.leader(family))]
        removed, held = disk.make_room(self.trials, self.journal.folder, limit, leaders)
        self.trials = disk.with_their_models(self.trials, self.journal.folder)
        is_new = held > limit and not self._disk_full
        self._disk_full = held > limit
        if removed or is_new:
            yield self.say("note", disk.said(removed, held, limit))

    def unscored(self, order: Order, job: Job) -> Trial:
        """Run a trial that nobody judges (a refit) and write it down."""
        folder = self.work_folder(order.number)
        started = self.clock()
        outcome = self._run(order, job, folder)
        trial = self._row(order, outcome, started)
        self.journal.append(trial)
        self.trials.append(trial)
        shutil.rmtree(folder, ignore_errors=True)
        return trial

    def beside(
        self, like: Trial, purpose: str, job: Job, limit_seconds: float | None, kill_seconds: float | None
    ) -> Outcome:
        """Ask the model of a trial something more, in a process as a trial's. It is nobody's: no family pays for it."""
        contender = self.plan.contender(like.contender)
        order = Order.of(
            self.plan,
            contender,
            number=max(trial.number for trial in self.trials) + 1,
            purpose=purpose,
            n_train=like.n_train,
            fold=like.fold,
            seed=self.plan.seed,
            limit_seconds=limit_seconds,
            kill_seconds=kill_seconds,
            threads=1,
        )
        folder = self.work_folder(order.number)
        try:
            return self._run(order, job, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def baseline(self) -> list[Contender]:
        """The trivial learner, if there is one."""
        return [contender for contender in self.plan.contenders if contender.family == "baseline"][:1]

    def _rows(self, order: Order, outcome: Outcome, started: float) -> Iterator[Trial]:
        """A row of evidence for each rung that the trial answered; one without an answer where it gave none."""
        row = self._row(order, outcome, started)
        if not outcome.answers:
            yield row
        shared = 0.0
        for index, answer in enumerate(outcome.answers):
            seconds = outcome.told["rungs"][index][1] if len(outcome.answers) > 1 else outcome.wall_seconds
            part = dataclasses.replace(
                row,
                number=order.number + index,
                n_train=answer.n_train,
                purpose=order.purpose if answer.n_train == order.n_train else "ladder",
                wall_seconds=seconds - shared,
            )
            shared = seconds
            yield self._scored(part, answer)

    def _row(self, order: Order, outcome: Outcome, started: float) -> Trial:
        """What is known of a trial before it is scored."""
        model = self._keep(order, outcome)
        return Trial(
            number=order.number,
            contender=order.contender,
            family=order.family,
            purpose=order.purpose,
            n_train=order.n_train,
            fold=order.fold,
            seed=order.seed,
            status=outcome.status,
            limit_seconds=order.limit_seconds,
            started_seconds=round(started, 3),
            startup_seconds=outcome.startup_seconds,
            wall_seconds=outcome.wall_seconds,
            cpu_seconds=outcome.cpu_seconds,
            threads=order.threads,
            model=model,
            error=outcome.error,
            **{name: outcome.told[name] for name in _MEASURED if outcome.told.get(name) is not None},
        )

    def _scored(self, trial: Trial, answer: Answer) -> Trial:
        """The trial with its loss, its records on the disk. What can't be scored is an error of the learner."""
        try:
            records = self.task.records(answer, trial.fold)
            scores = {name: finite(score) for name, score in self.task.scores(answer, trial.fold).items()}
        except (ValueError, FloatingPointError) as error:
            return dataclasses.replace(trial, status="error", error=f"its answer can't be scored: {error}")
        if records is None:
            return trial
        loss = finite(self.task.metric.evaluate(records)[0])
        self.records[trial.number] = records
        path = self.journal.array(f"records/{trial.number}.npy", records)
        kept = ""
        if answer.predictions is not None and trial.purpose == "final":
            kept = self.journal.array(f"predictions/{trial.number}.npy", answer.predictions.astype(np.float32))
        known = {name: score for name, score in scores.items() if score is not None}
        return dataclasses.replace(trial, loss=loss, scores=known, records=path, predictions=kept)

    def _keep(self, order: Order, outcome: Outcome) -> str:
        """Move the saved model out of the work folder, whole, with what it takes to use it."""
        if outcome.model is None or not outcome.answers:
            return ""
        place = self.journal.folder / "models" / str(order.number)
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(exist_ok=True)
        outcome.model.rename(place)
        told = {"class": outcome.told["model_class"], "temperature": outcome.told.get("temperature", 1.0)}
        # The name's ending keeps it out of the model's own files.
        self.journal.note(f"models/{order.number}.json", told)
        return f"models/{order.number}"

    def _after(self, order: Order) -> Iterator[Event]:
        """What changed with this trial: who is dropped, a rung that both families have, the verdict so far."""
        for name, probability in dropped(self.evidence):
            if name not in self._dropped:
                self._dropped.add(name)
                reason = f"beats its family's leader with probability {probability:.3f}"
                yield self.say("dropped", {"contender": name, "probability": probability, "reason": reason})
        if order.purpose != "final" or order.family not in FAMILIES:
            return
        finals = {(t.family, t.fold) for t in self.trials if t.purpose == "final" and t.finished}
        if all((family, order.fold) in finals for family in FAMILIES):
            yield self.say("rung_done", {"n_train": order.n_train, "fold": order.fold})
            if (began := self.clock()) < self._judge_again_seconds:
                return
            verdict = judge(self.evidence, final=False, curves=False)
            took = self.clock() - began
            self._judge_again_seconds = began + max(VERDICT_SECONDS, took / VERDICT_SHARE)
            gap = verdict.gap and {"value": verdict.gap.value, "low": verdict.gap.low, "high": verdict.gap.high}
            said = {"decision": verdict.decision, "sentence": decision_sentence(verdict), "gap": gap}
            yield self.say("verdict_so_far", said)

    def _blends(self) -> Iterator[Event]:
        """Judge blends of the finalists: the picks of every part, at three weights, on every judged fold."""
        if self.task.shape != "supervised":
            return
        there = {(trial.contender, trial.fold) for trial in self.trials if trial.purpose == "blend"}
        for first, second in _pairs(judge(self.evidence, final=False, curves=False)):
            for weight in BLEND_WEIGHTS:
                name = f"{first}+{second}@{weight:.2f}"
                for fold in range(self.task.folds):
                    if (name, fold) not in there:
                        self._blend(name, (first, second), weight, fold)
            yield self.say("note", {"said": f"blends of {first} and {second} judged"})

    def _blend(self, name: str, pair: tuple[str, str], weight: float, fold: int) -> None:
        ours, theirs = self._final(pair[0], fold), self._final(pair[1], fold)
        if ours is None or theirs is None or ours.n_train != theirs.n_train:
            return
        read = [np.load(self.journal.folder / trial.predictions).astype(np.float64) for trial in (ours, theirs)]
        assert isinstance(self.task, SupervisedTask)
        answer = Answer(ours.n_train, self.task.blended(read, (weight, 1 - weight)))
        number = max(trial.number for trial in self.trials) + 1
        blend = Trial(number, name, "together", "blend", ours.n_train, fold, ours.seed, "ok")
        blend = dataclasses.replace(
            blend,
            fit_cpu_seconds=ours.fit_cpu_seconds + theirs.fit_cpu_seconds,
            fit_wall_seconds=ours.fit_wall_seconds + theirs.fit_wall_seconds,
        )
        scored = self._scored(blend, answer)
        self.journal.append(scored)
        self.trials.append(scored)

    def _final(self, contender: str, fold: int) -> Trial | None:
        finals = [t for t in self.trials if t.contender == contender and t.fold == fold and t.predictions]
        return max(finals, key=lambda trial: trial.n_train, default=None)


_MEASURED = (
    "fit_wall_seconds",
    "fit_cpu_seconds",
    "predict_wall_seconds",
    "peak_bytes",
    "joules",
    "joules_source",
    "predict_one_ms_p50",
    "predict_one_ms_p95",
    "predict_rows_per_second",
    "model_bytes",
    "load_average",
    "planned",
)


def _pairs(verdict: Verdict) -> list[tuple[str, str]]:
    """Classical and deep picks that meet in some part."""
    if verdict.classical is None or verdict.deep is None:
        return []
    return sorted(set(zip(verdict.classical.picks, verdict.deep.picks, strict=True)))


def contenders(entries: Any, plan_seed: int, variants: int, n_classes: int | None = None) -> Iterator[Contender]:
    """Contenders of found learners, the first by priority first: its defaults, then variants from its search space."""
    priorities = {entry.name: entry.cls.priority_for(n_classes) for entry in entries}
    for entry in sorted(entries, key=lambda entry: (entry.family, priorities[entry.name], entry.name)):
        base, priority = entry.cls(), priorities[entry.name]
        yield _contender(entry, entry.name, settings_of(base), priority)
        random = np.random.default_rng([plan_seed, sum(entry.name.encode())])
        for index, variant in enumerate(_variants(base, entry.cls.space(), random, variants), 2):
            yield _contender(entry, f"{entry.name}-{index}", variant, priority)


def _variants(base: Any, space: Mapping[str, Any], random: np.random.Generator, most: int) -> Iterator[dict[str, Any]]:
    """Settings drawn from a search space, none twice and none the defaults: a small space gives fewer."""
    known, misses = [settings_of(base)], 0
    while space and len(known) <= most and misses < MOST_MISSES:
        drawn = {name: draw(random) for name, draw in sorted(space.items())}
        variant = settings_of(dataclasses.replace(base, **drawn))
        misses = misses + 1 if variant in known else 0
        if not misses:
            known.append(variant)
            yield variant


def _contender(entry: Any, name: str, settings: Mapping[str, Any], priority: int) -> Contender:
    cls = entry.cls
    return Contender(
        name,
        entry.name,
        entry.path,
        entry.family,
        settings,
        priority,
        cls.deterministic,
        cls.family_reason,
        dataclasses.asdict(cls.pretrained) if cls.pretrained else {},
    )
