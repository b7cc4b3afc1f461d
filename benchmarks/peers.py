"""Deepenough beside the AutoML packages that are installed: time, overrun, memory, size, latency, and the score.

python benchmarks/peers.py --budget 60s --tables german_credit letter --peers flaml autogluon --python PATH

PATH is the Python of an environment that holds the peers (with pandas); Deepenough runs in this one. One after the
other, each in processes of its own, on the same rows and with the same budget:

* `wall_s` is from the start of the process that reads the table and fits to its end, the model saved; `over_s` what
  that is beyond the budget.
* `peak_mb` is the most memory that this process and all its children held at once (proportional set size on Linux).
* A second process loads the model: `p50_ms` and `p95_ms` are of 200 predictions of one row, a data frame of one row
  each, after ten that don't count.
* `loss` is on a fifth of the rows, which nobody saw: log loss of the probabilities as they are given, or RMSE.

Peers search for the best model and nothing else; Deepenough spends half of its time on the other family and on judging.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tables

NAMES = ("german_credit", "letter", "adult")
MANY = 30
"""A target with more distinct numbers than this is a number."""
TIMES = 200
Predict = Callable[[Any], Any]
"""A frame of rows to a frame of probabilities, its columns the classes as text, or to a column of numbers."""


def fit_deepenough(train: Path, target: str, seconds: float, is_number: bool, out: Path) -> None:
    from deepenough.cli import main as command

    options = ["--target", target, "--budget", f"{seconds:g}s", "--out", str(out), "--quiet"]
    if command(["race", str(train), *options]):
        raise SystemExit("the race gave no model")


def load_deepenough(out: Path, target: str) -> Predict:
    import deepenough

    model = deepenough.load(out)

    def predict(frame: Any) -> Any:
        answers = model.predict(frame).drop(columns=target, errors="ignore")
        return answers.rename(columns=lambda name: name.removeprefix("probability_"))

    if model.about["task"]["n_classes"] is None:
        return lambda frame: model.predict(frame)[target].to_numpy()
    return predict


def fit_flaml(train: Path, target: str, seconds: float, is_number: bool, out: Path) -> None:
    import pickle  # as its documentation says; what is read here was written here

    import pandas as pd
    from flaml import AutoML

    automl = AutoML()
    task, metric = ("regression", "rmse") if is_number else ("classification", "log_loss")
    automl.fit(dataframe=pd.read_csv(train), label=target, task=task, metric=metric, time_budget=seconds, verbose=0)
    out.mkdir()
    (out / "automl.pkl").write_bytes(pickle.dumps(automl, protocol=pickle.HIGHEST_PROTOCOL))


def load_flaml(out: Path, target: str) -> Predict:
    import pickle

    import pandas as pd

    automl = pickle.loads((out / "automl.pkl").read_bytes())
    if getattr(automl, "classes_", None) is None:
        return lambda frame: automl.predict(frame)
    names = [str(name) for name in automl.classes_]
    return lambda frame: pd.DataFrame(automl.predict_proba(frame), columns=names)


def fit_autogluon(train: Path, target: str, seconds: float, is_number: bool, out: Path) -> None:
    import pandas as pd
    from autogluon.tabular import TabularPredictor

    frame = pd.read_csv(train)
    kind = "regression" if is_number else "binary" if frame[target].nunique() == 2 else "multiclass"
    metric = "root_mean_squared_error" if is_number else "log_loss"
    predictor = TabularPredictor(target, problem_type=kind, eval_metric=metric, path=str(out), verbosity=0)
    predictor.fit(frame, time_limit=seconds)


def load_autogluon(out: Path, target: str) -> Predict:
    from autogluon.tabular import TabularPredictor

    predictor = TabularPredictor.load(str(out))
    if predictor.problem_type == "regression":
        return lambda frame: predictor.predict(frame)
    return lambda frame: predictor.predict_proba(frame).rename(columns=str)


SYSTEMS: dict[str, tuple[Callable[..., None], Callable[..., Predict]]] = {
    "deepenough": (fit_deepenough, load_deepenough),
    "flaml": (fit_flaml, load_flaml),
    "autogluon": (fit_autogluon, load_autogluon),
}
MODULES = {"deepenough": "deepenough", "flaml": "flaml", "autogluon": "autogluon.tabular"}


def main() -> None:
    parser = tables.arguments(__doc__.split("\n")[0], NAMES)
    parser.add_argument("--budget", default="60s", help="of each, in seconds (default: %(default)s)")
    parser.add_argument("--peers", nargs="*", default=["flaml", "autogluon"], metavar="NAME", help="default: both")
    parser.add_argument("--python", default=sys.executable, help="Python of the peers' environment (default: this one)")
    options = parser.parse_args()
    rows = []
    for table in tables.find(options.tables, options.data):
        for name in ("deepenough", *options.peers):
            python = sys.executable if name == "deepenough" else options.python
            if not _is_there(python, name):
                print(f"{name}: not installed for {python}")
                continue
            rows.append(_measured(table, name, python, float(options.budget.removesuffix("s"))))
            print(rows[-1], file=sys.stderr)
    tables.show(rows)


def _is_there(python: str, name: str) -> bool:
    code = f"import importlib.util; assert importlib.util.find_spec({MODULES[name]!r})"
    return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0


def _measured(table: tables.Bench, name: str, python: str, seconds: float) -> dict[str, Any]:
    """A line of the result."""
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        place = Path(folder)
        frame = table.frame()
        frame = frame[frame[table.target].notna()].sample(frac=1.0, random_state=0)
        held_out = np.arange(len(frame)) % 5 == 0
        frame[~held_out].to_csv(place / "train.csv", index=False)
        frame[held_out].to_csv(place / "test.csv", index=False)
        is_number = frame[table.target].dtype.kind in "fiu" and frame[table.target].nunique() > MANY
        job = {"name": name, "target": table.target, "seconds": seconds, "is_number": is_number, "place": folder}
        (place / "job.json").write_text(json.dumps(job))
        wall, peak, error = _watched([python, __file__, "fit", folder])
        line = {"table": table.name, "rows": int((~held_out).sum()), "system": name, "budget_s": seconds}
        line |= {"wall_s": round(wall, 1), "over_s": round(wall - seconds, 1), "peak_mb": round(peak / 1e6)}
        if error:
            return line | dict.fromkeys(("model_mb", "load_s", "p50_ms", "p95_ms", "loss"), "-") | {"note": error}
        size = sum(path.stat().st_size for path in _model(place / "out").rglob("*") if path.is_file())
        done = subprocess.run([python, __file__, "use", folder], capture_output=True, text=True, check=False)
        if done.returncode:
            return line | dict.fromkeys(("model_mb", "load_s", "p50_ms", "p95_ms", "loss"), "-") | {"note": _last(done)}
        return line | {"model_mb": round(size / 1e6, 2)} | json.loads(done.stdout.splitlines()[-1]) | {"note": ""}


def _model(out: Path) -> Path:
    """Of a run's folder only the model serves."""
    return out / "model" if (out / "model" / "manifest.json").exists() else out


