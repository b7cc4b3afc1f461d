"""The runs of a folder: which there are, what they found side by side, and how one is removed.

Needs that this module answers:

* Listing a hundred runs takes no longer than reading their facts: nothing is judged again, and a run that can't be read
  is listed with the reason.
* Comparing says first whether there is anything to compare: other data, another target or another metric make gaps that
  mean something else.
* Only a run is ever removed, whole, and never one that a race is writing into.
"""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepenough.errors import DeepenoughError, RunError
from deepenough.evidence import FAMILIES, JOURNAL, Plan, from_json
from deepenough.racing.run_folder import in_use, locked
from deepenough.report import words
from deepenough.result import Race

DEEPEST = 2
"""Runs are looked for so many folders below the given one: several targets of one race stand in one folder."""


@dataclass(frozen=True)
class Run:
    """One run as a list shows it.

    state: `finished`, `running`, `unfinished` (`deepenough resume` goes on), or why it can't be read.
    decision: the code, empty as long as there is none. changed: when evidence was last written, local time, ISO 8601.
    size_bytes: of all files in the folder.
    """

    folder: str
    source: str
    target: str
    state: str
    decision: str
    changed: str
    budget: str
    size_bytes: int


def find(folder: str | Path = "runs") -> list[Run]:
    """The runs in a folder, the folder itself included, the last changed first.

    Raises RunError where there is no such folder.
    """
    place = Path(folder)
    if not place.is_dir():
        raise RunError(f"{place} is no folder. Name the one that holds your runs: `deepenough race` makes runs/.")
    levels = ["/".join(["*"] * depth + [JOURNAL]) for depth in range(DEEPEST + 1)]
    journals = [path for level in levels for path in place.glob(level) if not _is_part(path)]
    found = [_run(path.parent) for path in journals]
    return sorted(found, key=lambda run: (run.changed, run.folder), reverse=True)


def _is_part(journal: Path) -> bool:
    """Whether a journal is part of a run: the evidence of another split of its data."""
    return (journal.parents[2] / JOURNAL).is_file() if len(journal.parents) > 2 else False


def _run(folder: Path) -> Run:
    about: dict[str, str] = {"source": "", "target": "", "budget": "", "decision": ""}
    try:
        plan = _plan(folder)
        about |= {
            "source": str(plan.source.get("name", "")),
            "target": str(plan.question.get("target") or ""),
            "budget": words.budget(plan.budget_seconds, plan.budget_trials),
        }
        about["decision"] = decision = _decision(folder)
        state = "running" if in_use(folder) else "finished" if decision else "unfinished"
    except (RunError, OSError, ValueError, KeyError, TypeError) as error:
        state = str(error).split("\n")[0]
    changed = datetime.datetime.fromtimestamp((folder / JOURNAL).stat().st_mtime).isoformat(" ", "minutes")
    return Run(str(folder), state=state, changed=changed, size_bytes=size_bytes(folder), **about)


def _plan(folder: Path) -> Plan:
    """The first line of the journal, without all that follows."""
    with open(folder / JOURNAL, "rb") as file:
        plan = from_json(file.readline().decode() or "{}")
    if not isinstance(plan, Plan):
        raise RunError("it holds no plan")
    return plan


def _decision(folder: Path) -> str:
    """As the run's own report says it; empty where there is none yet."""
    path = folder / "facts.json"
    return str(json.loads(path.read_text(encoding="utf-8"))["decision"]) if path.is_file() else ""


def size_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def compare(folders: Sequence[str | Path]) -> dict[str, Any]:
    """Two runs or more side by side: `runs`, one object each, and `differences`, sentences on what isn't the same.

    Everything is recomputed from the evidence. Raises RunError for fewer than two, and for what is no run.
    """
    if len(folders) < 2:
        raise RunError(f"{len(folders)} run given: name two or more to compare.")
    sides = [_side(Path(folder)) for folder in folders]
    return {"runs": sides, "differences": [text for name, text in _MATTERS.items() if _differ(sides, name)]}


_MATTERS = {
    "sha256": "The data are not the same: the gaps are of different rows.",
    "target": "The targets are not the same: the races answer different questions.",
    "metric": "The metrics are not the same: gaps and losses can't be compared as numbers.",
    "budget": "The budgets are not the same.",
    "n_train": "The families were judged at different training sizes.",
    "cores": "The races had different numbers of cores: times and prices can't be compared.",
}
"""What is looked at before any number is compared, and what is said where it differs."""


def _differ(sides: Sequence[Mapping[str, Any]], name: str) -> bool:
    return len({str(side[name]) for side in sides}) > 1


