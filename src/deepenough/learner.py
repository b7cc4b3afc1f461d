"""The contract on one screen: a Learner is a recipe, fitting it gives a Model, within Limits.

A learner is a frozen dataclass whose fields are its hyperparameters. Its file is its name, the folder above is its
family, the folder above that its kind: `kinds/table/classical/linear.py` is the classical learner `linear` of tables.
Nothing lists it. `deepenough.contract` holds the claims that every learner is checked against.
"""

from __future__ import annotations

import inspect
import re
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np

from deepenough.errors import ModelError
from deepenough.graph import Graph, Value
from deepenough.script import Fit, Script


class Inputs(Protocol):
    """What a model sees of some units; a kind says what it is made of. Labels are never part of it."""

    def __len__(self) -> int: ...

    def take(self, rows: np.ndarray) -> Self:
        """These rows, in this order."""

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Itself as plain arrays (no objects), for the way into a trial."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Itself again."""


@runtime_checkable
class Parted(Inputs, Protocol):
    """Inputs made of named parts (columns), each of which can be shuffled alone; optional, and asked for to explain."""

    def parts(self) -> Sequence[str]:
        """Their names, in order."""

    def shuffled(self, part: int, rows: np.ndarray) -> Self:
        """The same units, but with that part of the units at `rows`."""


