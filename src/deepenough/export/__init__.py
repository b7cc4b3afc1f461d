"""A run's winner for other tools: an ONNX file, a script in plain Python, an entry in MLflow.

Needs that this room answers:

* What is handed out gives the same answers: an ONNX file and a script are held against the run before they get their
  name, and what differs is refused.
* No kind and no learner is known here by name: a model draws itself, a learner writes its own part of a script.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepenough.export.as_onnx import Drawn
    from deepenough.export.as_script import Written
    from deepenough.export.to_mlflow import Logged


def onnx(run: Path | str, file: Path | str | None = None, *, source: Any = None) -> Drawn:
    """Write a run's model as an ONNX file, if it answers raced rows as the model does; says what was written.

    run: folder of a finished run. file: by default `<run>.onnx` in the current folder.
    source: where the data that were raced are now; by default where they were.

    Raises ModelError where the model can't be drawn or answers otherwise, RunError and SourceError where the run or its
    data are gone, OptionError where packages are missing or the file can't be written.
    """
    from deepenough.export.as_onnx import write

    return write(Path(run), place(run, file, ".onnx"), source)


def python(
    run: Path | str, file: Path | str | None = None, *, learner: str | None = None, source: Any = None
) -> Written:
    """Write a script that trains a run's winner without this package, if it gives the race's scores.

    run, source: as in `onnx`. file: by default `train_<run>.py`, which no module is called that it imports; the rows of
        each fold are written beside it.
    learner: another one that was judged at the verdict's size; of a blend, one must be named.

    Raises ModelError where its training can't be written or gives other scores, and else as `onnx` does.
    """
    from deepenough.export.as_script import write

    return write(Path(run), place(run, file, ".py", "train_"), learner, source)


def mlflow(run: Path | str, uri: str | None = None, *, experiment: str = "deepenough", trials: bool = False) -> Logged:
    """Log a finished race in MLflow: what was asked, what came out, what it cost, its report and its model.

    uri: of the tracking server; by default what MLflow itself goes by (`MLFLOW_TRACKING_URI`).
    experiment: under which name; it is made where it is not there. trials: each as a run below the race's, too.

    Raises OptionError where the package is missing or MLflow refuses, RunError where the folder is no finished run.
    """
    from deepenough.export.to_mlflow import log

    return log(Path(run), uri, experiment, trials)


def check(run: Path | str, *, onnx: str | None = None, python: str | None = None, mlflow: bool = False) -> None:
    """Raise OptionError where an export of several lacks a package or a place, before any of them is written.

    onnx, python: the file, empty for the usual one; None where it is not wanted. mlflow: whether it is wanted.
    """
    from deepenough.export import as_onnx, as_script, places

    if onnx is not None:
        as_onnx.check(place(run, onnx, ".onnx"))
    if python is not None:
        as_script.check(place(run, python, ".py", "train_"))
    if mlflow:
        places.require("--mlflow")


def place(run: Path | str, file: Path | str | None, ending: str, beginning: str = "") -> Path:
    """Where it is written: the file that was named, or one called after the run in the current folder."""
    return Path(file) if file else Path(beginning + Path(run).resolve().name + ending)
