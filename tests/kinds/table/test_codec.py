"""What a saved model accepts and answers: the same rows in any shape are the same inputs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from deepenough.errors import ModelError
from deepenough.kinds.table.codec import TableCodec
from deepenough.kinds.table.inputs import Table
from deepenough.kinds.table.task import TableTask, load
from deepenough.task import source
from deepenough.task.task import Question


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = 80
    return pd.DataFrame(
        {
            "size": rng.normal(size=rows).round(3),
            "floor": rng.integers(0, 5, rows),
            "town": rng.choice(["Köln", "Oslo", None], rows),
            "day": pd.date_range("2021-05-01", periods=rows).astype("datetime64[us]"),
            "open": rng.random(rows) < 0.5,
            "y": rng.choice(["no", "yes"], rows, p=[0.7, 0.3]),
        }
    )


@pytest.fixture(scope="module")
def task(frame: pd.DataFrame) -> TableTask:
    return load(frame, Question(target="y"))


@pytest.fixture(scope="module")
def codec(task: TableTask) -> TableCodec:
    return TableCodec.from_json(json.loads(json.dumps(TableCodec.of(task).to_json())))


def plain(table: Table) -> list[list[Any]]:
    """Cells by column, levels as words."""
    columns = []
    for column in table.columns:
        if column.values.dtype.kind == "f":
            columns.append([None if np.isnan(value) else value for value in column.values.tolist()])
        else:
            columns.append([None if code < 0 else column.levels[code] for code in column.values.tolist()])
    return columns


def test_json_and_back(task: TableTask, codec: TableCodec) -> None:
    assert codec == TableCodec.of(task)
    assert codec.classes == ("no", "yes")
    assert codec.example is not None
    assert set(codec.example) == {"size", "floor", "town", "day", "open"}


@pytest.mark.parametrize(
    "convert",
    [
        lambda frame: frame,
        pl.from_pandas,
        lambda frame: pa.Table.from_pandas(frame),
        lambda frame: pa.Table.from_pandas(frame).to_batches()[0],
        lambda frame: frame.astype(object).to_dict("records"),
        lambda frame: json.loads(frame.to_json(orient="records", date_format="iso")),
        lambda frame: frame.astype(str).replace("None", "NA"),
        lambda frame: frame.convert_dtypes(),
        lambda frame: frame.assign(town=frame["town"].astype("category"), day=frame["day"].dt.tz_localize("UTC")),
        lambda frame: frame[frame.columns[::-1]].assign(more=1),
        lambda frame: frame.drop(columns="y"),
        source.read,
    ],
)
def test_the_same_rows_in_any_shape_are_the_same_inputs(
    convert: Any, frame: pd.DataFrame, task: TableTask, codec: TableCodec
) -> None:
    assert plain(codec.encode(convert(frame))) == plain(task.table)


def test_one_row_alone_is_that_row(frame: pd.DataFrame, task: TableTask, codec: TableCodec) -> None:
    row = json.loads(frame.iloc[[7]].to_json(orient="records", date_format="iso"))[0]
    assert plain(codec.encode(row)) == plain(task.table.take(np.array([7])))


def test_one_row_needs_no_data_frame() -> None:
    program = """
import sys
from deepenough.kinds.table.codec import TableCodec
columns = [dict(name=n, role=r, reading="", levels=[]) for n, r in (("a", "number"), ("b", "category"), ("c", "date"))]
schema = dict(columns=columns, target="y", classes=[], written="number", positive=None, example=None)
TableCodec.from_json(schema).encode({"a": 1, "b": "x", "c": "2020-01-01"})
print(sorted({"pandas", "polars", "narwhals", "duckdb"} & set(sys.modules)))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_what_cannot_be_read_is_missing_and_new_levels_pass(codec: TableCodec) -> None:
    rows = [{"size": "big", "floor": None, "town": "Rome", "day": "someday", "open": "TRUE"}]
    assert plain(codec.encode(rows)) == [[None], [None], ["Rome"], [None], ["true"]]


