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
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from deepenough.evidence import FAMILIES, Contender, Event, Evidence, Journal, Trial, finite
from deepenough.judge.verdict import Verdict, judge
from deepenough.judge.words import decision_sentence
from deepenough.racing import disk
from deepenough.racing.ctrl_c import CtrlC
from deepenough.racing.executors.local import Outcome
from deepenough.racing.order import Order, Running, next_number
from deepenough.racing.scheduler import dropped, next_order
from deepenough.racing.standing import Race
from deepenough.task.jobs import Job
from deepenough.task.task import Answer, SupervisedTask, Task

BLEND_WEIGHTS = (0.25, 0.5, 0.75)
"""Shares of the classical finalist in the blends that are judged beside the two."""


VERDICT_SECONDS, VERDICT_SHARE = 1.0, 0.04
"""The verdict so far is asked for at most so often, and takes at most so much of the time between two: many small fits
make it as dear as one of them."""


class Executor(Protocol):
    """Runs one trial in a folder, several at once where it is asked by several threads; ours is `executors.local`."""

    def run(self, order: Order, job: Job, folder: Path, stop: Callable[[], bool]) -> Outcome: ...


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
        self.running: dict[Future[Outcome], Running] = {}
        self.interrupted = False
        self.stop = CtrlC()
        self._judge_again_seconds = -math.inf
        self._disk_full = False
        self._dropped = {name for name, _ in dropped(self.evidence)}

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.plan, tuple(self.trials), self.records, self.units)

    def run(self, kept_seconds: Callable[[], float] = float) -> Generator[Event]:
        """Every trial until the budget is spent, then the blends. Ctrl-C ends it cleanly, with `interrupted`.

        kept_seconds: what comes after the race takes so long, beside the model and the report.
        """
        try:
            with self.stop:
                yield from self._trials(kept_seconds)
                yield from self._blends()
        except KeyboardInterrupt:
            self.interrupted = True
            yield self.say("interrupted", {"trials": len(self.trials)})

    def _trials(self, kept_seconds: Callable[[], float]) -> Iterator[Event]:
        """Keep every lane busy, as long as the scheduler knows what with."""

        def asked() -> Order | None:
            return next_order(self.evidence, self.clock() + kept_seconds(), tuple(self.running.values()))

        return self._in_lanes(asked)

    def trial(self, order: Order) -> Iterator[Event]:
        """Run one trial alone and write it down; its events."""
        orders = [order]
        return self._in_lanes(lambda: orders.pop() if orders else None)

    def _in_lanes(self, asked: Callable[[], Order | None]) -> Iterator[Event]:
        """Run what is asked for, until that is nothing and nothing runs. Only this thread reads and writes evidence."""
        with ThreadPoolExecutor(self.plan.lanes) as lanes:
            try:
                while True:
                    while (order := asked()) is not None:
                        yield self._begin(order, lanes)
                    if not self.running:
                        return
                    for future in wait(self.running, return_when=FIRST_COMPLETED).done:
                        yield from self._end(self.running.pop(future), future.result())
            finally:
                self.stop.asked |= bool(self.running)  # whoever stops listening leaves nothing running
                self.running.clear()

    def say(self, what: str, data: Mapping[str, Any]) -> Event:
        """An event, written before anybody hears it."""
        event = Event(what, round(self.clock(), 3), data)
        self.journal.append(event)
        return event

    def work_place(self, number: int) -> Path:
        return self.journal.folder / "work" / str(number)

    def work_folder(self, number: int) -> Path:
        """An empty place for a trial; what an earlier sitting left there is removed."""
        shutil.rmtree(self.work_place(number), ignore_errors=True)
        return self.work_place(number)

    def _run(self, order: Order, job: Job, folder: Path) -> Outcome:
        """Run it, with the cache that its family shares as long as the race goes on."""
        shared = self.journal.folder / "cache" / order.family
        return self.executor.run(dataclasses.replace(order, cache=str(shared)), job, folder, self.stop)

    def forget(self) -> None:
        """Remove what trials left for each other: the race is over."""
        shutil.rmtree(self.journal.folder / "cache", ignore_errors=True)

    def _begin(self, order: Order, lanes: ThreadPoolExecutor) -> Event:
        """Send a trial off, in a thread that waits for it; that it started."""
        event = self.say("trial_started", _shown(order) | {"limit_seconds": order.limit_seconds})
        began, folder = Running(order, self.clock()), self.work_folder(order.number)
        job = self.task.job(order.n_train, order.fold, order.seed)
        self.running[lanes.submit(self._run, order, job, folder)] = began
        return event

    def _end(self, ran: Running, outcome: Outcome) -> Iterator[Event]:
        """Write down how a trial ended; its events."""
        order, folder, shown = ran.order, self.work_place(ran.order.number), _shown(ran.order)
        for trial in self._rows(order, outcome, ran.started_seconds):
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
            number=self._next_number(),
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

    def _next_number(self) -> int:
        """One that no trial has, nor one that runs."""
        return next_number(self.trials, self.running.values())

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
                number=order.number if index == 0 else self._next_number(),
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
        blend = Trial(self._next_number(), name, "together", "blend", ours.n_train, fold, ours.seed, "ok")
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


def _shown(order: Order) -> dict[str, Any]:
    """What is said of a trial when it starts, and again when it ends."""
    names = ("number", "contender", "family", "purpose", "n_train", "fold")
    return {name: getattr(order, name) for name in names}


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
