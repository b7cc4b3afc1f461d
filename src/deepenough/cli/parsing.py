"""What every command shares: how a parser answers a mistake, how help is laid out, how plain data are printed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

WIDTH = 100
Command = Callable[[argparse.Namespace, float], int]
"""Runs with its options and the moment that the command began; returns the exit code."""


class Parser(argparse.ArgumentParser):
    """Says what was wrong in one line, and where help is."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"deepenough: {message}. See `{self.prog} --help`.\n")


def layout(prog: str) -> argparse.HelpFormatter:
    """The same width everywhere, so that the help in the documentation is the real one."""
    return argparse.HelpFormatter(prog, max_help_position=28, width=WIDTH)


def add_command(commands: Any, name: str, about: str, run: Command) -> Any:
    """A command with its help; returns its parser."""
    command = commands.add_parser(name, help=about, description=about, formatter_class=layout)
    command.set_defaults(command=run)
    return command


def add_saying(command: Any) -> None:
    """The options of commands that race: how much is said meanwhile."""
    saying = command.add_mutually_exclusive_group()
    saying.add_argument("--quiet", action="store_true", help="only the summary")
    saying.add_argument("--json", action="store_true", help="every event as a JSON line on the standard output")


def shown(folder: Path) -> str:
    """The folder as a person would type it from here, quoted for a shell."""
    import shlex

    folder = folder.resolve()
    here = Path.cwd()
    return shlex.quote(str(folder.relative_to(here) if folder.is_relative_to(here) else folder))


def add_business(command: Any) -> None:
    """Options that say what the model is for."""
    command.add_argument("--traffic", metavar="RATE", help="predictions that it will make, as 50/s: costs of a year")
    command.add_argument("--max-latency", metavar="TIME", help="within which each must answer, as 20ms")


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells in columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def as_json(value: Any) -> str:
    """Plain data as text for another program."""
    from deepenough.report.facts import as_plain

    return json.dumps(as_plain(value), indent=2, sort_keys=True, ensure_ascii=False)
