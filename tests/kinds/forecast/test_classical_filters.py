"""Filters of the statistical forecasts: equal to what they are said to be, one window alone as among others."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from deepenough.kinds.forecast import smoothing
from deepenough.kinds.forecast.classical.auto_arima import ArimaPoints, multiplied_out
from deepenough.kinds.forecast.classical.auto_ets import EtsPoints


def monthly(steps: int = 144, seed: int = 0, noise: float = 0.03) -> np.ndarray:
    """Growing, with a season that multiplies."""
    rng = np.random.default_rng(seed)
    month = np.arange(steps)
    season = 1 + 0.3 * np.sin(2 * np.pi * month / 12) + 0.1 * np.cos(4 * np.pi * month / 12)
    return np.asarray((100 + month) * season * np.exp(noise * rng.normal(size=steps)))


def ragged(whole: np.ndarray, shown: list[int]) -> np.ndarray:
    """Windows of different length that end together."""
    found = np.tile(whole, (len(shown), 1))
    for row, length in enumerate(shown):
        found[row, : len(whole) - length] = np.nan
    return found


def fitted(model: Any, values: np.ndarray) -> Any:
    """By `statsforecast`, whose warnings of overflow in the search are harmless."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(values)


def apart(some: np.ndarray, others: np.ndarray, values: np.ndarray) -> float:
    """The largest difference of two paths, in units of the series' spread."""
    return float(np.abs(some - others).max() / values.std())


def test_gaps_have_the_value_of_a_season_before_and_what_lies_before_the_first_stays_missing() -> None:
    values = np.array([[np.nan, 1.0, 2.0, 3.0, np.nan, 5.0, np.nan, np.nan]])
    found = smoothing.histories(values, 3)
    np.testing.assert_array_equal(found, [[np.nan, 1.0, 2.0, 3.0, 1.0, 5.0, 3.0, 1.0]])
    np.testing.assert_array_equal(smoothing.histories(values, 1)[0, 4:], [3.0, 5.0, 5.0, 5.0])
    assert np.isnan(values[0, 4])


@pytest.mark.parametrize("times", [True, False])
def test_a_season_without_noise_is_taken_off_and_put_on_whole(times: bool) -> None:
    profile = np.array([1.0, 2.0, 3.0, 2.0]) / 2
    place = np.arange(40)
    trend = 10 + 0.5 * place
    values = (trend * profile[place % 4] if times else trend + 20 * (profile[place % 4] - 1) - 15)[None]
    found = smoothing.seasons(values, 4)
    assert bool(found.times[0]) is times
    ahead = np.arange(40, 46)
    line = 10 + 0.5 * ahead if times else 10 + 0.5 * ahead - 15
    came = line * profile[ahead % 4] if times else line + 20 * (profile[ahead % 4] - 1)
    np.testing.assert_allclose(found.on(line[None])[0], came, rtol=0.02, atol=0.2)
    rest = found.off(values)[0]
    assert np.abs(np.diff(rest) - 0.5).max() < 0.05 * np.abs(np.diff(values[0])).max()


def test_no_season_is_taken_off_noise() -> None:
    values = np.random.default_rng(1).normal(size=(1, 200)).cumsum(axis=1) + 100
    assert not smoothing.seasons(values, 7).profile.any()


def test_theta_of_a_line_goes_on_with_half_of_its_slope_as_the_method_says() -> None:
    values = (5 + 2.0 * np.arange(60))[None]
    steps = np.diff(smoothing.theta(values, 4, 1)[0])
    np.testing.assert_allclose(steps, 1.0, rtol=1e-6)


def test_theta_is_near_that_of_statsforecast() -> None:
    models = pytest.importorskip("statsforecast.models")
    rng = np.random.default_rng(2)
    values = 50 + 0.4 * np.arange(120) + rng.normal(size=120).cumsum()
    theirs = fitted(models.Theta(season_length=1), values).predict(8)["mean"]
    assert apart(smoothing.theta(values[None], 8, 1)[0], theirs, values) < 0.03


