"""What every kind promises: one function a claim, its name and its first sentence the promise.

A claim raises `Broken`, or lets through what the kind raises, where the promise isn't kept.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.contract.case import Broken, copies, hold
from deepenough.contract.claims import SHAPES, Claim
from deepenough.evidence import FAMILIES
from deepenough.kinds import Entry, Kind

KIND_CLAIMS: dict[str, Claim] = {}


@dataclass(frozen=True)
class KindCase:
    """One kind with its learners."""

    door: Kind
    learners: Sequence[Entry]

    @functools.cached_property
    def toys(self) -> Mapping[str, Any]:
        """Its small tasks, by name."""
        return self.door.toys()


def claim(function: Callable[[KindCase], None]) -> Callable[[KindCase], None]:
    """Take a function among the claims."""
    KIND_CLAIMS[function.__name__] = Claim(function.__name__, function, SHAPES)
    return function


@claim
def says_what_it_is(case: KindCase) -> None:
    """It has a name, a sentence about itself, and the extra that brings its packages."""
    empty = [name for name in ("name", "about", "extra") if not getattr(case.door, name, "")]
    hold(not empty, f"has no {', '.join(empty)}")


@claim
def brings_both_families(case: KindCase) -> None:
    """It brings learners of both families, and the trivial answer as baseline."""
    absent = [family for family in (*FAMILIES, "baseline") if all(e.family != family for e in case.learners)]
    hold(not absent, f"brings no learner of {', '.join(absent)}")


@claim
def brings_toys(case: KindCase) -> None:
    """It brings at least one toy to try learners on, of one of the three shapes."""
    hold(case.toys, "brings no toys")
    for name, task in case.toys.items():
        hold(task.shape in SHAPES, f"its toy {name} is of shape {task.shape!r}")


@claim
def schema_survives_json(case: KindCase) -> None:
    """What a saved model accepts and answers is written as JSON, and read back the same."""
    for name, task in case.toys.items():
        schema = json.loads(json.dumps(case.door.codec(task).to_json()))
        again = json.loads(json.dumps(case.door.codec_class().from_json(schema).to_json()))
        hold(again == schema, f"the schema of its toy {name} comes back otherwise")


@claim
def training_sets_are_nested(case: KindCase) -> None:
    """A smaller training set is the beginning of a larger one of the same fold and seed."""
    for name, task in _with(case, "supervised"):
        small, large = (task.train(n, 0, 0) for n in (task.smallest, task.largest))
        rows = np.arange(len(small))
        hold(len(small) == task.smallest, f"{name}: {len(small)} rows come where {task.smallest} were asked for")
        first = large.targets[rows]
        hold(
            np.array_equal(small.targets, first, equal_nan=first.dtype.kind == "f"),
            f"{name}: the targets of a smaller set are others",
        )
        _same(copies(small.inputs), copies(large.inputs.take(rows)), f"{name}: the inputs of a smaller set are others")


@claim
def answers_are_not_inputs(case: KindCase) -> None:
    """Nothing that a trial gets to see of the judged units is their answer."""
    for name, task in _with(case, "supervised"):
        truth = np.asarray(task.truth(0), dtype=np.float64)
        for key, array in task.job(task.largest, 0, 0).arrays.items():
            shown = key.startswith("judge.") and array.dtype.kind in "fiub" and array.shape[:1] == truth.shape
            columns = array.reshape(len(array), -1).T.astype(np.float64) if shown else ()
            hold(not any(np.array_equal(column, truth) for column in columns), f"{name}: {key} is the answer")


@claim
def units_are_told_apart(case: KindCase) -> None:
    """A fold's judged units are distinct, as many as its inputs, and the same when asked again."""
    for name, task in _with(case, "supervised", "unlabelled"):
        for fold in range(task.folds):
            first, again = task.units(fold), task.units(fold)
            hold(np.array_equal(first.ids, again.ids), f"{name}: fold {fold} judges others when asked again")
            hold(len(np.unique(first.ids)) == len(first.ids), f"{name}: fold {fold} judges a unit twice")
            hold(len(first.ids) == len(task.inputs(fold)), f"{name}: fold {fold} has another number of inputs")


def _with(case: KindCase, *shapes: str) -> list[tuple[str, Any]]:
    return [(name, task) for name, task in case.toys.items() if task.shape in shapes]


def _same(some: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray], otherwise: str) -> None:
    for name, array in some.items():
        if name not in others or not np.array_equal(array, others[name], equal_nan=array.dtype.kind == "f"):
            raise Broken(f"{otherwise} ({name})")
