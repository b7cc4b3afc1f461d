"""The command that hands a run's winner to other tools: `export`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from deepenough.cli.parsing import add_command, as_json


def add(commands: Any) -> None:
    """Add this group's command."""
    export = add_command(
        commands, "export", "Write a run's winner as an ONNX file or as a script, or log the run in MLflow.", _export
    )
    export.add_argument("run", metavar="RUN", type=Path, help="folder of a finished run")
    export.add_argument(
        "--onnx",
        metavar="FILE",
        nargs="?",
        const="",
        help="the model as an ONNX file, refused where it answers raced rows otherwise; default RUN's name.onnx",
    )
    export.add_argument(
        "--python",
        metavar="FILE",
        nargs="?",
        const="",
        help="a script that trains the winner without Deepenough, refused where its scores differ from the race's; "
        "default train_RUN's name.py",
    )
    export.add_argument("--learner", metavar="NAME", help="of the script: another one that was judged")
    export.add_argument(
        "--mlflow",
        metavar="URI",
        nargs="?",
        const="",
        help="log the race in MLflow: its address; default what MLFLOW_TRACKING_URI says",
    )
    export.add_argument("--experiment", metavar="NAME", default="deepenough", help="of MLflow; default deepenough")
    export.add_argument("--trials", action="store_true", help="log every trial in MLflow too, below the race")
    export.add_argument("--data", metavar="FILE", help="where the data that were raced are now")
    export.add_argument("--json", action="store_true", help="say what was written as JSON")


def _export(options: argparse.Namespace, started: float) -> int:
    from deepenough import export
    from deepenough.errors import OptionError
    from deepenough.report.words import plain

    if options.onnx is None and options.python is None and options.mlflow is None:
        raise OptionError("Say what to export: --onnx, --python or --mlflow.")
    if options.learner is not None and options.python is None:
        raise OptionError("--learner says whose training the script holds. Ask for one: --python.")
    if options.trials and options.mlflow is None:
        raise OptionError("--trials says what is logged in MLflow. Ask for that: --mlflow.")
    export.check(options.run, onnx=options.onnx, python=options.python, mlflow=options.mlflow is not None)
    told: dict[str, Any] = {}
    if options.onnx is not None:
        told["onnx"] = export.onnx(options.run, options.onnx or None, source=options.data)
    if options.python is not None:
        file, learner = options.python or None, options.learner
        told["python"] = export.python(options.run, file, learner=learner, source=options.data)
    if options.mlflow is not None:
        uri, experiment = options.mlflow or None, options.experiment
        told["mlflow"] = export.mlflow(options.run, uri, experiment=experiment, trials=options.trials)
    if options.json:
        print(as_json(told))
        return 0
    for each in told.values():
        print(plain(each.sentence))
    return 0
