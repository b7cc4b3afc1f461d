"""What a person calls: `race`, `resume` and `analyse`."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepenough import kinds
from deepenough import options as kinds_options
from deepenough.errors import Interrupted, RunError
from deepenough.evidence import Event, Journal, Plan, read
from deepenough.judge.verdict import Verdict, judge
from deepenough.model.folder import Member
from deepenough.racing import again, planning
from deepenough.racing import analysis as analysing
from deepenough.racing import business as businesses
from deepenough.racing import disk as disks
from deepenough.racing.budget import parse_budget
from deepenough.racing.executors.local import LocalExecutor
from deepenough.racing.finalize import HandOver, members, with_a_winner
from deepenough.racing.loop import Loop
from deepenough.racing.machine import machine
from deepenough.racing.mine import as_contender
from deepenough.racing.residuals import intervals, keep_truth
from deepenough.racing.run_folder import locked, new_folder
from deepenough.racing.standing import Race as Standing
from deepenough.racing.testing import seconds_wanted
from deepenough.report.live import heard_by
from deepenough.result import Race
from deepenough.seal import keys, sealing
from deepenough.task import sql
from deepenough.task.task import Question, Task

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Listener = Callable[[Event], None]
Listeners = Listener | Sequence[Listener] | None
VARIANTS = 48
"""Variants that are drawn from each learner's search space; how many are tried depends on the budget."""


def race(
    source: Any,
    target: str | None = None,
    *,
    budget: str | float = "2m",
    metric: str | None = None,
    task: str | None = None,
    group: str | None = None,
    time: str | None = None,
    folds: str | None = None,
    weights: str | None = None,
    class_weights: str | None = None,
    test: Any = None,
    query: str | None = None,
    drop: Sequence[str] = (),
    seed: int = 0,
    out: str | Path | None = None,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    memory: str | int | None = None,
    cores: int | None = None,
    equal_within: float | None = None,
    positive: str | None = None,
    prices: Mapping[str, float | str] | None = None,
    business: Mapping[str, str] | None = None,
    kind: str | None = None,
    race_mine: str | None = None,
    keep_logs: bool = False,
    disk: str | int | None = None,
    analysis: str | float = analysing.SHARE,
    sign: str | Path | None = None,
    listen: Listeners = None,
    started: float | None = None,
    **of_kind: Any,
) -> Race:
    """Race classical machine learning against deep learning on a source, and judge.

    source: path of a file, address of a database ("sqlite:///shop.db?table=orders"), or a pandas, polars or pyarrow
        frame.
    target: name of the column to predict.
    budget: wall-clock time from the call to the model saved ("30s", "2m", 90), or "40trials", which is repeatable.
    metric: what is judged; default calibrated log loss for classes, RMSE for numbers.
    task: `classification` or `regression`, where the target could be either; default: recognised, with the reason.
    group: column whose values never stand on both sides of a split.
    time: column by which training rows are older than judged ones.
    folds: column of your own split, of 2 to 20 values; rows of one are judged by models that learnt from the others.
    weights: column that says what each row weighs, in learning and in judging.
    class_weights: what a row weighs by its class: "balanced", or as "yes=5,no=1".
    test: a source of rows that nobody learns from, scored after the verdict, which stays what it is.
    query: what is selected from the database that the source names.
    drop: columns to leave out.
    seed: of every split, draw and fit.
    out: the run folder; default `runs/<name>-<number>`.
    only, without: names of learners to race, or to leave out.
    memory: the most that the trials that run may hold ("4GB"); default 80 % of what is free.
    cores: how many the trials that run may use; default all that this process may use. With two or more, and a budget
        in time, a trial of each family runs at any time, with half of cores and memory; with one they take turns.
    equal_within: the difference, in the judged metric's unit, that counts as none; default 5 % of the better finalist's
        loss or gain, whichever is smaller.
    positive: of two classes the one whose probability is asked; default the rarer one.
    prices: what things cost, by the names of `judge.cost.Prices` ({"kwh": .25, "core_hour": .04, "currency": "USD"}).
    business: what the model is for: any of `traffic` ("50/s"), `max_latency` ("20ms"), `worth` of the judged metric
        ("0.01=500/month") and `switch_cost` ("200/month"); the last two together say what counts as equal.
    kind: of data; default: recognised.
    keep_logs: keep what trials print, `logs/<trial>.log` in the run folder.
    disk: the most that the run folder may hold ("2GB"): models of beaten contenders are removed first, evidence never.
    analysis: the share of the budget that may go into explaining and checking the verdict, from 0 to .5 (or "20%").
    sign: PEM file of a private Ed25519 key that signs the run's seal; `deepenough keygen KEY` makes one.
    race_mine: `module:estimator` (or what makes one) of the model that is in use now, judged beside the finalists.
    listen: called with each `Event`; several may be given, () is none. Default: in a notebook one line, else none.
    started: `time.monotonic()` of the moment that the budget counts from; default now.
    of_kind: options that some kinds of data alone know, as `deepenough race --help` lists them: `horizon=12`,
        `series=["store", "item"]`; several names as a list, or as "store,item".

    Raises InputError where the source or an option can't be used, NothingToRaceError where a family has no learner.
    """
    asked = _asked(locals())
    key = keys.private_key(sign) if sign is not None else None
    begun, hear = _now() if started is None else started, heard_by(listen)
    use = businesses.read(business)
    equal_within, counts = businesses.equal_within(use, equal_within)
    options = {"equal_within": equal_within, "only": list(only), "without": list(without), "task": task}
    options |= {
        name: value for name, value in (("query", query), ("class_weights", class_weights)) if value is not None
    }
    own = kinds_options.read(of_kind)
    options |= own
    question = Question(target, metric, seed, tuple(drop), group, time, positive, options, folds, weights, test)
    chosen, reason = planning.chosen_kind(source, question, kind)
    kinds_options.refuse_strange(own, chosen.name)
    entries, absent = planning.entries(chosen, only, without)
    executor = LocalExecutor(planning.preload(entries))  # its servers import their libraries while the data are read
    seconds, trials = parse_budget(budget)
    present = [as_contender(chosen.mine(race_mine))] if race_mine else []
    loaded = chosen.load(source, question)
    planning.refuse_unheeded(question, loaded, chosen.name)
    about = machine()
    plan = planning.plan(
        chosen.name,
        question,
        loaded,
        contenders=(*planning.contenders(entries, seed, VARIANTS, getattr(loaded, "n_classes", None)), *present),
        budget_seconds=seconds,
        budget_trials=trials,
        **planning.machines_part(entries, seconds, about, cores, memory),
        absent=tuple(absent),
        setup={
            **disks.asked(keep_logs, disk),
            **planning.setup(about, reason, str(budget), prices),
            "remembers": {entry.name: entry.cls.remembers for entry in entries if entry.cls.remembers},
            **({"business": use, "asked_business": dict(business or {})} if use else {}),
            "asked": asked,
            "analysis": analysing.allowance(loaded, analysis),
            "expectation": [dict(item) for item in chosen.expectation(loaded)],
        },
        judge_options={"equal_within": equal_within, "looks": 1, "bootstrap_seed": seed, **counts},
    )
    folder = new_folder(out, str(loaded.source.get("name", "race")))
    with locked(folder), contextlib.closing(Journal(folder)) as journal:
        for fold in range(loaded.folds):
            journal.units(fold, loaded.units(fold))
        journal.append(plan)
        return _sitting(folder, journal, loaded, executor, begun, 0.0, hear, key)


