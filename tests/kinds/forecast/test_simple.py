"""The simplest forecasts: what they repeat, and how sure they are of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deepenough.kinds.forecast.baseline.prior import Prior
from deepenough.kinds.forecast.classical.seasonal_naive import SeasonalNaive
from deepenough.kinds.forecast.inputs import Layout, Windows
from deepenough.kinds.forecast.simple import last_season, last_value
from deepenough.kinds.forecast.spread import Spread, filled, units
from deepenough.kinds.forecast.task import load
from deepenough.learner import Limits
from deepenough.task.task import Question
from tests.kinds.forecast.drawn import several, task

NAN = float("nan")


def window(values: list[float], horizon: int, season: int) -> Windows:
    """One window that ends with these values."""
    pool = np.concatenate([values, np.full(horizon, NAN)])
    layout = Layout(horizon, (0.1, 0.5, 0.9), (season,) if season > 1 else ())
    places = np.array([0], dtype=np.int64)
    times, nothing = np.arange(float(len(pool))), np.zeros((len(pool), 0))
    return Windows(pool, times, nothing, places + len(values) - 1, places, places, ("",), layout)


def test_the_last_season_comes_again_as_in_statsforecast() -> None:
    models = pytest.importorskip("statsforecast.models")
    values = several(1, 40).sold.to_numpy()
    other = models.SeasonalNaive(season_length=7).forecast(values, 17)["mean"]
    np.testing.assert_array_equal(last_season(window(values.tolist(), 17, 7))[0], other)


def test_gaps_take_the_value_of_a_season_before() -> None:
    given = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, NAN, 9.0]
    np.testing.assert_array_equal(last_season(window(given, 4, 3)), [[7.0, 5.0, 9.0, 7.0]])
    np.testing.assert_array_equal(last_value(window([*given, NAN], 3, 1)), [[9.0] * 3])
    assert (last_season(window([NAN, NAN], 3, 2)) == 0.0).all(), "nothing is known at all"


def test_without_a_season_the_last_value_stays() -> None:
    np.testing.assert_array_equal(last_season(window([3.0, 5.0], 4, 1)), [[5.0] * 4])


def test_filling_takes_what_was_before_and_at_the_beginning_what_comes() -> None:
    history = np.array([[NAN, 2.0, NAN, 4.0], [NAN] * 4])
    np.testing.assert_array_equal(filled(history), [[2.0, 2.0, 2.0, 4.0], [0.0] * 4])


def test_quantiles_hold_as_much_as_they_promise() -> None:
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=3_000)) + 500
    frame = pd.DataFrame({"t": np.arange(3_000), "y": walk})
    made = load(frame, Question("y", time="t", options={"horizon": 6}))
    models = [Prior().fit(made.train(made.largest, fold, 0), Limits(), 0) for fold in range(made.folds)]
    predicted = np.concatenate([model.predict(made.inputs(fold)) for fold, model in enumerate(models)])
    truth = np.concatenate([made.truth(fold)[:, :-1] for fold in range(made.folds)])
    for place, level in enumerate(made.layout.levels):
        for step in (0, 5):
            known = np.isfinite(truth[:, step])
            share = (truth[known, step] <= predicted[known, step, place]).mean()
            assert share == pytest.approx(level, abs=0.07), (level, step)
    width = (predicted[:, :, -1] - predicted[:, :, 0]).mean(axis=0)
    assert width[3] / width[0] == pytest.approx(2, abs=0.4), "a walk spreads with the root of the steps"


def test_large_and_small_series_are_as_sure_in_their_own_units() -> None:
    frame = several(2, 200)
    frame.loc[frame.shop == "shop 1", "sold"] *= 1_000
    made = task(frame)
    model = SeasonalNaive().fit(made.train(made.largest, 0, 0), Limits(), 0)
    windows = made.inputs(0)
    width = np.ptp(model.predict(windows), axis=2).mean(axis=1)
    ratio = width[windows.series == 1].mean() / width[windows.series == 0].mean()
    assert 500 < ratio < 2_000


def test_quantiles_never_cross_and_never_fall_below_what_never_was() -> None:
    frame = several(2, 120)
    frame["sold"] = np.maximum(frame.sold - frame.sold.quantile(0.4), 0)
    made = task(frame)
    for learner in (Prior(), SeasonalNaive()):
        said = learner.fit(made.train(40, 0, 0), Limits(), 0).predict(made.inputs(0))
        assert (np.diff(said, axis=2) >= 0).all() and said.min() == 0.0


def test_the_seasonal_naive_beats_the_last_value_where_there_is_a_season() -> None:
    made = task(several(3, 150))
    losses = [
        made.metrics()[0].records(made.truth(0), learner.fit(made.train(60, 0, 0), Limits(), 0).predict(made.inputs(0)))
        for learner in (Prior(), SeasonalNaive())
    ]
    assert losses[1].mean() < 0.6 * losses[0].mean()


def test_units_are_above_nought_whatever_the_history() -> None:
    for values in ([5.0] * 30, [0.0] * 30, [NAN] * 30, [1.0, 2.0], [1e9, 1e9, 1e9 + 1] * 10):
        unit = units(window(values, 3, 7))
        assert np.isfinite(unit).all() and unit[0] > 0


def test_a_spread_of_few_errors_still_grows_and_comes_back_from_json() -> None:
    rng = np.random.default_rng(1)
    paths = np.zeros((5, 8))
    spread = Spread.fit(paths, rng.normal(size=(5, 8)), np.ones(5), (0.05, 0.5, 0.95))
    again = Spread.from_json(spread.to_json()).around(np.zeros((1, 8)), np.ones(1))
    np.testing.assert_array_equal(again, spread.around(np.zeros((1, 8)), np.ones(1)))
    unknown = Spread.fit(paths, np.full((5, 8), NAN), np.ones(5), (0.05, 0.5, 0.95))
    assert (np.diff(unknown.offsets, axis=1) > 1).all(), "as wide as the unit says where nothing is known"


def test_of_a_walk_the_last_value_has_the_widths_that_are_its_own() -> None:
    """Windows that know a season and those that don't are counted in one unit; in two, it was four times too wide."""
    rng = np.random.default_rng(0)
    weeks = pd.date_range("2023-01-02", periods=120, freq="W")
    rows = [
        pd.DataFrame({"id": f"s{place}", "week": weeks, "y": np.cumsum(rng.normal(size=120))}) for place in range(24)
    ]
    question = Question("y", time="week", options={"horizon": 3, "series": ("id",)})
    made = load(pd.concat(rows), question)
    assert made.layout.seasons == (52,)
    for fold in range(made.folds):
        found = Prior().fit(made.train(made.largest, fold, 0), Limits(), 0).predict(made.inputs(fold))
        width = found[:, :, -1] - found[:, :, 0]
        assert width.mean(axis=0) == pytest.approx(2 * 1.645 * np.sqrt([1, 2, 3]), rel=0.35)
