"""The command line: thin, everything it does can be done from Python.

Needs that this module answers:

* The budget counts from the command's start, so the clock is read in the first line of `main`, and the age that the
  process had by then is added.
* `--help` and a typing error answer at once: nothing heavy is imported before a command is known to be right. argparse
  is used because it is already there: a nicer library would cost a tenth of a second of every race.
* A person's error is a message and an exit code, never a traceback; an interrupted race says how to go on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from deepenough import __version__
from deepenough.errors import DeepenoughError, Interrupted

if TYPE_CHECKING:
    from deepenough.kinds import Entry
    from deepenough.result import Race

_WIDTH = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0, 2 (bad input), 3 (nothing could be raced) or 130 (interrupted)."""
    started = time.monotonic() - _age_seconds()
    options = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace, float], int] = options.command
    try:
        return command(options, started)
    except DeepenoughError as error:
        print(f"deepenough: {error}", file=sys.stderr)
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


class _Parser(argparse.ArgumentParser):
    """Says what was wrong in one line, and where help is."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"deepenough: {message}. See `{self.prog} --help`.\n")


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    root = _Parser(prog="deepenough", description=_ABOUT, formatter_class=_layout)
    root.add_argument("--version", action="version", version=f"deepenough {__version__}")
    commands = root.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for add in (_add_race, _add_report, _add_predict, _add_resume, _add_learners, _add_doctor):
        add(commands)
    return root


_ABOUT = "Is classical machine learning enough for your data, or does deep learning pay? Race both and see."


def _layout(prog: str) -> argparse.HelpFormatter:
    """The same width everywhere, so that the help in the documentation is the real one."""
    return argparse.HelpFormatter(prog, max_help_position=28, width=_WIDTH)


def _command(commands: Any, name: str, about: str, run: Callable[[argparse.Namespace, float], int]) -> Any:
    command = commands.add_parser(name, help=about, description=about, formatter_class=_layout)
    command.set_defaults(command=run)
    return command


def _add_race(commands: Any) -> None:
    race = _command(commands, "race", "Race both families on your data and say which to use.", _race)
    race.add_argument("source", metavar="SOURCE", help="the data: a file, a folder, a database")
    race.add_argument("--target", metavar="COLUMN", help="what to predict")
    race.add_argument(
        "--budget", default="2m", help="time for everything: 30s, 2m, 1h; or 40trials (default: %(default)s)"
    )
    race.add_argument(
        "--metric", metavar="NAME", help="what is judged (default: log_loss for classes, rmse for numbers)"
    )
    race.add_argument("--group", metavar="COLUMN", help="rows of one group are never on both sides of a split")
    race.add_argument("--time", metavar="COLUMN", help="train on the past, judge on the future")
    race.add_argument("--drop", metavar="COLUMN", action="append", default=[], help="leave a column out; repeatable")
    race.add_argument("--positive", metavar="CLASS", help="the class that counts as positive")
    race.add_argument("--equal-within", metavar="X", type=float, help="differences up to X in the metric don't matter")
    race.add_argument("--only", metavar="LEARNER", action="append", default=[], help="race these learners; repeatable")
    race.add_argument(
        "--without", metavar="LEARNER", action="append", default=[], help="leave a learner out; repeatable"
    )
    race.add_argument("--kind", metavar="KIND", help="kind of data (default: recognised from the source)")
    race.add_argument("--seed", metavar="N", type=int, default=0, help="of every random choice (default: %(default)s)")
    race.add_argument(
        "--cores", metavar="N", type=int, help="processor cores to use (default: all that are free to use)"
    )
    race.add_argument("--memory", metavar="SIZE", help="memory to use, as 4GB (default: most of what is free)")
    race.add_argument("--kwh", metavar="PRICE", type=float, help="price of a kilowatt hour (default: 0.30)")
    race.add_argument("--core-hour", metavar="PRICE", type=float, help="price of a core and hour (default: 0.05)")
    race.add_argument("--currency", metavar="NAME", help="of these prices (default: EUR)")
    race.add_argument("--out", metavar="DIR", help="folder of the run (default: a new one under runs/)")
    _add_saying(race)


def _add_saying(command: Any) -> None:
    saying = command.add_mutually_exclusive_group()
    saying.add_argument("--quiet", action="store_true", help="only the summary")
    saying.add_argument("--json", action="store_true", help="every event as a JSON line on the standard output")


def _add_report(commands: Any) -> None:
    report = _command(
        commands, "report", "Recompute a run's verdict from its evidence; rewrite its report.html.", _report
    )
    report.add_argument("run", metavar="RUN", type=Path, help="folder of a run, finished or not")
    report.add_argument("--json", action="store_true", help="print all facts as JSON instead of the summary")


def _add_predict(commands: Any) -> None:
    predict = _command(commands, "predict", "Predict with the model that a run handed over.", _predict)
    predict.add_argument("run", metavar="RUN", type=Path, help="folder of a run, or of a saved model")
    predict.add_argument("file", metavar="FILE", help="rows to predict; may be larger than memory")
    predict.add_argument(
        "-o", "--output", metavar="OUT", type=Path, required=True, help="out.csv, out.parquet or out.jsonl"
    )


def _add_resume(commands: Any) -> None:
    resume = _command(commands, "resume", "Go on with a run that was interrupted.", _resume)
    resume.add_argument("run", metavar="RUN", type=Path, help="folder of the run")
    _add_saying(resume)


def _add_learners(commands: Any) -> None:
    learners = _command(commands, "learners", "List the learners of both families.", _learners)
    learners.add_argument("--kind", metavar="KIND", help="only those of one kind of data")
    learners.add_argument("--json", action="store_true", help="as JSON")


def _add_doctor(commands: Any) -> None:
    doctor = _command(commands, "doctor", "Say what this machine has, and what is missing.", _doctor)
    doctor.add_argument("--json", action="store_true", help="as JSON")


_PASSED_ON = ("source", "target", "budget", "metric", "group", "time", "positive", "equal_within", "kind", "seed")
_PRICES = ("kwh", "core_hour", "currency")
_PASSED_ON_TOO = ("drop", "only", "without", "memory", "cores", "out")


def _race(options: argparse.Namespace, started: float) -> int:
    from deepenough.api import race

    given = {name: getattr(options, name) for name in (*_PASSED_ON, *_PASSED_ON_TOO)}
    prices = {name: getattr(options, name) for name in _PRICES if getattr(options, name) is not None}
    given["prices"] = prices or None
    return _watch(options, lambda listen: race(**given, listen=listen, started=started))


def _resume(options: argparse.Namespace, started: float) -> int:
    from deepenough.api import resume

    return _watch(options, lambda listen: resume(options.run, listen=listen, started=started))


def _watch(options: argparse.Namespace, run: Callable[[Any], Race]) -> int:
    """Run a race under the listener that fits, then say what it found."""
    from deepenough.report import live, text

    with live.listener(quiet=options.quiet, as_json=options.json) as listen:
        race = run(listen)
    if not options.json:
        print(text.summary(race.facts, _shown(race.folder)))
    return 0


def _shown(folder: Path) -> str:
    """The folder as a person would type it from here, quoted for a shell."""
    import shlex

    folder = folder.resolve()
    here = Path.cwd()
    return shlex.quote(str(folder.relative_to(here) if folder.is_relative_to(here) else folder))


def _report(options: argparse.Namespace, started: float) -> int:
    from deepenough.report import text
    from deepenough.result import Race

    race = Race(options.run)
    race.write_report()
    print(_as_json(race.facts) if options.json else text.summary(race.facts, _shown(options.run)))
    return 0


def _predict(options: argparse.Namespace, started: float) -> int:
    from deepenough.model.folder import load

    load(options.run).predict_file(options.file, options.output)
    print(f"Predictions are in {options.output}.", file=sys.stderr)
    return 0


def _learners(options: argparse.Namespace, started: float) -> int:
    from deepenough.errors import OptionError
    from deepenough.kinds import find, find_learners

    kinds = list(find())
    if options.kind and options.kind not in kinds:
        raise OptionError(f"--kind {options.kind} is not known. Known kinds: {', '.join(kinds)}.")
    entries = [entry for kind in kinds if options.kind in (None, kind) for entry in find_learners(kind)]
    if options.json:
        print(_as_json([_entry(entry) for entry in entries]))
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
    print(_as_json(found) if options.json else outline(found))
    return 0


def _as_json(value: Any) -> str:
    from deepenough.report.facts import as_plain

    return json.dumps(as_plain(value), indent=2, sort_keys=True, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
