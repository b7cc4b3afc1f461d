"""The command that turns predictions into a list of what to do: `act`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from deepenough.cli.parsing import add_command, as_json


def add(commands: Any) -> None:
    """Add this group's commands."""
    act = add_command(commands, "act", "Say whom to act on among new rows, why, and what that is worth in money.", _act)
    act.add_argument("run", metavar="RUN", type=Path, help="folder of a finished run")
    act.add_argument("source", metavar="FILE", help="new rows, as `predict` takes them")
    act.add_argument(
        "--value",
        metavar="VALUES",
        required=True,
        help="what right and wrong are worth: 'tp=100, fp=-5, fn=-40'; for numbers 'over=2, under=5'",
    )
    act.add_argument("--capacity", metavar="N", type=int, help="act on so many at most")
    act.add_argument("--amount", metavar="COLUMN", help="each row's amount, for values such as fn=-amount")
    act.add_argument("--positive", metavar="CLASS", help="the class to act on; default the rarest")
    act.add_argument("--rule", metavar="RULE", help="today's: 'age > 60'; for numbers the column of today's quantities")
    act.add_argument("--above", metavar="LIMIT", type=float, help="for numbers: act where they will lie above it")
    act.add_argument("-o", "--output", metavar="OUT", type=Path, help="the list: out.csv, out.parquet or out.jsonl")
    act.add_argument("--json", action="store_true", help="print all facts as JSON instead of sentences")


def _act(options: argparse.Namespace, started: float) -> int:
    import textwrap

    from deepenough.actions import act
    from deepenough.report.text import WIDTH
    from deepenough.report.words import plain

    found = act(
        options.run,
        options.source,
        value=options.value,
        capacity=options.capacity,
        amount=options.amount,
        positive=options.positive,
        rule=options.rule,
        above=options.above,
    )
    if options.output is not None:
        found.write(options.output)
    if options.json:
        print(as_json(found.facts))
        return 0
    for sentence in found.sentences:
        print("\n".join(textwrap.wrap(plain(sentence), WIDTH)))
    if options.output is not None:
        print(f"\nThe list: {options.output}")
    return 0
