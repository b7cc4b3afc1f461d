"""What happened, as plain records that every room may read: the plan, the trials, the events.

Needs that this module answers:

* Nothing is lost when the race, or the machine, dies at any moment: one JSON line a record, flushed to the disk before
  the race goes on; a line torn by a crash is recognised and cut off. Arrays are written first, under their last name
  only when complete, so that a line never speaks of a file that is not there.
* Nothing is counted twice: trials are numbered in the order in which they were asked for, and a number that stands in
  the journal is never run again.
* The verdict is a function of it: `Evidence` holds all that `judge` may look at.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from deepenough.errors import RunError
from deepenough.files import write_whole

FORMAT = 1
"""Version of the run folder's format; a folder of a newer one is refused."""

JOURNAL = "evidence.jsonl"
FAMILIES = ("classical", "deep")
MINE = "mine"
"""The family of a person's own estimator, which races beside the two."""
FINISHED = ("ok", "truncated")
"""Statuses of a trial that has an answer."""


@dataclass(frozen=True)
class Contender:
    """A learner with its settings, as it takes part in the race.

    name: the learner's name; a variant from its search space is `name-2`, `name-3`, ...
    learner: the learner's name, the file that it stands in.
    path: `module:Class`, from which a trial imports it.
    family: `classical`, `deep`, `baseline`, `together` for a blend, or `mine` for the person's own estimator.
    priority: lower numbers enter the race earlier when time is short.
    deterministic: the seed changes nothing.
    pretrained: of weights that were trained elsewhere the name, parameters, source and licence; else empty.
    """

    name: str
    learner: str
    path: str
    family: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 50
    deterministic: bool = False
    family_reason: str = ""
    pretrained: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What is raced, written once at the start.

    budget_seconds: wall-clock seconds from the command's start to the model saved; None where trials are counted.
    budget_trials: number of trials; None where seconds are counted.
    largest: rows of the largest training set that every fold has.
    smallest: rows of the smallest training set that makes sense (every class a few times).
    folds: how many train/test splits there are; `units[k]` rows are judged in fold k.
    judging: `folds` (each unit is judged in one fold) or `halves` (the same units in every fold, chosen on V and judged
        on H and the other way round).
    splitting: `random`, `group`, `time` or `own`: how the splits were made.
    lanes: trials that run side by side, at most one of each family, each with its part of threads and memory.
    judge_options: alpha, equal_within (None: the default), looks, and the seed of every bootstrap.
    """

    kind: str
    question: Mapping[str, Any]
    source: Mapping[str, Any]
    contenders: tuple[Contender, ...]
    seed: int
    budget_seconds: float | None
    budget_trials: int | None
    rows: int
    largest: int
    smallest: int
    folds: int
    judging: str
    splitting: str
    units: tuple[int, ...]
    threads: int
    memory_bytes: int
    lanes: int = 1
    device: str = "cpu"
    shape: str = "supervised"
    columns: int = 1
    cheaper: str = "classical"
    judge_options: Mapping[str, Any] = field(default_factory=dict)
    set_aside: tuple[Mapping[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    flags: tuple[Mapping[str, str], ...] = ()
    absent: tuple[Mapping[str, str], ...] = ()
    setup: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    def contender(self, name: str) -> Contender:
        """The contender of that name."""
        return next(contender for contender in self.contenders if contender.name == name)


@dataclass(frozen=True)
class Trial:
    """One contender, one training size, one fold, one seed, in a process of its own: a row of evidence.

    purpose: `baseline`, `probe`, `final`, `ladder`, `breadth`, `search`, `seed`, `blend`, `refit`, or `resplit` (in the
        evidence of another split, see `racing.resplit`).
    status: `ok`, `truncated` (stopped by its deadline, with an answer), `timeout`, `memory`, `error` or `skipped`.
    loss: mean loss over the fold's units, lower is better; None without an answer.
    scores: every metric as a person reads it, by name.
    wall_seconds: what its family paid: from GO (libraries loaded, warmed up) to the answer.
    cpu_seconds: of the whole process group between the same two moments.
    joules_source: `measured`, `modelled` or `unknown`.
    planned: share of the planned training steps that were done; 1 where nothing was cut.
    records: path of the units' records below the run folder (npy, shape (units, columns)); empty without an answer.
    model: path of the saved model below the run folder; empty where none was kept.
    """

    number: int
    contender: str
    family: str
    purpose: str
    n_train: int
    fold: int
    seed: int
    status: str
    loss: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    limit_seconds: float | None = None
    started_seconds: float = 0.0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    fit_wall_seconds: float = 0.0
    fit_cpu_seconds: float = 0.0
    predict_wall_seconds: float = 0.0
    startup_seconds: float = 0.0
    peak_bytes: int = 0
    joules: float | None = None
    joules_source: str = "unknown"
    predict_one_ms_p50: float | None = None
    predict_one_ms_p95: float | None = None
    predict_rows_per_second: float | None = None
    model_bytes: int | None = None
    load_average: float | None = None
    threads: int = 1
    planned: float = 1.0
    records: str = ""
    predictions: str = ""
    model: str = ""
    error: str = ""

    @property
    def finished(self) -> bool:
        """Whether it has an answer."""
        return self.status in FINISHED and self.loss is not None


@dataclass(frozen=True)
class Event:
    """What the loop says while it runs.

    what: `plan`, `trial_started`, `trial_ended`, `dropped`, `rung_done`, `verdict_so_far`, `interrupted`, `resumed`,
        `model_saved`, `tested` (see `racing.testing`), `examined` and `explained` (see `racing.explain`), `segmented`
        (see `racing.segments`), `insights` (see `racing.insights`), `resplit` (see `racing.resplit`), `note` or `done`.
    seconds: since the command's start, in all sittings together.
    """

    what: str
    seconds: float
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Units:
    """Who judges in one fold: one row a judged unit, in the order of the trials' records.

    ids: integer identity of the unit; the same in every fold that judges it.
    parts: who is judged on it is chosen on units of other parts.
    clusters: units of one cluster are not independent (a group, or copies of one row), shape (m,); shape (m, 2) where
        they hang together in two ways (a series, and a moment that all series share).
    """

    ids: np.ndarray
    parts: np.ndarray
    clusters: np.ndarray


@dataclass(frozen=True)
class Evidence:
    """All that the judge may look at. `records[trial.number]` has one row a unit of `units[trial.fold]`.

    memo: what was worked out from it already, kept for the next who asks; never part of what it is.
    """

    plan: Plan
    trials: tuple[Trial, ...]
    records: Mapping[int, np.ndarray]
    units: Mapping[int, Units]
    events: tuple[Event, ...] = ()
    memo: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def elapsed_seconds(self) -> float:
        """Seconds of the race that are accounted for, in all sittings together."""
        return max((event.seconds for event in self.events), default=0.0)


def as_json(record: Plan | Trial | Event) -> str:
    """One line of the journal, the keys sorted: the same record always gives the same bytes."""
    body = {"record": type(record).__name__.lower(), **dataclasses.asdict(record)}
    return json.dumps(body, sort_keys=True, allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} can't stand in the journal: {value!r}")


def finite(value: float | None) -> float | None:
    """The number itself, or None where JSON has no word for it."""
    return None if value is None or not math.isfinite(value) else float(value)


def from_json(line: str) -> Plan | Trial | Event:
    """The record that a line holds. Unknown fields of a later minor version are left out."""
    body = json.loads(line)
    record = {"plan": Plan, "trial": Trial, "event": Event}[body.pop("record")]
    known = {item.name for item in dataclasses.fields(record)}
    body = {name: value for name, value in body.items() if name in known}
    if record is Plan:
        body["contenders"] = tuple(Contender(**contender) for contender in body["contenders"])
        body = {name: tuple(value) if isinstance(value, list) else value for name, value in body.items()}
    made: Plan | Trial | Event = record(**body)
    return made


class Journal:
    """The append-only file of a run; the only writer of its folder. Reading needs no Journal: see `read`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        _cut_torn_line(folder / JOURNAL)
        self._file = open(folder / JOURNAL, "ab", buffering=0)  # noqa: SIM115 - open as long as the race runs

    def append(self, record: Plan | Trial | Event) -> None:
        """Write one record; when this returns no crash of ours can lose it, and evidence no crash of the machine."""
        line = as_json(record).encode() + b"\n"
        end = os.fstat(self._file.fileno()).st_size
        try:
            while line:  # a disk that fills up takes a part of a line, and says so only when it is asked again
                line = line[self._file.write(line) :]
            if not isinstance(record, Event):
                os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(end)  # what is written after it must not be glued to a torn line
            raise

    def array(self, name: str, array: np.ndarray) -> str:
        """Write an array below the folder, whole or not at all; returns its path below the folder."""
        memory = io.BytesIO()
        np.save(memory, array, allow_pickle=False)
        write_whole(self.folder / name, memory.getvalue())
        return name

    def note(self, name: str, facts: Mapping[str, Any]) -> str:
        """Write a few facts as JSON below the folder, whole or not at all; returns the path below the folder."""
        write_whole(self.folder / name, json.dumps(facts, sort_keys=True, default=_plain).encode())
        return name

    def units(self, fold: int, units: Units) -> None:
        """Write who judges in one fold."""
        memory = io.BytesIO()
        np.savez(memory, ids=units.ids, parts=units.parts, clusters=units.clusters)
        write_whole(self.folder / f"units/{fold}.npz", memory.getvalue())

    def close(self) -> None:
        self._file.close()


