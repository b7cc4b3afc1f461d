"""What a saved model of series accepts, in whatever form it comes, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from deepenough.errors import ModelError
from deepenough.kinds.series.codec import SeriesCodec
from deepenough.kinds.series.task import load
from deepenough.task.task import Question
from tests.kinds.series.drawn import lists, rows


def codec(form: str = "lists", **asked: Any) -> SeriesCodec:
    if form == "lists":
        task = load(lists(), Question(**{"target": "kind", **asked}))
    else:
        task = load(rows(), Question(**{"target": "kind", "time": "at", "options": {"series": ("id",)}, **asked}))
    return SeriesCodec.from_json(json.loads(json.dumps(SeriesCodec.of(task).to_json())))


VALUES = [0.5, 1.0, None, 3.0]


@pytest.mark.parametrize("form", ["lists", "rows"])
@pytest.mark.parametrize(
    "given",
    [
        VALUES,
        [VALUES],
        {"wave": VALUES},
        [{"wave": VALUES, "more": 1}],
        [{"wave": "0.5;1;;3"}],
        np.array([0.5, 1, np.nan, 3]),
        np.array([[0.5, 1, np.nan, 3]]),
        pd.DataFrame({"wave": [VALUES]}),
        pd.DataFrame({"wave": ["[0.5, 1.0, null, 3]"]}),
        pl.DataFrame({"wave": [VALUES]}),
    ],
    ids=lambda given: type(given).__name__,
)
def test_one_series_in_many_forms(form: str, given: Any) -> None:
    signals = codec(form).encode(given)
    assert np.array_equal(signals.values, [[[0.5, 1, np.nan, 3]]], equal_nan=True)
    answers = codec(form).decode(np.array([[0.2, 0.8]]), signals)
    assert list(answers.columns) == ["kind", "probability_fall", "probability_rise"]


@pytest.mark.parametrize("written", ["%Y-%m-%d", "%Y%m%d", "%Y%m%d%H"])
def test_days_are_read_alike_however_they_are_written(written: str) -> None:
    at = [int(time) if time.isdigit() else time for time in pd.date_range("2024-01-25", periods=20).strftime(written)]
    task = load(rows().assign(at=at * 60), Question(target="kind", time="at", options={"series": ("id",)}))
    assert "A step is 1 day of 'at'." in task.notes and task.signals.values.shape[2] == 20
    made = SeriesCodec.from_json(json.loads(json.dumps(SeriesCodec.of(task).to_json())))
    given = rows(2).assign(at=at * 2).drop(index=9)
    listed = [{"id": name, "at": list(own["at"]), "wave": list(own["wave"])} for name, own in given.groupby("id")]
    for form in (given, pl.from_pandas(given), given.to_dict("records"), listed):
        values = made.encode(form).values
        assert values.shape == (2, 1, 20) and np.argwhere(np.isnan(values)).tolist() == [[0, 0, 9]]


def test_rows_of_steps_are_put_on_the_grid_and_answered_a_row_a_series() -> None:
    given = rows(3, 4).sample(frac=1, random_state=0)
    given = given[~((given["id"] == "s1") & (given["at"] == 2))]
    for form in (given, pl.from_pandas(given), given.to_dict("records")):
        signals = codec("rows").encode(form)
        names = list(dict.fromkeys(given["id"]))
        assert list(signals.names) == names
        assert np.isnan(signals.values[names.index("s1"), 0, 2])
        assert signals.lengths.tolist() == [4, 4, 4]
        answers = codec("rows").decode(np.full((3, 2), 0.5), signals)
        assert answers["id"].tolist() == names
    by_number = codec("rows", options={"series": ("site", "id")}).encode(given)
    assert by_number.names[0].count(" / ") == 1


def test_lists_of_times_are_put_on_the_grid_too() -> None:
    signals = codec("rows").encode([{"id": "a", "at": [0, 3, 1], "wave": [1.0, 4.0, 2.0]}])
    assert np.array_equal(signals.values, [[[1, 2, np.nan, 4]]], equal_nan=True)
    assert signals.names == ("a",)


def test_ids_that_are_numbers_stay_numbers() -> None:
    frame = rows().assign(id=lambda each: each["id"].str[1:].astype(int))
    task = load(frame, Question(target="kind", time="at", options={"series": ("id",)}))
    own = SeriesCodec.of(task)
    assert own.decode(np.full((60, 2), 0.5), own.encode(frame))["id"].tolist() == list(range(60))


def test_several_channels() -> None:
    frame = lists().assign(other=lists(seed=3)["wave"])
    own = SeriesCodec.of(load(frame, Question(target="kind")))
    assert own.encode([[[1, 2], [3, 4]], [[1], [2, 3]]]).values.shape == (2, 2, 2)
    assert np.isnan(own.encode({"wave": [1, 2, 3], "other": [1]}).values[0, 1]).tolist() == [False, True, True]
    with pytest.raises(ModelError, match="2 channels"):
        own.encode([1, 2, 3])
    with pytest.raises(ModelError, match="'other' is missing"):
        own.encode({"wave": [1, 2, 3]})


def test_nothing_and_nonsense() -> None:
    own = codec("rows")
    assert len(own.encode([])) == 0
    assert len(own.encode(rows(2).head(0))) == 0
    assert own.decode(np.empty((0, 2)), own.encode([])).empty
    assert np.isnan(codec().encode({"wave": "nothing of the kind"}).values).all()
    assert own.unread([{"wave": "1;x;3"}], None) == {"wave": 1}
    with pytest.raises(ModelError, match=r"'wave' is missing.*'waves'"):
        own.encode({"waves": [1, 2]})
    with pytest.raises(ModelError, match="'at' is missing"):
        own.encode(rows().drop(columns="at"))
    with pytest.raises(ModelError, match="'s3' has no 'at'"):
        own.encode(rows().assign(at=lambda each: each["at"].where(each["id"] != "s3")))
    with pytest.raises(ModelError, match="mixed"):
        own.encode([1, [2, 3]])
    with pytest.raises(ModelError, match="holds no series"):
        own.encode(object())
    with pytest.raises(ModelError, match="can't be read"):
        SeriesCodec.from_json({"target": "kind"})


def test_a_far_off_time_does_not_blow_up_the_grid() -> None:
    signals = codec("rows").encode(rows(2, 5).assign(at=[0, 1, 2, 3, 10**9] * 2))
    assert signals.values.shape[2] == 5


def test_dates_are_read_as_the_raced_ones(tmp_path: Path) -> None:
    days = [f"{place % 28 + 1}.01.2024 10:00" for place in range(20)]
    rows().assign(at=days * 60).to_csv(tmp_path / "raced.csv", index=False)
    task = load(tmp_path / "raced.csv", Question(target="kind", time="at", options={"series": ("id",)}))
    own = SeriesCodec.of(task)
    one = rows(1).assign(at=days)
    assert np.allclose(own.encode(one).values[0], task.signals.values[0])
    assert np.allclose(own.encode(one.assign(at=pd.to_datetime(one["at"], dayfirst=True))).values[0, 0], one["wave"])


def test_files_are_read_series_by_series(tmp_path: Path) -> None:
    path, own = tmp_path / "steps.csv", codec("rows")
    rows().to_csv(path, index=False)
    parts = [own.encode(part) for part in own.batches(path, 90)]
    assert len(parts) > 1
    assert [name for part in parts for name in part.names] == [f"s{place}" for place in range(60)]
    assert all((part.lengths == 20).all() for part in parts)
    rows().sort_values("at", kind="stable").to_csv(path, index=False)
    with pytest.raises(ModelError, match="stand far apart"):
        list(own.batches(path, 90))
    lists().to_parquet(tmp_path / "lists.parquet")
    sizes = [len(codec().encode(part)) for part in codec().batches(tmp_path / "lists.parquet", 25)]
    assert sizes == [25, 25, 10]
    (whole,) = own.batches(rows(), 50)
    assert len(own.encode(whole)) == 60


@pytest.mark.parametrize(
    "named",
    [
        lambda place: 10**18 + place,
        lambda place: "00"[: place % 2 * 2] + str(place // 2),
        lambda place: f"20{place}-01",
    ],
    ids=["long numbers", "zeros in front", "months"],
)
def test_series_are_told_apart_by_what_stands_there(named: Callable[[int], Any], tmp_path: Path) -> None:
    names = [named(place) for place in range(10, 70)]
    few = rows(60, 6)
    few["id"] = [names[int(name[1:])] for name in few["id"]]
    few.to_csv(tmp_path / "rows.csv", index=False)
    for given in (few, tmp_path / "rows.csv"):
        task = load(given, Question(target="kind", time="at", options={"series": ("id",)}))
        assert task.signals.names == tuple(map(str, names))
    made = SeriesCodec.of(task)
    for parts in ([few], [few.to_dict("records")], made.batches(tmp_path / "rows.csv", 1_000)):
        assert [name for part in parts for name in made.encode(part).names] == [str(name) for name in names]


def test_names_that_are_whole_numbers_are_answered_as_such() -> None:
    few = rows(60, 6)
    few["id"] = [10**18 + int(name[1:]) for name in few["id"]]
    task = load(few, Question(target="kind", time="at", options={"series": ("id",)}))
    made = SeriesCodec.of(task)
    assert task.rows == 60 and made.recording.whole_ids
    answers = made.decode(np.array([[0.2, 0.8]]), made.encode(few[few["id"] == 10**18 + 3]))
    assert answers["id"].tolist() == [10**18 + 3]
