"""The commands that race: `race`, `resume` and `analyse`."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepenough.cli.parsing import add_business, add_command, add_saying, shown
from deepenough.options import of_kinds as options_of_kinds

if TYPE_CHECKING:
    from deepenough.result import Race

PASSED_ON = (
    *("source", "target", "budget", "metric", "task", "group", "time", "folds", "weights", "class_weights", "test"),
    *(
        "query",
        "positive",
        "equal_within",
        "kind",
        "seed",
        "drop",
        "only",
        "without",
        "memory",
        "cores",
        "out",
        "race_mine",
    ),
    *("keep_logs", "disk", "analysis", "sign"),
)
"""Options that `deepenough.race` takes by the same names."""
PRICES = ("kwh", "core_hour", "currency")
BUSINESS = ("traffic", "max_latency", "worth", "switch_cost")


def add(commands: Any) -> None:
    """Add this group's commands."""
    _add_race(commands)
    resume = add_command(commands, "resume", "Go on with a run that was interrupted.", _resume)
    resume.add_argument("run", metavar="RUN", type=Path, help="folder of the run")
    add_saying(resume)
    analyse = add_command(
        commands, "analyse", "Do what a race's budget left undone: judge under other splits, explain.", _analyse
    )
    analyse.add_argument("run", metavar="RUN", type=Path, help="folder of a finished run; its verdict stays what it is")
    add_saying(analyse)


def _add_race(commands: Any) -> None:
    race = add_command(commands, "race", "Race both families on your data and say which to use.", _race)
    race.set_defaults(parser=race)
    race.add_argument(
        "source", metavar="SOURCE", nargs="?", help="a file, or a database: sqlite:///shop.db?table=orders"
    )
    _add_question(race.add_argument_group("the question"))
    _add_rows(race.add_argument_group("who learns and who judges"))
    _add_learners(race.add_argument_group("who takes part"))
    _add_effort(race.add_argument_group("time, machine and disk"))
    _add_of_kinds(race.add_argument_group("what some kinds of data alone can be asked"))
    _add_money(race.add_argument_group("money"))
    race.add_argument("--sign", metavar="KEY", help="private Ed25519 key, a PEM file, that signs the run's seal")
    race.add_argument("--out", metavar="DIR", help="folder of the run (default: a new one under runs/)")
    race.add_argument(
        "--config", metavar="FILE", help="a TOML file whose keys are these options; the command line wins"
    )
    add_saying(race)


def _add_question(group: Any) -> None:
    group.add_argument(
        "--target",
        metavar="COLUMN",
        action="append",
        default=[],
        help="what to predict; repeated, each is raced by itself and the budget is split",
    )
    group.add_argument(
        "--metric", metavar="NAME", help="what is judged (default: log_loss for classes, rmse for numbers)"
    )
    group.add_argument(
        "--task", metavar="TASK", help="classification or regression, where the target could be either (default: found)"
    )
    group.add_argument("--kind", metavar="KIND", help="kind of data (default: recognised from the source)")
    group.add_argument("--query", metavar="SQL", help="what to select from the database that SOURCE names")
    group.add_argument("--drop", metavar="COLUMN", action="append", default=[], help="leave a column out; repeatable")
    group.add_argument("--positive", metavar="CLASS", help="the class that counts as positive")
    group.add_argument("--equal-within", metavar="X", type=float, help="differences up to X in the metric don't matter")


def _add_rows(group: Any) -> None:
    group.add_argument("--group", metavar="COLUMN", help="rows of one group are never on both sides of a split")
    group.add_argument("--time", metavar="COLUMN", help="train on the past, judge on the future")
    group.add_argument("--folds", metavar="COLUMN", help="your own split: its 2 to 20 values are the folds")
    group.add_argument("--weights", metavar="COLUMN", help="what each row weighs, in learning and in judging")
    group.add_argument("--class-weights", metavar="HOW", help="what a row weighs by its class: balanced, or yes=5,no=1")
    group.add_argument("--test", metavar="FILE", help="rows that nobody learns from, scored after the verdict")


def _add_of_kinds(group: Any) -> None:
    for option in options_of_kinds().values():
        several: dict[str, Any] = {"action": "append", "default": []} if option.many else {}
        group.add_argument(f"--{option.name}", metavar=option.metavar, help=option.help, **several)