@pytest.mark.parametrize(("season", "near"), [(1, 1e-3), (12, 0.06)])
def test_exponential_smoothing_is_that_of_statsforecast_but_for_where_the_season_starts(
    season: int, near: float
) -> None:
    models = pytest.importorskip("statsforecast.models")
    values = monthly() if season > 1 else 100 + np.random.default_rng(3).normal(size=150).cumsum()
    theirs = fitted(models.AutoETS(season_length=season), values).predict(12)["mean"]
    settings = EtsPoints.fitted_on(values, season)
    assert settings["form"][2] == ("N" if season == 1 else "M")
    assert apart(EtsPoints.filtered(values[None], 12, season, [settings])[0], theirs, values) < near


@pytest.mark.parametrize("season", [1, 12])
def test_arima_equals_that_of_statsforecast(season: int) -> None:
    models = pytest.importorskip("statsforecast.models")
    values = monthly() if season > 1 else 100 + np.random.default_rng(3).normal(size=150).cumsum()
    orders = {"max_p": 2, "max_q": 2, "max_P": 1, "max_Q": 1, "nmodels": 6, "approximation": True}
    model = fitted(models.AutoARIMA(season_length=season, **orders), values)
    coef = {name: float(value) for name, value in model.model_["coef"].items()}
    settings = multiplied_out(model.model_["arma"], coef)
    theirs = model.predict(12)["mean"]
    assert apart(ArimaPoints.filtered(values[None], 12, season, [settings])[0], theirs, values) < 0.01


def test_arima_whose_innovations_the_past_cannot_tell_forecasts_as_its_twin_that_can() -> None:
    values = 100 + np.random.default_rng(4).normal(size=(1, 80)).cumsum(axis=1)
    turned = multiplied_out((0, 1, 0, 0, 1, 1, 0), {"ma1": -2.0})
    assert turned["ma"] == pytest.approx([-0.5])
    twin = multiplied_out((0, 1, 0, 0, 1, 1, 0), {"ma1": -0.5})
    np.testing.assert_allclose(
        ArimaPoints.filtered(values, 5, 1, [turned]), ArimaPoints.filtered(values, 5, 1, [twin]), rtol=1e-9
    )


def test_arima_multiplies_seasons_and_differences_out() -> None:
    found = multiplied_out((1, 0, 0, 1, 4, 0, 1), {"ar1": 0.5, "sma1": 0.3, "intercept": 7.0})
    assert found["ar"] == pytest.approx([0.5, 0, 0, 1, -0.5])
    assert found["ma"] == pytest.approx([0, 0, 0, 0.3])
    assert (found["mean"], found["drift"]) == (7.0, 0.0)


def test_every_filter_gives_a_window_alone_what_it_gives_it_among_others() -> None:
    windows = ragged(monthly(), [144, 60, 20, 9])
    windows = np.concatenate([windows, windows[:1] - 300])  # one below 0: no season can multiply it
    ets = {"form": "MAM", "alpha": 0.3, "beta": 0.1, "gamma": 0.2, "phi": 0.95}
    long = multiplied_out((1, 0, 0, 1, 12, 1, 1), {"ar1": 0.4, "sma1": -0.5})
    short = multiplied_out((1, 0, 0, 0, 1, 0, 0), {"ar1": 0.7, "intercept": 120.0})
    cases = (
        (EtsPoints.filtered, [ets] * 5),
        (ArimaPoints.filtered, [long, short, long, short, short]),
        (lambda values, steps, m, settings: smoothing.theta(values, steps, m), [{}] * 5),
    )
    for filtered, settings in cases:
        together = filtered(windows, 6, 12, settings)
        for row in range(len(windows)):
            alone = filtered(windows[row : row + 1], 6, 12, settings[row : row + 1])[0]
            np.testing.assert_allclose(alone, together[row], rtol=1e-9)
