"""The commands that use what a race left: `report` and `predict`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from deepenough.cli.parsing import add_business, add_command, as_json, shown


def add(commands: Any) -> None:
    """Add this group's commands."""
    report = add_command(
        commands, "report", "Recompute a run's verdict from its evidence; rewrite its report.html.", _report
    )
    report.add_argument("run", metavar="RUN", type=Path, help="folder of a run, finished or not, or of several targets")
    add_business(report)
    report.add_argument("--json", action="store_true", help="print all facts as JSON instead of the summary")
    predict = add_command(commands, "predict", "Predict with the model that a run handed over.", _predict)
    predict.add_argument("run", metavar="RUN", type=Path, help="folder of a run, or of a saved model")
    predict.add_argument("file", metavar="FILE", help="rows to predict; may be larger than memory")
    predict.add_argument(
        "-o", "--output", metavar="OUT", type=Path, required=True, help="out.csv, out.parquet or out.jsonl"
    )
    predict.add_argument(
        "--interval",
        metavar="LEVEL",
        type=float,
        help="for numbers: 0.9 adds low_90 and high_90, between which nine in ten truths lie",
    )


def _report(options: argparse.Namespace, started: float) -> int:
    from deepenough.report import text
    from deepenough.result import Race
    from deepenough.targets import INDEX

    use = {name: value for name in ("traffic", "max_latency") if (value := getattr(options, name)) is not None}
    if (options.run / INDEX).is_file():
        return _report_each(options, use)
    race = Race(options.run)
    race = race.used(use) if use else race
    race.write_report()
    print(as_json(race.facts) if options.json else text.summary(race.facts, shown(options.run)))
    return 0


def _report_each(options: argparse.Namespace, use: dict[str, str]) -> int:
    from deepenough.targets import Races

    races = Races.read(options.run)
    for race in races.races.values():
        (race.used(use) if use else race).write_report()
    races.write_report()
    print(as_json(races.facts) if options.json else races)
    return 0


def _predict(options: argparse.Namespace, started: float) -> int:
    from deepenough.model.folder import load

    model = load(options.run)
    model.predict_file(options.file, options.output, interval=options.interval)
    for name, count in model.unread.items():
        print(f"Column {name!r}: {count:,} cells could not be read and count as missing.", file=sys.stderr)
    for sentence in model.unanswered:
        print(sentence, file=sys.stderr)
    print(f"Predictions are in {options.output}.", file=sys.stderr)
    return 0
