"""The commands that make use of a verdict: what was found (`insights`), what is done (`act`), for whom (`fairness`)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from deepenough.cli.parsing import add_command, aligned, as_json


def add(commands: Any) -> None:
    """Add this group's commands."""
    act = add_command(commands, "act", "Say whom to act on among new rows, why, and what that is worth in money.", _act)
    act.add_argument("run", metavar="RUN", type=Path, help="folder of a finished run")
    act.add_argument("source", metavar="FILE", help="new rows, as `predict` takes them")
    act.add_argument(
        "--value",
        metavar="VALUES",
        required=True,
        help="what right and wrong are worth: 'tp=100, fp=-5, fn=-40'; for numbers and forecasts 'over=2, under=5'",
    )
    act.add_argument("--capacity", metavar="N", type=int, help="act on so many at most")
    act.add_argument("--amount", metavar="COLUMN", help="each row's amount, for values such as fn=-amount")
    act.add_argument("--positive", metavar="CLASS", help="the class to act on; default the rarest")
    act.add_argument("--rule", metavar="RULE", help="today's: 'age > 60'; for numbers the column of today's quantities")
    act.add_argument("--above", metavar="LIMIT", type=float, help="for numbers: act where they will lie above it")
    act.add_argument("-o", "--output", metavar="OUT", type=Path, help="the list: out.csv, out.parquet or out.jsonl")
    act.add_argument("--json", action="store_true", help="print all facts as JSON instead of sentences")
    found = add_command(commands, "insights", "Say what drives a run's answers, and for whom they differ.", _insights)
    found.add_argument("run", metavar="RUN", type=Path, help="folder of a finished run")
    found.add_argument(
        "--compare", metavar=("OLD", "NEW"), nargs=2, help="also say what changed from one table to a newer one"
    )
    found.add_argument("--json", action="store_true", help="print all facts as JSON instead of sentences")
    fair = add_command(commands, "fairness", "Show how a run's model treats the groups of a column.", _fairness)
    fair.add_argument("run", metavar="RUN", type=Path, help="folder of a finished run")
    fair.add_argument("--by", metavar="COLUMN", required=True, help="whose groups are compared")
    fair.add_argument("--value", metavar="VALUES", help="choose by what right and wrong are worth, as in `act`")
    fair.add_argument("--positive", metavar="CLASS", help="the class that is looked at; default the rarest")
    fair.add_argument("--json", action="store_true", help="as JSON")


def _insights(options: argparse.Namespace, started: float) -> int:
    import textwrap

    from deepenough.findings import insights
    from deepenough.report.text import WIDTH
    from deepenough.report.words import plain

    found = insights(options.run, compare=tuple(options.compare) if options.compare else None)
    if options.json:
        print(as_json(found.facts))
        return 0
    headline, *others = found.sentences
    print("\n".join(textwrap.wrap(plain(headline), WIDTH)))
    for sentence in others:
        print("\n".join(textwrap.wrap(plain(sentence), WIDTH, initial_indent="* ", subsequent_indent="  ")))
    if others:
        print("\n" + "\n".join(textwrap.wrap(found.caution, WIDTH)))
    return 0


def _fairness(options: argparse.Namespace, started: float) -> int:
    import textwrap

    from deepenough.actions import fairness
    from deepenough.report.text import WIDTH
    from deepenough.report.words import plain

    told = fairness.fairness(options.run, options.by, value=options.value, positive=options.positive)
    if options.json:
        print(as_json(told))
        return 0
    print(aligned([[plain(cell) for cell in row] for row in fairness.table(told)]))
    print("* differs from all others by more than chance makes, with 95 % certainty over the whole table.\n")
    for sentence in fairness.sentences(told):
        print("\n".join(textwrap.wrap(plain(sentence), WIDTH)))
    return 0


def _act(options: argparse.Namespace, started: float) -> int:
    import textwrap

    from deepenough.actions import act
    from deepenough.model import sinks
    from deepenough.report.text import WIDTH
    from deepenough.report.words import plain

    if options.output is not None:
        sinks.apart(options.source, options.output)
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