def resume(
    folder: str | Path,
    *,
    source: Any = None,
    test: Any = None,
    listen: Listeners = None,
    started: float | None = None,
) -> Race:
    """Go on with a race that was interrupted, from its journal; a finished one is only judged and saved again.

    source, test: only where the race was given a frame, which no path leads back to: the same frame again.
    listen: as in `race`.
    started: `time.monotonic()` of the moment that this sitting counts from; default now.

    Raises RunError where the folder is no run or in use, SourceError where the data are not those that were raced.
    """
    begun, hear = _now() if started is None else started, heard_by(listen)
    place = Path(folder)
    evidence = read(place)
    with locked(place):
        task, executor = _again(evidence.plan, source, test)
        with contextlib.closing(Journal(place)) as journal:
            return _sitting(place, journal, task, executor, begun, evidence.elapsed_seconds, hear)


def analyse(folder: str | Path, *, source: Any = None, test: Any = None, listen: Listeners = None) -> Race:
    """Do what the budget of a finished race left undone of its analysis: its other splits, its drivers, its segments.

    It takes the time that it takes, moves no verdict, and can be stopped and called again: what is done stays done.

    source, test: only where the race was given a frame, which no path leads back to: the same frame again.
    listen: as in `race`.

    Raises RunError where the folder is no finished run or in use, SourceError where the data are not those raced.
    """
    hear, place = heard_by(listen), Path(folder)
    evidence = read(place)
    if not (place / "model").is_dir():
        raise RunError(f"{place} holds no finished race. Go on with it first: deepenough resume {place}")
    with locked(place):
        task, executor = _again(evidence.plan, source, test)
        unhurried = dataclasses.replace(evidence, plan=analysing.unhurried(evidence.plan))
        with contextlib.closing(Journal(place)) as journal:
            loop = Loop(task, unhurried, journal, executor, lambda: evidence.elapsed_seconds)
            for event in analysing.analyses(loop, judge(evidence), ()):
                hear(event)
            loop.forget()
    finished = Race(place)
    finished.write_report()
    return finished


