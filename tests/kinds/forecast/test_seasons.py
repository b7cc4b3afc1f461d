"""What comes again and what events do: found where they were planted, and not in numbers that come in any order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough.kinds.forecast.task import ForecastTask, load
from deepenough.task.task import Question

ALPHA = 0.025


def found(values: np.ndarray, by: str = "D", **covariates: np.ndarray) -> list[dict[str, Any]]:
    """Of one series, or of several of shape (series, steps), what is said of it."""
    frames = [
        pd.DataFrame({"at": pd.date_range("2020-01-01", periods=len(own), freq=by), "shop": str(code), "sold": own})
        for code, own in enumerate(np.atleast_2d(values))
    ]
    table = pd.concat([frame.assign(**covariates) for frame in frames], ignore_index=True)
    options = {"horizon": 7, "series": ("shop",), "known": tuple(covariates)}
    task = load(table, Question(target="sold", time="at", options=options))
    assert isinstance(task, ForecastTask)
    return [dict(item) for item in task.found(ALPHA)]


def days(count: int) -> np.ndarray:
    """The day of the week of each, Monday 0; the first is a Wednesday."""
    return (np.arange(count) + 2) % 7


def test_the_day_of_the_week_is_told_with_its_size() -> None:
    rng = np.random.default_rng(0)
    (item,) = found(100 * (1 + 0.3 * (days(210) == 5)) * rng.normal(1, 0.05, 210))
    assert item["about"] == "season" and item["cycle"] == "day of the week"
    top = max(item["positions"], key=lambda position: position["value"])
    usual = 1.3 / (1 + 0.3 / 7) - 1
    assert top["label"] == "on Saturdays" and top["low"] < usual < top["high"] and top["p"] < 0.001
    assert "sold is highest on Saturdays" in item["sentence"] and "above what is usual around it" in item["sentence"]


def test_months_and_quarters_take_years_and_growth_is_no_season() -> None:
    rng, month = np.random.default_rng(1), np.arange(96) % 12
    grows = np.linspace(100, 300, 96)
    (item,) = found(grows * (1 + 0.5 * (month == 11)) * rng.normal(1, 0.03, 96), "MS")
    assert item["cycle"] == "month of the year" and "highest in December" in item["sentence"]
    assert found(grows * rng.normal(1, 0.03, 96), "MS") == []
    (item,) = found(grows[:48] * (1 + 0.5 * (np.arange(48) % 4 == 1)) * rng.normal(1, 0.03, 48), "QS")
    assert item["cycle"] == "quarter of the year" and "highest in the second quarter" in item["sentence"]
    short = 100 * (1 + 0.5 * (month[:30] == 11)) * rng.normal(1, 0.03, 30)
    assert found(short, "MS") == [], "two Decembers are too few"


def test_numbers_below_zero_are_measured_by_their_size() -> None:
    rng = np.random.default_rng(2)
    (item,) = found(rng.normal(0, 1, 210) - 4 * (days(210) == 0))
    assert "lowest on Mondays" in item["sentence"] and all(np.isfinite(each["value"]) for each in item["positions"])


def test_an_event_is_told_beside_the_day_it_falls_on() -> None:
    """Holidays fall on Mondays, which are quiet anyway: what they add is not what Mondays are."""
    rng = np.random.default_rng(3)
    monday = days(420) == 0
    holiday = monday & (rng.random(420) < 0.3)
    sold = 100 * (1 - 0.2 * monday) * (1 - 0.5 * holiday) * rng.normal(1, 0.05, 420)
    season, event = found(sold, holiday=holiday.astype(int), price=rng.normal(5, 1, 420))
    assert "lowest on Mondays" in season["sentence"]
    assert event["about"] == "event" and event["label"] == "holiday is 1" and -0.5 < event["value"] < -0.3
    assert event["high"] < 0 and event["sentence"].startswith("When holiday is 1, sold is")


def test_a_calendar_is_no_event_and_rare_ones_are_too_few() -> None:
    rng = np.random.default_rng(4)
    sold = 100 * rng.normal(1, 0.05, 210)
    works, once = (days(210) < 5).astype(int), (np.arange(210) == 100).astype(int)
    assert found(np.where(once, 300, sold), works=works, once=once) == []


def test_series_that_share_their_moments_are_no_independent_proof() -> None:
    """A storm that hit twenty shops on one Sunday is one observation."""
    rng = np.random.default_rng(5)
    sold = 100 * rng.normal(1, 0.05, (20, 84))
    sold[:, 39] *= 0.2
    assert found(sold) == []


def test_what_rounding_leaves_of_a_constant_is_no_season() -> None:
    for value in (0.1, 7.3):
        assert found(np.r_[value - 1e-4, np.full(209, value)]) == []


def test_a_month_is_not_called_the_highest_where_another_may_be_higher() -> None:
    """Some Decembers sell far more, too few to be sure of; Junes surely sell more."""
    rng, month = np.random.default_rng(6), np.arange(16 * 12) % 12
    fair = (month == 11) & (np.arange(16 * 12) // 12 % 5 == 2)
    (item,) = found(100 * (1 + 0.4 * (month == 5) + 5 * fair) * rng.normal(1, 0.01, 16 * 12), "MS")
    told = {position["label"]: position for position in item["positions"]}
    assert told["in December"]["value"] > told["in June"]["value"] and told["in December"]["p"] > ALPHA
    assert "sold is surely high in June" in item["sentence"]


def test_moments_with_zones_are_said_to_be_told_in_utc() -> None:
    rng, at = np.random.default_rng(7), pd.date_range("2020-01-01", periods=24 * 21, freq="h", tz="Asia/Tokyo")
    sold = 100 * (1 + 0.5 * (at.hour == 12)) * rng.normal(1, 0.05, len(at))
    task = load(pd.DataFrame({"at": at, "sold": sold}), Question(target="sold", time="at", options={"horizon": 7}))
    hours = next(item for item in task.found(ALPHA) if item["cycle"] == "hour of the day")
    assert "highest at 3:00" in hours["sentence"] and hours["sentence"].endswith("Hours and days are those of UTC.")
    plain = pd.DataFrame({"at": at.tz_localize(None), "sold": sold})
    task = load(plain, Question(target="sold", time="at", options={"horizon": 7}))
    assert not any("UTC" in item["sentence"] for item in task.found(ALPHA))


def test_days_of_a_zone_are_called_as_they_are_called_there() -> None:
    rng, at = np.random.default_rng(8), pd.date_range("2023-01-01", periods=140, tz="Asia/Tokyo")
    sold = 100 * (1 + 0.5 * (at.dayofweek == 4)) * rng.normal(1, 0.05, len(at))
    task = load(pd.DataFrame({"at": at, "sold": sold}), Question(target="sold", time="at", options={"horizon": 7}))
    (days,) = (item for item in task.found(ALPHA) if item["cycle"] == "day of the week")
    assert "highest on Fridays" in days["sentence"] and "UTC" not in days["sentence"]


@pytest.mark.parametrize("shape", [(1, 140), (8, 70)])
def test_of_a_hundred_series_in_any_order_five_at_most_have_a_season(shape: tuple[int, int]) -> None:
    said = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        event = (rng.random(shape[1]) < 0.1).astype(int)
        said += bool(found(rng.lognormal(3, 0.3, shape), event=event))
    assert said <= 5, f"{said} of 100"
