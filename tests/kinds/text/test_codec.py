"""What a saved model of documents accepts: strings, dicts, frames, files, folders; a missing text is an empty one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from deepenough.errors import ModelError
from deepenough.kinds.text.codec import TextCodec
from deepenough.kinds.text.task import load
from deepenough.kinds.text.toys import topics
from deepenough.task.task import Question

CODEC = TextCodec.of(topics())
TWO = TextCodec(("title", "body"), "kind", ("a", "b"))


def test_the_schema_is_plain_json_with_an_example() -> None:
    schema = json.loads(json.dumps(CODEC.to_json()))
    assert TextCodec.from_json(schema) == CODEC
    assert list(schema["example"]) == ["message"]


@pytest.mark.parametrize("form", ["frame", "moments", "csv", "parquet", "records"])
def test_cells_of_named_columns_are_read_for_learning_as_for_answers(tmp_path: Path, form: str) -> None:
    """Dates, prices and words for nothing: a model must not learn what no row will ever say."""
    days = pd.date_range("2024-01-01", periods=60)
    frame = pd.DataFrame(
        {
            "said": [f"word{i} and word{i % 7}" if i % 9 else "n/a" for i in range(60)],
            "day": days if form == "moments" else days.astype(str),
            "price": [f"${1000 + i:,}.50" for i in range(60)],
            "ok": ["Yes", "No"] * 30,
            "kind": list("ab") * 30,
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    files = {"csv": str(tmp_path / "t.csv"), "parquet": str(tmp_path / "t.parquet")}
    source = files.get(form, frame.to_dict("records") if form == "records" else frame)
    made = load(source, Question("kind", options={"text": ("said", "day", "price", "ok")}))
    codec = TextCodec.of(made)
    (rows,) = codec.batches(source, 100)
    learnt = made.all_inputs.texts
    assert learnt[1] == "word1 and word1\n\n2024-01-02\n\n$1,001.50\n\nNo"
    assert learnt[0] == "2024-01-01\n\n$1,000.50\n\nYes"
    assert codec.encode(rows).texts == learnt


@pytest.mark.parametrize(
    "rows",
    [
        ["one", "two"],
        [{"message": "one"}, {"message": "two", "more": 3}],
        pd.DataFrame({"more": [1, 2], "message": ["one", "two"]}),
        pl.DataFrame({"message": ["one", "two"]}),
        pd.Series(["one", "two"]),
        pl.Series(["one", "two"]),
        np.array(["one", "two"]),
    ],
)
def test_rows_of_any_shape_are_read_alike(rows: object) -> None:
    assert CODEC.encode(rows).texts == ("one", "two")


def test_one_string_and_one_dict_are_a_batch_of_one() -> None:
    assert CODEC.encode("one").texts == CODEC.encode({"message": "one"}).texts == ("one",)


def test_what_is_missing_is_empty_and_what_is_no_text_is_written_as_one() -> None:
    assert CODEC.encode([{"message": None}, {"message": float("nan")}, {"message": 7}, {}]).texts == ("", "", "7", "")
    assert CODEC.encode(pd.Series(["one", None, np.nan])).texts == ("one", "", "")
    assert CODEC.encode([]).texts == ()


def test_several_columns_are_joined_as_in_training() -> None:
    assert TWO.encode([{"body": "b", "title": "t"}, {"body": "b", "title": ""}]).texts == ("t\n\nb", "b")


def test_an_absent_column_is_named_with_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"'message' is missing from the rows.*Did you mean 'mesage'"):
        CODEC.encode([{"mesage": "one"}])
    with pytest.raises(ModelError, match="holds no texts"):
        CODEC.encode(7)


def test_files_and_folders_are_read_in_batches(tmp_path: Path) -> None:
    pd.DataFrame({"message": [f"text {place}" for place in range(25)]}).to_csv(tmp_path / "a.csv", index=False)
    read = [text for batch in CODEC.batches(str(tmp_path / "a.csv"), 10) for text in CODEC.encode(batch).texts]
    assert read == [f"text {place}" for place in range(25)]
    (tmp_path / "in" / "b").mkdir(parents=True)
    (tmp_path / "in" / "1.txt").write_bytes("ä".encode("cp1252"))
    (tmp_path / "in" / "b" / "2.txt").write_text("two")
    batches = list(CODEC.batches(tmp_path / "in", 10))
    inputs = CODEC.encode(batches[0])
    assert inputs.texts == ("ä", "two")
    answers = CODEC.decode(np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]), inputs)
    assert answers.iloc[:, :2].to_numpy().tolist() == [["1.txt", "delivery"], ["b/2.txt", "quality"]]
    assert CODEC.decode(np.array([[0.7, 0.2, 0.1]]), inputs.take(np.array([1]))).loc[0, "file"] == "b/2.txt"
    assert not CODEC.unread(batches[0], inputs)
    (tmp_path / "in" / "3.txt").write_bytes(b"no\0text")
    (batch,) = CODEC.batches(tmp_path / "in", 10)
    assert CODEC.encode(batch).texts == ("ä", "", "two")
    assert CODEC.unread(batch, CODEC.encode(batch)) == {"file": 1}
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"holds no \.txt files"):
        list(CODEC.batches(tmp_path / "empty", 10))


def test_answers_come_with_their_probabilities() -> None:
    answers = CODEC.decode(np.array([[0.7, 0.2, 0.1]]), CODEC.encode("x"))
    assert answers.columns[0] == "answer" and answers.iloc[0, 0] == "delivery"
