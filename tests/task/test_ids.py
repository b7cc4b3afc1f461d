"""Columns of names are read as they stand, from whatever holds them."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from deepenough.task import source
from deepenough.task.frame import Frame, from_frame

LARGE = 10**18


def _csv(frame: pd.DataFrame, folder: Path) -> Any:
    frame.to_csv(folder / "rows.csv", index=False)
    return folder / "rows.csv"


def _parquet(frame: pd.DataFrame, folder: Path) -> Any:
    frame.to_parquet(folder / "rows.parquet")
    return folder / "rows.parquet"


def _json(frame: pd.DataFrame, folder: Path) -> Any:
    frame.to_json(folder / "rows.jsonl", orient="records", lines=True)
    return folder / "rows.jsonl"


def _sql(frame: pd.DataFrame, folder: Path) -> Any:
    with sqlite3.connect(folder / "rows.db") as database:
        frame.to_sql("rows", database, index=False, if_exists="replace")
    return f"sqlite:///{folder}/rows.db"


SOURCES: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    "csv": _csv,
    "parquet": _parquet,
    "json": _json,
    "sql": _sql,
    "pandas": lambda frame, _: frame,
    "polars": lambda frame, _: pl.from_pandas(frame),
    "arrow": lambda frame, _: pl.from_pandas(frame).to_arrow(),
    "records": lambda frame, _: frame.to_dict("records"),
}


def ids(given: Any) -> list[str | None]:
    frame: Frame = source.read(given, ids=("id",))
    return frame.column("id").strings()


@pytest.mark.parametrize("form", SOURCES)
@pytest.mark.parametrize(
    "values",
    [[LARGE, LARGE + 1, LARGE + 2], ["7", "007", "1000"], ["2024-01", "2024-02", "2024-03"], ["1,000", "12 kg", "1e3"]],
    ids=["long numbers", "zeros in front", "months", "texts like numbers"],
)
def test_every_name_stays_what_it_is(form: str, values: list[Any], tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": values, "y": [1.0, 2.0, 3.0]})
    assert ids(SOURCES[form](frame, tmp_path)) == [str(value) for value in values]


@pytest.mark.parametrize("form", SOURCES)
def test_a_number_is_one_name_however_it_is_kept(form: str, tmp_path: Path) -> None:
    for values in (["7", "12"], [7, 12], [7.0, 12.0]):
        assert ids(SOURCES[form](pd.DataFrame({"id": values, "y": [1.0, 2.0]}), tmp_path)) == ["7", "12"]
    gaps = pd.DataFrame({"id": [7, None, 12], "y": [1.0, 2.0, 3.0]})
    assert ids(SOURCES[form](gaps, tmp_path)) == ["7", None, "12"]
    fractions = pd.DataFrame({"id": [7.0, 7.5], "y": [1.0, 2.0]})
    assert ids(SOURCES[form](fractions, tmp_path))[1] == "7.5"


def test_numbers_and_texts_of_one_column_are_the_same_names() -> None:
    rows = [{"id": 7}, {"id": "7"}, {"id": 7.0}, {"id": "7.0"}, {"id": "8"}]
    assert from_frame(rows, ids=("id",)).column("id").strings() == ["7", "7", "7", "7", "8"]


def test_days_are_named_without_a_clock(tmp_path: Path) -> None:
    days = pd.DataFrame({"id": pd.to_datetime(["2024-01-01", "2024-01-02"]), "y": [1.0, 2.0]})
    given = [days, _parquet(days, tmp_path), days.assign(id=days["id"].dt.date).to_dict("records")]
    for each in given:
        assert ids(each) == ["2024-01-01", "2024-01-02"]
    clock = [{"id": datetime.datetime(2024, 1, 1, 6)}]
    assert from_frame(clock, ids=("id",)).column("id").strings() == ["2024-01-01T06:00:00"]


@pytest.mark.parametrize(
    "values", [[5, 12, LARGE], ["7", "007", None], ["2024-01", "2024-02", "x"], [True, False, True]]
)
def test_a_table_has_one_fingerprint_however_its_names_are_read(values: list[Any], tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": values, "y": [1.0, 2.0, 3.0]})
    for given in (frame, _sql(frame, tmp_path)):
        plain, named = source.read(given), source.read(given, ids=("id",))
        assert plain.facts["sha256"] == named.facts["sha256"]


def test_no_name_is_said_to_be_no_number() -> None:
    frame = pd.DataFrame({"id": [*map(str, range(99)), "x"], "y": range(100)})
    assert source.read(frame).notes and not source.read(frame, ids=("id",)).notes
