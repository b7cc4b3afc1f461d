"""Who learns from what and who judges: the future never helps, and what can't be forecast is refused with a reason."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough.errors import ColumnError, OptionError, SourceError, TargetError
from deepenough.kinds import find, recognise
from deepenough.kinds.forecast import task as tasks
from deepenough.kinds.forecast.task import ForecastTask, load
from deepenough.kinds.forecast.toys import toys
from deepenough.learner import Examples
from deepenough.task.task import Answer, Question
from tests.kinds.forecast.drawn import several, task


def arrays(examples: Examples) -> dict[str, np.ndarray]:
    return examples.inputs.to_arrays() | {"targets": examples.targets, "inner": examples.inner}


def assert_same(some: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> None:
    assert some.keys() == others.keys()
    for name, array in some.items():
        np.testing.assert_array_equal(array, others[name], err_msg=name)


def cut_of(made: ForecastTask, fold: int) -> np.datetime64:
    """The last moment that the fold may learn from: that of the latest value in its training windows' pool."""
    pool = made.train(made.largest, fold, 0).inputs
    return np.datetime64(int(pool.times[np.isfinite(pool.values)].max()), "s")


@pytest.mark.parametrize("fold", [0, 1])
def test_nothing_after_a_folds_cut_reaches_who_learns(fold: int) -> None:
    frame = several()
    made = task(frame)
    cut = cut_of(made, fold)
    later = frame.day > cut
    assert 0 < later.sum() < len(frame)
    changed = frame.copy()
    changed.loc[later, "sold"] = 1_000.0 + 3 * np.arange(later.sum())
    changed.loc[later, "weather"] = -99.0
    again = task(changed)
    for size in (again.smallest, again.largest):
        assert_same(arrays(made.train(size, fold, 1)), arrays(again.train(size, fold, 1)))
    changed.loc[~later, "sold"] += 1.0
    assert not np.array_equal(made.train(64, fold, 1).targets, task(changed).train(64, fold, 1).targets, equal_nan=True)


def test_what_is_judged_shows_nothing_after_its_origin_but_what_is_known() -> None:
    frame = several()
    made = task(frame)
    for fold in range(made.folds):
        windows = made.inputs(fold)
        truth = made.truth(fold)[:, :-1]
        for row in range(len(windows)):
            at, start = windows.at[row], windows.start[row]
            ahead = slice(at + 1, at + 1 + made.layout.horizon)
            assert np.isnan(windows.values[ahead]).all()
            assert np.isnan(windows.covariates[ahead, 1]).all(), "weather is not known in advance"
            own = frame[frame.shop == windows.names[windows.series[row]]].set_index("day")
            days = windows.times[start : ahead.stop].astype("datetime64[s]")
            np.testing.assert_array_equal(windows.values[start : at + 1], own.sold[days[: at + 1 - start]])
            np.testing.assert_array_equal(truth[row], own.sold.reindex(days[at + 1 - start :]))
            known = windows.covariates[ahead, 0]
            np.testing.assert_array_equal(known, own.price.reindex(days[at + 1 - start :]))


def test_folds_judge_later_and_later_and_learn_from_more() -> None:
    made = task(several())
    origins = [made.inputs(fold).times[made.inputs(fold).at] for fold in range(made.folds)]
    for fold in range(made.folds):
        assert origins[fold].min() >= cut_of(made, fold).astype(np.int64)
        assert fold == 0 or origins[fold].min() > origins[fold - 1].max()
    every = np.concatenate([made.units(fold).ids for fold in range(made.folds)])
    assert len(np.unique(every)) == len(every), "each unit judges once"


@pytest.mark.parametrize(
    ("steps", "horizon", "folds"), [(90, 6, 2), (200, 6, 3), (400, 6, 5), (60, 20, 2), (41, 20, 2)]
)
def test_a_fold_holds_five_horizons_where_there_are_so_many(steps: int, horizon: int, folds: int) -> None:
    made = task(several(1, steps), horizon=horizon)
    assert made.folds == folds
    if steps >= 20 * horizon:
        assert min(len(np.unique(made.units(fold).clusters)) for fold in range(folds)) >= 5


@pytest.mark.parametrize(("most", "kept"), [(tasks.MOST_KEPT_BYTES, True), (10, False)])
def test_judged_windows_are_made_once_unless_they_are_large(
    monkeypatch: pytest.MonkeyPatch, most: int, kept: bool
) -> None:
    monkeypatch.setattr(tasks, "MOST_KEPT_BYTES", most)
    made = task(several(2, 60))
    first, again = made.inputs(1), made.inputs(1)
    assert (first is again) == kept
    assert_same(first.to_arrays(), again.to_arrays())