def _add_learners(group: Any) -> None:
    group.add_argument("--only", metavar="LEARNER", action="append", default=[], help="race these learners; repeatable")
    group.add_argument(
        "--without", metavar="LEARNER", action="append", default=[], help="leave a learner out; repeatable"
    )
    group.add_argument(
        "--race-mine", metavar="PLACE", help="your present model, as module:estimator, judged beside the finalists"
    )


def _add_effort(group: Any) -> None:
    group.add_argument(
        "--budget",
        default="2m",
        help="time for everything: 30s, 2m, 1h; quick, normal, thorough; or 40trials (default: %(default)s)",
    )
    group.add_argument(
        "--analysis",
        metavar="SHARE",
        default=0.2,
        help="most of the budget that may explain and check the verdict (default: 20%%)",
    )
    group.add_argument("--seed", metavar="N", type=int, default=0, help="of every random choice (default: %(default)s)")
    group.add_argument(
        "--cores", metavar="N", type=int, help="processor cores to use (default: all that are free to use)"
    )
    group.add_argument("--memory", metavar="SIZE", help="memory to use, as 4GB (default: most of what is free)")
    group.add_argument("--disk", metavar="SIZE", help="most that the run may hold, as 2GB; beaten models go first")
    group.add_argument("--keep-logs", action="store_true", help="keep what trials print in RUN/logs")


def _add_money(group: Any) -> None:
    group.add_argument("--kwh", metavar="PRICE", type=float, help="price of a kilowatt hour (default: 0.30)")
    group.add_argument("--core-hour", metavar="PRICE", type=float, help="price of a core and hour (default: 0.05)")
    group.add_argument("--currency", metavar="NAME", help="of these prices (default: EUR)")
    add_business(group)
    group.add_argument(
        "--worth", metavar="HOW", help="what the metric is worth to you: 0.01=500/month (of its unit, in the currency)"
    )
    group.add_argument(
        "--switch-cost",
        metavar="MONEY",
        help="of the dearer family, as 200/month; with --worth it says what counts as equal",
    )


def _race(options: argparse.Namespace, started: float) -> int:
    from deepenough.api import race
    from deepenough.errors import OptionError

    if options.source is None:
        raise OptionError("No data were given. Name them: deepenough race SOURCE --target COLUMN.")
    given = {name: getattr(options, name) for name in PASSED_ON}
    for option in options_of_kinds().values():
        if value := getattr(options, option.name):
            given[option.name] = [name for each in value for name in each.split(",")] if option.many else value
    prices = {name: getattr(options, name) for name in PRICES if getattr(options, name) is not None}
    given["prices"] = prices or None
    business = {name: getattr(options, name) for name in BUSINESS if getattr(options, name) is not None}
    given["business"] = business or None
    if len(options.target) > 1:
        return _race_each(options, given, started)
    given["target"] = options.target[0] if options.target else None
    return _watch(options, lambda listen: race(**given, listen=listen, started=started))


def _race_each(options: argparse.Namespace, given: dict[str, Any], started: float) -> int:
    """Race every target, each under a listener of its own; 2 where one of them could not be raced."""
    from deepenough.report import live
    from deepenough.targets import race_each

    @contextlib.contextmanager
    def watch(target: str) -> Iterator[Any]:
        if not (options.quiet or options.json):
            print(f"Target {target!r}", file=sys.stderr)
        with live.listener(quiet=options.quiet, as_json=options.json) as listen:
            yield listen

    races = race_each(targets=given.pop("target"), **given, watch=watch, started=started)
    if not options.json:
        print(f"{races}\n\nReport: {shown(races.folder)}/report.html")
    return 2 if races.errors else 0


def _resume(options: argparse.Namespace, started: float) -> int:
    from deepenough.api import resume

    return _watch(options, lambda listen: resume(options.run, listen=listen, started=started))


def _analyse(options: argparse.Namespace, started: float) -> int:
    from deepenough.api import analyse

    return _watch(options, lambda listen: analyse(options.run, listen=listen))


def _watch(options: argparse.Namespace, run: Callable[[Any], Race]) -> int:
    """Run a race under the listener that fits, then say what it found."""
    from deepenough.report import live, text

    with live.listener(quiet=options.quiet, as_json=options.json) as listen:
        race = run(listen)
    if not options.json:
        print(text.summary(race.facts, shown(race.folder)))
    return 0
