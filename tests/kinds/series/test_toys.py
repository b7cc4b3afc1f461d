"""The toys hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.kinds.series import expectation
from deepenough.kinds.series.toys import toys
from deepenough.kinds.series.toys_of_memory import BACK, marker, order


def test_toys_are_clean_of_several_forms_and_the_same_every_time() -> None:
    found = toys()
    for name, toy in found.items():
        again = toys()[name]
        assert toy.flags == ()
        assert toy.set_aside == ()
        assert np.array_equal(toy.targets, again.targets)
        assert np.array_equal(toy.signals.values, again.signals.values, equal_nan=True)
    assert {toy.n_classes for toy in found.values()} == {2, 3, None}
    assert {len(toy.signals.channels) for toy in found.values()} == {1, 2}
    assert {toy.recording.form for toy in found.values()} == {"lists", "rows"}
    assert len(set(found["rhythm"].signals.lengths.tolist())) > 1
    assert np.isnan(found["bump"].signals.values).any()


@pytest.mark.parametrize("make", [marker, order])
def test_only_what_was_long_before_the_end_decides(make: object) -> None:
    task = make(400)  # type: ignore[operator]  # one of the two functions
    up = np.array(task.target.classes)[task.targets] == sorted(task.target.classes)[-1]
    late = task.signals.values[:, 0, -BACK + 3 :]
    early = task.signals.values[:, 0, : -BACK + 3]
    for said in (late.mean(axis=1), late.max(axis=1), late.min(axis=1)):
        assert abs(np.corrcoef(said, up)[0, 1]) < 0.2
    is_higher = early.max(axis=1) > -early.min(axis=1)
    is_first = early.argmax(axis=1) < early.argmin(axis=1)
    assert max((said == up).mean() for said in (is_higher, is_first)) > 0.95


def test_expectations_have_a_source_and_a_side() -> None:
    for count, is_number in ((100, False), (10_000, False), (100, True)):
        for finding in expectation.of(count, is_number):
            assert set(finding) == {"sentence", "source", "expected"}
            assert finding["expected"] in ("classical", "deep", "either")
            assert any(character.isdigit() for character in finding["source"])
