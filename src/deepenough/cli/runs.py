"""The commands that keep the runs in order: `runs list`, `runs compare`, `runs delete`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from deepenough.cli.parsing import add_command, aligned, as_json


def add(commands: Any) -> None:
    """Add this group's commands."""
    runs = add_command(commands, "runs", "List, compare and delete runs; without a command, list.", _list)
    runs.set_defaults(folder=Path("runs"), json=False)
    actions = runs.add_subparsers(metavar="COMMAND", title="commands")
    listing = add_command(actions, "list", "List the runs below a folder, the last one first.", _list)
    listing.add_argument(
        "folder", metavar="DIR", type=Path, nargs="?", default=Path("runs"), help="where they are (default: runs)"
    )
    listing.add_argument("--json", action="store_true", help="as JSON")
    compare = add_command(actions, "compare", "Show what two runs or more found, side by side.", _compare)
    compare.add_argument("runs", metavar="RUN", type=Path, nargs="+", help="folders of two runs or more")
    compare.add_argument("--json", action="store_true", help="as JSON")
    delete = add_command(actions, "delete", "Delete runs: evidence, report and model.", _delete)
    delete.add_argument(
        "runs", metavar="RUN", type=Path, nargs="+", help="folders of runs that no race is writing into"
    )
    delete.add_argument("--yes", action="store_true", help="don't ask")


def _list(options: argparse.Namespace, started: float) -> int:
    from deepenough import runs
    from deepenough.report import words

    found = runs.find(options.folder)
    if options.json:
        print(as_json(found))
        return 0
    if not found:
        print(f"No runs in {options.folder}.", file=sys.stderr)
        return 0
    rows = [["run", "data", "target", "decision", "last change", "budget", "size"]]
    for run in found:
        decision = run.decision.replace("_", " ") if run.state == "finished" else run.state
        size = words.bytes_of_memory(run.size_bytes)
        cells = [run.folder, run.source, run.target, decision, run.changed, run.budget, size]
        rows.append([words.plain(cell) for cell in cells])
    print(aligned(rows))
    return 0


def _compare(options: argparse.Namespace, started: float) -> int:
    from deepenough import runs

    compared = runs.compare(options.runs)
    if options.json:
        print(as_json(compared))
    else:
        for difference in compared["differences"]:
            print(difference)
        print(aligned(runs.rows(compared)))
    return 0


def _delete(options: argparse.Namespace, started: float) -> int:
    from deepenough import runs
    from deepenough.report import words

    for folder in options.runs:  # all or none: a typing error in the last name must not cost the first
        runs.refuse_to_delete(folder)
    if not options.yes and not _agreed(options.runs):
        print("Nothing was removed.", file=sys.stderr)
        return 0
    for folder in options.runs:
        print(f"Removed {folder} ({words.bytes_of_memory(runs.delete(folder))}).", file=sys.stderr)
    return 0


def _agreed(folders: list[Path]) -> bool:
    """Ask the person at the terminal. Raises OptionError where there is none to ask."""
    from deepenough import runs
    from deepenough.errors import OptionError
    from deepenough.report import words

    if not sys.stdin.isatty():
        raise OptionError("There is nobody to ask whether to delete: say --yes.")
    for folder in folders:
        print(f"{folder}  {words.bytes_of_memory(runs.size_bytes(folder))}", file=sys.stderr)
    print(
        f"Delete {'this run' if len(folders) == 1 else f'these {len(folders)} runs'}? [y/N] ", end="", file=sys.stderr
    )
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
