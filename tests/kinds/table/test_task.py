"""From a file and a question to a task: raced or refused with a reason, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepenough.errors import ColumnError, DeepenoughError, OptionError, SourceError, TargetError
from deepenough.kinds import find, recognise
from deepenough.kinds.table.inputs import Table
from deepenough.kinds.table.task import TableTask, load
from deepenough.task.task import Answer, Question


def frame(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    size = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "size": size,
            "weight": rng.normal(size=rows),
            "town": rng.choice(["a", "b", "c"], rows),
            "day": pd.date_range("2022-01-01", periods=rows).astype("datetime64[us]"),
            "owner": rng.integers(0, 20, rows),
            "y": np.where(size + rng.normal(size=rows) > 0.5, "late", "in time"),
        }
    )


def made(data: pd.DataFrame | None = None, **question: Any) -> TableTask:
    return load(frame() if data is None else data, Question(**{"target": "y", **question}))


def test_a_job_holds_no_label_of_what_is_judged() -> None:
    task = made()
    job = task.job(64, 0, 1)
    assert len(job.arrays["targets"]) == 64
    assert not any("y" in name.split(".") for name in job.arrays)
    judged = Table.from_arrays({name[6:]: array for name, array in job.arrays.items() if name.startswith("judge.")})
    assert len(judged) == len(task.truth(0))
    assert "y" not in [column.name for column in judged.columns]
    assert json.dumps(job.facts)
    assert job.facts["n_classes"] == 2


def test_rungs_are_nested_and_trained_on_other_rows_than_judged() -> None:
    task = made()
    for fold in range(task.folds):
        small, large = task.train(40, fold, 0), task.train(120, fold, 0)
        assert np.array_equal(small.targets, large.targets[:40])
        assert len(small.inner) >= 10
        assert not set(task.splits.folds[fold].order) & set(task.units(fold).ids)


def test_the_parent_scores() -> None:
    task = made()
    truth = task.truth(0)
    perfect, blind = np.eye(2)[truth], np.full((len(truth), 2), 0.5)
    assert task.scores(Answer(64, perfect), 0)["accuracy"] == 1.0
    assert task.scores(Answer(64, blind), 0)["log_loss"] == pytest.approx(np.log(2))
    records = task.records(Answer(64, blind), 0)
    assert records is not None
    assert len(records) == len(truth)


def test_everything_holds_all_rows_and_inner_ones_of_them() -> None:
    task = made()
    examples = task.everything(0)
    assert len(examples) == task.rows == 200
    assert 25 <= len(examples.inner) <= 35


def test_facts_for_the_plan_are_plain() -> None:
    task = made()
    text = json.dumps([task.question_facts, task.source, task.set_aside, task.notes, task.flags, task.describe()])
    assert "'y' is predicted as classes" in text
    assert (task.rows, task.columns, task.folds, task.judging, task.splitting) == (200, 5, 5, "folds", "random")
    assert task.question_facts["positive"] == "late"
    assert len(task.source["sha256"]) == 64


def test_dropped_group_and_unusable_columns_are_set_aside_with_reasons() -> None:
    data = frame().assign(row_id=range(200), nothing=None, same="x")
    task = made(data, drop=["weight"], group="owner")
    reasons = {item["name"]: item["reason"] for item in task.set_aside}
    assert set(reasons) == {"weight", "owner", "row_id", "nothing", "same"}
    assert [column.name for column in task.table.columns] == ["size", "town", "day"]
    assert task.splitting == "group"
    owners = data["owner"].to_numpy()
    for fold in task.splits.folds:
        assert not set(owners[fold.order]) & set(owners[fold.judged])


def test_time_is_honoured_and_stays_an_input() -> None:
    task = made(time="day")
    assert task.splitting == "time"
    assert "day" in [column.name for column in task.table.columns]
    for fold in task.splits.folds:
        assert fold.order.max() < fold.judged.min()


def test_a_leak_is_set_aside_and_the_race_not_trusted() -> None:
    data = frame()
    task = made(data.assign(result=(data["y"] == "late") * 1.0))
    assert [flag["flag"] for flag in task.flags if flag["severity"] == "distrust"] == ["leak"]
    assert "result" in [item["name"] for item in task.set_aside]
    assert "result" not in [column.name for column in task.table.columns]


def test_copies_stand_on_one_side_and_are_flagged() -> None:
    data = frame(150).sample(400, replace=True, random_state=0).reset_index(drop=True)
    task = made(data)
    assert "duplicates" in [flag["flag"] for flag in task.flags]
    sizes = data["size"].to_numpy()
    for fold in task.splits.folds:
        assert not set(sizes[fold.order]) & set(sizes[fold.judged])


def test_few_groups_are_not_trusted() -> None:
    task = made(frame().assign(owner=lambda data: data["owner"] % 4), group="owner")
    assert "few_groups" in [flag["flag"] for flag in task.flags]


@pytest.mark.parametrize("rows", [10, 12, 20, 49])
@pytest.mark.parametrize("target", ["y", "size"])
def test_few_rows_are_raced_with_a_flag(rows: int, target: str) -> None:
    task = made(frame(rows, seed=1), target=target)
    assert [flag["flag"] for flag in task.flags if flag["severity"] == "distrust"] == ["too_few"]
    assert task.folds >= 2
    for fold in range(task.folds):
        examples = task.train(task.largest, fold, 0)
        assert 0 < len(examples.inner) < len(examples)
        assert len(task.truth(fold)) > 0


def test_missing_groups_are_groups_of_their_own() -> None:
    data = frame()
    data["owner"] = data["owner"].astype(float).where(data["owner"] > 9)
    task = made(data, group="owner")
    assert len(np.unique(task.splits.clusters)) == 10 + int(data["owner"].isna().sum())


@pytest.mark.parametrize(
    ("question", "error", "words"),
    [
        ({"target": None}, OptionError, "--target"),
        ({"target": "Y"}, ColumnError, "Did you mean 'y'"),
        ({"drop": ["sizes"]}, ColumnError, "--drop 'sizes'"),
        ({"group": "ownr"}, ColumnError, "--group 'ownr'.*'owner'"),
        ({"time": "dya"}, ColumnError, "--time 'dya'"),
        ({"time": "town"}, OptionError, "holds words"),
        ({"metric": "rmse"}, OptionError, "rmse"),
        ({"target": "size", "metric": "auc"}, TargetError, "200 different numbers"),
        ({"target": "day"}, TargetError, "is a date"),
        ({"drop": ["size", "weight", "town", "day", "owner"]}, SourceError, "No column is left"),
    ],
)
def test_questions_that_do_not_fit_are_refused(question: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        made(**question)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(TargetError, match="at least 6"):
        made(pd.DataFrame({"x": [1, 2, 3, 4], "y": ["a", "b", "a", "b"]}))


def test_the_kind_is_recognised_with_a_reason(tmp_path: Path) -> None:
    question = Question(target="y")
    kind = find()["table"]
    assert ".csv" in kind.recognise("not/there.csv", question)
    assert ".csv" in kind.recognise(tmp_path / "data.csv.gz", question)
    assert "DataFrame" in kind.recognise(frame(), question)
    (tmp_path / "bare").write_text("a;b;y\n1;2;3\n4;5;6\n")
    (tmp_path / "prose").write_text("It was a dark night.\nThe rain fell, and fell; then it stopped.\n")
    assert kind.recognise(tmp_path / "bare", question)
    assert not kind.recognise(tmp_path / "prose", question)
    assert not kind.recognise(tmp_path, question)
    assert not kind.recognise(object(), question)
    assert recognise(frame(), question)[0].name == "table"


cells = st.one_of(
    st.none(), st.text(max_size=8), st.integers(-5, 5), st.floats(), st.booleans(), st.sampled_from(["a", "b", "1,5"])
)


@settings(max_examples=60)
@given(st.lists(st.fixed_dictionaries({"a": cells, "b": cells, "y": cells}), min_size=1, max_size=30))
def test_whatever_the_cells_it_is_raced_or_refused(rows: list[dict[str, Any]]) -> None:
    try:
        task = load(rows, Question(target="y"))
    except DeepenoughError as error:
        assert str(error)
        return
    for fold in range(task.folds):
        assert task.job(task.largest, fold, 0).arrays["targets"].size == task.largest
    assert json.dumps(task.describe())


@settings(max_examples=40)
@given(st.binary(min_size=1, max_size=400))
def test_whatever_the_bytes_a_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "data.csv"
    path.write_bytes(content)
    try:
        load(path, Question(target="y"))
    except DeepenoughError as error:
        assert str(error)
