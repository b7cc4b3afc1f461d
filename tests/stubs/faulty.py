"""Learners that cheat, crash and hang, each in one way. A race outlives them all and counts none of their tricks.

Every one lives for a minute at most, whatever happens to the process that should have ended it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from deepenough.learner import Examples, Limits, Model
from tests.stubs.supervised import Always, Curve, Trivial

LIFE_SECONDS = 60.0
"""How long a learner that hangs, or a process that it left behind, lives at most."""


class Faulty(Curve):
    """A learner with one fault."""

    family = "deep"
    priority = 90


class Raises(Faulty):
    """It raises."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        raise ValueError("the stub raises, as it was told to")


class RaisesWhenPredicting(Faulty):
    """It fits, and raises when it is asked."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        return _Raising((0.5, 0.5), True)


class _Raising(Always):
    def predict(self, inputs: Any) -> np.ndarray:
        raise ValueError("the stub raises when it predicts, as it was told to")


class Hangs(Faulty):
    """It neither looks at its clock nor listens when asked to stop."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _sleep_through()
        return super().fit(examples, limits, seed)


class HangsWhenPredicting(Faulty):
    """It fits at once and never predicts."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        return _Hanging((0.5, 0.5), True)


class _Hanging(Always):
    def predict(self, inputs: Any) -> np.ndarray:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _sleep_through()
        return super().predict(inputs)


@dataclass(frozen=True)
class EatsMemory(Faulty):
    """It takes 32 MB every hundredth of a second, and keeps them.

    most_megabytes: where it stops if nobody stops it.
    """

    most_megabytes: int = 1500

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        eaten = []
        while len(eaten) * 32 < self.most_megabytes:
            eaten.append(np.ones(4_000_000))
            time.sleep(0.01)
        return super().fit(examples, limits, seed)


class Exits(Faulty):
    """It ends the process, politely, as if all were well."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        os._exit(0)


class Crashes(Faulty):
    """It dies as a library written in C does."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)
        _sleep_through()
        return super().fit(examples, limits, seed)


class Interrupts(Faulty):
    """It raises what a person's Ctrl-C raises."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        raise KeyboardInterrupt


class Prints(Faulty):
    """It prints by every way there is."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        print("the stub prints")
        print("the stub prints its worries", file=sys.stderr)
        os.write(1, b"the stub prints behind Python's back\n" * 3)
        os.write(2, b"\x00\xff not even text \xfe\n")
        return super().fit(examples, limits, seed)


@dataclass(frozen=True)
class ForksDaemon(Faulty):
    """It leaves a process behind that goes on working in a session of its own, and would train for free.

    marker: path below which the daemon writes its number.
    """

    marker: str = ""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        ready, done = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() != 0:
                os._exit(0)
            if self.marker:
                Path(self.marker).write_text(str(os.getpid()))
            os.write(done, b"x")
            _burn_through()
            os._exit(0)
        os.wait()
        os.read(ready, 1)
        return super().fit(examples, limits, seed)


class WritesNaN(Faulty):
    """Its predictions are no numbers."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        nothing = float("nan")
        if examples.n_classes is None:
            return Always((nothing,), False)
        return Always((nothing,) * examples.n_classes, True)


class WrongShape(Faulty):
    """It gives one answer, however many were asked for."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        return _Short((1.0,), False)


class _Short(Always):
    def predict(self, inputs: Any) -> np.ndarray:
        return np.ones(1)


class NotAChance(Faulty):
    """Its probabilities sum to three."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        return Always((3 / (examples.n_classes or 1),) * (examples.n_classes or 1), examples.n_classes is not None)


class SleepsInWarmUp(Faulty):
    """Its warm-up doesn't end."""

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _sleep_through()


class TrainsInWarmUp(Faulty):
    """It works before its clock starts, and would save the seconds if anybody gave it the rows."""

    warmed: ClassVar[list[float]] = []

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        start = time.process_time()
        while time.process_time() - start < 1.0:
            cls.warmed.append(sum(range(1000)))
        cls.warmed[:] = [1.0]


