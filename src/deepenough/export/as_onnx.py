"""A run's model as an ONNX file that answers as the model does.

Needs that this module answers:

* What a person has goes in, not what a library made of it: an input a column, words as words.
* Encoding, members, weights and temperatures are all in the one graph, or it is refused.
* It is proved before the file gets its name: ONNX Runtime answers rows that were raced.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.errors import ModelError
from deepenough.export import places
from deepenough.graph import Graph
from deepenough.model.folder import LoadedModel, load
from deepenough.racing.again import task_of

TOLERANCE = 1e-4
"""By how much an answer may differ: of probabilities as they are, of numbers in deviations of the target."""
MOST_ROWS = 20_000
"""Raced rows that are compared, at most, evenly spread over all."""
ROWS_AT_ONCE = 1_000


@dataclass(frozen=True)
class Drawn:
    """What was written.

    rows: how many raced rows were compared: those that the folds hold out, of which a race may have judged fewer.
    difference: the largest, in the units of `TOLERANCE`.
    inputs: by column `number` or `words`. outputs: their names.
    """

    file: Path
    rows: int
    difference: float
    inputs: dict[str, str]
    outputs: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What was proved."""
        return (
            f"{self.file}: ONNX Runtime answers {self.rows:,} raced rows as the model does; the largest difference is "
            f"{self.difference:.1e}."
        )


def check(file: Path) -> None:
    """Raise OptionError where packages are missing or the file can't be written; an ONNX file there is replaced."""
    places.require("--onnx")
    places.free(file, ".onnx")


def write(run: Path, file: Path, source: Any = None) -> Drawn:
    """See `export.onnx`."""
    from deepenough.result import Race

    check(file)
    plan = Race(places.run_of(run)).evidence.plan
    model = load(run)
    graph = Graph()
    answers = model.onnx(graph)
    labels = model.codec.labels()
    _answer(graph, answers, labels)
    task = task_of(plan, source)
    with places.opened(file) as part:
        _serialise(graph, model, labels, part)
        rows, difference = _difference(part, graph, model, task)
        if not difference <= TOLERANCE:
            raise ModelError(
                f"The ONNX file would answer otherwise than the model: by up to {difference:.2g} on {rows:,} raced "
                f"rows, more than {TOLERANCE:g}. It was not written; serve the model itself with `deepenough serve`."
            )
    return Drawn(file, rows, difference, dict(graph.inputs), tuple(graph.outputs()))


def _answer(graph: Graph, answers: Any, labels: Any) -> None:
    if not len(labels):
        graph.answer("prediction", answers, np.float64, 0)
        return
    named = np.asarray(labels)
    named = named if named.dtype.kind in "bif" else np.array([str(label) for label in labels], dtype=object)
    label = graph.gather(named, graph.put("ArgMax", answers, axis=1, keepdims=0))
    graph.answer("label", label, named.dtype, 0)
    graph.answer("probabilities", answers, np.float64, len(labels))


def _serialise(graph: Graph, model: LoadedModel, labels: Any, part: Path) -> None:
    facts = {
        "target": str(model.about["task"].get("target")),
        "classes": json.dumps([label if isinstance(label, str) else label.item() for label in labels]),
        "members": json.dumps([[member["name"], member["weight"]] for member in model.about["members"]]),
        "note": model.about["note"],
    }
    try:
        part.write_bytes(graph.made(facts).SerializeToString())
    except ValueError as error:  # protobuf's own bound
        raise ModelError("The model is larger than the 2 GB that an ONNX file may have.") from error


def _difference(part: Path, graph: Graph, model: LoadedModel, task: Any) -> tuple[int, float]:
    """How many raced rows were compared, and the largest difference."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(part), options, providers=["CPUExecutionProvider"])
    spread = _spread(task)
    rows, worst = 0, 0.0
    for inputs in _held_out(task):
        expected = model.predict_raw(inputs)
        found = session.run([graph.outputs()[-1]], model.codec.fed(inputs))[0]
        if found.shape != expected.shape:
            raise ModelError(f"The ONNX file answers with shape {found.shape}, the model with {expected.shape}.")
        apart = np.abs(found - expected)
        worst = max(worst, float(np.max(np.where(np.isfinite(apart), apart, np.inf), initial=0.0)) / spread)
        rows += len(expected)
    return rows, worst


def _spread(task: Any) -> float:
    """Of numbers the deviation of the target; of classes 1."""
    if task.n_classes is not None:
        return 1.0
    return float(np.std(np.concatenate([task.truth(fold) for fold in range(task.folds)]))) or 1.0


def _held_out(task: Any) -> Iterator[Any]:
    """Inputs of the rows that folds hold out, in parts; where every fold holds out the same rows, of one fold."""
    folds = range(1 if task.judging == "halves" else task.folds)
    most = MOST_ROWS // len(folds)
    for fold in folds:
        inputs = task.inputs(fold)
        count = len(inputs)
        chosen = np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(np.int64)
        for start in range(0, len(chosen), ROWS_AT_ONCE):
            yield inputs.take(chosen[start : start + ROWS_AT_ONCE])
