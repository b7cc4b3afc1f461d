"""What the claims work with: a learner on a toy, surgery on inputs of any kind, and comparisons that say what differs.

Inputs are taken apart and put together by their own `to_arrays` and `from_arrays`, so no kind is known here. In those
arrays a float that is no number is a missing value, and an integer for each unit is the code of a category.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.learner import Examples, Learner, Limits, Lists, Model, Paths
from deepenough.task.task import Answer

TOLERANCE = 1e-5
"""How far predictions that should be the same may differ, relative where they exceed 1: sums of float32 vary so."""


class Broken(Exception):
    """A learner doesn't keep what a claim promises."""


class _Practice:
    """An environment to practise in for so many steps."""

    def __init__(self, environment: Any, steps: int) -> None:
        self.environment, self._steps = environment, steps

    def report(self, steps: int, policy: Any) -> bool:
        return steps < self._steps


@dataclass(frozen=True)
class Witnessed:
    """What was seen of a fit: its answers, what it printed, names of what it left in the folder where it stood,
    and of the arrays that were given and came out changed."""

    answers: np.ndarray
    printed: bytes
    left: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """One learner on one toy. What several claims look at is fitted once."""

    cls: type[Learner]
    family: str
    task: Any
    seed: int = 0

    @functools.cached_property
    def examples(self) -> Any:
        """All that the first fold of the toy gives to learn from."""
        return self.task.train(self.task.largest, 0, self.seed)

    @functools.cached_property
    def judged(self) -> Any:
        """Inputs of the first fold's judged units."""
        return self.task.inputs(0)

    @functools.cached_property
    def model(self) -> Model:
        """A fit on the whole toy, without a clock."""
        return self.fit()

    @functools.cached_property
    def witnessed(self) -> Witnessed:
        """A second fit of the same seed, and its answers, on arrays of their own, watched."""
        if self.task.shape == "interactive":
            given: tuple[Any, ...] = ()
        else:
            given = (self.task.train(self.task.largest, 0, self.seed), self.task.inputs(0))
        before = [copies(some) for some in given]
        with overheard() as heard, elsewhere() as here:
            answers = self.answers(self.fit(*given[:1]), *given[1:])
            left = tuple(path.name for path in here.iterdir())
        changed = tuple(name for some, kept in zip(given, before, strict=True) for name in _changed(some, kept))
        return Witnessed(answers, b"".join(heard), left, changed)

    @property
    def n_classes(self) -> int | None:
        """None where a number is predicted, or nothing is named."""
        return getattr(self.task, "n_classes", None)

    @property
    def paths(self) -> Paths | None:
        """What a path is made of; None where none is predicted."""
        return getattr(self.task, "paths", None)

    @property
    def lists(self) -> Lists | None:
        """What a list is made of; None where none is predicted."""
        return getattr(self.task, "lists", None)

    def fit(self, examples: Any = None, seed: int | None = None, seconds: float | None = None) -> Model:
        """Fit in one thread; without a clock unless seconds are given."""
        if self.task.shape == "interactive":
            examples = _Practice(self.task.practice(self.seed), self.task.largest)
        given = self.examples if examples is None else examples
        return self.cls().fit(given, Limits(seconds=seconds, threads=1), self.seed if seed is None else seed)

    def answers(self, model: Model, inputs: Any = None) -> np.ndarray:
        """Predictions for the judged units, or for these inputs; of an environment the records of the episodes."""
        if self.task.shape == "interactive":
            return np.asarray(self.task.evaluate(model, 0, Limits()))
        return model.predict(self.judged if inputs is None else inputs)


def hold(kept: Any, otherwise: str) -> None:
    """Raise Broken with these words unless it is so."""
    if not kept:
        raise Broken(otherwise)


def same(some: np.ndarray, others: np.ndarray, what: str) -> None:
    """Raise Broken unless both answers are the same within `TOLERANCE`."""
    hold(np.shape(some) == np.shape(others), f"{what} has shape {np.shape(some)} instead of {np.shape(others)}")
    apart = np.abs(np.asarray(some) - others) / np.maximum(np.abs(others), 1.0)
    most = float(np.max(apart, initial=0.0))
    hold(most <= TOLERANCE, f"{what} differs by up to {most:.2g}")


def valid(case: Case, predictions: np.ndarray, units: int) -> None:
    """Raise Broken unless these are predictions for so many units."""
    classes, paths, form = case.n_classes, case.paths, case.paths or case.lists
    shape = (units, *(form.shape if form else () if classes is None else (classes,)))
    hold(predictions.shape == shape, f"predicts shape {predictions.shape} instead of {shape}")
    hold(predictions.dtype == np.float64, f"predicts {predictions.dtype} instead of float64")
    hold(np.isfinite(predictions).all(), "predicts what is no number")
    if paths is not None:
        hold((np.diff(predictions, axis=2) >= 0).all(), "predicts quantiles that cross")
    if case.lists is not None:
        _valid_lists(case.lists, predictions)
    if classes is not None:
        hold((predictions >= 0).all(), "predicts a negative probability")
        most = float(np.max(np.abs(predictions.sum(axis=1) - 1), initial=0.0))
        hold(most <= 1e-6, f"predicts probabilities that sum to one but for {most:.2g}")