def test_judged_windows_are_as_many_as_their_truth_and_at_least_half_known() -> None:
    made = task(several())
    for fold in range(made.folds):
        truth = made.truth(fold)
        assert truth.shape == (len(made.units(fold).ids), made.layout.horizon + 1)
        assert (np.isfinite(truth[:, :-1]).sum(axis=1) >= 3).all() and (truth[:, -1] > 0).all()


def test_training_sets_are_nested_and_begin_with_the_latest() -> None:
    made = task(several())
    whole = made.train(made.largest, 0, 0)
    small = made.train(40, 0, 0)
    np.testing.assert_array_equal(small.targets, whole.targets[:40])
    assert_same(small.inputs.to_arrays(), whole.inputs.take(np.arange(40)).to_arrays())
    moments = whole.inputs.times[whole.inputs.at]
    assert (np.diff(moments) <= 0).all()
    assert moments[whole.inner].min() >= np.delete(moments, whole.inner).max()
    assert len(np.unique(whole.inputs.series[:12])) == 3, "all series come at once"


def test_the_model_that_is_handed_over_learns_from_everything() -> None:
    made = task(several())
    whole = made.everything(0)
    assert len(whole) == made.rows > made.largest
    values = whole.inputs.values
    assert np.isfinite(values).sum() == 3 * 90
    assert np.isfinite(whole.targets).sum(axis=1).min() >= 3


def test_units_of_few_series_are_stretches_of_time_and_of_many_the_series() -> None:
    few = task(several(3))
    units = few.units(1)
    windows = few.inputs(1)
    days = np.rint(windows.times[windows.at] / 86_400).astype(int)
    for cluster in np.unique(units.clusters):
        own = days[units.clusters == cluster]
        assert own.max() - own.min() < few.layout.horizon
    assert len(np.unique(windows.series[units.clusters == units.clusters[0]])) == 3
    many = task(several(20, 40), horizon=3)
    owners, stretches = many.units(0).clusters.T
    windows = many.inputs(0)
    np.testing.assert_array_equal(owners, windows.series)
    days = np.rint(windows.times[windows.at] / 86_400).astype(int)
    assert all(np.ptp(days[stretches == stretch]) < 3 for stretch in np.unique(stretches))


def test_few_stretches_are_a_doubt() -> None:
    assert [flag["flag"] for flag in task(several(1, 90), horizon=12).flags] == ["few_stretches"]
    assert [(flag["flag"], flag["severity"]) for flag in task(several(1, 60), horizon=20).flags] == [
        ("too_few", "distrust")
    ]
    assert not task(several(1, 300), horizon=6).flags


def test_the_unit_of_a_series_is_the_seasonal_naive_error_before_the_cut() -> None:
    frame = several()
    made = task(frame)
    truth, windows = made.truth(1), made.inputs(1)
    for row in (0, len(windows) - 1):
        own = frame[(frame.shop == windows.names[windows.series[row]]) & (frame.day <= cut_of(made, 1))].sold.to_numpy()
        assert truth[row, -1] == pytest.approx(np.abs(own[7:] - own[:-7]).mean())


def test_a_constant_series_is_measured_by_the_others_and_it_is_said() -> None:
    frame = several(4)
    frame.loc[frame.shop == "shop 1", "sold"] = 7.0
    made = task(frame)
    windows = made.inputs(0)
    named = [windows.names[code] for code in windows.series]
    scales = dict(zip(named, made.truth(0)[:, -1].tolist(), strict=True))
    assert scales["shop 1"] == pytest.approx(np.median([scales[f"shop {code}"] for code in (0, 2, 3)]))
    assert any("never change ('shop 1')" in note for note in made.notes)
    alone = frame[frame.shop == "shop 1"]
    assert (task(alone).truth(0)[:, -1] == 1.0).all()


def test_many_windows_are_thinned_and_every_series_judges_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "MOST_JUDGED", 30)
    monkeypatch.setattr(tasks, "MOST_WINDOWS", 50)
    made = task(several(6))
    for fold in range(made.folds):
        windows = made.inputs(fold)
        assert len(windows) == 30
        assert set(np.bincount(windows.series)) == {5}
        days = windows.times[windows.at] / 86_400
        assert all(np.ptp(days[windows.series == code]) >= 12 for code in range(6)), "of 20 days"
        assert made.largest == 50
    latest = made.train(25, 1, 0).inputs
    assert (latest.times[latest.at].max() - latest.times[latest.at].min()) / 86_400 <= 5
    everything = made.everything(0)
    assert len(everything) == 50 and np.ptp(everything.inputs.times[everything.inputs.at]) / 86_400 > 70


