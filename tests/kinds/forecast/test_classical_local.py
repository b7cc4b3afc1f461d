"""A model for each series: what is kept of it, what stands in where there is none, and what the clock allows."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deepenough.kinds.forecast import statistical
from deepenough.kinds.forecast.classical.auto_arima import ArimaPoints, AutoARIMA
from deepenough.kinds.forecast.classical.auto_ets import AutoETS, EtsPoints
from deepenough.kinds.forecast.classical.auto_theta import AutoTheta
from deepenough.kinds.forecast.classical.combination import Combination, _half
from deepenough.kinds.forecast.simple import last_season
from deepenough.learner import Examples, Limits
from tests.kinds.forecast.of_windows import of_series


def many(count: int = 6, steps: int = 60, horizon: int = 4) -> Examples:
    """Series of very different level, by week, with a season of 7 steps."""
    parts = [of_series(10.0**code * (5 + walk(steps, code)), horizon, (7,)) for code in range(count)]
    length = len(parts[0].inputs.values)
    pools = {name: np.concatenate([getattr(p.inputs, name) for p in parts]) for name in ("values", "times")}
    offsets = [length * code for code in range(count)]
    places = {
        name: np.concatenate([getattr(p.inputs, name) + off for p, off in zip(parts, offsets, strict=True)])
        for name in ("at", "start")
    }
    series = np.repeat(np.arange(count), len(parts[0]))
    names = tuple(f"series {code}" for code in range(count))
    nothing = np.zeros((length * count, 0))
    inputs = dataclasses.replace(parts[0].inputs, **pools, **places, covariates=nothing, series=series, names=names)
    inner = np.concatenate([part.inner + len(part) * code for code, part in enumerate(parts)])
    targets = np.concatenate([part.targets for part in parts])
    return Examples(inputs, targets, None, inner, paths=parts[0].paths)


def walk(steps: int, seed: int) -> np.ndarray:
    """A season of 7 steps, and noise."""
    noise = np.random.default_rng(seed).normal(size=steps)
    return np.asarray(np.sin(2 * np.pi * np.arange(steps) / 7) + 0.1 * noise)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of the histories that exponential smoothing is fitted on from now on."""
    seen: list[int] = []

    def fitted_on(history: np.ndarray, season: int) -> Any:
        seen.append(len(history))
        return {"form": "ANN", "alpha": 0.2 + 0.1 * len(seen), "beta": 0.0, "gamma": 0.0, "phi": 1.0}

    monkeypatch.setattr(EtsPoints, "fitted_on", staticmethod(fitted_on))
    return seen


