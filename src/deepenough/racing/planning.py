"""What stands in the plan before anything is raced: who takes part, what was asked, on what machine.

Needs that this module answers:

* A race of one side is no race: a family without a learner that can run is refused, with what would bring one.
* All that a later reader needs to understand the race, or to run it again, is written down before it begins.
* What a person asked for and a kind does not heed is refused, never passed over.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepenough import kinds
from deepenough.errors import NothingToRaceError, OptionError
from deepenough.evidence import FAMILIES, Contender, Plan
from deepenough.judge.cost import Prices
from deepenough.racing.machine import cores_to_use, memory_to_use, packages
from deepenough.task import sql
from deepenough.task.task import Question, Task

MOST_MISSES = 20
"""Draws from a search space in a row that may bring nothing new, before it counts as exhausted."""


def setup(
    about: Mapping[str, Any], recognised: str, budget: str, prices: Mapping[str, float | str] | None
) -> dict[str, Any]:
    """What the race was run with, beside what the plan names itself."""
    known = {item.name: item.default for item in dataclasses.fields(Prices)}
    for name in prices or {}:
        if name not in known:
            raise OptionError(f"{name!r} is no price. There are: {', '.join(known)}.")
    said = {"prices": {**prices, "source": "your prices"}} if prices else {}
    return {"machine": about, "packages": packages(), "recognised": recognised, "budget": budget, **said}


def chosen_kind(source: Any, question: Question, name: str | None) -> tuple[kinds.Kind, str]:
    """The kind of the source: the named one, or the one that recognises it, with the reason."""
    known = kinds.find()
    if name is None:
        return kinds.recognise(source, question, list(known.values()))
    if name not in known:
        raise OptionError(f"--kind {name!r} is not known. Known kinds: {', '.join(known)}.")
    return known[name], "named by you"


def entries(
    kind: kinds.Kind, only: Sequence[str], without: Sequence[str]
) -> tuple[list[kinds.Entry], list[dict[str, str]]]:
    """Learners that take part, and those that are absent with what would bring them."""
    found = kinds.find_learners(kind.name)
    names = [entry.name for entry in found]
    for name in (*only, *without):
        if name not in names:
            raise OptionError(f"{name!r} is no learner of {kind.name}. There are: {', '.join(names)}.")
    wanted = [e for e in found if e.family == "baseline" or (e.name not in without and (not only or e.name in only))]
    absent = [_absence(entry) for entry in wanted if entry.missing]
    present = [entry for entry in wanted if not entry.missing]
    for family in FAMILIES:
        asked = any(entry.family == family for entry in wanted)
        if asked and not any(entry.family == family for entry in present):
            raise NothingToRaceError(
                f"No {family} learner of {kind.name} can run here, and a race of one side is no race. "
                f"Install both: pip install 'deepenough[{kind.extra}]'."
            )
    if not any(entry.family in FAMILIES for entry in present):
        raise NothingToRaceError("Every learner was left out: nothing is left to race.")
    return present, absent


def _absence(entry: kinds.Entry) -> dict[str, str]:
    how = f"pip install {' '.join(entry.missing)}"
    return {"name": entry.name, "family": entry.family, "missing": ", ".join(entry.missing), "how": how}


def contenders(entries: Any, plan_seed: int, variants: int, n_classes: int | None = None) -> Iterator[Contender]:
    """Contenders of found learners, the first by priority first: its defaults, then variants from its search space."""
    priorities = {entry.name: entry.cls.priority_for(n_classes) for entry in entries}
    for entry in sorted(entries, key=lambda entry: (entry.family, priorities[entry.name], entry.name)):
        base, priority = entry.cls(), priorities[entry.name]
        yield _contender(entry, entry.name, kinds.settings_of(base), priority)
        random = np.random.default_rng([plan_seed, sum(entry.name.encode())])
        for index, variant in enumerate(_variants(base, entry.cls.space(), random, variants), 2):
            yield _contender(entry, f"{entry.name}-{index}", variant, priority)


def _variants(base: Any, space: Mapping[str, Any], random: np.random.Generator, most: int) -> Iterator[dict[str, Any]]:
    """Settings drawn from a search space, none twice and none the defaults: a small space gives fewer."""
    known, misses = [kinds.settings_of(base)], 0
    while space and len(known) <= most and misses < MOST_MISSES:
        drawn = {name: draw(random) for name, draw in sorted(space.items())}
        variant = kinds.settings_of(dataclasses.replace(base, **drawn))
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


def machines_part(
    present: Sequence[kinds.Entry],
    budget_seconds: float | None,
    about: Mapping[str, Any],
    cores: int | None,
    memory: str | int | None,
) -> dict[str, Any]:
    """What the plan says of threads, lanes, memory and device, from what a person wants and what the machine has."""
    threads = cores_to_use(cores, about)
    return {
        "threads": threads,
        "lanes": _lanes(present, budget_seconds, threads),
        "memory_bytes": memory_to_use(memory, about),
        "device": "cuda" if about.get("cuda") else "cpu",
    }


def _lanes(present: Sequence[kinds.Entry], budget_seconds: float | None, cores: int) -> int:
    """Trials that run side by side: one of each family where there are cores for both. Counted trials run one after the
    other: which of two ends first would hang on the machine."""
    families = {entry.family for entry in present} & set(FAMILIES)
    return 1 if budget_seconds is None or cores < len(families) else len(families)


def preload(present: Sequence[kinds.Entry]) -> dict[str, tuple[str, ...]]:
    """By family, the modules that its warm server imports."""
    modules: dict[str, list[str]] = {}
    for entry in present:
        family = "classical" if entry.family == "baseline" else entry.family
        own = modules.setdefault(family, ["deepenough.racing.trial"])
        own.extend(name for name in (entry.cls.__module__, *entry.cls.preload) if name not in own)
    return {family: tuple(names) for family, names in modules.items()}


def plan(kind: str, question: Question, task: Task, **decided: Any) -> Plan:
    """The plan of a race: what the question and the task say, and the fields that were `decided` for it."""
    return Plan(
        kind=kind,
        question=written(question) | asked_of(task),
        seed=question.seed,
        rows=task.rows,
        columns=task.columns,
        largest=task.largest,
        smallest=task.smallest,
        folds=task.folds,
        judging=task.judging,
        splitting=task.splitting,
        units=tuple(len(task.units(fold).ids) for fold in range(task.folds)),
        shape=task.shape,
        source=dict(task.source),
        set_aside=tuple(task.set_aside),
        notes=(*task.notes, *(f"{name!r} took no part: {why}." for name, why in kinds.unusable().items())),
        flags=tuple(task.flags),
        **decided,
    )


def asked_of(task: Task) -> dict[str, Any]:
    """What the task made of the question, what its units are called, and what new ones look like."""
    source, about = task.new_source
    return {**task.question_facts, "called": list(task.called), "new": {"source": source, "about": about}}


def written(question: Question) -> dict[str, Any]:
    """The question as the plan holds it: of a test the path, or that it was a frame."""
    test: Any = question.test
    if sql.is_address(test):
        test = sql.without_secrets(test)
    elif isinstance(test, str | Path):
        test = str(Path(test).expanduser().absolute())
    elif test is not None:
        test = {"frame": type(test).__name__}
    return dataclasses.asdict(dataclasses.replace(question, test=None)) | {"test": test}


def refuse_unheeded(question: Question, task: Task, kind: str) -> None:
    """Refuse what a kind was asked for and did not heed: a split, weights or a test of the person's own."""
    weighted, given = bool(task.question_facts.get("weighted")), vars(question) | dict(question.options)
    heeded = {"folds": task.splitting == "own", "weights": weighted, "class_weights": weighted}
    for name, is_heeded in (heeded | {"test": task.held_out() is not None}).items():
        if given.get(name) is not None and not is_heeded:
            raise OptionError(f"--{name.replace('_', '-')} is not known to data of the kind {kind}. Leave it out.")
