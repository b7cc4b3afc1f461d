"""What happens in a trial's process: warm up, wait for GO, fit, calibrate, predict, measure, answer.

Needs that this module answers:

* Imports, the learner's warm-up and the reading of the data are start-up, not fit: they end before GO. The warm-up gets
  no data, so nothing can be learnt in it.
* What the learner may see is the job and no more; the labels of what is judged are not in it.
* Both families are calibrated alike, on inner rows of their own training part, on the clock.
* Whatever goes wrong in here is told to the parent in one line, and is evidence.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.learner import Examples, Learner, Limits, Lists, Model, Paths, stop_when_asked
from deepenough.model import calibration
from deepenough.racing.meter import Meter
from deepenough.racing.order import Order

Arrays = Mapping[str, np.ndarray]

ONE_ROW_TIMES = 80
"""Single predictions that are timed, at most."""
READ_BACK = 60
"""Judged units whose predictions by the saved model are held against those of the fitted one."""


def imported(path: str) -> Any:
    """What `module:Name` names."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


_warm: set[tuple[str, int | None]] = set()


def warm_up(path: str, n_classes: int | None) -> None:
    """A learner's own warm-up, once in this process and in those that are forked from it."""
    if (path, n_classes) not in _warm:
        imported(path).warm_up(n_classes)
        _warm.add((path, n_classes))


def write_job(folder: Path, order: Order, arrays: Mapping[str, np.ndarray], shape: str, facts: Any) -> None:
    """Lay a trial's whole world into its folder."""
    folder.mkdir(parents=True)
    np.savez(folder / "job.npz", **arrays)  # type: ignore[arg-type]  # numpy's stub takes no mapping of arrays
    content = {"order": vars(order) | {"settings": dict(order.settings)}, "shape": shape, "facts": facts}
    (folder / "job.json").write_text(json.dumps(content))


