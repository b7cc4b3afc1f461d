"""The same race again, here and now, beside the one that was: does it come to the same answer?

Needs that this module answers:

* Raced again is what was asked for, not what came of it: the same source, options, seed and budget.
* What must be the same is told apart from what may differ: a race that counts trials repeats itself on the same machine
  with the same versions; one that counts seconds reaches as far as its machine and its load let it.
* `open` contradicts nothing: it says that this race could not tell.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepenough import api, options, runs
from deepenough.api import Listeners
from deepenough.errors import RunError
from deepenough.evidence import Plan, read
from deepenough.report import words
from deepenough.result import Race
from deepenough.seal.hashing import canonical
from deepenough.seal.sealing import verdict_fields

SAYS_NOTHING = ("open", "no_signal")
"""Decisions that contradict none: the race could not tell."""
REPEATED = (
    *("decision", "evidence", "pair_evidence", "gap", "equal_within", "trivial_loss", "classical", "deep", "together"),
    *("mine", "judged_rows", "n_train", "folds", "winner", "winner_weights"),
)
"""Fields of the verdict that no clock moves: where trials are counted they are the same each time."""
_SURROUNDINGS = ("cpu", "cores", "gpus", "system", "python")


def rerun(
    folder: str | Path,
    *,
    source: Any = None,
    out: str | Path | None = None,
    listen: Listeners = None,
) -> dict[str, Any]:
    """Race a run's question again on this machine, with the options and the budget that it had, and compare.

    source: the data, where they are no longer at the path in the plan, or were a frame.
    out: folder of the new run; default the next free `<folder>-rerun-<number>` beside the old one.
    listen: as `race` takes it.

    Returns what `compared` returns. Raises RunError where the run doesn't say what was asked.
    """
    place = Path(folder)
    plan = read(place).plan
    options = _options(plan)
    data = source if source is not None else plan.source.get("path")
    if data is None:
        raise RunError(f"{place} raced a frame: give it again, deepenough.rerun.rerun(folder, source=frame).")
    again = api.race(data, **options, out=out or _beside(place), listen=listen)
    return compared(place, again.folder)


def _options(plan: Plan) -> dict[str, Any]:
    """Arguments of `race`, as they were given."""
    asked = plan.setup.get("asked")
    if not isinstance(asked, Mapping):
        raise RunError("This run doesn't hold the options that it was given. Race it again by hand, then compare.")
    known = {*inspect.signature(api.race).parameters, *options.of_kinds()} - {"source", "out", "listen", "started"}
    if unknown := sorted(set(asked) - known - {"source"}):
        raise RunError(f"This run was given options that are not known here: {', '.join(unknown)}. Upgrade Deepenough.")
    given = {name: value for name, value in asked.items() if name in known}
    test = plan.question.get("test")
    given |= {"test": test} if isinstance(test, str) else {}  # its whole path, not as it was typed
    prices = {name: value for name, value in plan.setup.get("prices", {}).items() if name != "source"}
    budget = words.budget(plan.budget_seconds, plan.budget_trials)
    business = plan.setup.get("asked_business")
    asked_for = {"target": plan.question.get("target"), "budget": budget, "prices": prices or None}
    return given | asked_for | {"business": business}


def _beside(folder: Path) -> Path:
    """The next free folder for a rerun, beside the run itself."""
    whole = folder if folder.name not in ("", "..") else folder.resolve()
    names = (whole.with_name(f"{whole.name}-rerun-{number}") for number in itertools.count(1))
    return next(place for place in names if not place.exists())


def compared(first: str | Path, second: str | Path) -> dict[str, Any]:
    """What a run and its repetition found, and whether they agree.

    agreement: `same`, `not_contradicting` (one of them could not tell) or `contradicting`.
    must_repeat: whether the verdict must be the same to the byte; not_repeated: the fields that are not.
    good: no contradiction, and nothing differs that must be the same. said: sentences.
    gap: whether both intervals overlap, and whether the new gap lies in the old interval for a fresh sample.
    runs, differences: as `runs.compare` gives them.
    """
    old, new = Race(Path(first)), Race(Path(second))
    moved = _surroundings(old.evidence.plan, new.evidence.plan)
    must_repeat = old.evidence.plan.budget_trials is not None and not moved
    fields = verdict_fields(old.verdict), verdict_fields(new.verdict)
    not_repeated = [name for name in REPEATED if canonical(fields[0][name]) != canonical(fields[1][name])]
    found = {
        "agreement": _agreement(old.decision, new.decision),
        "must_repeat": must_repeat,
        "not_repeated": not_repeated,
        "gap": _gaps(fields[0]["gap"], fields[1]["gap"]),
        **runs.compare([first, second]),
    }
    found["good"] = found["agreement"] != "contradicting" and not (must_repeat and not_repeated)
    return found | {"said": [*_said(found), *_expected(old.evidence.plan, found, moved)]}


def _agreement(first: str, second: str) -> str:
    if first == second:
        return "same"
    return "not_contradicting" if {first, second} & set(SAYS_NOTHING) else "contradicting"


def _surroundings(old: Plan, new: Plan) -> list[str]:
    """What is not as it was: the machine, and the versions of what computes."""
    machines = [plan.setup.get("machine", {}) for plan in (old, new)]
    moved = [name for name in _SURROUNDINGS if machines[0].get(name) != machines[1].get(name)]
    packages = [plan.setup.get("packages", {}) for plan in (old, new)]
    moved += [name for name in sorted({*packages[0], *packages[1]}) if packages[0].get(name) != packages[1].get(name)]
    return moved + [name for name in ("threads", "device") if getattr(old, name) != getattr(new, name)]


def _gaps(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> dict[str, bool | None]:
    """None where a race judged no pair, or too few units for an interval; then no end of it is known."""
    ends = ("low", "high", "low_fresh", "high_fresh")
    if old is None or new is None or None in [gap[end] for gap in (old, new) for end in ends]:
        return {"overlap": None, "new_in_old_fresh": None}
    return {
        "overlap": old["low"] <= new["high"] and new["low"] <= old["high"],
        "new_in_old_fresh": old["low_fresh"] <= new["value"] <= old["high_fresh"],
    }


_AGREEMENTS = {
    "same": "Both races decide the same.",
    "not_contradicting": "The races don't contradict each other: one of them could not tell.",
    "contradicting": "The races contradict each other.",
}
_OVERLAP = {
    True: "The intervals of both gaps overlap.",
    False: "The intervals of both gaps don't overlap.",
    None: "The gaps can't be compared: a race has none, or no interval of it.",
}
_FRESH = {
    True: "The new gap lies where the old race expected that of a fresh sample.",
    False: "The new gap lies outside of where the old race expected that of a fresh sample.",
}


def _said(found: Mapping[str, Any]) -> list[str]:
    told = [_AGREEMENTS[found["agreement"]], _OVERLAP[found["gap"]["overlap"]]]
    return told + [_FRESH[inside] for inside in (found["gap"]["new_in_old_fresh"],) if inside is not None]


def _expected(old: Plan, found: Mapping[str, Any], moved: list[str]) -> list[str]:
    """What had to be the same, what differs, and whether that was to be expected."""
    differing = ", ".join(name.replace("_", " ") for name in found["not_repeated"])
    if not differing:
        return ["Decision, gap and finalists are the same to the byte; what they cost may differ."]
    if found["must_repeat"]:
        return [f"A race that counts trials must repeat itself here, and did not: {differing}."]
    if old.budget_trials is not None:
        return [f"Not the same, as is to be expected where {', '.join(moved)} changed: {differing}."]
    return [
        f"Not the same: {differing}. A budget in seconds reaches as far as the machine and its load let it: the "
        "rows to train on, the folds and the learners that had their turn may differ, and with them the gap."
    ]
