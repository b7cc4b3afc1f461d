"""Predictions as files: the same numbers in each, whole or not at all, no formula for a spreadsheet to run."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from deepenough.errors import OptionError
from deepenough.model.sinks import defused, opened

FRAME = pd.DataFrame({"answer": ["a", "=1+1", "ü,\n"], "share": [1 / 3, -1e-300, 2.0]})


def written(path: Path, *frames: pd.DataFrame) -> Path:
    with opened(path) as sink:
        for frame in frames:
            sink.write(frame)
    return path


def test_csv_keeps_every_digit_and_defuses(tmp_path: Path) -> None:
    again = pd.read_csv(written(tmp_path / "out.csv", FRAME, FRAME), float_precision="round_trip")
    assert again["share"].tolist() == FRAME["share"].tolist() * 2
    assert again["answer"].tolist() == ["a", "'=1+1", "ü,\n"] * 2


def test_parquet_keeps_everything_in_order(tmp_path: Path) -> None:
    frames = [pd.DataFrame({"row": np.arange(start, start + 500)}) for start in range(0, 5000, 500)]
    path = written(tmp_path / "it's.parquet", *frames)
    rows = duckdb.read_parquet(str(path)).fetchnumpy()["row"]
    assert rows.tolist() == list(range(5000))
    assert [each.name for each in tmp_path.iterdir()] == ["it's.parquet"]


def test_json_lines_keep_every_digit(tmp_path: Path) -> None:
    lines = written(tmp_path / "out.jsonl", FRAME).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["share"] for line in lines] == FRAME["share"].tolist()
    assert json.loads(lines[1])["answer"] == "=1+1"


def test_a_header_is_defused_too(tmp_path: Path) -> None:
    path = written(tmp_path / "out.csv", pd.DataFrame({"=cmd": [1]}))
    assert path.read_text().splitlines()[0] == "'=cmd"


@pytest.mark.parametrize("value", ["=1", "+a", "-a", "@a", "\ta", "\ra", "=HYPERLINK(1)"])
def test_what_looks_like_a_formula_gets_an_apostrophe(value: str) -> None:
    assert defused(value) == "'" + value


@pytest.mark.parametrize("value", ["a", "", "-1", "+2.5e3", "a=b", -1, -0.5, None, True])
def test_all_else_stays(value: object) -> None:
    assert defused(value) is value


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_an_error_on_the_way_leaves_nothing_new(tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out.{ending}"
    out.write_text("before")
    with pytest.raises(RuntimeError), opened(out) as sink:
        sink.write(FRAME)
        raise RuntimeError("half way")
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    assert out.read_text() == "before"


def test_another_ending_is_refused_with_those_that_work(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.csv, \.parquet, \.jsonl"), opened(tmp_path / "out.xlsx"):
        pass


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="does not exist"), opened(tmp_path / "no" / "out.csv"):
        pass
