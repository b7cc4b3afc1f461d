"""What a saved model of forecasts accepts and answers: histories in any order and shape, a row a step back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from deepenough.errors import ModelError, SourceError
from deepenough.kinds.forecast import task as tasks
from deepenough.kinds.forecast.codec import ForecastCodec
from deepenough.kinds.forecast.inputs import Windows
from deepenough.kinds.forecast.task import load
from deepenough.task.task import Question
from tests.kinds.forecast.drawn import several, task

HORIZON = 6


def codec_of(made: Any) -> ForecastCodec:
    return ForecastCodec.from_json(json.loads(json.dumps(ForecastCodec.of(made).to_json())))


@pytest.fixture(scope="module")
def codec() -> ForecastCodec:
    return codec_of(task(several(), horizon=HORIZON))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return several(ahead=HORIZON)


def assert_same(some: Windows, others: Windows) -> None:
    assert some.names == others.names and len(some) == len(others)
    np.testing.assert_array_equal(some.history(120), others.history(120))
    np.testing.assert_array_equal(some.past(120), others.past(120))
    np.testing.assert_array_equal(some.ahead(), others.ahead())
    np.testing.assert_array_equal(some.times_ahead(), others.times_ahead())


def answers(codec: ForecastCodec, windows: Windows) -> pd.DataFrame:
    said = np.arange(float(len(windows) * HORIZON * 5)).reshape(len(windows), HORIZON, 5)
    frame: pd.DataFrame = codec.decode(said, windows)
    return frame


def test_each_series_is_forecast_from_its_last_value_on(codec: ForecastCodec, rows: pd.DataFrame) -> None:
    windows = codec.encode(rows)
    assert windows.names == ("shop 0", "shop 1", "shop 2")
    for row, name in enumerate(windows.names):
        own = rows[rows.shop == name]
        np.testing.assert_array_equal(windows.history(90)[row], own.sold[:90])
        np.testing.assert_array_equal(windows.ahead()[row, :, 0], own.price[90:])
        np.testing.assert_array_equal(windows.times_ahead()[row].astype("datetime64[s]"), own.day[90:])
        assert np.isnan(windows.past(120)[row, -1]).sum() == 0
    assert len(np.unique(windows.start)) == 3


def test_the_last_values_are_what_the_task_itself_would_forecast_from(rows: pd.DataFrame) -> None:
    made = task(rows, horizon=HORIZON)
    whole = made.everything(0).inputs
    latest = codec_of(made).encode(rows)
    for row, name in enumerate(latest.names):
        own = whole.take(np.flatnonzero(whole.series == whole.names.index(name)))
        steps = round((latest.times[latest.at[row]] - own.times[own.at].max()) / 86_400)
        assert steps == 3, "half of the steps of what is learnt from are known"
        np.testing.assert_array_equal(latest.history(60)[row, :-3], own.history(57, own.at.argmax()[None])[0])


@pytest.mark.parametrize(
    "shape",
    [
        lambda frame: frame.sample(frac=1.0, random_state=3),
        lambda frame: frame[frame.columns[::-1]],
        lambda frame: frame.assign(more="anything", another=1),
        lambda frame: frame.astype({"day": str}),
        lambda frame: json.loads(frame.astype({"day": str}).to_json(orient="records")),
        pl.from_pandas,
    ],
    ids=["unsorted", "reordered", "more columns", "strings", "JSON", "polars"],
)
def test_rows_in_any_shape_are_the_same_windows(codec: ForecastCodec, rows: pd.DataFrame, shape: Any) -> None:
    assert_same(codec.encode(shape(rows)), codec.encode(rows))


def test_a_file_is_read_at_once_and_all_of_it(
    codec: ForecastCodec, rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("rows.csv", "rows.parquet"):
        path = tmp_path / name
        rows.to_csv(path, index=False) if name.endswith("csv") else rows.to_parquet(path)
        (batch,) = codec.batches(path, 10)
        assert_same(codec.encode(batch), codec.encode(rows))
    assert [len(batch) for batch in codec.batches(rows, 10)] == [len(rows)]
    monkeypatch.setattr(tasks, "MOST_ROWS", 100)
    with pytest.raises(SourceError, match="288 rows"):
        list(codec.batches(tmp_path / "rows.csv", 10))


def test_a_series_it_never_saw_and_a_short_one_are_forecast(codec: ForecastCodec, rows: pd.DataFrame) -> None:
    new = rows[(rows.shop == "shop 1") & (rows.day >= "2024-03-30")].assign(shop="another")
    windows = codec.encode(pd.concat([rows, new]))
    assert windows.names == ("another", "shop 0", "shop 1", "shop 2")
    assert windows.at[0] - windows.start[0] == 0, "one value is known"
    assert len(answers(codec, windows)) == 4 * HORIZON


def test_gaps_and_doubled_rows_are_read_as_in_a_race(codec: ForecastCodec, rows: pd.DataFrame) -> None:
    one = rows[rows.shop == "shop 0"]
    without = codec.encode(one[one.day != "2024-03-01"])
    assert np.isnan(without.history(90)[0]).sum() == 1
    doubled = codec.encode(pd.concat([one, one.iloc[[20]].assign(sold=one.sold.iloc[20] + 2)]))
    np.testing.assert_allclose(doubled.history(90)[0, 20], one.sold.iloc[20] + 1)


@pytest.mark.parametrize(("step", "rule"), [("hours", "h"), ("weeks", "7D")])
def test_rows_of_another_frequency_are_refused(codec: ForecastCodec, step: str, rule: str) -> None:
    days = pd.date_range("2024-01-01", periods=100, freq=rule)
    frame = pd.DataFrame({"shop": "a", "day": days, "price": 1.0, "weather": 0.0, "sold": np.arange(100.0)})
    with pytest.raises(ModelError, match="another frequency: the model forecasts days"):
        codec.encode(frame)


def test_what_must_be_known_in_advance_is_asked_for(codec: ForecastCodec, rows: pd.DataFrame) -> None:
    with pytest.raises(ModelError, match=r"'price' must be known in advance.*6 days.*'sold' left empty"):
        codec.encode(rows[rows.sold.notna()])
    part = rows[rows.sold.notna() | (rows.shop != "shop 1")]
    windows = codec.encode(part)
    assert codec.unread(part, windows) == {"price": HORIZON}
    assert np.isnan(windows.ahead()[1]).all() and np.isfinite(windows.ahead()[[0, 2]]).all()
    assert codec.unread(rows, codec.encode(rows)) == {}


def test_a_flag_that_is_true_throughout_is_true() -> None:
    frame = several(1, ahead=HORIZON).assign(promo=[place % 3 == 0 for place in range(96)])
    made = codec_of(task(frame, options={"known": ("promo",)}))
    assert (made.encode(frame.assign(promo=True)).ahead() == 1).all()
    assert (made.encode(frame.assign(promo=False)).ahead() == 0).all()
    assert made.encode(frame).ahead()[0, :, 0].tolist() == [1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("events", [("fair", "flood"), ("fair",), (1, 2), (1,)])
def test_coming_steps_without_an_event_are_forecast(events: tuple[Any, ...]) -> None:
    """Their rows are there: that no event is told of is what is known of them."""
    frame = several(1, ahead=HORIZON)
    told = [events[place % len(events)] if place % 9 == 0 and place < 90 else None for place in range(96)]
    made = codec_of(task(frame.assign(event=told), options={"known": ("event",)}))
    rows = frame.assign(event=told)
    windows = made.encode(rows)
    assert made.unread(rows, windows) == {} and made.unanswered(windows) == ()
    named = [place for place, name in enumerate(windows.layout.known) if "=" in name]
    assert (windows.ahead()[:, :, named] == 0).all()
    with pytest.raises(ModelError, match="'event' must be known in advance"):
        made.encode(rows[rows.sold.notna()])


def test_a_number_that_was_nearly_always_known_is_asked_for_in_rows_that_are_there(rows: pd.DataFrame) -> None:
    gaps = rows.assign(price=rows.price.where(rows.index % 20 > 0))
    made = codec_of(task(gaps))
    with pytest.raises(ModelError, match="'price' must be known in advance"):
        made.encode(rows.assign(price=rows.price.where(rows.sold.notna())))


def test_a_model_of_earlier_reads_as_it_did() -> None:
    frame = several(2, ahead=HORIZON).assign(event=[None, "fair", "flood"] * 64)
    frame["shop"] = frame["shop"].map({"shop 0": "2024-01", "shop 1": "2024-02"})
    schema = ForecastCodec.of(task(frame, options={"known": ("price", "event")})).to_json()
    for new in ("none", "rare", "as_it_stands"):
        del schema["columns"][new]
    earlier = ForecastCodec.from_json(json.loads(json.dumps(schema)))
    windows = earlier.encode(frame)
    assert windows.names == ("1704067200", "1706745600")
    np.testing.assert_array_equal(windows.ahead()[0, :3, 1:], [[np.nan, np.nan], [1, 0], [0, 1]])
    none_ahead = frame.assign(event=frame.event.where(frame.sold.notna(), None))
    assert np.isnan(earlier.encode(none_ahead).ahead()[:, :, 1:]).all()


@pytest.mark.parametrize("given", [[7, 12], [7.0, 12.0], ["7", "12"], ["7.0", "12.0"]])
def test_names_of_series_are_the_same_as_numbers_and_as_texts(given: list[Any], tmp_path: Path) -> None:
    frame = several(2, ahead=HORIZON)
    first = frame["shop"] == "shop 0"
    made = codec_of(task(frame.assign(shop=np.where(first, 7, 12))))
    new = frame.assign(shop=[given[0] if one else given[1] for one in first])
    new.to_csv(tmp_path / "rows.csv", index=False)
    for rows in (new, new.astype({"day": str}).to_dict("records"), *made.batches(tmp_path / "rows.csv", 10)):
        assert made.encode(rows).names == ("12", "7")


def test_long_names_of_series_stay_apart() -> None:
    frame = several(2, ahead=HORIZON)
    frame["shop"] = [10**18 + int(shop[-1]) for shop in frame["shop"]]
    made = codec_of(task(frame))
    said = made.decode(np.zeros((2, HORIZON, 5)), made.encode(frame))
    assert said.shop.unique().tolist() == ["1000000000000000000", "1000000000000000001"]


def test_series_of_another_frequency_are_left_out_and_named(codec: ForecastCodec, rows: pd.DataFrame) -> None:
    others = [
        pd.DataFrame({"shop": name, "day": pd.date_range("2022-01-01", periods=40, freq=freq), "sold": 1.0})
        for name, freq in (("by month", "MS"), ("by hour", "h"))
    ]
    windows = codec.encode(pd.concat([rows, *others]))
    assert_same(windows, codec.encode(rows))
    assert codec.unanswered(windows) == (
        "1 series gets no answer ('by hour'): rows come in hours, and the model forecasts days.",
        "1 series gets no answer ('by month'): rows come in months, and the model forecasts days.",
    )
    with pytest.raises(ModelError, match="another frequency: the model forecasts days"):
        codec.encode(pd.concat(others).assign(price=1.0, weather=0.0))


def test_series_and_rows_that_get_no_answer_are_named(codec: ForecastCodec, rows: pd.DataFrame) -> None:
    assert codec.unanswered(codec.encode(rows)) == () and codec.unanswered(codec.encode([])) == ()
    new = [rows[rows.shop == "shop 0"].assign(shop=name, sold=np.nan) for name in ("new", "newer")]
    windows = codec.encode(pd.concat([rows, *new]))
    assert windows.names == ("shop 0", "shop 1", "shop 2")
    assert codec.unanswered(windows) == ("2 series get no answer ('new', 'newer'): no row has a 'sold'.",)
    late = rows.assign(sold=rows.sold.where((rows.shop != "shop 1") | (rows.day < "2024-03-29")))
    (said,) = codec.unanswered(codec.encode(late))
    assert said == "2 rows get no answer: they lie more than 6 days after the last value of their series ('shop 1')."


def test_cells_that_can_not_be_read_are_counted() -> None:
    frame = several(ahead=HORIZON).assign(event=["fair", "none"] * 144)
    made = codec_of(task(frame, options={"known": ("price", "event")}))
    strange = frame.astype({"weather": object})
    strange.loc[::3, "weather"] = "cold"
    strange.loc[5, "event"] = "flood"
    windows = made.encode(strange)
    assert made.unread(strange, windows) == {"weather": 288, "event": 1}
    assert windows.layout.known == ("price", "event=fair", "event=none")


def test_the_answer_is_a_row_a_series_and_step(codec: ForecastCodec, rows: pd.DataFrame) -> None:
    windows = codec.encode(rows)
    frame = answers(codec, windows)
    assert frame.columns.tolist() == ["shop", "day", "sold", "sold_5", "sold_25", "sold_75", "sold_95"]
    assert frame.shop.tolist() == [name for name in windows.names for _ in range(HORIZON)]
    assert frame.day.tolist()[:HORIZON] == pd.date_range("2024-03-31", periods=HORIZON).tolist()
    assert frame.iloc[7].tolist()[2:] == [37.0, 35.0, 36.0, 38.0, 39.0]
    later = codec.decode(np.zeros((2, HORIZON, 5)), windows.take(np.array([2, 0])))
    assert later.shop.unique().tolist() == ["shop 2", "shop 0"]


def test_no_rows_are_no_answers(codec: ForecastCodec) -> None:
    windows = codec.encode([])
    assert len(windows) == 0 and codec.unread([], windows) == {}
    assert answers(codec, windows).columns.tolist()[:3] == ["shop", "day", "sold"]


def test_a_missing_column_is_named_with_the_nearest(codec: ForecastCodec, rows: pd.DataFrame) -> None:
    for name in ("shop", "day", "price", "weather", "sold"):
        with pytest.raises(ModelError, match=f"'{name}' is missing.*Did you mean '{name}s'"):
            codec.encode(rows.rename(columns={name: f"{name}s"}))


def test_other_times_than_those_learnt_from_are_refused(codec: ForecastCodec, rows: pd.DataFrame) -> None:
    with pytest.raises(ModelError, match="'day' must hold dates"):
        codec.encode(rows.assign(day=range(len(rows))))
    with pytest.raises(ModelError, match="No row has a 'sold'"):
        codec.encode(rows.assign(sold=np.nan))


def test_plain_numbers_of_time_stay_numbers_and_months_are_answered_as_dates() -> None:
    values = np.arange(60.0) + np.tile(np.arange(12.0), 5)
    years = pd.DataFrame({"t": 1900 + np.arange(60), "y": values})
    made = codec_of(load(years, Question("y", time="t", options={"horizon": 3})))
    assert made.decode(np.zeros((1, 3, 5)), made.encode(years)).t.tolist() == [1960, 1961, 1962]
    months = pd.date_range("2015-01-01", periods=60, freq="MS")
    numbers = pd.DataFrame({"t": [int(month.strftime("%Y%m")) for month in months], "y": values})
    made = codec_of(load(numbers, Question("y", time="t", options={"horizon": 3})))
    assert made.decode(np.zeros((1, 3, 5)), made.encode(numbers.tail(2))).t.astype(str).tolist() == [
        "2020-01-01",
        "2020-02-01",
        "2020-03-01",
    ]


def test_names_of_several_columns_come_back_in_their_columns() -> None:
    frame = several(2, ahead=HORIZON).assign(item="a / b").drop(columns="weather")
    made = codec_of(task(frame, options={"series": ("shop", "item")}))
    said = made.decode(np.zeros((2, 6, 5)), made.encode(frame))
    assert said.groupby(["shop", "item"]).size().to_dict() == {("shop 0", "a / b"): 6, ("shop 1", "a / b"): 6}


def test_the_example_of_the_schema_can_be_encoded(codec: ForecastCodec) -> None:
    example = [dict(row) for row in codec.example]
    assert example[0]["shop"] == "shop 0" and set(example[0]) == {"shop", "day", "price", "weather", "sold"}
    assert example[-1]["sold"] is None and example[-1]["weather"] is None and example[-1]["price"] is not None
    windows = codec.encode(example)
    assert len(windows) == 1 and np.isfinite(windows.history(3)).all()


def test_a_damaged_schema_is_refused() -> None:
    with pytest.raises(ModelError, match="schema can't be read"):
        ForecastCodec.from_json({"columns": {}})
