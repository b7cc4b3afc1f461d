"""What a model sees of a window: never the neighbour's history, never what is after its origin, whatever is taken."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.kinds.forecast import reach
from deepenough.kinds.forecast.inputs import Layout, Windows
from deepenough.kinds.forecast.steps import Step
from tests.kinds.forecast.drawn import several, task


@pytest.fixture(scope="module")
def windows() -> Windows:
    """Those to learn from, which share a pool."""
    made = task(several())
    whole: Windows = made.train(made.largest, 1, 0).inputs
    return whole


def assert_same(some: Windows, others: Windows) -> None:
    assert len(some) == len(others)
    named = [[own.names[code] for code in own.series] for own in (some, others)]
    assert named[0] == named[1]
    for of in (
        lambda own: own.history(70),
        lambda own: own.past(70),
        lambda own: own.ahead(),
        lambda own: own.times_ahead(),
    ):
        np.testing.assert_array_equal(of(some), of(others))


def test_windows_are_the_same_after_the_way_through_arrays(windows: Windows) -> None:
    rows = np.array([5, 90, 3, 60, 5])
    for own in (windows, windows.take(rows), windows.take(rows).closed(), windows.take(rows[:0])):
        arrays = own.to_arrays()
        assert all(array.dtype.kind in "fiu" for array in arrays.values())
        again = Windows.from_arrays(arrays)
        assert again.layout == own.layout
        assert_same(again, own)


def test_only_what_windows_see_travels(windows: Windows) -> None:
    one = windows.take(np.array([7]))
    arrays = one.to_arrays()
    assert len(arrays["values"]) == one.at[0] - one.start[0] + 1 + windows.layout.horizon
    assert len(windows.to_arrays()["values"]) < len(windows.values), "what comes after the cut stays"


def test_before_its_start_a_window_sees_nothing(windows: Windows) -> None:
    early = windows.take(np.array([windows.at.argmax()]))  # the last series of the pool
    steps = int(early.at[0] - early.start[0]) + 1
    assert np.isnan(early.history(steps + 30)[0, :30]).all() and np.isfinite(early.history(steps)).all()
    assert np.isnan(early.past(steps + 30)[0, :30]).all()
    first = windows.take(np.array([windows.at.argmin()]))
    assert np.isnan(first.history(200)[0, :-5]).any()


def test_a_closed_window_holds_no_answer_and_what_is_known(windows: Windows) -> None:
    rows = np.array([40, 3, 77])
    own = windows.take(rows)
    closed = own.closed()
    assert_same(closed, own)
    for row in range(3):
        after = slice(closed.at[row] + 1, closed.at[row] + 1 + own.layout.horizon)
        assert np.isnan(closed.values[after]).all()
        assert np.isfinite(closed.covariates[after, 0]).all() and np.isnan(closed.covariates[after, 1]).all()


def test_a_part_that_is_hidden_is_an_age_or_a_covariate(windows: Windows) -> None:
    own = windows.take(np.arange(30, 60)).closed()
    names = list(own.parts())
    assert names[0] == "older than 1 step" and names[-2:] == ["price", "weather"]
    hidden = own.shuffled(names.index("older than 5 steps"), np.arange(30))
    assert np.isnan(hidden.history(9)[:, :4]).all() and np.isfinite(hidden.history(5)).all()
    other = np.roll(np.arange(30), 1)
    strange = own.shuffled(names.index("price"), other)
    np.testing.assert_array_equal(strange.ahead()[:, :, 0], own.ahead()[other, :, 0])
    np.testing.assert_array_equal(strange.history(20), own.history(20))
    np.testing.assert_array_equal(strange.past(9)[:, :, 1], own.past(9)[:, :, 1])


def test_the_layout_comes_back_from_its_text() -> None:
    layout = Layout(3, (0.1, 0.5, 0.9), (7, 28), Step("months", 3.0, 0.0, 1), ("a",), ("b", "c"), 0.0)
    assert Layout.from_json(layout.to_json()) == layout
    assert (layout.season, Layout(3, (0.5,)).season) == (7, 1)


def driver(age: int, rise: float, low: float) -> dict[str, object]:
    plural = "" if age == 1 else "s"
    return {"name": f"older than {age:,} step{plural}", "rise": rise, "low": low, "high": rise + 1}


def test_how_far_back_it_looks_is_said_as_far_as_it_was_measured() -> None:
    drivers = [driver(1, 0.9, 0.7), driver(5, 0.4, 0.2), driver(13, 0.1, 0.02), driver(34, 0.01, -0.1)]
    (said,) = reach.sentences([*drivers, {"name": "price", "rise": 1.0, "low": 0.5, "high": 2}], "days")
    assert said.startswith("It looks back more than 13 days: without what is older its loss rises by 0.1")
    assert "older than 34" in said and "With the last value alone it rises by 0.9" in said
    assert reach.sentences([driver(1, 0.0, -0.1)], "days")[0].startswith("Hiding all but the last")
    assert reach.sentences([], "days") == []