def _again(plan: Plan, source: Any, test: Any) -> tuple[Task, LocalExecutor]:
    """The task of a race that was raced before, and what runs its trials. Raises SourceError where the data changed."""
    chosen = kinds.find()[plan.kind]
    options = plan.question["options"]
    entries, _ = planning.entries(chosen, options.get("only", ()), options.get("without", ()))
    executor = LocalExecutor(planning.preload(entries))  # its servers import their libraries while the data are read
    return again.task_of(plan, source, test), executor


def _sitting(
    folder: Path,
    journal: Journal,
    task: Task,
    executor: LocalExecutor,
    begun: float,
    before: float,
    hear: Listener,
    key: Ed25519PrivateKey | None = None,
) -> Race:
    """From the journal to the report, once."""
    loop = Loop(task, read(folder), journal, executor, lambda: before + _now() - begun)
    plan = loop.plan
    if before:
        hear(loop.say("resumed", {"trials": len(loop.trials), "seconds": round(before, 1)}))
    shown: dict[str, Any] = {
        "rows": plan.rows,
        "called": plan.question.get("called"),
        "largest": plan.largest,
        "folds": plan.folds,
        "budget_seconds": plan.budget_seconds,
    }
    shown |= {"budget_trials": plan.budget_trials, "out": str(folder)}
    if plan.budget_seconds is not None:
        shown["share_seconds"] = round(Standing(loop.evidence, loop.clock()).share, 2)
    listed = [{"name": c.name, "family": c.family} for c in plan.contenders if c.name == c.learner]
    hear(loop.say("plan", shown | {"contenders": listed}))
    with contextlib.closing(loop.run(lambda: seconds_wanted(loop))) as events:
        for event in events:
            hear(event)
    verdict = with_a_winner(loop, judge(loop.evidence))
    if not loop.interrupted and verdict.winner:
        handed = _hand_over(folder, loop, verdict, task, hear)
        for event in analysing.analyses(loop, verdict, handed):
            hear(event)
    if not loop.interrupted:
        loop.forget()
    hear(loop.say("done", {"decision": verdict.decision, "interrupted": loop.interrupted}))
    journal.close()
    finished = Race(folder)
    finished.write_report()
    if loop.interrupted:
        so_far = finished.decision_sentence
        raise Interrupted(f"Stopped. The verdict so far: {so_far} Go on with: deepenough resume {folder}")
    finished.write_card()
    sealing.at_the_end(finished, key)
    return finished


def _hand_over(folder: Path, loop: Loop, verdict: Verdict, task: Task, hear: Listener) -> Sequence[Member]:
    """Save the model; returns what it is made of."""
    from deepenough.model.folder import save

    made: Sequence[Member] = ()
    keep_truth(loop)
    for item in members(loop, verdict):
        if isinstance(item, HandOver):
            made = item.members
            if not made:  # nothing that was fitted in time was kept
                return made
            codec = kinds.find()[loop.plan.kind].codec(task)
            facts: dict[str, Any] = {"how": item.how, "note": item.note, "kind": loop.plan.kind}
            facts["decision"] = verdict.decision
            facts["question"] = {name: value for name, value in loop.plan.question.items() if name != "test"}
            found = intervals(loop, verdict)
            save(folder / "model", made, codec, facts | ({"intervals": found.to_json()} if found else {}))
            hear(loop.say("model_saved", {"how": item.how, "rows": item.rows, "note": item.note}))
        else:
            hear(item)
    return made


def _now() -> float:
    return time.monotonic()


_NOT_OF_THE_COMMAND = ("target", "budget", "out", "prices", "business", "listen", "started", "sign")


def _asked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The source and the options as they were given, but defaults: the report makes the race's command of them again.

    given: arguments of `race`. What no command line can hold is left out, and so are passwords of databases.
    """
    kept = {}
    defaults = {name: parameter.default for name, parameter in inspect.signature(race).parameters.items()}
    for name, default in (defaults | dict.fromkeys(given["of_kind"])).items():
        value = given["of_kind"][name] if name in given["of_kind"] else given[name]
        value = list(value) if isinstance(value, list | tuple) else str(value) if isinstance(value, Path) else value
        value = sql.without_secrets(value) if isinstance(value, str) else value
        plain = isinstance(value, str | int | float | list)
        if plain and value and value != default and name not in _NOT_OF_THE_COMMAND:
            kept[name] = value
    return kept