def test_an_absent_column_is_named_with_the_nearest(codec: TableCodec, frame: pd.DataFrame) -> None:
    with pytest.raises(ModelError, match=r"'town' is missing.*Did you mean 'Town'"):
        codec.encode(frame.rename(columns={"town": "Town"}))
    with pytest.raises(ModelError, match=r"2 are missing: 'size', 'floor'"):
        codec.encode(frame.drop(columns=["size", "floor"]))


def test_what_holds_no_rows_is_refused(codec: TableCodec) -> None:
    with pytest.raises(ModelError, match="list of dicts"):
        codec.encode([1, 2])
    with pytest.raises(ModelError, match="int holds no rows"):
        codec.encode(7)


def test_a_damaged_schema_is_refused(codec: TableCodec) -> None:
    schema = codec.to_json()
    del schema["columns"]
    with pytest.raises(ModelError, match="schema"):
        TableCodec.from_json(schema)


def test_answers_come_as_the_source_wrote_them(codec: TableCodec) -> None:
    answer = codec.decode(np.array([[0.9, 0.1], [0.2, 0.8]]), None)
    assert answer.columns.tolist() == ["y", "probability_no", "probability_yes"]
    assert answer["y"].tolist() == ["no", "yes"]
    assert answer["probability_yes"].tolist() == [0.1, 0.8]


@pytest.mark.parametrize(
    ("values", "answers"), [([0, 1], [0, 1]), ([0.5, 2.5], [0.5, 2.5]), ([True, False], [False, True])]
)
def test_numbers_and_truth_values_are_answered_as_such(values: list[Any], answers: list[Any]) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=60), "y": rng.permutation((values[:1] * 2 + values[1:]) * 20)})
    codec = TableCodec.of(load(frame, Question(target="y", positive=str(answers[1]))))
    assert codec.decode(np.eye(2), None)["y"].tolist() == answers


def test_a_number_is_answered_in_one_column() -> None:
    frame = pd.DataFrame({"x": np.arange(60) % 7, "y": np.random.default_rng(0).normal(size=60)})
    answer = TableCodec.of(load(frame, Question(target="y"))).decode(np.array([1.0, 2.0]), None)
    assert answer.to_dict("list") == {"y": [1.0, 2.0]}


@pytest.mark.parametrize(
    "options", [{}, {"sep": ";", "decimal": ","}, {"encoding": "utf-16"}, {"sep": "\t", "date_format": "%d/%m/%Y"}]
)
def test_files_are_read_as_at_the_training(options: dict[str, Any], frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    frame.to_csv(path, index=False, **options)
    trained = load(path, Question(target="y"))
    codec = TableCodec.of(trained)
    parts = [plain(codec.encode(batch)) for batch in codec.batches(path, 33)]
    together = [[cell for part in parts for cell in part[place]] for place in range(len(parts[0]))]
    assert together == plain(trained.table)


@pytest.mark.parametrize(
    "options", [{"sep": ";", "decimal": ","}, {"date_format": "%d/%m/%Y"}, {"sep": "\t", "date_format": "%d.%m.%Y"}]
)
def test_files_may_be_written_otherwise_than_at_the_training(
    options: dict[str, Any], frame: pd.DataFrame, task: TableTask, codec: TableCodec, tmp_path: Path
) -> None:
    frame.to_csv(tmp_path / "rows.csv", index=False, **options)
    parts = [plain(codec.encode(batch)) for batch in codec.batches(tmp_path / "rows.csv", 33)]
    assert [[cell for part in parts for cell in part[place]] for place in range(len(parts[0]))] == plain(task.table)


def test_a_table_of_commas_may_ask_with_points(frame: pd.DataFrame, tmp_path: Path) -> None:
    commas, points = tmp_path / "commas.csv", tmp_path / "points.csv"
    frame.to_csv(commas, index=False, sep=";", decimal=",")
    frame.to_csv(points, index=False)
    trained = load(commas, Question(target="y"))
    codec = TableCodec.of(trained)
    batches = list(codec.batches(points, 100))
    assert plain(codec.encode(batches[0])) == plain(trained.table)