def test_short_series_learn_but_the_shortest_are_set_aside_by_name() -> None:
    frame = several(4)
    tiny = frame[(frame.shop != "shop 3") | (frame.day >= "2024-03-29")]  # two days are left
    made = task(tiny)
    assert made.set_aside == ({"name": "shop 3", "reason": "it has fewer than 3 values"},)
    late = frame[(frame.shop != "shop 3") | (frame.day >= "2024-03-01")]
    made = task(late)
    assert "shop 3" in made.everything(0).inputs.names and not made.set_aside
    judged = {made.inputs(fold).names[code] for fold in range(made.folds) for code in made.inputs(fold).series}
    assert "shop 3" in judged


@pytest.mark.parametrize(("steps", "horizon"), [(90, 46), (90, 400), (40, 30), (20, 12), (15, 9)])
def test_a_horizon_that_is_too_long_is_refused_with_the_longest_that_can_be_judged(steps: int, horizon: int) -> None:
    frame = several(2, steps)
    with pytest.raises(OptionError, match=f"--horizon {horizon} is longer.*{steps} days. Take at most") as refused:
        task(frame, horizon=horizon)
    found = re.search(r"at most (\d+)", str(refused.value))
    assert found is not None
    able = int(found[1])
    assert task(frame, horizon=able).folds >= 1
    with pytest.raises(OptionError):
        task(frame, horizon=able + 1)


def test_a_history_that_is_too_short_for_anything_is_refused() -> None:
    with pytest.raises(OptionError, match=r"too little.*has 5 days\. Give longer ones"):
        task(several(1, 5), horizon=2)


def test_what_is_never_negative_is_known_and_what_is_once_is_not() -> None:
    frame = several()
    assert task(frame).layout.least == 0.0
    frame.loc[7, "sold"] = -0.5
    assert task(frame).layout.least is None
    frame["sold"] = 0.0
    assert task(frame).layout.least == 0.0


def test_words_known_in_advance_become_columns_and_others_are_set_aside() -> None:
    frame = several().assign(event="none", note=[f"note {place}" for place in range(270)], sent="2024-01-01")
    frame.loc[::9, "event"] = "fair"
    made = task(frame, options={"known": ("price", "event", "note")})
    assert made.layout.known == ("price", "event=fair", "event=none") and made.layout.past == ("weather",)
    reasons = {item["name"]: item["reason"] for item in made.set_aside}
    assert "270 different words" in reasons["note"] and "constant" in reasons["sent"]
    assert any("Known up to the present only: weather" in note for note in made.notes)
    assert "event" in {item["name"] for item in task(frame).set_aside}


def test_a_dropped_column_is_no_covariate() -> None:
    made = task(several(), drop=("weather",))
    assert made.layout.past == () and made.set_aside == ({"name": "weather", "reason": "you dropped it"},)


def test_the_only_column_of_dates_is_the_time_and_it_is_said() -> None:
    made = task(several(), time=None)
    assert made.question_facts["time"] == "day"
    assert any("'day' is taken as the time" in note for note in made.notes)
    two = several().assign(sent=several().day + pd.Timedelta("1D"))
    with pytest.raises(OptionError, match=r"--time.*2 columns of dates \(day, sent\)"):
        task(two, time=None)
    with pytest.raises(OptionError, match="no column holds dates"):
        task(several().drop(columns="day"), time=None)


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"target": None}, OptionError, "--target COLUMN"),
        ({"target": "solt"}, ColumnError, "sold"),
        ({"time": "dai"}, ColumnError, "--time"),
        ({"target": "shop", "options": {"series": ()}}, TargetError, "must be a number"),
        ({"drop": ("wether",)}, ColumnError, "--drop"),
        ({"options": {"series": ("shoop",)}}, ColumnError, "--series"),
        ({"options": {"known": ("prise",)}}, ColumnError, "--known"),
        ({"options": {"known": ("sold",)}}, OptionError, "'sold' is named for two things"),
        ({"options": {"known": ("shop",)}}, OptionError, "'shop' is named for two things"),
        ({"options": {"horizon": None}}, OptionError, "--horizon STEPS"),
        ({"metric": "rmse"}, OptionError, "scaled_pinball, mase"),
        ({"group": "shop"}, OptionError, "--group is not heeded"),
        ({"weights": "price"}, OptionError, "--weights is not heeded"),
        ({"folds": "price"}, OptionError, "--folds is not heeded"),
    ],
)
def test_what_can_not_be_forecast_is_refused_by_name(asked: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        task(several(), **asked)


def test_a_source_that_would_be_sampled_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "MOST_ROWS", 100)
    with pytest.raises(SourceError, match="270 rows"):
        task(several())


@pytest.mark.parametrize("flag", ["xmas", 1, True])
def test_what_holds_one_value_or_nothing_is_a_flag(flag: Any) -> None:
    frame = several(1)
    days = np.arange(len(frame)) % 9 == 0
    made = task(frame.assign(feast=[flag if day else None for day in days]), options={"known": ("feast",)})
    (name,) = made.layout.known
    assert name == f"feast={str(flag).lower()}"
    assert made.series[0].covariates[:, 0].tolist() == days.astype(float).tolist()
    assert any("'feast' is empty in 80 rows" in note for note in made.notes)
    assert not [item for item in made.set_aside if item["name"] == "feast"]


