"""From rows of either form to a task: what is read, what is set aside, and what is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough.errors import ColumnError, OptionError, SourceError, TargetError
from deepenough.kinds.series import Series
from deepenough.kinds.series.recording import MOST_STEPS, Recording, averaged, factor_for, stacked
from deepenough.kinds.series.task import SeriesTask, load
from deepenough.task.task import Question
from tests.kinds.series.drawn import lists, rows


def long(frame: pd.DataFrame | None = None, **asked: Any) -> SeriesTask:
    question = {"target": "kind", "time": "at", "options": {"series": ("id",)}, **asked}
    return load(rows() if frame is None else frame, Question(**question))


def wide(frame: pd.DataFrame | None = None, **asked: Any) -> SeriesTask:
    return load(lists() if frame is None else frame, Question(**{"target": "kind", **asked}))


def said(task: SeriesTask) -> str:
    return " ".join([*task.notes, *(f"{item['name']}: {item['reason']}" for item in task.set_aside)])


def test_both_forms_are_the_same_task() -> None:
    shuffled = rows().sample(frac=1, random_state=1)
    by_name = dict(zip(long(shuffled).signals.names, long(shuffled).signals.values, strict=True))
    task = long()
    assert task.signals.channels == ("wave",)
    assert np.array_equal(task.signals.values, wide().signals.values)
    for name, values in zip(task.signals.names, task.signals.values, strict=True):
        assert np.array_equal(by_name[name], values), "rows are sorted by their time"
    assert "site: one value a series" in said(task)
    assert task.n_classes == 2
    assert {trait.name for trait in task.traits(0)} >= {"steps", "mean of wave", "site"}


def test_gaps_doubles_and_missing_times() -> None:
    frame = rows()
    frame.loc[25, "at"] = 4  # the second series: its step 5 stands at 4, beside another
    frame = frame.drop(index=[3, 44])
    frame["at"] = frame["at"].astype(float)
    frame.loc[50, "at"] = np.nan
    task, whole = long(frame), wide().signals.values
    values = task.signals.values
    assert np.isnan(values[0, 0, 3])
    assert values[1, 0, 4] == pytest.approx((whole[1, 0, 4] + whole[1, 0, 5]) / 2)
    assert np.isnan(values[1, 0, 5])
    assert "2 rows share" not in said(task)
    assert "1 rows share a step" in said(task)
    assert "1 rows lack a 'at'" in said(task)
    assert "4 of 1,200 steps have no row" in said(task)


def test_uneven_times_are_averaged_on_a_grid_and_wild_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    uneven = rows().assign(at=lambda each: each["at"] + rng.uniform(-0.4, 0.4, len(each)))
    assert "uneven" in said(long(uneven))
    wild = rows().assign(at=lambda each: 10.0 ** each["at"])
    assert "as they follow each other" in said(long(wild))
    assert np.array_equal(long(wild).signals.values, wide().signals.values)
    unnamed = load(rows(), Question(target="kind", options={"series": ("id",)}, drop=("at",)))
    assert np.array_equal(unnamed.signals.values, wide().signals.values)
    assert "No --time was named" in said(unnamed)


def test_times_that_slip_by_half_a_step_do_not_meet_in_pairs() -> None:
    task = long(rows().assign(at=lambda each: each["at"] + 0.5 * (each["at"] >= 5)))
    values, whole = task.signals.values, wide().signals.values
    assert "share a step" not in said(task) and np.isnan(values[:, :, 5]).all()
    assert np.array_equal(np.delete(values, 5, axis=2), whole)


@pytest.mark.parametrize(
    ("times", "step"),
    [
        (pd.date_range("2024-03-30", periods=20, freq="h", tz="Europe/Berlin"), "1 hour"),
        (pd.date_range("2020-01-31", periods=20, freq="ME"), "1 month"),
        (pd.date_range("2020-01-01", periods=20, freq="QS"), "3 months"),
        (pd.date_range("2020-01-01", periods=20, freq="15s"), "15 seconds"),
    ],
)
def test_dates_have_steps_of_the_clock_or_the_calendar(times: pd.DatetimeIndex, step: str) -> None:
    task = long(rows().assign(at=list(times) * 60))
    assert f"A step is {step} of" in said(task)
    assert np.array_equal(task.signals.values, wide().signals.values), "no step is lost or doubled"


def test_another_sampling_rate_is_said() -> None:
    frame = rows()
    frame.loc[frame["id"] == "s3", "at"] *= 3
    assert "1 series ('s3', ...) have another step" in said(long(frame))


def test_what_is_asked_must_be_one_value_a_series() -> None:
    frame = rows()
    frame.loc[frame["id"].isin(["s4", "s7"]) & (frame["at"] == 3), "kind"] = "other"
    with pytest.raises(TargetError, match=r"changes within 2 of 60 series \('s4', 's7'\).*--horizon"):
        long(frame)
    with pytest.raises(OptionError, match="--group 'wave' changes within 60 of 60"):
        long(group="wave")
    frame = rows()
    frame.loc[frame["at"] > 0, "kind"] = None
    assert np.array_equal(long(frame).targets, long().targets), "known in one row is known"


def test_groups_folds_and_weights_are_those_of_the_series() -> None:
    frame = rows().assign(patient=np.arange(1200) // 60, part=np.arange(1200) // 20 % 3, weight=1.0)
    frame.loc[frame["id"] == "s0", "weight"] = 0.0
    grouped = long(frame, group="patient")
    assert grouped.splitting == "group"
    for fold in grouped.splits.folds:
        assert not {place // 3 for place in fold.judged} & {place // 3 for place in fold.order}
    own = long(frame, folds="part", weights="weight")
    assert own.splitting == "own"
    assert own.folds == 3
    assert own.rows == 59
    assert own.signals.names[0] == "s1", "answers and series stay together where some are set aside"
    assert len(own.traits(0)[0].values) == len(own.units(0).ids)


def test_lists_are_split_by_time_where_a_column_says_when() -> None:
    frame = lists().assign(day=pd.date_range("2024-01-01", periods=60).astype("datetime64[us]"))
    task = wide(frame, time="day")
    assert task.splitting == "time"
    assert min(task.splits.folds[0].judged) > max(task.splits.folds[0].order)
    with pytest.raises(OptionError, match="holds lists"):
        wide(frame.assign(day=frame["wave"]), time="day")


def test_series_that_hold_no_numbers_are_set_aside_by_name() -> None:
    frame = lists()
    frame.at[3, "wave"] = [1.0, "broken", 2.0, "x"]
    frame.at[5, "wave"] = []
    frame.at[6, "wave"] = None
    frame.at[8, "wave"] = [np.nan] * 20
    task = wide(frame)
    assert task.rows == 56
    assert "row 4: holds 2 values that are no numbers" in said(task)
    assert "row 6, row 7, row 9: no number at all" in said(task)
    expected = np.delete(np.arange(60), [3, 5, 6, 8]) % 2 == 0
    assert np.array_equal(np.array(task.target.classes)[task.targets] == "rise", expected)


def test_lengths_channels_constants_and_copies_are_said() -> None:
    frame = lists().assign(other=[[1.0] * (18 if place == 2 else 20) for place in range(60)])
    frame.at[4, "wave"] = frame.at[4, "wave"][:9]
    frame.at[7, "wave"] = frame.at[9, "wave"]
    frame.at[11, "wave"] = [3.0] * 20
    task = wide(frame)
    assert task.signals.channels == ("wave", "other")
    assert "2 series have channels of different lengths" in said(task)
    assert "1 series never change" in said(task)
    assert "1 series equal an earlier one" in said(task)
    for fold in task.splits.folds:
        assert len({7, 9} & set(fold.judged.tolist())) != 1
    few = wide(lists().assign(wave=lambda each: [each["wave"][n % 4] for n in range(60)]))
    assert [flag["flag"] for flag in few.flags] == ["duplicates"]
    assert few.folds == 5, "where nearly all are copies, they are split like any others"
    shorter = wide(lists().assign(wave=lambda each: [row[: 10 + n % 5] for n, row in enumerate(each["wave"])]))
    assert "10 to 14 steps" in said(shorter)


def test_long_series_are_averaged_by_one_factor_and_cut_to_their_end() -> None:
    assert factor_for(np.array([100, 200]), 1) == 1
    assert factor_for(np.full(50, MOST_STEPS * 3 - 1), 1) == 3
    assert factor_for(np.append(np.full(99, 100), 10**7), 1) == 1, "a single one does not blur all others"
    assert np.array_equal(averaged(np.array([1.0, 3, np.nan, 5, 7]), 2), [2, 5, 7])
    recording = Recording("lists", ("x",), factor=2)
    signals = stacked([np.arange(4.0)[None], np.arange(2.0 * MOST_STEPS + 4)[None]], recording)
    assert signals.values.shape == (2, 1, MOST_STEPS)
    assert signals.lengths.tolist() == [2, MOST_STEPS]
    assert signals.values[1, 0, -1] == 2 * MOST_STEPS + 2.5
    frame = lists(30).assign(wave=[np.arange(6000.0).tolist() for _ in range(30)])
    assert "every 2 steps are averaged" in said(wide(frame))


def test_questions_that_cannot_be_answered() -> None:
    with pytest.raises(OptionError, match="--target COLUMN"):
        wide(target=None)
    with pytest.raises(ColumnError, match="'kind'"):
        wide(target="kin")
    with pytest.raises(ColumnError, match="--series 'ids'"):
        long(options={"series": ("ids",)})
    with pytest.raises(OptionError, match="named by --target too"):
        long(options={"series": ("kind",)})
    with pytest.raises(OptionError, match="holds words"):
        long(rows().assign(at="noon"))
    with pytest.raises(SourceError, match="No column of numbers changes within"):
        long(rows(steps=1))
    with pytest.raises(SourceError, match="No series were found"):
        wide(rows())
    with pytest.raises(SourceError, match="lists within lists"):
        wide(lists().assign(wave=[[[1, 2]] * 9] * 60), options={"series": ("wave",)})
    with pytest.raises(SourceError, match="holds any number"):
        wide(lists().assign(wave=[[None] * 9] * 60))


def test_a_drawing_and_a_description_are_plain_and_small() -> None:
    task = wide(lists(steps=900))
    (shown,) = task.show(0, np.array([0]))
    assert shown["form"] == "curve"
    assert shown["name"].startswith("row ")
    assert 100 <= len(shown["channels"]["wave"]) <= 200
    assert task.describe()["steps"] == {"shortest": 900, "median": 900, "longest": 900}


@pytest.mark.parametrize("form", ["lists", "rows"])
def test_a_persons_own_test(form: str) -> None:
    make, asked = (lists, {}) if form == "lists" else (rows, {"time": "at", "options": {"series": ("id",)}})
    test = make(20, seed=5)
    test.loc[test["id"] == "s1", "kind"] = "strange"
    test.loc[test["id"] == "s2", "kind"] = None
    task = Series().load(make(), Question(target="kind", test=test, **asked))
    held = task.held_out()
    assert held is not None
    assert len(held.inputs) == len(held.truth) == 18
    assert "nobody could learn" in said(task)  # type: ignore[arg-type]  # the kind's own task
    assert not held.flags
    again = Series().load(make(), Question(target="kind", test=make(), **asked))
    assert [flag["flag"] for flag in again.flags] == ["test_overlap"]
    with pytest.raises(ColumnError, match="lacks 'wave'"):
        Series().load(make(), Question(target="kind", test=test.drop(columns="wave"), **asked))
