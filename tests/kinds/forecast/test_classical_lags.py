"""Learners that see windows as rows: what they are told, what is hidden from them, and how sure they are."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deepenough.kinds.forecast import points
from deepenough.kinds.forecast.classical import lags_linear, mixture
from deepenough.kinds.forecast.classical.lags_boosted import BoostedPoints, LagsBoosted
from deepenough.kinds.forecast.classical.lags_linear import LagsLinear, LinearPoints
from deepenough.kinds.forecast.classical.mixture import MixedPoints, Mixture
from deepenough.kinds.forecast.inputs import Windows
from deepenough.kinds.forecast.lags import Lags, age, known_by
from deepenough.kinds.forecast.simple import last_season, paths
from deepenough.learner import Examples, Limits
from tests.kinds.forecast.of_windows import DAY, of_series

LEARNERS = (LagsLinear(), LagsBoosted(rounds=60), Mixture())


def weekly(steps: int = 150, seed: int = 0, noise: float = 0.3) -> np.ndarray:
    """A week, a slow wave, and noise."""
    rng, day = np.random.default_rng(seed), np.arange(steps)
    return 20 + np.array([0, 1, 3, 2, 5, 9, 7])[day % 7] + 2 * np.sin(day / 15) + noise * rng.normal(size=steps)


def error(model: Any, examples: Examples) -> float:
    """Mean absolute error of the medians on the latest windows."""
    rows = examples.inner
    off = model.predict(examples.inputs.take(rows))[:, :, 1] - examples.targets[rows]
    return float(np.nanmean(np.abs(off)))


def test_windows_of_any_level_and_unit_are_told_alike() -> None:
    small, large = (of_series(values, 3, (7,)) for values in (weekly(), 5_000 + 1_000 * weekly()))
    lags = Lags.fit(small.inputs)
    some, others = (lags.told(each.inputs.take(np.arange(30, 60))) for each in (small, large))
    np.testing.assert_allclose(some.common(), others.common(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(some.of_step(2), others.of_step(2), rtol=1e-4, atol=1e-4)
    targets = large.targets[30:60]
    np.testing.assert_allclose(others.absolute(others.relative(targets)), targets)


def test_of_a_step_the_same_place_in_earlier_seasons_is_told() -> None:
    examples = of_series(np.arange(60.0), 9, (7,))
    lags = dataclasses.replace(Lags.fit(examples.inputs), length=0)
    told = lags.told(examples.inputs.take(np.array([0, 40])))
    at = examples.inputs.at[40]
    for step in (0, 6, 8):  # the ninth step has the place of the second
        ago = told.absolute(told.of_step(step)[:, -3:].astype(np.float64))
        np.testing.assert_allclose(ago[1], [at - 6 + step % 7, at - 13 + step % 7, at - 20 + step % 7], rtol=1e-5)
    short = told.absolute(told.of_step(0)[:, -3:].astype(np.float64))[0]
    np.testing.assert_allclose(short, 3.0, rtol=1e-5)  # ten steps are shown: further back it was as in the last season


def test_simple_paths_are_told_and_targets_are_counted_from_the_nearest() -> None:
    examples = of_series(np.arange(60.0), 9, (7,))
    lags = Lags.fit(examples.inputs, near=examples.targets)
    told = lags.told(examples.inputs.take(np.array([40])))
    at, simple = float(examples.inputs.at[40]), paths(examples.inputs.take(np.array([40])), lags.length)
    assert simple[0, :, 1].tolist() == pytest.approx(np.arange(at + 1, at + 10).tolist()), "the season, and its rise"
    assert lags.start == 1
    np.testing.assert_allclose(told.relative(examples.targets[40:41]), 0.0, atol=1e-9)
    heights = told.of_step(3)[0, -simple.shape[2] :] * told.unit + told.level
    np.testing.assert_allclose(heights, simple[0, 3], rtol=1e-5)
    old = Lags.from_json({name: value for name, value in lags.to_json().items() if name not in ("length", "start")})
    assert old.told(examples.inputs).of_step(3).shape[1] == told.of_step(3).shape[1] - simple.shape[2]
    from_level = (examples.targets[40:41] - told.level[:, None]) / told.unit[:, None]
    np.testing.assert_allclose(old.told(examples.inputs).relative(examples.targets)[40:41], from_level)


def test_trees_learn_heights_or_distances_from_a_path_whichever_was_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[float, int | None]] = []
    fit = BoostedPoints.fit.__func__  # type: ignore[attr-defined]  # a class method

    def noted(cls: type[BoostedPoints], lags: Lags, examples: Examples, rows: Any, before: Any, *rest: Any) -> Any:
        found = fit(cls, lags, examples, rows, before, *rest)
        if before is None:
            tried.append((found.off, lags.start))
        return found

    monkeypatch.setattr(BoostedPoints, "fit", classmethod(noted))
    walk = np.random.default_rng(6).normal(size=300).cumsum()
    for values in (walk, weekly(300, noise=1.5)):
        model: Any = LagsBoosted(rounds=60).fit(of_series(values, 4, (7,)), Limits(), 0)
        assert [start is None for _, start in tried[-2:]] == [False, True]
        assert all(np.isfinite(off) for off, _ in tried[-2:])
        assert model.points.lags.start == min(tried[-2:])[1]
    assert {min(pair)[1] is None for pair in (tried[:2], tried[-2:])} == {False, True}, "each is once the nearer"


def test_of_a_mixture_the_nearest_counts_most_and_with_no_power_all_alike() -> None:
    rng = np.random.default_rng(7)
    known = rng.choice([0.0, 1.0], 303)
    examples = of_series(10 + 6 * known[:300] + 0.3 * rng.normal(size=300), 3, known=known)  # Theta sees none of it
    even, uneven = (Mixture(power).fit(examples, Limits(), 0) for power in (0.0, 4.0))
    parts: list[MixedPoints] = [each.points for each in (even, uneven)]  # type: ignore[attr-defined]  # models of points
    np.testing.assert_allclose(parts[0].weights, 1 / 3)
    weights = dict(zip(parts[1].parts, parts[1].weights.tolist(), strict=True))
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["theta"] < 0.01 < 0.1 < weights["linear"]
    apart = [part.paths(examples.inputs) for part in parts[0].parts.values()]
    np.testing.assert_allclose(parts[0].paths(examples.inputs), np.mean(apart, axis=0))


def test_parts_that_are_never_off_count_alike() -> None:
    flat = of_series(np.full(60, 5.0), 3)
    right = SimpleNamespace(paths=lambda windows: np.full((len(windows), 3), 5.0))
    found = mixture._weights({"one": right, "other": right}, flat, np.arange(20), 4.0)
    np.testing.assert_array_equal(found, [0.5, 0.5])


def test_a_window_in_tiny_units_does_not_turn_what_the_others_teach() -> None:
    rng = np.random.default_rng(5)
    columns = rng.normal(size=(300, 3)).astype(np.float32)
    wanted = columns @ np.array([0.5, -0.2, 0.1]) + 0.1 * rng.normal(size=300)
    columns[0], wanted[0] = 60.0, -3_000.0
    found = lags_linear._solved(columns, wanted, 1.0)
    np.testing.assert_allclose(found, [0.5, -0.2, 0.1, 0.0], atol=0.05)


def test_what_came_after_a_moment_is_hidden_unless_hardly_anything_is_left() -> None:
    examples = of_series(np.arange(40.0), 4)
    windows = examples.inputs.take(np.arange(6))
    moment = float(age(windows)[5])
    found = known_by(windows, examples.targets[:6], moment)
    assert np.nanmax(found) == moment / DAY
    assert np.isnan(found[5]).all()
    late = windows.take(np.array([4, 5]))
    np.testing.assert_array_equal(known_by(late, examples.targets[4:6], moment), examples.targets[4:6])


def test_who_is_tried_on_newer_windows_never_saw_what_came_in_them() -> None:
    examples = of_series(weekly(), 5, (7,))
    seen: list[tuple[float, float]] = []

    def learn(given: Examples, rows: np.ndarray, before: Any) -> Any:
        windows = given.inputs.take(rows)
        known = np.isfinite(given.targets[rows])
        seen.append((windows.times_ahead()[known].max() / DAY, age(windows).max() / DAY))
        return SimpleNamespace(planned=1.0, again=None, paths=last_season)

    model = points.fit(examples, Limits(), learn, lags_linear.LagsLinearModel)
    ages = age(examples.inputs) / DAY
    first_inner = ages[examples.inner].min()
    assert [until for until, _ in seen[:2]] == [seen[0][1] + 1, first_inner]
    assert seen[0][1] < seen[1][1] == first_inner - 1
    assert seen[2] == (ages.max() + 1, ages.max()), "at last it learns from everything"
    assert model.inner_predictions is not None
    assert np.isfinite(examples.targets[:, 0]).all(), "what was given is left as it was"


@pytest.mark.parametrize(
    ("seconds", "fits"),
    [
        (1_000.0, ["older", "outer", "all"]),
        (125.0, ["older", "all"]),  # one more fit has time: it sees what the other would have seen
        (100.0, ["older"]),
    ],
)
def test_what_is_left_of_the_time_goes_to_the_fit_that_sees_most(
    seconds: float, fits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    examples, clock, done = of_series(weekly(), 5, (7,)), [0.0], []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def learn(given: Examples, rows: np.ndarray, before: Any) -> Any:
        newest = age(examples.inputs.take(rows)).max() / DAY
        inner = age(examples.inputs.take(examples.inner)).min() / DAY
        done.append("all" if len(rows) == len(examples) else "outer" if newest == inner - 1 else "older")
        clock[0] += 90.0 if before is None else 0.15 * len(rows)  # what chooses takes long, what repeats does not
        return SimpleNamespace(planned=1.0, again=0.15 * len(rows), paths=last_season)

    points.fit(examples, Limits(seconds, started=0.0), learn, lags_linear.LagsLinearModel)
    assert done == fits


def test_a_fit_that_was_cut_does_not_replace_one_that_was_not() -> None:
    examples = of_series(weekly(), 5, (7,))

    def learn(given: Examples, rows: np.ndarray, before: Any) -> Any:
        return SimpleNamespace(planned=1.0 if before is None else 0.3, again=None, paths=last_season)

    assert points.fit(examples, Limits(), learn, lags_linear.LagsLinearModel).planned == 1


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_week_is_learnt_better_than_repeated(learner: Any) -> None:
    examples = of_series(weekly(500, noise=1.5), 7, (7,))
    naive = np.nanmean(np.abs(last_season(examples.inputs) - examples.targets)[examples.inner])
    held = examples.take(examples.outer)
    assert error(learner.fit(held, Limits(), 0), examples) < 0.93 * naive


@pytest.mark.parametrize("learner", LEARNERS)
def test_what_is_known_in_advance_is_heeded(learner: Any) -> None:
    rng = np.random.default_rng(1)
    steps, horizon = 200, 3
    known = rng.choice([0.0, 1.0], steps + horizon)
    examples = of_series(10 + 6 * known[:steps] + 0.3 * rng.normal(size=steps), horizon, known=known)
    blind = of_series(10 + 6 * known[:steps] + 0.3 * rng.normal(size=steps), horizon)
    assert error(learner.fit(examples, Limits(), 0), examples) < 0.4 * error(learner.fit(blind, Limits(), 0), blind)


@pytest.mark.parametrize("learner", LEARNERS)
def test_intervals_hold_about_what_they_promise_and_widen(learner: Any) -> None:
    walk = np.random.default_rng(2).normal(size=700).cumsum()
    examples = of_series(walk, 8)
    model = learner.fit(examples.take(examples.outer), Limits(), 0)
    predicted, came = model.predict(examples.inputs.take(examples.inner)), examples.targets[examples.inner]
    held = (came >= predicted[:, :, 0]) & (came <= predicted[:, :, 2])
    assert 0.6 < held[np.isfinite(came)].mean() < 0.97
    width = (predicted[:, :, 2] - predicted[:, :, 0]).mean(axis=0)
    assert width[-1] > 1.5 * width[0]


@pytest.mark.parametrize("learner", LEARNERS)
def test_gaps_and_a_single_value_are_learnt_from_and_answered(learner: Any) -> None:
    values = weekly(90)
    values[np.random.default_rng(3).random(90) < 0.3] = np.nan
    values[:15] = np.nan
    values[12] = 20.0
    examples = of_series(values, 4, (7,))
    model = learner.fit(examples, Limits(), 0)
    predicted = model.predict(examples.inputs)
    assert np.isfinite(predicted).all()
    single = predicted[4]  # of which the twelfth value is all that is known
    assert np.abs(single[:, 1] - 20).max() < 15


def test_fewer_rows_and_a_deadline_leave_no_step_without_an_answer() -> None:
    examples = of_series(weekly(60), 6, (7,))
    lags, rows = Lags.fit(examples.inputs), np.arange(30)
    late = LinearPoints.fit(lags, examples, rows, 1.0, Limits(seconds=0.0))
    assert late.planned == pytest.approx(1 / 6)
    assert (late.weights == late.weights[0]).all()
    unknown = dataclasses.replace(examples, targets=examples.targets.copy())
    unknown.targets[:, 3:] = np.nan
    found = LinearPoints.fit(lags, unknown, rows, 1.0, Limits())
    assert found.planned == 1.0
    assert (found.weights[3:] == found.weights[2]).all()


def test_of_long_horizons_fewer_windows_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    examples, sizes, told = of_series(weekly(120), 6, (7,)), [], Lags.told
    monkeypatch.setattr(lags_linear, "MOST_TOLD", 6 * 40)
    monkeypatch.setattr(Lags, "told", lambda self, windows: (sizes.append(len(windows)), told(self, windows))[1])
    LinearPoints.fit(Lags.fit(examples.inputs), examples, np.arange(90), 1.0, Limits())
    assert sizes == [40]


def test_the_penalty_is_strong_where_nothing_can_be_learnt() -> None:
    noise = of_series(np.random.default_rng(4).normal(size=160), 2)
    law = of_series(weekly(160, noise=0.01), 2, (7,))
    penalties = [LagsLinear().fit(each, Limits(), 0).points.penalty for each in (noise, law)]  # type: ignore[attr-defined]  # a model of points
    assert penalties[0] > penalties[1]
    given = LagsLinear(penalty=7.0).fit(law, Limits(), 0)
    assert given.points.penalty == 7.0  # type: ignore[attr-defined]  # as above


def test_many_windows_are_answered_in_batches_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = of_series(weekly(), 5, (7,))
    model = LagsLinear().fit(examples, Limits(), 0)
    whole, sizes = model.predict(examples.inputs), []
    told = Lags.told
    monkeypatch.setattr(points, "BATCH", 32)

    def counted(self: Lags, windows: Windows) -> Any:
        sizes.append(len(windows))
        return told(self, windows)

    monkeypatch.setattr(Lags, "told", counted)
    np.testing.assert_allclose(model.predict(examples.inputs), whole, rtol=1e-12)
    assert max(sizes) == 32
    assert model.predict(examples.inputs.take(np.array([], dtype=np.int64))).shape == (0, 5, 3)


@pytest.mark.parametrize("learner", LEARNERS)
def test_what_is_saved_predicts_the_same(learner: Any, tmp_path: Path) -> None:
    examples = of_series(weekly(80), 4, (7,))
    model = learner.fit(examples, Limits(), 0)
    model.save(tmp_path)
    again = type(model).load(tmp_path)
    np.testing.assert_allclose(again.predict(examples.inputs), model.predict(examples.inputs), rtol=1e-9)
