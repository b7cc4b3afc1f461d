"""From rows to a regular grid of time: every step of the calendar, gaps, doubled rows, zones, other frequencies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough.errors import OptionError, TargetError
from deepenough.kinds import numbered
from deepenough.kinds.forecast import grid, moments
from deepenough.kinds.forecast.codec import ForecastCodec
from deepenough.kinds.forecast.grid import Columns, Said, Series
from deepenough.kinds.forecast.steps import DAY, HOUR, Step
from deepenough.kinds.forecast.task import load, make
from deepenough.task import source
from deepenough.task.task import Question

ONE = Columns("t", "y")
SEVERAL = Columns("t", "y", series=("id",))


def read(frame: Any, columns: Columns = ONE) -> tuple[Step, dict[str, Series], Said]:
    said = Said()
    step, series = grid.read(source.read(frame), columns, said)
    return step, {own.name: own for own in series}, said


def rows(times: Any, **more: Any) -> pd.DataFrame:
    return pd.DataFrame({"t": [str(time) for time in times], "y": np.arange(float(len(times)))} | more)


@pytest.mark.parametrize(
    ("freq", "words", "season"),
    [
        ("MS", "months", 12),
        ("ME", "months", 12),
        ("QS", "quarters", 4),
        ("QE", "quarters", 4),
        ("QE-NOV", "quarters", 4),
        ("YE", "years", 1),
        ("YS", "years", 1),
        ("W-WED", "weeks", 52),
        ("D", "days", 7),
        ("B", "business days", 5),
        ("h", "hours", 24),
        ("30min", "steps of 30 minutes", 48),
        ("15min", "steps of 15 minutes", 96),
        ("min", "minutes", 1440),
        ("4h", "steps of 4 hours", 6),
        ("10s", "steps of 10 seconds", 360),
        ("28D", "steps of 28 days", 1),
        ("2MS", "steps of 2 months", 6),
    ],
)
def test_every_step_of_the_calendar_is_found_and_leads_back_to_its_moments(freq: str, words: str, season: int) -> None:
    times = pd.date_range("2019-03-05", periods=40, freq=freq)
    step, found, _ = read(rows(times))
    own = found[""]
    assert step.words == words
    assert not np.isnan(own.values).any() and len(own.values) == 40
    back = step.times(own.first + np.arange(40)) * 1e9
    assert np.array_equal(back.astype(np.int64), times.astype("datetime64[ns]").astype(np.int64))
    assert (step.seasons() or (1,))[0] == season


def test_gaps_have_no_value_and_are_counted() -> None:
    times = pd.date_range("2024-01-01", periods=30).delete([4, 5, 17])
    _, found, _ = read(rows(times))
    assert np.flatnonzero(np.isnan(found[""].values)).tolist() == [4, 5, 17]
    assert grid.gaps(list(found.values())) == 3


def test_a_month_that_is_missing_is_one_gap_whatever_its_days() -> None:
    times = pd.date_range("2024-01-31", periods=24, freq="ME").delete([1, 12])
    _, found, _ = read(rows(times))
    assert np.flatnonzero(np.isnan(found[""].values)).tolist() == [1, 12]


def test_unsorted_rows_are_sorted_and_it_is_said() -> None:
    frame = rows(pd.date_range("2024-01-01", periods=20))
    _, found, said = read(frame.sample(frac=1.0, random_state=1))
    assert found[""].values.tolist() == list(range(20))
    assert any("sorted" in note for note in said.notes)
    assert not read(frame)[2].notes


def test_doubled_moments_are_averaged_by_count_and_many_are_a_doubt() -> None:
    times = list(pd.date_range("2024-01-01", periods=300))
    few = rows([*times, times[3]])
    _, found, said = read(few)
    assert found[""].values[3] == pytest.approx((3 + 300) / 2)
    assert any("1 rows (0.3%) share their moment" in note for note in said.notes) and not said.flags
    _, _, said = read(rows([*times, *times[:10]]))
    assert [flag["flag"] for flag in said.flags] == ["doubled_times"] and "--series" in said.flags[0]["reason"]


def test_an_hour_that_clocks_repeat_or_skip_is_averaged_or_missing() -> None:
    utc = pd.date_range("2023-03-01", "2023-11-10", freq="h", tz="UTC")
    local = utc.tz_convert("Europe/Berlin").tz_localize(None)
    step, found, said = read(rows(local))
    assert step == Step("seconds", HOUR, step.anchor)
    assert int(np.isnan(found[""].values).sum()) == 1
    assert any("clocks are set back" in note for note in said.notes)


def test_moments_of_several_zones_are_one_line_of_time(tmp_path: Path) -> None:
    utc = pd.date_range("2023-03-01", "2023-11-10", freq="h", tz="UTC")
    written = [moment.isoformat() for moment in utc.tz_convert("Europe/Berlin")]
    assert len({text[-6:] for text in written}) == 2
    frame = rows(written)
    frame.to_csv(tmp_path / "zones.csv", index=False)
    for given in (frame, tmp_path / "zones.csv"):
        task = load(given, Question("y", time="t", options={"horizon": 24}))
        assert not np.isnan(task.series[0].values).any() and len(task.series[0].values) == len(utc)
        assert any("zones" in note and "UTC" in note for note in task.notes)
    zoned = pd.DataFrame({"t": utc.tz_convert("Asia/Kolkata"), "y": np.arange(float(len(utc)))})
    task = load(zoned, Question("y", time="t", options={"horizon": 24}))
    assert any("Asia/Kolkata" in note for note in task.notes)


def test_series_of_another_frequency_are_set_aside_by_name() -> None:
    daily = [rows(pd.date_range("2024-01-01", periods=60), id=name) for name in ("a", "b", "c")]
    monthly = rows(pd.date_range("2023-01-01", periods=24, freq="MS"), id="by month")
    hourly = rows(pd.date_range("2024-01-01", periods=2_000, freq="h"), id="by hour")
    step, found, said = read(pd.concat([*daily, monthly, hourly]), SEVERAL)
    assert step.words == "days" and set(found) == {"a", "b", "c"}
    assert {item["name"]: "hours" in item["reason"] for item in said.set_aside} == {"by hour": True, "by month": False}


def test_most_series_say_what_a_step_is_and_not_most_rows() -> None:
    daily = rows(pd.date_range("2022-01-01", periods=900), id="long")
    weekly = [rows(pd.date_range("2022-01-03", periods=40, freq="W-MON"), id=f"short {place}") for place in range(4)]
    step, found, _ = read(pd.concat([daily, *weekly]), SEVERAL)
    assert step.words == "weeks" and len(found) == 4


def test_a_series_with_many_holes_stays_with_the_others() -> None:
    weeks = pd.date_range("2022-01-03", periods=80, freq="W-MON")
    sparse = weeks[np.sort(np.random.default_rng(0).choice(80, 25, replace=False))]
    _, found, said = read(pd.concat([rows(weeks, id="a"), rows(weeks, id="b"), rows(sparse, id="sparse")]), SEVERAL)
    assert set(found) == {"a", "b", "sparse"} and not said.set_aside
    assert int(np.isfinite(found["sparse"].values).sum()) == 25


def test_a_day_that_is_off_in_time_belongs_to_its_step() -> None:
    times = pd.date_range("2024-01-01 06:00", periods=50) + pd.to_timedelta([0, 7, -4, 55, -30] * 10, unit="min")
    _, found, _ = read(rows([*times]))
    assert found[""].values.tolist() == list(range(50))


def test_moments_halfway_between_two_steps_do_not_meet_in_pairs() -> None:
    times = ["2023-01-01 00:30", *pd.date_range("2023-01-01 01:00", periods=49, freq="h")]
    _, found, said = read(rows(times))
    assert found[""].values.tolist() == list(range(50)) and not said.notes and not said.flags


def test_single_events_are_refused_with_what_to_do() -> None:
    seconds = np.sort(np.random.default_rng(1).integers(0, 10_000_000, 400))
    frame = rows(np.datetime64("2024-01-01T00:00:00") + seconds)
    with pytest.raises(OptionError, match=r"no regular step.*by day, week or month"):
        load(frame, Question("y", time="t", options={"horizon": 5}))


@pytest.mark.parametrize("far", ["1900-01-01", "2200-01-01"])
def test_a_moment_far_off_all_others_is_named(far: str) -> None:
    frame = rows([*pd.date_range("2020-01-01", periods=200), pd.Timestamp(far)])
    with pytest.raises(OptionError, match=rf"'t'.*far off all others \({far}\).*leave them out"):
        load(frame, Question("y", time="t", options={"horizon": 5}))


@pytest.mark.parametrize(
    ("written", "reading"),
    [
        (lambda time: int(time.strftime("%Y%m%d")), numbered.DAYS),
        (lambda time: int(time.strftime("%Y%m%d%H")), numbered.HOURS),
        (lambda time: int(time.strftime("%Y%m%d%H%M")), numbered.MINUTES),
        (lambda time: int(time.strftime("%Y%m%d%H%M%S")), numbered.CLOCKS),
        (lambda time: int(time.timestamp()), numbered.SECONDS),
        (lambda time: int(time.timestamp() * 1000), numbered.MILLISECONDS),
        (lambda time: time.value // 1000, numbered.MICROSECONDS),
        (lambda time: time.value, numbered.NANOSECONDS),
    ],
)
def test_days_written_as_numbers_are_days(written: Any, reading: str) -> None:
    times = pd.date_range("2023-12-01", periods=90)
    frame = pd.DataFrame({"t": [written(time) for time in times], "y": np.arange(90.0)})
    task = load(frame, Question("y", time="t", options={"horizon": 7}))
    assert task.step == Step("seconds", DAY, task.step.anchor) and task.columns_of.reading == reading
    assert not np.isnan(task.series[0].values).any()
    assert any(reading in note for note in task.notes)


@pytest.mark.parametrize("written", ["%Y%m%d%H", "%Y%m%d%H%M"])
def test_hours_written_as_numbers_are_hours(written: str) -> None:
    times = pd.date_range("2010-01-01", periods=204, freq="h")
    frame = pd.DataFrame({"t": [int(time.strftime(written)) for time in times[:200]], "y": np.arange(200.0)})
    task = load(frame, Question("y", time="t", options={"horizon": 4}))
    assert task.step.words == "hours" and np.array_equal(task.series[0].values, np.arange(200.0))
    codec = ForecastCodec.of(task)
    assert list(codec.decode(np.zeros((1, 4, 5)), codec.encode(frame)).t) == list(times[200:])


def test_seconds_of_before_2000_are_told_by_whole_minutes_and_other_numbers_stay_numbers() -> None:
    days = pd.date_range("1990-01-01", periods=100)
    task = load(
        pd.DataFrame({"t": [int(day.timestamp()) for day in days], "y": np.arange(100.0)}),
        Question("y", time="t", options={"horizon": 4}),
    )
    assert task.step.words == "days" and any(numbered.SECONDS in note for note in task.notes)
    for plain in (np.arange(5.0), 1e6 * np.arange(600, 700), 1950.0 + np.arange(70), np.arange(190_001, 190_100)):
        assert numbered.reading_of(plain) == ""


@pytest.mark.parametrize(("gap", "words"), [("100ms", "0.1"), ("1500ms", "1.5"), ("250us", "0.00025")])
def test_steps_may_be_shorter_than_a_second(gap: str, words: str) -> None:
    times = pd.date_range("2024-01-01", periods=304, freq=gap)
    frame = pd.DataFrame({"t": times[:300], "y": np.arange(300.0)})
    task = load(frame, Question("y", time="t", options={"horizon": 4}))
    assert task.step.words == f"steps of {words} seconds" and np.array_equal(task.series[0].values, np.arange(300.0))
    codec = ForecastCodec.of(task)
    assert list(codec.decode(np.zeros((1, 4, 5)), codec.encode(frame)).t) == list(times[300:])
    assert len({row["t"] for row in codec.example}) == 4


@pytest.mark.parametrize(("step", "off"), [(1, 0.02), (1, 0.0004), (60, 0.3), (3600, 0.3)])
def test_clocks_that_tremble_do_not_change_the_step(step: int, off: float) -> None:
    times = 1.7e9 + step * np.arange(500) + np.random.default_rng(0).uniform(-off, off, 500)
    assert Step.of([times], dated=True).size == step


def test_moments_that_are_hardly_apart_are_refused() -> None:
    frame = pd.DataFrame({"t": 1_577_836_800_000_000_000 + 512 * np.arange(300), "y": np.arange(300.0)})
    with pytest.raises(OptionError, match="'t' are less than a microsecond apart"):
        load(frame, Question("y", time="t", options={"horizon": 4}))


def test_months_written_as_numbers_are_months_and_years_are_steps() -> None:
    months = pd.date_range("2015-01-01", periods=60, freq="MS")
    frame = pd.DataFrame({"t": [int(month.strftime("%Y%m")) for month in months], "y": np.arange(60.0)})
    task = load(frame, Question("y", time="t", options={"horizon": 6}))
    assert (task.step.words, task.layout.season, len(task.series[0].values)) == ("months", 12, 60)
    years = load(rows(range(1960, 2020)), Question("y", time="t", options={"horizon": 3}))
    assert (years.step.unit, years.step.size, len(years.series[0].values)) == ("number", 1.0, 60)


def test_days_and_months_are_told_apart_by_what_is_regular() -> None:
    months = pd.date_range("2015-01-01", periods=60, freq="MS")
    american = rows([f"{month:%m/%d/%Y}" for month in months])
    task = load(american, Question("y", time="t", options={"horizon": 6}))
    assert task.step.words == "months" and task.columns_of.reading == moments.MONTH_FIRST
    european = rows([f"{month:%d/%m/%Y}" for month in months])
    task = load(european, Question("y", time="t", options={"horizon": 6}))
    assert task.step.words == "months" and task.columns_of.reading == ""


def test_decimal_years_that_were_cut_stay_regular_and_their_season_is_found() -> None:
    place = np.arange(144)
    value = 100 + place + 20 * np.sin(place * 2 * np.pi / 12)
    frame = pd.DataFrame({"t": (1949 + place / 12).round(3), "y": value})
    task = load(frame, Question("y", time="t", options={"horizon": 12}))
    assert not np.isnan(task.series[0].values).any() and len(task.series[0].values) == 144
    assert task.layout.seasons == (12,)


def test_no_season_is_looked_for_that_two_of_do_not_fit() -> None:
    short = rows(pd.date_range("2023-01-01", periods=20, freq="MS"))
    assert load(short, Question("y", time="t", options={"horizon": 2})).layout.seasons == ()
    hours = rows(pd.date_range("2023-01-01", periods=400, freq="h"))
    assert load(hours, Question("y", time="t", options={"horizon": 2})).layout.seasons == (24, 168)


def test_noise_has_no_season_where_time_is_a_plain_number() -> None:
    frame = rows(range(200)).assign(y=np.random.default_rng(0).normal(size=200))
    assert load(frame, Question("y", time="t", options={"horizon": 2})).layout.seasons == ()


def test_of_very_long_series_the_latest_steps_are_read_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "LONGEST", 50)
    _, found, said = read(rows(pd.date_range("2024-01-01", periods=80)))
    assert found[""].values.tolist() == list(range(30, 80))
    assert any("latest 50 days" in note and "30 earlier" in note for note in said.notes)


def test_names_of_several_columns_can_be_taken_apart_again() -> None:
    frame = rows(pd.date_range("2024-01-01", periods=4), store=["a / b"] * 4, item=["c", "c", None, None])
    keys = grid.keys_of(source.read(frame), ("store", "item"))
    assert [grid.parts_of(key, 2) for key in dict.fromkeys(keys)] == [["a / b", "c"], ["a / b", "?"]]
    assert grid.parts_of("a / b", 1) == ["a / b"]


def test_rows_without_a_moment_or_a_value_are_no_steps() -> None:
    frame = rows(pd.date_range("2024-01-01", periods=20))
    frame.loc[5, "t"], frame.loc[19, "y"] = "", np.nan
    _, found, said = read(frame)
    assert len(found[""].values) == 19 and np.isnan(found[""].values[5])
    assert any("1 rows have no 't'" in note for note in said.notes)


def test_covariates_reach_beyond_the_last_value() -> None:
    frame = rows(pd.date_range("2024-01-01", periods=30), price=np.arange(30.0), event=["fair", "none at all"] * 15)
    frame.loc[26:, "y"] = np.nan
    columns = Columns("t", "y", known=("price", "event"), levels={"event": ("fair", "none at all")})
    _, found, _ = read(frame, columns)
    assert columns.named(columns.known) == ("price", "event=fair", "event=none at all")
    assert len(found[""].values) == 26 and found[""].covariates.shape == (30, 3)
    assert found[""].covariates[-1].tolist() == [29.0, 0.0, 1.0]


def test_what_is_true_throughout_is_one() -> None:
    """A column that is true in all rows has one level only, the first."""
    columns = Columns("t", "y", known=("promo",))
    for told, number in ((True, 1.0), (False, 0.0), ("TRUE", 1.0)):
        frame = source.read(rows(pd.date_range("2024-01-01", periods=4), promo=[told] * 4))
        assert columns.matrix(frame)[:, 0].tolist() == [number] * 4
    mixed = source.read(rows(pd.date_range("2024-01-01", periods=4), promo=[True, None, False, True]))
    np.testing.assert_array_equal(columns.matrix(mixed)[:, 0], [1, np.nan, 0, 1])
    _, found, _ = read(rows(pd.date_range("2024-01-01", periods=4)).assign(y=[True] * 4))
    assert found[""].values.tolist() == [1.0] * 4


def test_an_empty_cell_of_words_is_none_of_its_levels_and_was_unknown_before() -> None:
    frame = source.read(rows(pd.date_range("2024-01-01", periods=3), event=["fair", None, "flood"]))
    told: dict[str, Any] = {"known": ("event",), "levels": {"event": ("fair", "flood")}}
    np.testing.assert_array_equal(Columns("t", "y", **told, none=True).matrix(frame), [[1, 0], [0, 0], [0, 1]])
    np.testing.assert_array_equal(Columns("t", "y", **told).matrix(frame)[1], [np.nan, np.nan])


def test_a_series_without_a_value_is_set_aside_by_name() -> None:
    frame = pd.concat([rows(pd.date_range("2024-01-01", periods=20), id=name) for name in ("a", "new")])
    _, found, said = read(frame.assign(y=frame["y"].where(frame["id"] == "a")), SEVERAL)
    assert set(found) == {"a"} and said.set_aside == [{"name": "new", "reason": "no row has a 'y'"}]


@pytest.mark.parametrize("empty", [None, np.nan, ""])
def test_a_target_without_a_value_is_said_to_be_empty(empty: Any) -> None:
    with pytest.raises(TargetError, match="The target 'y' is empty: no row has a value"):
        read(rows(pd.date_range("2024-01-01", periods=4)).assign(y=[empty] * 4))


def test_a_target_of_words_is_refused() -> None:
    with pytest.raises(TargetError, match="must be a number"):
        read(rows(pd.date_range("2024-01-01", periods=4)).assign(y=["low", "high", "low", "mid"]))


def test_a_time_of_words_is_refused_with_what_it_holds() -> None:
    frame = source.read(rows(["spring", "summer", "autumn", "winter"] * 5))
    with pytest.raises(OptionError, match=r"--time t.*'autumn'"):
        make(frame, Question("y", time="t", options={"horizon": 2}))


def test_of_the_calendar_only_what_was_seen_twice_is_told() -> None:
    """A year that was seen once would be drawn on as a line into months that nobody saw."""
    step, day = Step("seconds", 86_400.0), 86_400.0
    times = np.arange(10) * day
    widths = [step.angles(times, days * day).shape[1] for days in (10, 14, 500, 731)]
    assert widths == [0, 2, 2, 4]
    assert step.angles(times).shape[1] == 4