def test_what_never_changes_is_set_aside_for_what_it_is() -> None:
    made = task(several().assign(whole=2.0, some=[1.0, None] * 135), options={"known": ("price", "whole")})
    reasons = {item["name"]: item["reason"] for item in made.set_aside}
    assert reasons["whole"] == "constant: every row has the same value"
    assert reasons["some"] == "constant: every row that has a value has the same value"


@pytest.mark.parametrize(
    "names", [[10**18, 10**18 + 1, 10**18 + 2], ["7", "007", "1000"], ["2024-01", "2024-02", "2024-03"]]
)
def test_series_are_told_apart_by_what_stands_there(names: list[Any], tmp_path: Path) -> None:
    frame = several()
    frame["shop"] = [names[int(shop[-1])] for shop in frame["shop"]]
    frame.to_csv(tmp_path / "rows.csv", index=False)
    for given in (frame, tmp_path / "rows.csv"):
        made = task(given)
        assert [own.name for own in made.series] == sorted(map(str, names))
        assert not made.flags or "doubled_times" not in {flag["flag"] for flag in made.flags}


def test_series_without_values_leave_nothing() -> None:
    with pytest.raises(TargetError, match="nothing to forecast from"):
        task(several().assign(sold=np.nan, price=1.0).astype({"sold": float}))


def test_a_horizon_makes_the_question_one_of_forecasts() -> None:
    question = Question("sold", time="day", options={"horizon": 12})
    kind, why = recognise(several(), question, list(find().values()))
    assert kind.name == "forecast" and "next 12 steps" in why
    assert find()["forecast"].recognise(several(), Question("sold", time="day")) == ""


def test_the_plan_is_told_all_that_others_ask_of_it() -> None:
    made = task(several())
    facts = json.loads(json.dumps(made.question_facts))
    assert facts["paths"] == [6, [0.05, 0.25, 0.5, 0.75, 0.95]]
    assert facts["metric"] == "scaled_pinball" and facts["classes"] == [] and facts["season"] == 7
    assert facts["about"].startswith("'sold' is forecast 6 days ahead for each of 3 series")
    assert task(several(), metric="mase").question_facts["metric"] == "mase"
    described = json.loads(json.dumps(made.describe()))
    assert described["series"] == 3 and described["splits"]["splitting"] == "time"
    assert made.source["rows"] == 270 and made.columns == 3


def test_the_seed_draws_the_order_and_nothing_else() -> None:
    first, again, other = (task(several(), seed=seed) for seed in (0, 0, 1))
    assert_same(arrays(first.train(50, 1, 0)), arrays(again.train(50, 1, 0)))
    order = [made.train(50, 1, 0).inputs.series for made in (first, other)]
    assert not np.array_equal(*order)


def test_a_shown_window_is_its_history_up_to_the_origin() -> None:
    made = task(several())
    shown = made.show(1, np.array([0, 3]))
    windows = made.inputs(1)
    assert [item["form"] for item in shown] == ["path", "path"]
    assert shown[1]["history"][-1] == pytest.approx(windows.values[windows.at[3]], rel=1e-4)
    assert shown[1]["name"] == windows.names[windows.series[3]]
    day = np.datetime64(int(windows.times_ahead()[3, 0]), "s").astype("datetime64[D]")
    assert shown[1]["starts"] == str(day)


def test_gaps_are_learnt_from_and_judged_as_unknown() -> None:
    frame = several()
    frame.loc[frame.day == "2024-03-10", "sold"] = np.nan
    frame = frame[frame.day != "2024-02-10"]
    made = task(frame)
    assert any("6 days within the series have no value" in note for note in made.notes)
    truth = np.concatenate([made.truth(fold) for fold in range(made.folds)])
    assert np.isnan(truth).any() and np.isfinite(truth[:, -1]).all()
    metric = made.metrics()[0]
    answer = Answer(10, np.zeros((len(made.truth(1)), *made.paths.shape)))
    assert np.isfinite(metric.records(made.truth(1), answer.predictions)).all()


def test_toys_have_known_shapes() -> None:
    made = toys()
    assert set(made) == {"seasonal", "several"}
    assert made["seasonal"].layout.seasons == (7,) and made["several"].layout.known == ("price",)
    assert all(own.folds >= 2 and own.largest >= 30 for own in made.values())


def test_one_series_needs_no_name() -> None:
    frame = several(1).drop(columns="shop")
    made = load(frame, Question("sold", time="day", options={"horizon": 4}))
    assert len(made.series) == 1 and made.inputs(0).names == ("",)
    assert "each of" not in made.question_facts["about"]
