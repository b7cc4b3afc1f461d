"""Every learner of every kind keeps every promise, on every toy of its kind. None is listed: all are found.

An excuse in the learner's own file makes a strict expected failure of its check.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from deepenough import contract, kinds

LATE = 40
"""From this priority on a learner's turn comes late: only in long races."""


@functools.cache
def _toys(kind: str) -> Mapping[str, Any]:
    return kinds.find()[kind].toys()


@functools.lru_cache(maxsize=1)
def _case(kind: str, learner: str, toy: str) -> contract.Case:
    """One case serves all claims that come one after the other, so that what they share is fitted once."""
    entry = next(entry for entry in kinds.find_learners(kind) if entry.name == learner)
    return contract.Case(entry.cls, entry.family, _toys(kind)[toy])


def _all() -> Iterator[Any]:
    for kind in kinds.find():
        for entry in kinds.find_learners(kind):
            for toy, task in _toys(kind).items():
                for claim in contract.claims(task.shape):
                    yield _parameter(kind, entry, toy, claim)


def _is_slow(kind: str, entry: kinds.Entry, toy: str) -> bool:
    """All learners are held to the contract on the first toy of their kind at every change, and those whose turn comes
    first on every toy; the others, and those whose turn comes late, by `make test-all` alone."""
    comes_first = entry.family == "baseline" or (entry.family == "classical" and entry.cls.priority == _first(kind))
    return entry.cls.priority >= LATE or not (comes_first or toy == next(iter(_toys(kind))))


@functools.cache
def _first(kind: str) -> int:
    return min(entry.cls.priority for entry in kinds.find_learners(kind) if entry.family == "classical")


def _parameter(kind: str, entry: kinds.Entry, toy: str, claim: contract.Claim) -> Any:
    marks = []
    if entry.missing:
        marks.append(pytest.mark.skip(reason=f"{entry.name} needs {', '.join(entry.missing)}"))
    if _is_slow(kind, entry, toy):
        marks.append(pytest.mark.slow)
    if claim.name in entry.cls.excused:
        marks.append(pytest.mark.xfail(reason=entry.cls.excused[claim.name], strict=True))
    name = "-".join((kind, entry.family, entry.name, toy.replace(" ", "_"), claim.name))
    return pytest.param(kind, entry.name, toy, claim, id=name, marks=marks)


@pytest.mark.parametrize(("kind", "learner", "toy", "claim"), list(_all()))
def test_learner(kind: str, learner: str, toy: str, claim: contract.Claim) -> None:
    claim.run(_case(kind, learner, toy))


def test_every_kind_brings_both_families() -> None:
    for kind in kinds.find():
        families = {entry.family for entry in kinds.find_learners(kind)}
        assert families == {"classical", "deep", "baseline"}, kind


def test_excuses_name_claims() -> None:
    known = {claim.name for shape in ("supervised", "interactive", "unlabelled") for claim in contract.claims(shape)}
    for kind in kinds.find():
        for entry in kinds.find_learners(kind):
            assert set(entry.cls.excused) <= known, entry.name
