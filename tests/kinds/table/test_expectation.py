"""Studies that are quoted have a source and fit the table; what depends on time or groups gets its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepenough.kinds.table import expectation


@given(st.integers(1, 10**7), st.sampled_from(["random", "group", "time", "own"]), st.none() | st.integers(2, 500))
def test_every_finding_has_a_source_and_an_expectation(rows: int, splitting: str, classes: int | None) -> None:
    for finding in expectation.of(rows, splitting, classes):
        assert "arXiv" in finding["source"] and finding["sentence"]
        assert finding["expected"] in ("classical", "deep", "either")


@pytest.mark.parametrize(("rows", "there"), [(500, False), (10_000, True), (200_000, False)])
def test_a_study_of_middling_tables_is_of_middling_tables(rows: int, there: bool) -> None:
    assert any("2207.08815" in each["source"] for each in expectation.of(rows, "random", 2)) == there


def test_where_rows_depend_on_time_or_groups_only_studies_of_such_are_quoted() -> None:
    assert [each["source"] for each in expectation.of(10_000, "time", 2)] == ["BeyondArena, arXiv 2606.30410"]


@pytest.mark.parametrize(
    ("rows", "words"), [(500, "under 1,000 rows"), (2000, "1,000 to 4,000 rows"), (9000, "4,000 rows or more")]
)
def test_the_curves_that_are_shipped_are_counted_by_size(rows: int, words: str) -> None:
    assert words in expectation.of(rows, "random", 3)[-1]["sentence"]
