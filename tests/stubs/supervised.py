"""Questions whose answers stand in the inputs, and learners that spoil as many of them as their curve says.

A stub learner's error at n rows is `floor + scale * (n / 256) ** -power`. Errors of two learners go together as real
ones do: each unit has a difficulty that all learners share, mixed with noise of the learner's own (a Gaussian copula).
"""

from __future__ import annotations

import dataclasses
import json
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.evidence import Units
from deepenough.judge import metrics
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.task.task import SupervisedTask


@dataclass(frozen=True)
class Array:
    """Inputs that are one array, shape (n, columns)."""

    x: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: np.ndarray) -> Self:
        return type(self)(self.x[rows])

    def parts(self) -> list[str]:
        return ["answer", "difficulty", "identity"][: self.x.shape[1]]

    def shuffled(self, part: int, rows: np.ndarray) -> Self:
        moved = self.x.copy()
        moved[:, part] = self.x[rows, part]
        return type(self)(moved)

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {"x": self.x}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(arrays["x"])


ANSWER, DIFFICULTY, IDENTITY = range(3)
"""Columns of the supervised stub's inputs."""


def _normal(identity: np.ndarray, salt: int) -> np.ndarray:
    """A standard normal number for each identity, the same whenever it is asked for: Box-Muller of two hashes."""
    uniform = []
    for turn in (1, 2):
        key = identity.astype(np.uint64) + np.uint64((salt * 2 + turn) * 0x9E3779B97F4A7C15 % 2**64)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            key = (key ^ (key >> np.uint64(shift))) * np.uint64(factor)
        uniform.append(((key ^ (key >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2**53)
    return np.sqrt(-2 * np.log(1 - uniform[0])) * np.cos(2 * np.pi * uniform[1])


@dataclass(frozen=True)
class Spoiler(Model):
    """Gives each unit's answer, spoilt with the chance `error`. See `Curve`."""

    error: float
    salt: int
    correlation: float
    n_classes: int | None
    planned: float = 1.0

    def predict(self, inputs: Any) -> np.ndarray:
        answer = np.nan_to_num(inputs.x[:, ANSWER])
        difficulty = np.nan_to_num(inputs.x[:, DIFFICULTY])
        own = _normal(np.nan_to_num(inputs.x[:, IDENTITY]), self.salt)
        mixed = np.sqrt(self.correlation) * difficulty + np.sqrt(1 - self.correlation) * own
        if self.n_classes is None:
            return answer + self.error * mixed
        wrong = mixed < NormalDist().inv_cdf(self.error)
        said = (answer.astype(np.int64) + wrong) % self.n_classes
        probabilities = np.full((len(said), self.n_classes), self.error / (self.n_classes - 1))
        probabilities[np.arange(len(said)), said] = 1 - self.error
        return probabilities

    def save(self, folder: Path) -> None:
        (folder / "spoiler.json").write_text(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(**json.loads((folder / "spoiler.json").read_text()))


@dataclass(frozen=True)
class Curve(Learner):
    """A learner whose error is known: floor + scale * (rows / 256) ** -power.

    The form is the inverse power law of Hestness et al., 2017. Its time grows linearly with the rows, by
    `seconds_per_1000_rows`; its memory doesn't grow. It is a bad choice for anything but tests.

    floor: share of units that it gets wrong with endless data (numbers: standard error in units of the target's sd).
    scale: what comes on top at 256 rows.
    power: how fast that falls.
    seed_sd: standard deviation of the error from seed to seed.
    correlation: how far its mistakes go with those of the other stubs, 0 to 1.
    seconds_per_1000_rows: wall seconds of a fit, per 1,000 rows; cut by the deadline it knows that much less.
    """

    floor: float = 0.08
    scale: float = 0.12
    power: float = 0.5
    seed_sd: float = 0.0
    correlation: float = 0.6
    seconds_per_1000_rows: float = 0.0

    kind: ClassVar[str] = "stub"
    family: ClassVar[str] = "classical"

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        done = _spend(len(examples) / 1000 * self.seconds_per_1000_rows, limits)
        error = self.error_at(max(1.0, len(examples) * done))
        error += self.seed_sd * float(np.random.default_rng([seed, 7]).standard_normal())
        most = 1 - 1 / examples.n_classes if examples.n_classes else 10.0
        salt = zlib.crc32(f"{type(self).__name__} {seed}".encode())
        return Spoiler(float(np.clip(error, 1e-4, most)), salt, self.correlation, examples.n_classes, done)

    def error_at(self, rows: float) -> float:
        """The truth."""
        return self.floor + self.scale * (rows / 256) ** -self.power


def _spend(seconds: float, limits: Limits) -> float:
    """Wait so long, or until the deadline; returns the share that was done."""
    start = time.monotonic()
    while (spent := time.monotonic() - start) < seconds:
        if limits.seconds_left() <= 0:
            return max(spent / seconds, 0.01)
        time.sleep(min(0.02, seconds - spent))
    return 1.0


class Classical(Curve):
    __doc__ = Curve.__doc__
    priority = 10


class Second(Curve):
    __doc__ = Curve.__doc__
    priority = 60


class Deep(Curve):
    __doc__ = Curve.__doc__
    family = "deep"
    priority = 10


class DeepSecond(Curve):
    __doc__ = Curve.__doc__
    family = "deep"
    priority = 60


@dataclass(frozen=True)
class Trivial(Learner):
    """Says how often each class comes, or the mean, whatever it is asked.

    As old as counting (Laplace, 1814). Its time grows linearly with the rows, its memory doesn't grow. It is a bad
    choice wherever there is anything to learn.
    """

    kind: ClassVar[str] = "stub"
    family: ClassVar[str] = "baseline"
    deterministic: ClassVar[bool] = True

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        if examples.n_classes is None:
            return Always((float(examples.targets.mean()),), False)
        counts = np.bincount(examples.targets, minlength=examples.n_classes) + 1.0
        return Always(tuple((counts / counts.sum()).tolist()), True)


@dataclass(frozen=True)
class Always(Model):
    """The same answer for every unit."""

    answer: tuple[float, ...]
    is_classes: bool

    def predict(self, inputs: Any) -> np.ndarray:
        if self.is_classes:
            return np.tile(self.answer, (len(inputs), 1))
        return np.full(len(inputs), self.answer[0])

    def save(self, folder: Path) -> None:
        (folder / "always.json").write_text(json.dumps([self.answer, self.is_classes]))

    @classmethod
    def load(cls, folder: Path) -> Self:
        answer, is_classes = json.loads((folder / "always.json").read_text())
        return cls(tuple(answer), is_classes)


class StubSupervised(SupervisedTask):
    """A question whose answers stand in the inputs, for the `Curve` learners to spoil.

    judging: `folds` judges every unit once; `halves` judges the same units in every fold, in two parts.
    signal: False hides the answers (the inputs hold other, random ones), so that there is nothing to learn.
    """

    rows_to_judge = 200
    """Units of each half."""

    def __init__(
        self,
        rows: int = 600,
        n_classes: int | None = 2,
        folds: int = 5,
        judging: str = "folds",
        seed: int = 0,
        signal: bool = True,
        metric: str = "",
    ) -> None:
        self.rows, self.n_classes, self.folds, self.judging = rows, n_classes, folds, judging
        self.metric = metrics.find(metric, n_classes) if metric else metrics.default(n_classes)
        self.columns, self.splitting, self.smallest = 3, "random", 20
        self.set_aside: tuple[Mapping[str, str], ...] = ()
        self.notes: tuple[str, ...] = ()
        self.flags: tuple[Mapping[str, str], ...] = ()
        self.source = {"name": "stub", "rows": rows}
        rng = np.random.default_rng([seed, rows])
        self.targets = rng.standard_normal(rows) if n_classes is None else rng.integers(0, n_classes, rows)
        shown = self.targets if signal else rng.permutation(self.targets)
        self._inputs = Array(np.column_stack([shown, rng.standard_normal(rows), np.arange(rows)]).astype(np.float64))
        self._permutation = rng.permutation(rows)
        self.largest = min(len(self._order(fold)) for fold in range(folds))

    @property
    def question_facts(self) -> dict[str, Any]:
        task = "number" if self.n_classes is None else "class"
        return {"target": "y", "task": task, "classes": self.n_classes, "metric": self.metric.name}

    def describe(self) -> dict[str, Any]:
        return {"question": self.question_facts, "source": self.source}

    def _judged(self, fold: int) -> np.ndarray:
        if self.judging == "halves":
            return self._permutation[: 2 * self.rows_to_judge]
        return self._permutation[fold :: self.folds]

    def _order(self, fold: int) -> np.ndarray:
        others = np.setdiff1d(self._permutation, self._judged(fold))
        return np.random.default_rng([fold, 3]).permutation(others)

    def train(self, n_train: int, fold: int, seed: int) -> Examples:
        return self._examples(self._order(fold)[:n_train])

    def everything(self, seed: int) -> Examples:
        return self._examples(self._permutation)

    def _examples(self, rows: np.ndarray) -> Examples:
        inner = np.arange(3, len(rows), 7, dtype=np.int64)
        return Examples(self._inputs.take(rows), self.targets[rows], self.n_classes, inner)

    def inputs(self, fold: int) -> Array:
        return self._inputs.take(self._judged(fold))

    def truth(self, fold: int) -> np.ndarray:
        return self.targets[self._judged(fold)]

    def metrics(self) -> Sequence[Any]:
        return [self.metric, *metrics.beside(self.metric, self.n_classes)]  # type: ignore[arg-type]  # it is one of ours

    def units(self, fold: int) -> Units:
        ids = self._judged(fold)
        halves = np.arange(len(ids)) % 2
        return Units(ids, halves if self.judging == "halves" else np.full(len(ids), fold), ids)