@dataclass(frozen=True)
class Paths:
    """What is predicted where the answer is a path of numbers: of each step, quantiles of what will be.

    steps: how many numbers a path has. levels: of the quantiles, ascending; the middle one is the median.
    """

    steps: int
    levels: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Of one answer."""
        return self.steps, len(self.levels)


@dataclass(frozen=True)
class Lists:
    """What is predicted where the answer is a list: of each thing that a unit holds its class and where it is.

    most: things that a predicted list has at most. classes: how many there are. width: numbers that say where one is.
    A predicted list has shape (most, 2 + width): score from 0 to 1, code of the class, place; the best first, rows of
    zeros behind the last. A true list has shape (longest, 1 + width): code of the class, place; rows of NaN behind.
    """

    most: int
    classes: int
    width: int

    @property
    def shape(self) -> tuple[int, int]:
        """Of one answer."""
        return self.most, 2 + self.width


@dataclass(frozen=True)
class Examples:
    """What a learner may learn from.

    targets: codes 0..n_classes-1, int64, shape (n,); or numbers, float64, shape (n,); or, where `paths` says so, paths,
        float64, shape (n, steps), NaN where a step is not known; or, where `lists` says so, true lists, float64.
    n_classes: None where a number, a path or a list is predicted. A class may be absent from a small training set.
    inner: rows to stop early on and to calibrate on, int64, shape (n_inner,); they are part of the examples, and a
        learner may refit on them once its choices are made (see `Model.inner_predictions`).
    weights: how many units each stands for, float64 above 0, mean about 1, shape (n,); None where all count the same.
        A learner heeds them in what it fits and in what it chooses by.
    """

    inputs: Any
    targets: np.ndarray
    n_classes: int | None
    inner: np.ndarray
    weights: np.ndarray | None = None
    paths: Paths | None = None
    lists: Lists | None = None

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def outer(self) -> np.ndarray:
        """The rows that are not inner."""
        keep = np.ones(len(self), dtype=bool)
        keep[self.inner] = False
        return np.flatnonzero(keep)

    def take(self, rows: np.ndarray) -> Examples:
        """Only these rows, none of them inner."""
        nothing = np.empty(0, dtype=np.int64)
        weights, inputs, targets = self.weights_of(rows), self.inputs.take(rows), self.targets[rows]
        return replace(self, inputs=inputs, targets=targets, inner=nothing, weights=weights)

    def weights_of(self, rows: np.ndarray) -> np.ndarray | None:
        """The weights of these rows; None where all count the same."""
        return None if self.weights is None else self.weights[rows]


_asked_to_stop = threading.Event()


def stop_when_asked() -> None:
    """From now on SIGTERM asks every running fit of this process for its best so far."""
    signal.signal(signal.SIGTERM, lambda number, frame: _asked_to_stop.set())


@dataclass(frozen=True)
class Limits:
    """What a fit may use.

    seconds: soft deadline in wall seconds; None: no clock, stop by iterations alone (then the same seed gives the same
        model). Two seconds after it the process is killed.
    threads: how many threads may compute at once.
    memory_bytes: resident memory of the process and its children; above it, it is killed. None: unlimited.
    device: `cpu` or `cuda`.
    cache: a folder where trials of this learner's family leave for each other what depends on single units alone (the
        vectors of a pretrained encoder); None: there is none. Who first computes it pays for it, on the clock.
    """

    seconds: float | None = None
    threads: int = 1
    memory_bytes: int | None = None
    device: str = "cpu"
    started: float = field(default_factory=time.monotonic)
    cache: Path | None = None

    def seconds_left(self) -> float:
        """Seconds to the soft deadline; 0 when asked to stop; infinite without a clock."""
        if _asked_to_stop.is_set():
            return 0.0
        return float("inf") if self.seconds is None else self.seconds - (time.monotonic() - self.started)


class Model(ABC):
    """What fitting gives: it predicts, and it is saved as a folder without pickle.

    inner_predictions: predictions for `examples.inner` by a model that had not trained on those rows. A learner that
        refits on all rows must give them; None says that the model itself never trained on them.
    planned: share of the planned training that was done; below 1 when the deadline cut it short.
    """

    needs: ClassVar[Sequence[str] | None] = None
    """Distributions that predicting needs; None: those that its learner needs. Fewer make a smaller serving side."""

    inner_predictions: np.ndarray | None = None
    planned: float = 1.0

    @abstractmethod
    def predict(self, inputs: Any) -> np.ndarray:
        """Probabilities, shape (n, n_classes), rows summing to 1; numbers, shape (n,); quantiles of paths, shape
        (n, steps, levels), ascending; or lists, shape (n, most, 2 + width), see `Lists`. float64.

        A row alone, in a batch, in another order: the same answer.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write all that predicting needs into an existing, empty folder, in open formats."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """The model again: its predictions are the same."""

    def onnx(self, graph: Graph) -> Value:
        """Draw how it predicts from the inputs that its codec declared; gives what `predict` gives, float64.

        Raises ModelError where it can't be drawn, with the reason; by default it can't.
        """
        raise ModelError(
            "Models of this learner can't be drawn as an ONNX graph; those of all of our own learners of tables can."
        )


@dataclass(frozen=True)
class Pretrained:
    """Weights that were trained elsewhere, at a price that no race counts.

    parameters: how many. source: who trained them on what. licence: under which they may be used.
    """

    name: str
    parameters: int
    source: str
    licence: str


class Learner(ABC):
    """A recipe: a frozen dataclass, its fields the hyperparameters, each with a meaning, a unit and a default.

    The docstring says in one sentence what it is; the source with its year; how time and memory grow; when it is a bad
    choice.
    """

    needs: ClassVar[Sequence[str]] = ()
    """Distributions that fitting needs beyond the base install, as pip names them (see `Model.needs`)."""
    preload: ClassVar[Sequence[str]] = ()
    """Modules that a warm server imports before the race, so that no trial pays for importing them."""
    priority: ClassVar[int] = 50
    """Who goes first when time is short: the lowest number of a family is its champion, fitted before all others."""
    deterministic: ClassVar[bool] = False
    """Whether the seed changes nothing."""
    family_reason: ClassVar[str] = ""
    """Why a learner on the border of the two families stands where it stands."""
    remembers: ClassVar[str] = ""
    """What its models keep in mind while they read one case, as a sentence without its end; empty where nothing is."""
    excused: ClassVar[Mapping[str, str]] = {}
    """Checks of the contract that it may fail, each with the reason."""
    pretrained: ClassVar[Pretrained | None] = None
    """The weights that it starts from, where others paid for their training; the verdict is given without it too."""

    @abstractmethod
    def fit(self, examples: Any, limits: Limits, seed: int) -> Model:
        """Learn from the examples (or, of an interactive task, from the practice) within the limits."""

    def script(self, task: Any, fits: Sequence[Fit]) -> Script:
        """How these fits of a task are done again in plain Python.

        Raises ModelError where that can't be written, with the reason; by default it can't.
        """
        raise ModelError("its training can't be written as a short script of other libraries.")

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        """Hyperparameters worth searching: for each the draw of one value. Empty: nothing to search."""
        return {}

    @classmethod
    def priority_for(cls, n_classes: int | None) -> int:
        """The priority where so many classes (or, None, a number) are asked; what is dear for many steps back there."""
        return cls.priority

    @classmethod  # noqa: B027 - most learners have nothing to warm up
    def warm_up(cls, n_classes: int | None) -> None:
        """Make lazy libraries load what a first fit would; called in a trial's process, before its clock starts."""


def about(cls: type[Learner]) -> str:
    """A learner's docstring, and after it the settings that only the classes explain which it has them from."""
    told = inspect.getdoc(cls) or ""
    for base in cls.__mro__[1:]:
        if base is Learner or not issubclass(base, Learner):
            continue
        settings = re.search(r"^\w+: .*", inspect.getdoc(base) or "", re.MULTILINE | re.DOTALL)
        if settings and any(not re.search(rf"\b{name}\b", told) for name in vars(base).get("__annotations__", {})):
            told += f"\n\n{settings[0]}"
    return told
