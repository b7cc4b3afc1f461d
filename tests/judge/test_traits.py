"""Questions about traits of units: who says yes, also among units never seen, and how that is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from deepenough.judge import traits
from deepenough.judge.traits import Place, Question, Trait

NAN = float("nan")
AGE = Trait("age", np.array([20.0, 45.0, 46.0, 70.0, NAN]))
CITY = Trait("city", np.array([0, 1, 2, -1, 0], dtype=np.int32), ("Oslo", "Bergen", "Hamar"), "category")
DAY = Trait("day", np.array([0.0, 86400.0, 172800.0, 259200.0, NAN]), form="date")
KNOWN = (AGE, CITY, DAY)

SAID: list[tuple[str, Place, list[int]]] = [
    ("age > 45", ((Question(0, 45.0, missing=True), False),), [2, 3]),
    ("(age ≤ 45 or missing)", ((Question(0, 45.0, missing=True), True),), [0, 1, 4]),
    ("20 < age ≤ 46", ((Question(0, 20.0, missing=True), False), (Question(0, 46.0), True)), [1, 2]),
    ("age is missing", ((Question(0, missing=True), True),), [4]),
    ("age is known", ((Question(0, missing=True), False),), [0, 1, 2, 3]),
    ("city is Oslo or Bergen", ((Question(1, levels=(0, 1)), True),), [0, 1, 4]),
    ("city is neither missing nor Oslo", ((Question(1, levels=(-1, 0)), False),), [1, 2]),
    ("city is Bergen", ((Question(1, levels=(0, 1)), True), (Question(1, levels=(0,)), False)), [1]),
    ("(day is after 1970-01-02 or missing)", ((Question(2, 86400.0), False),), [2, 3, 4]),
    ("city is Oslo and age is known", ((Question(1, levels=(0,)), True), (Question(0, missing=True), False)), [0]),
]


@pytest.mark.parametrize(("words", "place", "rows"), SAID, ids=[words for words, _, _ in SAID])
def test_who_stands_where_and_how_it_is_said(words: str, place: Place, rows: list[int]) -> None:
    assert traits.in_words(place, KNOWN) == words
    assert np.flatnonzero(traits.inside(place, KNOWN, 5)).tolist() == rows
    assert np.flatnonzero(_as_a_program_reads_it(traits.as_data(place, KNOWN))).tolist() == rows


def _as_a_program_reads_it(conditions: list[dict[str, Any]]) -> np.ndarray:
    """Which units hold all conditions, by nothing but the data."""
    holds = np.ones(5, dtype=bool)
    for asked in conditions:
        trait = next(trait for trait in KNOWN if trait.name == asked["trait"])
        if trait.form == "category":
            names = np.array(["missing" if code < 0 else trait.levels[code] for code in trait.values])
            inside = np.isin(names, asked["is"]) if asked["is"] is not None else ~np.isin(names, asked["is_not"])
        else:
            low, high = asked["above"], asked["at_most"]
            inside = (trait.values > (-np.inf if low is None else low)) & (
                trait.values <= (np.inf if high is None else high)
            )
            inside &= not (low is None and high is None and asked["missing"])
        holds &= np.where(trait.missing, asked["missing"], inside)
    return holds


def test_long_names_and_long_lists_stay_short() -> None:
    many = Trait(
        "n" * 500, np.arange(30, dtype=np.int32), tuple(f"level {i} {'x' * 300}" for i in range(30)), "category"
    )
    words = traits.in_words(((Question(0, levels=tuple(range(20))), True),), [many])
    assert words.endswith("or one of 15 more") and len(words) < 300


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, st.integers(2, 300), elements=st.floats(allow_infinity=False) | st.integers(0, 9)))
def test_thresholds_part_the_values_that_are_there(values: np.ndarray) -> None:
    bins = traits.binned(0, Trait("x", values))
    present = np.sort(values[~np.isnan(values)])
    assert len(bins.cuts) <= traits.MOST_CUTS and (np.diff(bins.cuts) > 0).all()
    assert all(present[0] <= cut < present[-1] for cut in bins.cuts)
    for cut, code in zip(bins.cuts, range(len(bins.cuts)), strict=True):
        assert np.array_equal(bins.codes <= code, values <= cut), "codes and cuts speak of the same units"
    if len(np.unique(present)) <= traits.MOST_CUTS + 1:
        assert len(bins.cuts) == max(len(np.unique(present)) - 1, 0), "all neighbours are told apart"


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [(45.0, 46.0, 45.0), (0.52, 0.58, 0.55), (0.1, 0.9, 0.5), (-3.0, 8.0, 0.0), (998, 1203, 1000)],
)
def test_thresholds_are_round(low: float, high: float, found: float) -> None:
    assert traits.binned(0, Trait("x", np.array([low, high]))).cuts.tolist() == [found]


def test_dates_part_at_the_beginning_of_a_day() -> None:
    moments = Trait("t", np.array([86400.0 * 3 - 5, 86400.0 * 3 + 70.0]), form="date")
    assert traits.binned(0, moments).cuts.tolist() == [86400.0 * 3]


def test_rare_levels_are_the_others_and_say_no() -> None:
    values = np.repeat(np.array([0, 1, 2, 3, -1], dtype=np.int32), [50, 30, 3, 2, 15])
    bins = traits.binned(0, Trait("c", values, tuple("abcd"), "category"))
    assert bins.levels == (-1, 0, 1)
    assert np.bincount(bins.codes).tolist() == [15, 50, 30, 5]
    sums = np.array([-9.0, 1.0, 5.0, 80.0])
    for yes, _, ask in traits.questions(bins, np.bincount(bins.codes), sums):
        for index in range(len(yes)):
            answers = ask(index).answers([Trait("c", values, tuple("abcd"), "category")])
            assert answers.sum() in (yes[index], len(values) - yes[index])
            assert not answers[values >= 2].any(), "what is not told apart is never named"


def test_traits_of_other_units_must_be_the_same_traits() -> None:
    whole = traits.joined([KNOWN, KNOWN])
    assert [len(trait.values) for trait in whole] == [10, 10, 10]
    with pytest.raises(ValueError, match="differ"):
        traits.joined([KNOWN, KNOWN[:2]])


def test_of_two_levels_the_other_is_named_where_none_is_missing() -> None:
    """`active is yes` says it, `active is not no` makes a reader think."""
    place = ((Question(0, levels=(0,)), False),)
    assert traits.in_words(place, [Trait("active", np.array([0, 1, 1]), ("no", "yes"), "category")]) == "active is yes"
    some = Trait("active", np.array([0, 1, -1]), ("no", "yes"), "category")
    assert traits.in_words(place, [some]) == "active is not no", "what is missing stands there too"
