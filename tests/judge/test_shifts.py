"""What differs between two samples, and what is only chance."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.judge import shifts
from deepenough.judge.traits import Trait


def test_a_mean_that_moved_comes_with_its_interval() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.normal(10, 2, 500), rng.normal(11, 2, 400)
    found = shifts.shift(Trait("age", before), Trait("age", after))
    assert found.p < 1e-6 and found.change is not None and found.change.is_sure
    assert found.change.value == pytest.approx(after.mean() - before.mean())
    assert found.change.low < 1 < found.change.high and not found.missing.is_sure


def test_another_spread_of_the_same_mean_is_a_change_too() -> None:
    rng = np.random.default_rng(1)
    found = shifts.shift(Trait("x", rng.normal(0, 1, 600)), Trait("x", rng.normal(0, 3, 600)))
    assert found.p < 1e-6 and found.change is not None and not found.change.is_sure


def test_of_categories_the_level_that_moved_most_is_named() -> None:
    rng = np.random.default_rng(2)
    levels = ("a", "b", "c", "rare")
    before = rng.choice(4, 800, p=[0.5, 0.3, 0.19, 0.01])
    after = rng.choice(4, 800, p=[0.3, 0.3, 0.39, 0.01])
    found = shifts.shift(Trait("k", before, levels, "category"), Trait("k", after, levels, "category"))
    assert found.p < 1e-6 and found.level in ("a", "c") and found.change is not None and found.change.is_sure
    new = shifts.shift(Trait("k", before * 0, levels, "category"), Trait("k", before * 0 + 3, levels, "category"))
    assert new.p < 1e-6 and new.change is not None and abs(new.change.value) == 1.0


def test_missing_values_that_became_frequent_are_a_change() -> None:
    rng = np.random.default_rng(3)
    after = rng.normal(0, 1, 300)
    after[:90] = np.nan
    found = shifts.shift(Trait("x", rng.normal(0, 1, 300)), Trait("x", after))
    assert found.p < 1e-6 and found.missing.is_sure and found.missing.after == pytest.approx(0.3)
    gone = shifts.shift(Trait("x", rng.normal(0, 1, 300)), Trait("x", np.full(300, np.nan)))
    assert gone.change is None and gone.p < 1e-6


@pytest.mark.parametrize("form", ["number", "few numbers", "category"])
def test_two_samples_of_one_distribution_are_said_to_differ_in_one_of_twenty(form: str) -> None:
    said = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        if form == "category":
            own = [Trait("k", rng.integers(-1, 8, 200), tuple("abcdefgh"), "category") for _ in range(2)]
        else:
            own = [Trait("x", rng.lognormal(0, 1, 150)) for _ in range(2)]
            if form == "few numbers":
                own = [Trait("x", np.round(each.values)) for each in own]
        said += shifts.shift(*own).p < 0.05
    assert said <= 24, f"{said} of 300"


def test_what_the_inputs_explain_leaves_no_rest() -> None:
    """The mix moved, what each kind of unit does did not; then what they do moves."""
    rng = np.random.default_rng(4)
    x = [rng.normal(mean, 1, 800) for mean in (0.0, 0.5)]
    y = [2 * own + rng.normal(0, 1, 800) for own in x]
    assert shifts.change(*y).is_sure
    assert not shifts.rest(y[0], y[1], 2 * x[0], 2 * x[1]).is_sure
    other = shifts.rest(y[0], y[1] + 1, 2 * x[0], 2 * x[1])
    assert other.is_sure and other.low < 1 < other.high


def test_a_single_unit_tells_nothing_of_a_change() -> None:
    found = shifts.change(np.array([1.0]), np.array([2.0, 3.0]))
    assert found.value == 1.5 and not found.is_sure


def test_a_level_that_was_picked_among_many_has_an_interval_for_all_of_them() -> None:
    rng = np.random.default_rng(5)
    names = tuple(f"l{place:02}" for place in range(40))
    missed = 0
    for _ in range(100):
        both = [Trait("k", rng.integers(0, 40, 400), names, "category") for _ in range(2)]
        picked = shifts.shift(*both).change
        missed += picked is not None and picked.is_sure
    assert missed <= 10, f"{missed} of 100 were said to have moved"


def test_what_few_rows_lend_to_many_is_no_more_than_those_few_tell() -> None:
    """Forty old values of nothing that changed, drawn for five thousand new rows."""
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(100):
        old, now = rng.normal(0, 1, 40), rng.normal(0, 1, 5000)
        lenders = rng.integers(0, 40, 5000)
        held += not shifts.moved(old[lenders], now, lenders).is_sure
    assert held >= 89, f"{held} of 100 intervals hold nothing"