def _valid_lists(form: Lists, predictions: np.ndarray) -> None:
    scores, codes = predictions[:, :, 0], predictions[:, :, 1]
    hold(((scores >= 0) & (scores <= 1)).all(), "predicts scores that are not from 0 to 1")
    hold((np.diff(scores, axis=1) <= 0).all(), "predicts lists whose best is not the first")
    hold((predictions[scores == 0] == 0).all(), "predicts lists whose end is not zeros")
    hold(np.isin(codes, np.arange(form.classes)).all(), "predicts classes that there are not")


def loss_of(case: Case, predictions: np.ndarray) -> float:
    """The toy's own metric, lower is better."""
    records = case.task.records(Answer(case.task.largest, predictions), 0)
    return float(case.task.metric.evaluate(records)[0])


def trivial_answers(case: Case) -> np.ndarray:
    """The same for every unit: how often each class comes, or the mean; of lists that there is nothing."""
    targets = case.examples.targets
    if case.lists is not None:
        return np.zeros((len(case.judged), *case.lists.shape))
    if case.paths is not None:
        return np.tile(np.nanquantile(targets, case.paths.levels, axis=0).T, (len(case.judged), 1, 1))
    if case.n_classes is None:
        return np.full(len(case.judged), targets.mean())
    counts = np.bincount(targets, minlength=case.n_classes) + 1.0
    return np.tile(counts / counts.sum(), (len(case.judged), 1))


def fields_of(cls: type[Learner]) -> tuple[dataclasses.Field[Any], ...]:
    """The hyperparameters."""
    return dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()


# --- surgery ----------------------------------------------------------------------------------------------------------


def copies(inputs: Any) -> dict[str, np.ndarray]:
    """The arrays of inputs or of examples, copied."""
    arrays = (inputs.inputs if isinstance(inputs, Examples) else inputs).to_arrays()
    if isinstance(inputs, Examples):
        arrays = arrays | {"targets": inputs.targets, "inner": inputs.inner}
    return {name: np.array(array) for name, array in arrays.items()}


def _changed(inputs: Any, kept: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Names of the arrays that are no longer as they were kept."""
    for name, array in copies(inputs).items():
        if not np.array_equal(array, kept[name], equal_nan=array.dtype.kind == "f"):
            yield name


def with_holes(inputs: Any, share: float, seed: int) -> Any:
    """The inputs with that share of each unit's floats and codes missing."""
    rng, arrays = np.random.default_rng(seed), copies(inputs)
    for array in arrays.values():
        if _is_by_unit(array, inputs):
            array[rng.random(array.shape) < share] = np.nan if array.dtype.kind == "f" else -1
    return type(inputs).from_arrays(arrays)


def codes_of(inputs: Any) -> list[np.ndarray]:
    """The codes of every category that has more than one level but far fewer than there are units."""
    arrays = [array for array in copies(inputs).values() if _is_by_unit(array, inputs) and array.dtype.kind == "i"]
    return [array for array in arrays if 1 < len(np.unique(array)) <= len(inputs) / 4]


def _is_by_unit(array: np.ndarray, inputs: Any) -> bool:
    """Floats, or codes that can be missing; bytes (uint8) are neither."""
    return array.ndim >= 1 and len(array) == len(inputs) and array.dtype.kind in "fi" and array.dtype.itemsize >= 4


def rarest_of(codes: np.ndarray) -> int:
    """The code that comes least often, missing ones aside."""
    values, counts = np.unique(codes[codes >= 0], return_counts=True)
    return int(values[counts.argmin()])


def keep(examples: Examples, rows: np.ndarray) -> Examples:
    """Only these rows; those that were inner stay so, and there is always one at least."""
    inner = np.flatnonzero(np.isin(rows, examples.inner)).astype(np.int64)
    some = inner if len(inner) else np.arange(0, len(rows), 5, dtype=np.int64)
    return dataclasses.replace(examples.take(rows), inner=some)


# --- watching ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def elsewhere() -> Iterator[Path]:
    """Stand in an empty folder of one's own for a while."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


@contextlib.contextmanager
def overheard() -> Iterator[list[bytes]]:
    """Hear all that the process prints meanwhile, also what C libraries print; empty when it was silent."""
    heard: list[bytes] = []
    with tempfile.TemporaryFile() as file:
        _flush()
        kept = [os.dup(number) for number in (1, 2)]
        for number in (1, 2):
            os.dup2(file.fileno(), number)
        try:
            with contextlib.redirect_stdout(sys.__stdout__), contextlib.redirect_stderr(sys.__stderr__):
                yield heard
        finally:
            _flush()
            for number, before in zip((1, 2), kept, strict=True):
                os.dup2(before, number)
                os.close(before)
        file.seek(0)
        heard.extend(filter(None, [file.read()]))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()


def is_pickle(path: Path) -> bool:
    """Whether a file is a pickle by its name or its first bytes, or an archive of torch, which holds one."""
    if path.suffix.lower() in (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".dill"):
        return True
    with open(path, "rb") as file:
        return file.read(2) in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