class TellsItsProcess(Trivial):
    """It writes its process id into the folder that it runs in."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        Path("process").write_text(str(os.getpid()))
        return super().fit(examples, limits, seed)


class WarmsUp(Trivial):
    """It takes a moment to warm up, in its own thread alone."""

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        time.sleep(0.3)


class WarmsUpWithThreads(Trivial):
    """Its warm-up leaves a thread behind, as some libraries' pools do: a fork of such a process hangs."""

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        time.sleep(0.3)
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


class FindsLabels(Trivial):
    """It answers with the judged units' labels if it can find them anywhere: in memory or in files within reach."""

    family = "deep"
    priority = 90

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        chance = super().fit(examples, limits, seed)
        assert isinstance(chance, Always)
        return _Thief(chance.answer, chance.is_classes)


class _Thief(Always):
    """Among all arrays within reach it takes one with as many integers as there are units to judge.

    The supervised stub's inputs carry the answers for its honest learners, so the thief leaves floats alone.
    """

    def predict(self, inputs: Any) -> np.ndarray:
        chance, classes = super().predict(inputs), len(self.answer)
        for array in _within_reach():
            is_code = array.dtype.kind in "iu" and array.shape == (len(inputs),)
            if is_code and 1 < len(np.unique(array)) <= classes and array.min() >= 0 and array.max() < classes:
                return np.eye(classes)[array] * 0.98 + 0.02 / classes
        return chance


def _within_reach() -> Iterator[np.ndarray]:
    for folder in (Path.cwd(), Path.cwd().parent):
        for path in folder.glob("*.np[yz]"):
            with contextlib.suppress(OSError, ValueError):  # a thief that can't read a file tries the next
                stored = np.load(path, allow_pickle=False)
                yield from [stored] if isinstance(stored, np.ndarray) else [stored[name] for name in stored.files]
    for thing in gc.get_objects():
        values = list(thing.values()) if type(thing) is dict else list(thing) if type(thing) in (list, tuple) else []
        yield from (value for value in values if type(value) is np.ndarray)


class LeavesFiles(Faulty):
    """It writes where it happens to stand."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        Path("left_behind.txt").write_text("nobody asked for this")
        return super().fit(examples, limits, seed)


class SpoilsInputs(Faulty):
    """It standardises its inputs in place, so that whoever comes after finds others."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        if hasattr(examples.inputs, "x"):
            examples.inputs.x[:] = 0.0
        return super().fit(examples, limits, seed)


class Forgets(Faulty):
    """What it saves is another model."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        return _Forgetful((0.9, 0.1), True)


class _Forgetful(Always):
    def save(self, folder: Path) -> None:
        Always(self.answer[::-1], True).save(folder)


class LooksAround(Faulty):
    """Its answer for a row hangs on the rows beside it."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        return _Looking((0.6, 0.4), True)


class _Looking(Always):
    def predict(self, inputs: Any) -> np.ndarray:
        share = 1 / (1 + np.exp(-(inputs.x[:, 1] - inputs.x[:, 1].mean())))
        return np.column_stack([share, 1 - share])


class RollsDice(Faulty):
    """It answers otherwise each time it is asked."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        return _Dice((0.5, 0.5), True)


class _Dice(Always):
    def predict(self, inputs: Any) -> np.ndarray:
        share = np.random.default_rng().random(len(inputs))
        return np.column_stack([share, 1 - share])


class IgnoresItsSeed(Faulty):
    """Two fits of one seed differ."""

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        return super().fit(examples, limits, int.from_bytes(os.urandom(4)))


def _sleep_through() -> None:
    end = time.monotonic() + LIFE_SECONDS
    while time.monotonic() < end:
        time.sleep(0.1)


def _burn_through() -> None:
    end = time.monotonic() + LIFE_SECONDS
    while time.monotonic() < end:
        sum(range(10_000))
