"""How well and how dearly does each learner find objects alone, without a clock, and how long does one picture take?

    python benchmarks/objects_alone.py --pictures 100 300 --learners hog_windows one_stage

Pictures are those of `examples/objects.py`: real small photos of clothes in front of real photos, composed; average
precision is of 100 pictures of other clothes in front of other photos. Seconds are of the processor, one thread.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import tables

LATER, TIMED = 100, 60


def example() -> ModuleType:
    """The example that composes the pictures."""
    path = Path(__file__).parents[1] / "examples" / "objects.py"
    spec = importlib.util.spec_from_file_location("objects_example", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def measured(entry: Any, task: Any, pictures: int) -> dict[str, Any]:
    """One learner fitted on so many pictures."""
    from deepenough.learner import Limits

    test = task.held_out()
    examples = replace(task.everything(0).take(np.arange(pictures)), inner=np.arange(0, pictures, 7))
    start = time.process_time()
    model = entry.cls().fit(examples, Limits(), 0)
    seconds = time.process_time() - start
    predictions = model.predict(test.inputs)
    shown = [metric.show(metric.evaluate(metric.records(test.truth, predictions))[0]) for metric in task.metrics()]
    milliseconds = []
    for turn in range(TIMED):
        one = test.inputs.take(np.array([turn % len(test.inputs)]))
        start = time.perf_counter()
        model.predict(one)
        milliseconds.append(1000 * (time.perf_counter() - start))
    p95 = float(np.percentile(milliseconds, 95))
    names = ("average precision", "at three quarters")
    return dict(zip(names, shown, strict=True)) | {"fit_cpu_s": seconds, "one_p95_ms": p95}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--pictures", type=int, nargs="*", default=[100, 300], help="to learn from (default: %(default)s)"
    )
    parser.add_argument("--learners", nargs="*", default=["usual_boxes", "hog_windows", "one_stage"])
    options = parser.parse_args()
    import torch

    from deepenough import kinds
    from deepenough.task.task import Question

    torch.set_num_threads(1)
    composed = example()
    with tempfile.TemporaryDirectory() as home:
        boxes, later = composed.prepared(Path(home), max(options.pictures), LATER)
        question = Question("what", test=str(later))
        task: Any = kinds.find()["objects"].load(str(boxes), question)
        rows = []
        for name in options.learners:
            entry = next(entry for entry in kinds.find_learners("objects") if entry.name == name)
            for pictures in options.pictures:
                rows.append({"learner": name, "pictures": pictures} | measured(entry, task, min(pictures, task.rows)))
        tables.show(rows)


if __name__ == "__main__":
    main()
