"""The commands that say what there is: `learners`, `doctor` and `licences`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from deepenough.cli.parsing import add_command, as_json

if TYPE_CHECKING:
    from deepenough.kinds import Entry


def add(commands: Any) -> None:
    """Add this group's commands."""
    learners = add_command(commands, "learners", "List the learners of both families.", _learners)
    learners.add_argument("--kind", metavar="KIND", help="only those of one kind of data")
    learners.add_argument("--json", action="store_true", help="as JSON")
    doctor = add_command(commands, "doctor", "Say what this machine has, and what is missing.", _doctor)
    doctor.add_argument("--json", action="store_true", help="as JSON")
    about = "List the licences of all that was installed along, and mark what commercial use must look at."
    licences = add_command(commands, "licences", about, _licences)
    licences.add_argument("--json", action="store_true", help="as JSON")


def _learners(options: argparse.Namespace, started: float) -> int:
    from deepenough.errors import OptionError
    from deepenough.kinds import find, find_learners

    kinds = list(find())
    if options.kind and options.kind not in kinds:
        raise OptionError(f"--kind {options.kind} is not known. Known kinds: {', '.join(kinds)}.")
    entries = [entry for kind in kinds if options.kind in (None, kind) for entry in find_learners(kind)]
    if options.json:
        print(as_json([_entry(entry) for entry in entries]))
        return 0
    width = max((len(entry.name) for entry in entries), default=0)
    for entry in entries:
        missing = f"  (not installed: {', '.join(entry.missing)})" if entry.missing else ""
        print(f"{entry.kind:<8}{entry.family:<10} {entry.name:<{width}}  {entry.about}{missing}")
    return 0


def _entry(entry: Entry) -> dict[str, Any]:
    names = ("name", "kind", "family", "about", "missing")
    return {name: getattr(entry, name) for name in names} | {"priority": entry.cls.priority}


def _doctor(options: argparse.Namespace, started: float) -> int:
    from deepenough.racing.machine import doctor
    from deepenough.report.text import outline

    found = doctor()
    print(as_json(found) if options.json else outline(found))
    return 0


def _licences(options: argparse.Namespace, started: float) -> int:
    import dataclasses

    from deepenough.racing import licences

    found = licences.installed()
    rows = [dataclasses.asdict(licence) for licence in found]
    print(as_json(rows) if options.json else "\n".join(licences.summary(found)))
    return 0
