"""Moments of zones and clocks: steps that begin at moments of their own are filled, and answered at these."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough.kinds.forecast.clocks import continued
from deepenough.kinds.forecast.codec import ForecastCodec
from deepenough.kinds.forecast.steps import DAY, Step
from deepenough.kinds.forecast.task import ForecastTask, load
from deepenough.task.task import Question


def rows(times: Any, name: str = "one") -> pd.DataFrame:
    return pd.DataFrame({"id": name, "t": [time.isoformat() for time in times], "y": np.arange(float(len(times)))})


def made(frame: pd.DataFrame, horizon: int = 4) -> ForecastTask:
    return load(frame, Question("y", time="t", options={"horizon": horizon, "series": ("id",)}))


def answered(task: ForecastTask, frame: pd.DataFrame) -> dict[str, list[pd.Timestamp]]:
    """The moments that are forecast, by series."""
    codec = ForecastCodec.from_json(ForecastCodec.of(task).to_json())
    windows = codec.encode(frame)
    told = codec.decode(np.zeros((len(windows), task.layout.horizon, 5)), windows)
    return {name: list(own) for name, own in told.groupby("id").t}


def moments(times: Any) -> list[pd.Timestamp]:
    return list(pd.DatetimeIndex(times).tz_convert("UTC").tz_localize(None))


def holds_all(task: ForecastTask, length: int) -> bool:
    """Whether each step of each series has a value of its own."""
    doubled = any(flag["flag"] == "doubled_times" for flag in task.flags)
    return not doubled and all(np.array_equal(own.values, np.arange(length)) for own in task.series)


def test_hours_of_zones_that_are_half_an_hour_apart_are_all_filled() -> None:
    times = {name: pd.date_range("2024-03-04", periods=104, freq="h", tz=name) for name in ("Asia/Kolkata", "CET")}
    frame = pd.concat([rows(own[:100], name) for name, own in times.items()])
    task = made(frame)
    assert task.step.words == "hours" and holds_all(task, 100)
    assert answered(task, frame) == {name: moments(own[100:]) for name, own in times.items()}


def test_days_at_noon_beside_days_at_midnight_are_answered_at_noon() -> None:
    midnight = pd.date_range("2023-01-01", periods=104, tz="UTC")
    noon = midnight + pd.Timedelta("12h")
    frame = pd.concat([rows(midnight[:100], "midnight"), rows(noon[:100], "noon")])
    task = made(frame)
    assert holds_all(task, 100) and {own.first for own in task.series} == {0}
    assert answered(task, frame) == {"midnight": moments(midnight[100:]), "noon": moments(noon[100:])}


@pytest.mark.parametrize("begin", ["2023-01-01", "2023-07-01"])
def test_days_of_many_zones_share_their_steps_and_are_answered_at_their_own_midnights(begin: str) -> None:
    zones = ("America/New_York", "Europe/London", "Europe/Berlin", "Asia/Kolkata", "Asia/Tokyo", "Pacific/Auckland")
    times = {zone: pd.date_range(begin, periods=404, tz=zone) for zone in zones}
    frame = pd.concat([rows(own[:400], zone) for zone, own in times.items()])
    task = made(frame)
    assert holds_all(task, 400) and {own.first for own in task.series} == {0}
    told = answered(task, frame)
    for zone, own in times.items():
        assert told[zone] == moments(own[400:])
    assert task.step.shown(own[0].timestamp()) == begin


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Pacific/Auckland"])
def test_business_days_are_those_of_the_zone(zone: str) -> None:
    times = pd.bdate_range("2022-01-03", periods=304, tz=zone)
    task = made(rows(times[:300]))
    assert task.step.words == "business days" and holds_all(task, 300)
    for short in (300, 7):  # the week that is given says nothing of weekends: the model knows
        local = [
            time.tz_localize("UTC").tz_convert(zone) for time in answered(task, rows(times[300 - short : 300]))["one"]
        ]
        assert [time.date() for time in local] == [time.date() for time in times[300:]]


def test_markets_that_close_late_in_the_day_in_utc_keep_their_business_days() -> None:
    times = pd.bdate_range("2022-01-03", periods=304, tz="America/New_York") + pd.Timedelta("16h")
    task = made(rows(times[:300]))
    assert task.step.words == "business days" and holds_all(task, 300)
    assert answered(task, rows(times[:300]))["one"] == moments(times[300:])


@pytest.mark.parametrize("freq", ["MS", "QS"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/New_York"])
def test_months_begin_at_midnight_of_the_zone_in_summer_and_in_winter(zone: str, freq: str) -> None:
    times = pd.date_range("2012-01-01", periods=84, freq=freq, tz=zone)
    for length in range(72, 80):
        task = made(rows(times[:length]))
        assert task.step.words == {"MS": "months", "QS": "quarters"}[freq] and holds_all(task, length)
        assert answered(task, rows(times[:length]))["one"] == moments(times[length : length + 4])
    assert task.step.shown(times[0].timestamp()) == "2012-01-01"


def test_a_model_of_before_still_answers_where_it_did() -> None:
    step = Step.from_json({"unit": "seconds", "size": DAY, "anchor": 15 * 3600.0, "offset": 0})
    times = 15 * 3600.0 + DAY * np.arange(5)
    assert step.places(times).tolist() == list(range(5)) and step.late(times).tolist() == [0.0] * 5


def test_clocks_that_tremble_say_nothing_of_when_steps_begin() -> None:
    trembling = np.arange(200) * 3600 + np.random.default_rng(0).uniform(-60, 60, 200)
    step = Step.of([trembling], dated=True)
    assert np.array_equal(np.diff(step.places(trembling)), np.ones(199)) and not step.late(trembling).any()


def test_what_comes_is_as_late_as_a_year_before_else_as_the_last() -> None:
    assert continued(np.array([1.0, 1.0, 2.0]), 6, 4).tolist() == [1, 1, 2, 2, 1, 1]
    assert continued(np.array([1.0, 1.0, 2.0, 2.0]), 10, 2).tolist() == [1, 1, 2, 2, 2, 2, 2, 2, 2, 2]
    assert continued(np.empty(0), 3, 4).tolist() == [0, 0, 0]