def _side(folder: Path) -> dict[str, Any]:
    race = Race(folder)
    facts, plan = race.facts, race.evidence.plan
    verdict = facts["verdict"]
    return {
        "folder": str(folder),
        "source": plan.source.get("name"),
        "sha256": plan.source.get("sha256"),
        "target": plan.question.get("target"),
        "budget": words.budget(plan.budget_seconds, plan.budget_trials),
        "wall_seconds": facts["wall"]["total_seconds"],
        "cores": plan.threads,
        "decision": facts["decision"],
        "sentence": facts["decision_sentence"],
        "metric": verdict["metric"],
        "gap": verdict["gap"] and {name: verdict["gap"][name] for name in ("value", "low", "high")},
        "equal_within": verdict["equal_within"],
        "judged_rows": facts["judged_rows"],
        "n_train": facts["n_train"],
        "folds": facts["folds"],
        "trials": len(race.evidence.trials),
        **{family: _finalist(facts["costs"][family]) for family in FAMILIES},
    }


def _finalist(costs: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A family's finalist and what it costs; None where there is none."""
    if costs is None:
        return None
    return {
        "contender": costs["contender"],
        "shown": costs["shown"],
        "fit_cpu_seconds": costs["time"]["fit_cpu_seconds"],
        "predict_one_ms_p50": costs["time"]["predict_one_ms_p50"],
        "peak_bytes": costs["memory"]["peak_bytes"],
        "model_bytes": costs["memory"]["model_bytes"],
        "money_thousand_predictions": costs["money"]["thousand_predictions"],
        "currency": costs["money"]["currency"],
    }


def rows(compared: Mapping[str, Any]) -> list[list[str]]:
    """What `compare` found as rows of a table, a column a run; the first column says what a row shows."""
    sides = compared["runs"]
    shown = [(name, [show(side) for side in sides]) for name, show in _ROWS]
    for family in FAMILIES:
        for name, show in _FINALIST_ROWS:
            cells = [words.NOTHING if side[family] is None else show(side[family]) for side in sides]
            shown.append((f"{family}: {name}", cells))
    return [[name, *map(words.plain, cells)] for name, cells in shown]


def _gap(side: Mapping[str, Any]) -> str:
    gap = side["gap"]
    if gap is None:
        return words.NOTHING
    low, high = (words.number(gap[end]) for end in ("low", "high"))
    return f"{words.number(gap['value'])} ({low} to {high})"


_ROWS = (
    ("", lambda side: side["folder"]),
    ("data", lambda side: side["source"]),
    ("target", lambda side: side["target"]),
    ("budget", lambda side: side["budget"]),
    ("decision", lambda side: side["decision"].replace("_", " ")),
    ("metric", lambda side: words.metric(side["metric"])),
    ("gap, deep better if positive", _gap),
    ("counts as equal up to", lambda side: words.number(side["equal_within"])),
    ("rows judged", lambda side: words.count(side["judged_rows"])),
    ("rows to train on", lambda side: words.count(side["n_train"])),
    ("trials", lambda side: words.count(side["trials"])),
    ("time of the race", lambda side: words.seconds(side["wall_seconds"])),
)
_FINALIST_ROWS = (
    ("finalist", lambda side: side["contender"]),
    ("metric", lambda side: words.number(side["shown"])),
    ("one training, processor", lambda side: words.seconds(side["fit_cpu_seconds"])),
    ("one prediction", lambda side: words.milliseconds(side["predict_one_ms_p50"])),
    ("memory to train", lambda side: words.bytes_of_memory(side["peak_bytes"])),
    ("model on disk", lambda side: words.bytes_of_memory(side["model_bytes"])),
    ("1,000 predictions", lambda side: words.money(side["money_thousand_predictions"], side["currency"])),
)


def delete(folder: str | Path) -> int:
    """Remove a run with all that its folder holds; returns the bytes that this frees.

    Raises RunError for what is no run, for a link to one, and for one that a race is writing into.
    """
    place = Path(folder)
    refuse_to_delete(place)
    size = size_bytes(place)
    with locked(place):  # no race begins in it meanwhile
        try:
            shutil.rmtree(place)
        except OSError as error:
            raise DeepenoughError(f"{place} could not be removed whole: {error}. Look who owns it.") from None
    return size


def refuse_to_delete(place: Path) -> None:
    """Raise RunError unless this is a run that nobody uses."""
    if place.is_symlink() or not (place / JOURNAL).is_file():
        raise RunError(f"{place} is no run: it holds no {JOURNAL}. Nothing was removed.")
    if in_use(place):
        raise RunError(f"{place} is in use by a race. Nothing was removed; stop the race first, or wait for its end.")
