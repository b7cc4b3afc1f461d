"""The command line: thin, everything it does can be done from Python.

Needs that this room answers:

* The budget counts from the command's start, so the clock is read in the first line of `main`, and the age that the
  process had by then is added.
* `--help` and a typing error answer at once: nothing heavy is imported before a command is known to be right. argparse
  is used because it is already there: a nicer library would cost a tenth of a second of every race.
* A person's error is a message and an exit code, never a traceback; an interrupted race says how to go on.
* A group of commands is a module here; its `add` says which there are.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from deepenough import __version__
from deepenough.cli import (
    about,
    acting,
    checking,
    completion,
    exporting,
    forecasting,
    guessing,
    racing,
    runs,
    sealing,
    serving,
    using,
)
from deepenough.cli.config import with_config
from deepenough.cli.parsing import Command, Parser, layout
from deepenough.errors import DeepenoughError, Interrupted


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code.

    0, 1 (a check found something), 2 (bad input), 3 (nothing could be raced) or 130 (interrupted).
    """
    started = time.monotonic() - _age_seconds()
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = parser().parse_args(given)
    try:
        if getattr(options, "config", None):
            options = parser().parse_args(with_config(given, options, options.parser))
        command: Command = options.command
        return command(options, started)
    except DeepenoughError as error:
        from deepenough.report.words import plain

        print(f"deepenough: {plain(error)}", file=sys.stderr)  # names in it come from files, and may hold anything
        return error.exit_code
    except KeyboardInterrupt:
        print("deepenough: interrupted.", file=sys.stderr)
        return Interrupted.exit_code
    except BrokenPipeError:  # `deepenough report RUN | head` closed the pipe: what it wanted, it got
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _age_seconds() -> float:
    """How long this process has been running: starting Python is part of the budget. 0 where it can't be told."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return 0.0
    return max(age, 0.0)


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    root = Parser(prog="deepenough", description=_ABOUT, formatter_class=layout)
    root.add_argument("--version", action="version", version=f"deepenough {__version__}")
    commands = root.add_subparsers(metavar="COMMAND", required=True, title="commands")
    groups = (
        racing,
        using,
        acting,
        exporting,
        serving,
        runs,
        sealing,
        forecasting,
        guessing,
        checking,
        about,
        completion,
    )
    for group in groups:
        group.add(commands)
    return root


_ABOUT = "Is classical machine learning enough for your data, or does deep learning pay? Race both and see."
