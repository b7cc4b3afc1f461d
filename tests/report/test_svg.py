"""Scales, ticks and marks."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepenough.report import svg

numbers = st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-6)


@given(low=numbers, width=st.floats(1e-3, 1e6), most=st.integers(3, 8))
def test_ticks_lie_within_and_are_few(low: float, width: float, most: int) -> None:
    scale = svg.Scale(low, low + width, 0, 100)
    ticks = scale.ticks(most)
    slack = 1e-6 * max(abs(low), width)
    assert 1 <= len(ticks) <= most + 1
    assert all(low - slack <= tick <= low + width + slack for tick in ticks)


@given(low=st.floats(1e-4, 1e5), factor=st.floats(1.2, 1e6))
def test_logarithmic_ticks_lie_within_and_are_few(low: float, factor: float) -> None:
    ticks = svg.Scale(low, low * factor, 0, 100, log=True).ticks()
    assert 1 <= len(ticks) <= 6
    assert all(low * 0.99 <= tick <= low * factor * 1.01 for tick in ticks)


def test_scale_meets_both_ends_and_goes_upwards_in_the_picture() -> None:
    scale = svg.Scale(10, 1000, 300, 0, log=True)
    assert (scale(10), scale(100), scale(1000)) == (300, 150, 0)
    assert svg.Scale(2, 2, 0, 100)(2) == 50


def test_spread_leaves_air_also_around_a_single_value() -> None:
    low, high = svg.spread([5.0, 5.0])
    assert low < 5 < high
    low, high = svg.spread([100.0], log=True)
    assert 0 < low < 100 < high


@pytest.mark.parametrize("family", svg.MARKS)
def test_every_family_has_a_mark_of_its_own_shape(family: str) -> None:
    others = {svg.mark(other, 10, 10) for other in svg.MARKS if other != family}
    assert svg.mark(family, 10, 10) not in others


def test_words_in_a_picture_stay_words() -> None:
    hostile = '<script>"&'
    drawn = svg.picture(10, 10, [svg.text(1, 1, hostile), svg.mark("deep", 1, 1, hostile)], hostile)
    root = ElementTree.fromstring(drawn)
    assert root.get("aria-label") == hostile
    assert "<script" not in drawn