def test_what_is_fitted_ends_where_the_rows_do(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, examples = counted(monkeypatch), of_series(walk(80, 0) + 5, 3)
    EtsPoints.learn(examples, np.array([0, 20, 5]), Limits())
    assert seen == [30]


def test_few_series_are_fitted_again_with_the_newest_and_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = many(3)
    for most, fits in ((3, 9), (2, 3)):
        monkeypatch.setattr(statistical, "MOST_AGAIN", most)
        seen = counted(monkeypatch)
        AutoETS().fit(examples, Limits(), 0)
        assert len(seen) == fits


def test_series_that_the_clock_left_out_get_what_the_others_got(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, examples = counted(monkeypatch), many(6)
    monkeypatch.setattr(statistical, "time", SimpleNamespace(monotonic=lambda: 3.0 * len(seen)))
    clock: Any = SimpleNamespace(seconds_left=lambda: 10.0 - 3.0 * len(seen))
    points = EtsPoints.learn(examples, examples.outer, clock)
    assert len(seen) == 3, "a fourth would end too late"
    assert points.planned == 0.5
    assert set(points.settings) == {"series 0", "series 1", "series 2"}
    assert points.common["alpha"] == pytest.approx(0.4)
    assert np.isfinite(points.paths(examples.inputs)).all()


@pytest.mark.parametrize("learner", [AutoETS(), AutoARIMA(), Combination(), AutoTheta()])
def test_without_any_time_nothing_is_fitted_and_all_is_answered(learner: Any) -> None:
    examples = many(4)
    model = learner.fit(examples, Limits(seconds=0.0), 0)
    predicted = model.predict(examples.inputs)
    assert model.planned < 1 or isinstance(learner, AutoTheta)
    assert predicted.shape == (len(examples), 4, 3)
    assert np.isfinite(predicted).all()
    assert (np.diff(predicted, axis=2) >= 0).all()


def test_a_combination_leaves_half_of_the_time_to_the_second() -> None:
    given = _half(Limits(seconds=1e6)).seconds
    assert given is not None
    assert 5e5 <= given < 6e5
    assert _half(Limits()).seconds is None


def test_a_series_that_nobody_saw_is_forecast_near_its_own_level() -> None:
    for points in (EtsPoints, ArimaPoints):
        examples = many(4)
        rows = np.flatnonzero(examples.inputs.series < 3)
        learnt = points.learn(examples, rows, Limits())
        unseen = examples.inputs.take(np.flatnonzero(examples.inputs.series == 3)[-5:])
        assert "series 3" not in learnt.settings
        assert np.abs(learnt.paths(unseen) / 5_000 - 1).max() < 0.35


def test_level_and_drift_of_one_series_are_never_those_of_another() -> None:
    own = {"form": "1,0", "ar": [0.5], "ma": [], "mean": 900.0, "drift": 3.0}
    common = ArimaPoints.common_of({"a": own, "b": {**own, "mean": 700.0}})
    assert common == {"form": "1,0", "ar": [0.5], "ma": [], "mean": None, "drift": 0.0}
    assert ArimaPoints.common_of({}) is None
    values = np.full((1, 30), 10.0)
    np.testing.assert_allclose(ArimaPoints.filtered(values, 3, 1, [common]), 10.0)


def test_short_constant_and_empty_windows_repeat_what_was() -> None:
    values = np.concatenate([np.full(20, np.nan), [4.0, 4.0, 4.0], np.full(12, 4.0), [np.nan] * 5])
    examples = of_series(values, 2)
    for points in (EtsPoints, ArimaPoints):
        learnt = points.learn(examples, np.arange(len(examples)), Limits())
        assert not learnt.settings
        found = learnt.paths(examples.inputs)
        np.testing.assert_allclose(found[-1], 4.0, atol=1e-6)
        np.testing.assert_array_equal(found[:12], last_season(examples.inputs)[:12])


def test_what_runs_away_is_replaced_by_the_last_season() -> None:
    examples = of_series(5 + walk(60, 1), 6, (7,))
    wild = {"form": "x", "ar": [3.0], "ma": [], "mean": 0.0, "drift": 0.0}
    found = ArimaPoints({"one": wild}, wild).paths(examples.inputs)
    np.testing.assert_array_equal(found, last_season(examples.inputs))


def test_a_season_too_long_to_be_fitted_is_taken_off_and_put_on() -> None:
    place = np.arange(30 * 6)
    profile = np.random.default_rng(3).normal(size=30)
    values = 50 + 5 * profile[place % 30] + 0.01 * np.random.default_rng(4).normal(size=len(place))
    examples = of_series(values, 10, (30,))
    last = np.array([len(examples) - 10])
    learnt = EtsPoints.learn(examples, np.arange(len(examples) - 10), Limits())
    assert learnt.settings["one"]["form"][2] == "N"
    np.testing.assert_allclose(learnt.paths(examples.inputs.take(last)), examples.targets[last], atol=0.1)


def test_of_several_seasons_each_window_takes_off_the_longest_that_it_shows_twice() -> None:
    examples = of_series(walk(200, 0), 3, (7, 30, 60))
    found = statistical._taken_off(examples.inputs, 24)
    shown = examples.inputs.at + 1
    np.testing.assert_array_equal(found, np.where(shown >= 120, 60, np.where(shown >= 60, 30, 0)))
    learnt = EtsPoints({}, EtsPoints.default(7))
    together = learnt.paths(examples.inputs)
    for row in (20, 80, 170):
        np.testing.assert_allclose(learnt.paths(examples.inputs.take(np.array([row])))[0], together[row], rtol=1e-9)


@pytest.mark.parametrize("error", [ZeroDivisionError, IndexError])
def test_a_library_that_finds_no_form_is_no_error(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def fails(self: Any, history: np.ndarray) -> Any:
        raise error

    monkeypatch.setattr("statsforecast.models.AutoETS.fit", fails)
    learnt = EtsPoints.learn(many(2), np.arange(40), Limits())
    assert (learnt.settings, learnt.common, learnt.planned) == ({}, EtsPoints.default(7), 1.0)


def test_a_fault_of_our_own_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(history: np.ndarray, season: int) -> Any:
        raise KeyError

    monkeypatch.setattr(EtsPoints, "fitted_on", staticmethod(fails))
    with pytest.raises(KeyError):
        EtsPoints.learn(many(2), np.arange(40), Limits())


@pytest.mark.parametrize("learner", [AutoETS(), AutoARIMA(), Combination()])
def test_what_is_saved_is_numbers_in_json(learner: Any, tmp_path: Path) -> None:
    examples = of_series(5 + walk(60, 1), 4, (7,))
    model = learner.fit(examples, Limits(), 0)
    model.save(tmp_path)
    settings = sorted(tmp_path.rglob("settings.json"))
    assert settings
    assert all("one" in json.loads(path.read_text())["settings"] for path in settings if path.parent.name != "theta")
    again = type(model).load(tmp_path)
    np.testing.assert_allclose(again.predict(examples.inputs), model.predict(examples.inputs), rtol=1e-9)
    assert again.needs == ()
