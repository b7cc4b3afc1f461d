"""The command that reads measured learning curves: `curves`."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from deepenough.cli.parsing import add_command, aligned, as_json


def add(commands: Any) -> None:
    """Add this group's commands."""
    curves = add_command(
        commands, "curves", "Forecast what more rows would bring, from points that you measured.", _curves
    )
    curves.add_argument("file", metavar="FILE", help="columns learner, family, n_train, error; perhaps stderr, task")
    curves.add_argument("--at", metavar="TIMES", default="2x,4x", help="sizes to forecast (default: %(default)s)")
    curves.add_argument("--json", action="store_true", help="as JSON")


def _curves(options: argparse.Namespace, started: float) -> int:
    from deepenough.forecasts import curves
    from deepenough.report.words import plain

    told = curves(options.file, options.at)
    if options.json:
        print(as_json(told))
        return 0
    rows = [["learner", "rows", "error", "90 % interval", "note"]]
    families = Counter(name for name, _ in {(each["learner"], each["family"]) for each in told["learners"]})
    for forecast in told["forecasts"]:
        name = forecast["learner"]
        name = f"{name} ({forecast['family']})" if families[name] > 1 else name
        name = f"{forecast['task']}: {name}" if "task" in forecast else name
        known = forecast["median"] is not None
        error = f"{forecast['median']:.4g}" if known else "-"
        interval = f"{forecast['low']:.4g} to {forecast['high']:.4g}" if known else "-"
        rows.append([plain(name), f"{forecast['n_train']:,}", error, interval, forecast["note"]])
    print(aligned(rows))
    print()
    for sentence in (*_crossings(told["crossing"]), *told["advice"]):
        print(plain(sentence))
    return 0


def _crossings(crossing: Any) -> list[str]:
    """The crossing, or one a task, as sentences."""
    if crossing is None:
        return ["Where the families cross can't be told: each needs a learner measured at four sizes or more."]
    if "sentence" in crossing:
        return [f"{crossing['classical']} against {crossing['deep']}: {crossing['sentence']}."]
    return [f"{task}: {sentence}" for task, own in crossing.items() for sentence in _crossings(own)]
