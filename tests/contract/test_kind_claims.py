"""Every claim about kinds can fail: for each there is a kind that breaks it, and an honest one that doesn't."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from deepenough import contract
from deepenough.contract.kind_claims import KIND_CLAIMS, KindCase
from deepenough.evidence import Units
from deepenough.kinds import Codec, Entry, Kind
from deepenough.learner import Examples
from deepenough.task.task import Task
from tests.stubs import Classical, Deep, StubKind, StubSupervised, Trivial, entry
from tests.stubs.kind import StubCodec
from tests.stubs.supervised import Array

LEARNERS = [entry(cls) for cls in (Classical, Deep, Trivial)]


class Hidden(StubSupervised):
    """The stub with its answers shifted, so that no column of the inputs is the answer itself."""

    def inputs(self, fold: int) -> Array:
        return Array(super().inputs(fold).x + 0.5)

    def train(self, n_train: int, fold: int, seed: int) -> Examples:
        given = super().train(n_train, fold, seed)
        return Examples(Array(given.inputs.x + 0.5), given.targets, given.n_classes, given.inner)


class Honest(StubKind):
    task: Callable[..., Any] = Hidden

    def toys(self) -> Mapping[str, Task]:
        return {"two": type(self).task(rows=120)}


def _kind_with(task: type) -> Kind:
    return type("Broken", (Honest,), {"task": task})()


class Shuffled(Hidden):
    def train(self, n_train: int, fold: int, seed: int) -> Examples:
        given = super().train(n_train, fold, seed)
        order = np.random.default_rng(n_train).permutation(n_train)
        return Examples(given.inputs.take(order), given.targets[order], given.n_classes, given.inner)


class Twice(Hidden):
    def units(self, fold: int) -> Units:
        units = super().units(fold)
        return Units(np.zeros_like(units.ids), units.parts, units.clusters)


class Forgetful(Honest):
    class Codec(StubCodec):
        @classmethod
        def from_json(cls, schema: Mapping[str, Any]) -> StubCodec:
            return StubCodec(7)

    def codec_class(self) -> type[Codec]:
        return self.Codec


class Toyless(Honest):
    def toys(self) -> Mapping[str, Task]:
        return {}


class Nameless(Honest):
    about = ""


def _broken() -> Iterator[Any]:
    """By claim, a kind that breaks it, and what is said."""
    yield "says_what_it_is", Nameless(), LEARNERS, "has no about"
    yield "brings_both_families", Honest(), LEARNERS[:1], "deep, baseline"
    yield "brings_toys", Toyless(), LEARNERS, "no toys"
    yield "schema_survives_json", Forgetful(), LEARNERS, "comes back otherwise"
    yield "training_sets_are_nested", _kind_with(Shuffled), LEARNERS, "smaller set"
    yield "answers_are_not_inputs", _kind_with(StubSupervised), LEARNERS, "judge.x is the answer"
    yield "units_are_told_apart", _kind_with(Twice), LEARNERS, "a unit twice"


@pytest.mark.parametrize(("claim", "door", "learners", "said"), list(_broken()), ids=[each[0] for each in _broken()])
def test_each_claim_is_broken_by_some_kind(claim: str, door: Kind, learners: list[Entry], said: str) -> None:
    results = {result.claim: result for result in contract.check_kind("stub", KindCase(door, learners))}
    assert results[claim].outcome == "broken"
    assert said in results[claim].reason
    assert [name for name, result in results.items() if not result.is_good] == [claim]


def test_an_honest_kind_keeps_all() -> None:
    results = contract.check_kind("stub", KindCase(Honest(), LEARNERS))
    assert {result.claim for result in results} == set(KIND_CLAIMS)
    assert [result for result in results if not result.is_good] == []


def test_every_claim_has_a_kind_that_breaks_it() -> None:
    assert {claim for claim, *_ in _broken()} == set(KIND_CLAIMS)
