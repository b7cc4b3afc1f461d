"""The command that answers without a race: `guess`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from deepenough.cli.parsing import add_command, as_json


def add(commands: Any) -> None:
    """Add this group's commands."""
    guess = add_command(
        commands,
        "guess",
        "Say in seconds, without a race, how it went on tables like yours that others measured.",
        _guess,
    )
    guess.add_argument("source", metavar="FILE", help="a table, as `race` takes it")
    guess.add_argument("--target", metavar="COLUMN", required=True, help="the column to predict")
    guess.add_argument(
        "--runs", metavar="DIR", type=Path, help="count finished runs of yours too; nothing leaves this machine"
    )
    guess.add_argument("--json", action="store_true", help="as JSON")


def _guess(options: argparse.Namespace, started: float) -> int:
    import shlex

    from deepenough.guesses import guess
    from deepenough.report.words import plain

    told = guess(options.source, options.target, options.runs)
    if options.json:
        print(as_json(told))
        return 0
    for sentence in told["sentences"]:
        print(plain(sentence))
    asked = f"deepenough race {shlex.quote(options.source)} --target {shlex.quote(options.target)}"
    print(plain(f"Race it to know: {asked}"))
    return 0
