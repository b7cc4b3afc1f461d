"""Learners that share what they do with descriptors: what they share is said once and holds for each."""

from __future__ import annotations

import dataclasses
import re

import pytest

from deepenough import kinds
from deepenough.kinds.described import BoostedLearner, DescribedLearner
from deepenough.learner import about

LEARNERS = {
    f"{entry.kind}.{entry.name}": entry.cls
    for kind in kinds.find()
    for entry in kinds.find_learners(kind)
    if issubclass(entry.cls, DescribedLearner)
}


def test_several_kinds_describe_their_units() -> None:
    assert len(LEARNERS) >= 9 and len({name.split(".")[0] for name in LEARNERS}) >= 3


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_inherited_settings_are_explained_once(name: str) -> None:
    told = about(LEARNERS[name])
    for item in dataclasses.fields(LEARNERS[name]):  # type: ignore[arg-type]  # every learner is a dataclass
        assert len(re.findall(rf"\b{item.name}: ", told)) == 1


def test_a_shared_explanation_stands_in_one_place() -> None:
    boosted = [cls for cls in LEARNERS.values() if issubclass(cls, BoostedLearner)]
    assert len(boosted) >= 6
    assert all("patience" not in (cls.__doc__ or "") and "patience" in about(cls) for cls in boosted)


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_what_the_search_draws_comes_first_from_the_base(name: str) -> None:
    """The order of the draws decides which variants a race tries: the shared settings first, then a learner's own."""
    shared = list(next(cls for cls in LEARNERS[name].__mro__ if cls.__module__.endswith(".described")).space())
    assert shared and list(LEARNERS[name].space())[: len(shared)] == shared