def run(folder: Path, ready: Callable[[], None]) -> dict[str, Any]:
    """Run the job of the folder and write `answer-<rung>.npz` into it; returns what is to be told.

    ready: tells the parent that the start-up is over and returns at GO.
    """
    content = json.loads((folder / "job.json").read_text())
    order, facts = Order(**content["order"]), content["facts"]
    learner = imported(order.learner)(**order.settings)
    warm_up(order.learner, facts.get("n_classes"))
    with np.load(folder / "job.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return _SHAPES[content["shape"]](folder, order, learner, arrays, facts, ready)


def _limits(order: Order) -> Limits:
    """The limits, their clock started now."""
    cache = Path(order.cache) if order.cache else None
    return Limits(order.limit_seconds, order.threads, order.memory_bytes, order.device, cache=cache)


def _meter(order: Order) -> Meter:
    return Meter(threads=order.threads, device=order.device)


def _named(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}


def _supervised(
    folder: Path, order: Order, learner: Learner, arrays: Arrays, facts: Any, ready: Callable[[], None]
) -> dict[str, Any]:
    inputs = imported(facts["inputs"])
    paths, lists = _paths(facts), _lists(facts)
    examples = Examples(
        inputs.from_arrays(_named(arrays, "train.")),
        arrays["targets"],
        facts["n_classes"],
        arrays["inner"],
        arrays.get("weights"),
        paths,
        lists,
    )
    judged = inputs.from_arrays(_named(arrays, "judge."))
    ready()
    stop_when_asked()
    with _meter(order) as meter:
        start = time.perf_counter()
        with _meter(order) as fitting:
            model = learner.fit(examples, _limits(order), order.seed)
            temperature = fitted_calibration(model, examples)
        predicting = time.perf_counter()
        sound = _sound(model.predict(judged), len(judged), facts["n_classes"], paths or lists)
        predictions = calibration.apply(sound, temperature)
        predict_seconds = time.perf_counter() - predicting
    np.savez(folder / f"answer-{order.n_train}.npz", predictions=predictions)
    told = _measured(meter, fitting, predict_seconds, len(judged))
    told |= {"rungs": [[order.n_train, time.perf_counter() - start]], "temperature": temperature}
    told["planned"] = float(model.planned)
    if order.keep:
        model, kept = _kept(folder, model, judged, temperature, predictions)
        told |= kept
    if order.one_row_seconds:
        told |= _one_row(model, judged, order.one_row_seconds)  # by the model that was read back, which knows no cache
    return told


def _paths(facts: Any) -> Paths | None:
    told = facts.get("paths")
    return None if told is None else Paths(int(told[0]), tuple(told[1]))


def _lists(facts: Any) -> Lists | None:
    told = facts.get("lists")
    return None if told is None else Lists(*map(int, told))


def fitted_calibration(model: Model, examples: Examples) -> float:
    """One temperature, or spread of quantiles, fitted on inner rows that the predicting model had not trained on; 1
    for numbers, and for lists, whose scores are a matter of their kind."""
    if (examples.n_classes is None and examples.paths is None) or len(examples.inner) == 0:
        return 1.0
    predictions = model.inner_predictions
    if predictions is None:
        predictions = model.predict(examples.inputs.take(examples.inner))
    sound = _sound(predictions, len(examples.inner), examples.n_classes, examples.paths)
    targets = examples.targets[examples.inner]
    if examples.paths is not None:
        return calibration.fit_spread(sound, targets, examples.paths.levels)
    return float(calibration.fit_temperature(sound, targets, examples.weights_of(examples.inner)))


def _sound(predictions: np.ndarray, rows: int, n_classes: int | None, form: Paths | Lists | None) -> np.ndarray:
    """The predictions, if they are what was asked for: of the right shape, and finite numbers."""
    shape = (rows, *(form.shape if form else () if n_classes is None else (n_classes,)))
    if predictions.shape != shape:
        raise ValueError(f"predictions have shape {predictions.shape}, expected {shape}")
    if not np.isfinite(predictions).all():
        raise ValueError(f"{int((~np.isfinite(predictions)).sum())} predictions are not finite numbers")
    return predictions


def _measured(meter: Meter, fitting: Meter, predict_seconds: float, rows: int) -> dict[str, Any]:
    whole, fit = meter.reading, fitting.reading
    return {
        "wall_seconds": whole.wall_seconds,
        "cpu_seconds": whole.cpu_seconds,
        "fit_wall_seconds": fit.wall_seconds,
        "fit_cpu_seconds": fit.cpu_seconds,
        "predict_wall_seconds": predict_seconds,
        "predict_rows_per_second": rows / max(predict_seconds, 1e-9),
        "peak_bytes": whole.peak_bytes,
        "joules": whole.joules,
        "joules_source": whole.joules_source,
        "load_average": whole.load_average,
    }


def _one_row(model: Model, judged: Any, seconds: float) -> dict[str, float]:
    """Milliseconds of single predictions, alone on the machine, after one that is not counted."""
    milliseconds = []
    rows = [judged.take(np.array([index % len(judged)])) for index in range(ONE_ROW_TIMES)]
    model.predict(rows[0])
    end = time.perf_counter() + seconds
    for row in rows:
        start = time.perf_counter()
        model.predict(row)
        milliseconds.append(1000 * (time.perf_counter() - start))
        if time.perf_counter() > end:
            break
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return {"predict_one_ms_p50": float(p50), "predict_one_ms_p95": float(p95)}


def _kept(
    folder: Path, model: Model, judged: Any, temperature: float, predictions: np.ndarray
) -> tuple[Model, dict[str, Any]]:
    """Save the model, load what was saved, and see that it predicts the same; the loaded one, and what is told."""
    place = folder / "model"
    place.mkdir()
    model.save(place)
    some = np.arange(min(len(judged), READ_BACK))
    loaded = type(model).load(place)
    again = calibration.apply(loaded.predict(judged.take(some)), temperature)
    difference = float(np.max(np.abs(again - predictions[some]) / np.maximum(np.abs(predictions[some]), 1), initial=0))
    if difference > 1e-4:
        raise ValueError(f"the saved model predicts otherwise than the fitted one, by up to {difference:.2g}")
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    cls = type(model)
    return loaded, {"model_bytes": size, "model_class": f"{cls.__module__}:{cls.__qualname__}"}


def _unlabelled(
    folder: Path, order: Order, learner: Learner, arrays: Arrays, facts: Any, ready: Callable[[], None]
) -> dict[str, Any]:
    inputs = imported(facts["inputs"])
    examples, judged = inputs.from_arrays(_named(arrays, "train.")), inputs.from_arrays(_named(arrays, "judge."))
    ready()
    stop_when_asked()
    with _meter(order) as meter:
        start = time.perf_counter()
        with _meter(order) as fitting:
            model = learner.fit(examples, _limits(order), order.seed)
        predicting = time.perf_counter()
        predictions = np.asarray(model.predict(judged))
        predict_seconds = time.perf_counter() - predicting
    np.savez(folder / f"answer-{order.n_train}.npz", predictions=predictions)
    told = _measured(meter, fitting, predict_seconds, len(judged))
    told |= {"rungs": [[order.n_train, time.perf_counter() - start]], "planned": float(model.planned)}
    if order.keep:
        told |= _kept(folder, model, judged, 1.0, predictions)[1]
    return told


def _shuffled(
    folder: Path, order: Order, learner: Learner, arrays: Arrays, facts: Any, ready: Callable[[], None]
) -> dict[str, Any]:
    """No fit: saved models predict units again, with one part of these shuffled (see `perturb`)."""
    from deepenough.racing.perturb import Effort, Subject, shuffles

    subjects = [Subject(*own) for own in _subjects(arrays, facts)]
    ready()
    stop_when_asked()
    limits = _limits(order)

    def left() -> float:
        return limits.seconds_left() / order.limit_seconds if order.limit_seconds else limits.seconds_left()

    found = shuffles(subjects, facts["parts"], Effort(**facts["effort"]), order.seed, left)
    np.savez(folder / f"answer-{order.n_train}.npz", predictions=found.predictions)
    return {"rungs": [[order.n_train, 0.0]], "done": found.done}


def _changed(
    folder: Path, order: Order, learner: Learner, arrays: Arrays, facts: Any, ready: Callable[[], None]
) -> dict[str, Any]:
    """No fit: saved models predict units again, with one part of each that of another unit; change after change."""
    subjects = _subjects(arrays, facts)
    ready()
    cuts = np.cumsum([len(inputs) for _, inputs in subjects])[:-1]
    found = []
    for place, part in enumerate(facts["changed"]):
        rows = np.split(arrays[f"rows.{place}"].astype(np.int64), cuts)
        answers = [predict(inputs.shuffled(part, own)) for (predict, inputs), own in zip(subjects, rows, strict=True)]
        found.append(np.concatenate(answers).astype(np.float32))
    np.savez(folder / f"answer-{order.n_train}.npz", predictions=np.stack(found))
    return {"rungs": [[order.n_train, 0.0]]}


def _subjects(arrays: Arrays, facts: Any) -> list[tuple[Callable[[Any], np.ndarray], Any]]:
    """Saved models, each with the units that it is asked about."""
    inputs = imported(facts["inputs"])
    return [
        (_saved(Path(place)), inputs.from_arrays(_named(arrays, f"{index}.")))
        for index, place in enumerate(facts["models"])
    ]


def _predicted(
    folder: Path, order: Order, learner: Learner, arrays: Arrays, facts: Any, ready: Callable[[], None]
) -> dict[str, Any]:
    """No fit: saved models predict units that none of them was judged on."""
    judged = imported(facts["inputs"]).from_arrays(_named(arrays, "judge."))
    ready()
    shape = (len(judged), facts["n_classes"], _paths(facts) or _lists(facts))
    predictions = [_sound(_saved(Path(place))(judged), *shape) for place in facts["models"]]
    np.savez(folder / f"answer-{order.n_train}.npz", predictions=np.stack(predictions))
    return {"rungs": [[order.n_train, 0.0]]}


def _saved(place: Path) -> Callable[[Any], np.ndarray]:
    """How a model that a trial kept predicts, calibrated."""
    told = json.loads(Path(f"{place}.json").read_text())
    model = imported(told["class"]).load(place)
    return lambda inputs: calibration.apply(np.asarray(model.predict(inputs)), told["temperature"])


class _Practice:
    """The environment to practise in, and the judge of every rung on the way."""

    def __init__(self, task: Any, order: Order, facts: Any, folder: Path) -> None:
        self.environment = task.practice(order.seed)
        self.rungs: list[list[float]] = []
        self._task, self._order, self._folder = task, order, folder
        self._waiting = sorted(facts["rungs"])
        self._fold = facts["fold"]
        self._start = time.perf_counter()
        self._judging_seconds = 0.0

    def report(self, steps: int, policy: Model) -> bool:
        """Judge the policy at every rung that it has reached; False once the last is done."""
        while self._waiting and steps >= self._waiting[0]:
            rung = self._waiting.pop(0)
            began = time.perf_counter()
            records = self._task.evaluate(policy, self._fold, _limits(self._order))
            np.savez(self._folder / f"answer-{rung}.npz", records=records)
            self._judging_seconds += time.perf_counter() - began
            self.rungs.append([rung, time.perf_counter() - self._start - self._judging_seconds])
        return bool(self._waiting)


def _interactive(
    folder: Path, order: Order, learner: Learner, arrays: Arrays, facts: Any, ready: Callable[[], None]
) -> dict[str, Any]:
    task = imported(facts["task"])(**facts["settings"])
    ready()
    stop_when_asked()
    with _meter(order) as meter, _meter(order) as fitting:
        practice = _Practice(task, order, facts, folder)
        model = learner.fit(practice, _limits(order), order.seed)
    if not practice.rungs:
        raise ValueError("the practice ended before its first rung")
    told = _measured(meter, fitting, practice._judging_seconds, 1)
    told |= {"rungs": practice.rungs, "planned": float(model.planned)}
    if order.keep:
        place = folder / "model"
        place.mkdir()
        model.save(place)
        told["model_class"] = f"{type(model).__module__}:{type(model).__qualname__}"
        told["model_bytes"] = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    return told


_SHAPES: dict[str, Callable[..., dict[str, Any]]] = {
    "supervised": _supervised,
    "interactive": _interactive,
    "unlabelled": _unlabelled,
    "shuffled": _shuffled,
    "changed": _changed,
    "predicted": _predicted,
}


def described(error: BaseException) -> dict[str, Any]:
    """A failure as the parent hears it: its kind, its words, and where in the learner it stood."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    kind = "memory" if isinstance(error, MemoryError) else "error"
    return {"status": kind, "error": f"{type(error).__name__}: {error}{place}"[:2000]}


def silence(log: Path) -> None:
    """Send all that the process prints to its log, also what C libraries print."""
    sys.stdout.flush()
    sys.stderr.flush()
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
