"""What is taken for whole series, and what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from deepenough.kinds import find, recognise
from deepenough.kinds.series import Series, cells, sources, task
from deepenough.task.task import Question
from tests.kinds.series.drawn import lists, rows


def recognised(source: Any, **question: Any) -> str:
    return Series().recognise(source, Question(**{"target": "kind", **question}))


def test_lists_of_numbers_are_series_in_every_form(tmp_path: Path) -> None:
    frame = lists()
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    frame.assign(wave=[";".join(map(str, row)) for row in frame["wave"]]).to_csv(tmp_path / "a.csv", index=False)
    frame.assign(wave=[json.dumps(row) for row in frame["wave"]]).to_csv(tmp_path / "b.csv", index=False)
    arrays = frame.assign(wave=[np.array(row) for row in frame["wave"]])
    sources_of_it = [tmp_path / name for name in ("a.parquet", "a.jsonl", "a.csv", "b.csv")]
    first = task.load(frame, Question(target="kind")).signals.values
    for source in [*sources_of_it, arrays, pl.from_pandas(frame), frame.to_dict("records")]:
        assert "'wave'" in recognised(source), source
        kind, _ = recognise(source, Question(target="kind"), [find()["table"], find()["series"]])
        assert kind.name == "series"
        assert np.array_equal(task.load(source, Question(target="kind")).signals.values, first), source


def test_what_is_no_series_is_left_to_others(tmp_path: Path) -> None:
    plain = pd.DataFrame({"x": range(50), "words": ["some words, and more"] * 50, "kind": ["a", "b"] * 25})
    assert not recognised(plain)
    tags = plain.assign(tags=[[1, 2, 3]] * 50)
    assert not recognised(tags), "three numbers are no series"
    assert not recognised(plain.assign(words=[["a"] * 20] * 50)), "lists of words are none"
    assert not recognised(lists(), target=None)
    assert not recognised(lists(), options={"horizon": 3})
    assert not recognised(lists(), options={"text": ("id",)})
    assert not recognised(object())
    assert not recognised(tmp_path)
    assert not recognised(tmp_path / "absent.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    assert not recognised(tmp_path / "broken.parquet")


def test_rows_are_series_where_a_person_says_so() -> None:
    named = {"series": ("id",)}
    assert not recognised(rows())
    assert "'id'" in recognised(rows(), options=named)
    assert not recognised(rows(), options={**named, "horizon": 5}), "that is another question"


def test_columns_that_a_person_names_hold_the_series() -> None:
    frame = lists().assign(other=[[0.0] * 20] * 60, short=[[1.0, 2.0]] * 60)
    question = Question(target="kind", options={"series": ("short", "id")})
    assert sources.listed(sources.head(frame, question), question) == ("short",)
    assert sources.listed(sources.head(frame, question), Question(target="kind")) == ("wave", "other")
    assert task.load(frame, question).signals.names[:2] == ("s0", "s1")


@pytest.mark.parametrize(
    ("cell", "numbers", "strange"),
    [
        ("[0.5, 1, -2e3]", [0.5, 1, -2000], 0),
        ("0,5;1;2,25", [0.5, 1, 2.25], 0),
        ("1|2||3", [1, 2, np.nan, 3], 0),
        ("1 2\t3", [1, 2, 3], 0),
        ("[1, NULL, nan, null, inf]", [1, np.nan, np.nan, np.nan, np.nan], 0),
        ("[]", [], 0),
        ("", [], 0),
        (None, [], 0),
        (float("nan"), [], 0),
        ("[1, two, 3]", [1, np.nan, 3], 1),
        ([1, None, 2.5], [1, np.nan, 2.5], 0),
        ([1, "2", "x", {}], [1, 2, np.nan, np.nan], 2),
        (np.array([1, 2], dtype=np.int8), [1, 2], 0),
        (np.array([1.0, np.inf]), [1, np.nan], 0),
        ([10**400, 1], [np.nan, 1], 0),
        ([[1, 2], [3, 4]], [np.nan, np.nan], 2),
        (7, [7], 0),
    ],
)
def test_cells(cell: Any, numbers: list[float], strange: int) -> None:
    found, odd = cells.parsed(cell)
    assert np.array_equal(found, np.array(numbers, dtype=float), equal_nan=True)
    assert odd == strange