def _cut_torn_line(path: Path) -> None:
    """Cut off what a crash left of a line: it ends without a newline or is no JSON."""
    if not path.exists():
        return
    content = path.read_bytes()
    end = content.rfind(b"\n") + 1
    if end != len(content):
        with open(path, "r+b") as file:
            file.truncate(end)


class _Records(Mapping[int, np.ndarray]):
    """Records by the trial's number, read from the disk when they are asked for, once."""

    def __init__(self, folder: Path, trials: tuple[Trial, ...]) -> None:
        self._folder = folder
        self._paths = {trial.number: trial.records for trial in trials if trial.records}
        self._read: dict[int, np.ndarray] = {}

    def __getitem__(self, number: int) -> np.ndarray:
        if number not in self._read:
            try:
                self._read[number] = np.load(self._folder / self._paths[number], allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise _damaged(self._folder, self._paths[number], error) from error
        return self._read[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def read(folder: Path) -> Evidence:
    """The evidence of a run folder, finished or not, running or not.

    Raises RunError where the folder is no run, of a newer version, or damaged.
    """
    plan: Plan | None = None
    trials: dict[int, Trial] = {}
    events: list[Event] = []
    for _, record in lines(folder):
        if isinstance(record, Plan):
            plan = record
        elif isinstance(record, Trial):
            trials.setdefault(record.number, record)
        else:
            events.append(record)
    if plan is None:
        raise RunError(f"{folder} holds no plan: the race ended before it began. Start it again with another --out.")
    ended = tuple(trials.values())
    return Evidence(plan, ended, _Records(folder, ended), _read_units(folder, plan.folds), tuple(events))


def lines(folder: Path) -> Iterator[tuple[bytes, Plan | Trial | Event]]:
    """Every line of a run's journal, with the record that it holds. Raises RunError as `read` does."""
    path = folder / JOURNAL
    if not path.is_file():
        raise RunError.without(folder, JOURNAL)
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):  # what follows the last newline is torn
        yield line, _read_line(folder, number, line)


def _read_line(folder: Path, number: int, line: bytes) -> Plan | Trial | Event:
    try:
        version = json.loads(line).get("format", FORMAT)
        if version <= FORMAT:
            return from_json(line.decode())
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise _damaged(folder, f"line {number} of {JOURNAL}", error) from error
    raise RunError(
        f"{folder} was written by a newer Deepenough (format {version}, this one reads up to {FORMAT}). "
        "Upgrade with `pip install --upgrade deepenough`."
    )


def _damaged(folder: Path, what: str, error: Exception) -> RunError:
    return RunError(
        f"{folder} is damaged: {what} can't be read ({type(error).__name__}: {error}). Copy the run folder again, "
        "whole, from where it was made; where that is gone, race again with another --out."
    )


def _read_units(folder: Path, folds: int) -> dict[int, Units]:
    units = {}
    for fold in range(folds):
        name = f"units/{fold}.npz"
        try:
            content = io.BytesIO((folder / name).read_bytes())  # np.load leaves a damaged file open
            with np.load(content, allow_pickle=False) as arrays:
                units[fold] = Units(arrays["ids"], arrays["parts"], arrays["clusters"])
        except (OSError, ValueError, EOFError, LookupError, BadZipFile) as error:
            raise _damaged(folder, name, error) from error
    return units