def _last(done: Any) -> str:
    return str(done.stderr.strip().splitlines()[-1:])[:200]


def _watched(command: Sequence[str]) -> tuple[float, int, str]:
    """Seconds, the most bytes held at once by the process and its children, and what went wrong."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        peaks = [0]
        watch = threading.Thread(target=_watch, args=(process, peaks))
        watch.start()
        code = process.wait()
        seconds = time.perf_counter() - start
        watch.join()
        said.seek(0)
        error = said.read().strip().splitlines()[-1][:200] if code else ""
    return seconds, max(peaks), error


def _watch(process: subprocess.Popen[bytes], peaks: list[int]) -> None:
    import psutil

    while process.poll() is None:
        held = 0
        try:
            own = psutil.Process(process.pid)
            for each in (own, *own.children(recursive=True)):
                try:
                    held += getattr(each.memory_full_info(), "pss", each.memory_info().rss)
                except psutil.Error:
                    continue  # ended in between
        except psutil.Error:
            return
        peaks.append(held)
        time.sleep(0.2)


def fit(place: Path) -> None:
    """What the first process does."""
    job = json.loads((place / "job.json").read_text())
    SYSTEMS[job["name"]][0](place / "train.csv", job["target"], job["seconds"], job["is_number"], place / "out")


def use(place: Path) -> None:
    """What the second process does: prints its figures as JSON."""
    import pandas as pd

    job = json.loads((place / "job.json").read_text())
    test = pd.read_csv(place / "test.csv")
    inputs, truth = test.drop(columns=job["target"]), test[job["target"]]
    start = time.perf_counter()
    predict = SYSTEMS[job["name"]][1](place / "out", job["target"])
    loading = time.perf_counter() - start
    milliseconds = []
    for turn in range(-10, TIMES):
        row = inputs.iloc[[turn % len(inputs)]]
        start = time.perf_counter()
        predict(row)
        milliseconds.append(1000 * (time.perf_counter() - start))
    p50, p95 = np.percentile(milliseconds[10:], [50, 95])
    figures = {"load_s": loading, "p50_ms": p50, "p95_ms": p95, "loss": _loss(predict(inputs), truth, job["is_number"])}
    print(json.dumps({name: round(float(value), 4) for name, value in figures.items()}))


def _loss(answers: Any, truth: Any, is_number: bool) -> float:
    if is_number:
        return float(np.sqrt(np.mean((np.asarray(answers, dtype=np.float64) - truth.to_numpy()) ** 2)))
    columns = {str(name): place for place, name in enumerate(answers.columns)}
    places = truth.astype(str).map(columns)
    known = places.notna().to_numpy()  # a class that only the held-out rows have can't be scored
    given = answers.to_numpy(dtype=np.float64)[known, places[known].astype(int)]
    return float(-np.log(np.clip(given, 1e-15, 1)).mean())


if __name__ == "__main__":
    steps = {"fit": fit, "use": use}
    if len(sys.argv) == 3 and sys.argv[1] in steps:
        steps[sys.argv[1]](Path(sys.argv[2]))
    else:
        main()
