"""The other splits that a table suggests, and that they keep groups, time and copies apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough.kinds.table import other_splits
from deepenough.kinds.table.task import TableTask
from deepenough.task.task import OtherSplit
from tests.kinds.table.test_task import frame as plain
from tests.kinds.table.test_task import made as made_of


def frame() -> pd.DataFrame:
    return plain().rename(columns={"owner": "customer"})


def made(data: pd.DataFrame | None = None, **question: Any) -> TableTask:
    return made_of(frame() if data is None else data, **question)


def _by(task: TableTask) -> dict[str, OtherSplit]:
    return {split.splitting: split for split in task.other_splits()}


def test_groups_and_dates_are_found_where_the_race_split_at_random() -> None:
    found = _by(made())
    assert {name: split.by for name, split in found.items()} == {"group": "customer", "time": "day"}


@pytest.mark.parametrize(
    ("question", "there"), [({"group": "customer"}, {"random", "time"}), ({"time": "day"}, {"random", "group"})]
)
def test_the_races_own_way_is_not_asked_again(question: dict[str, Any], there: set[str]) -> None:
    assert set(_by(made(**question))) == there


def test_no_group_is_on_both_sides_and_its_column_is_no_input() -> None:
    task = made()
    other = _by(task)["group"].make()
    assert isinstance(other, TableTask)
    customers = np.asarray(task.raw["customer"].values)
    for fold in other.splits.folds:
        assert not set(customers[fold.order]) & set(customers[fold.judged])
    assert "customer" not in other.table.parts() and "customer" in task.table.parts()
    assert other.splitting == "group" and task.splitting == "random"


def test_what_is_judged_comes_later() -> None:
    task = made()
    other = _by(task)["time"].make()
    assert isinstance(other, TableTask)
    days = np.asarray(task.raw["day"].values)
    for fold in other.splits.folds:
        assert days[fold.order].max() < days[fold.judged].min()


def test_copies_stay_on_one_side() -> None:
    doubled = pd.concat([frame(), frame()], ignore_index=True)
    task = made(doubled, time="day")
    other = _by(task)["random"].make()
    assert isinstance(other, TableTask)
    for fold in other.splits.folds:
        assert not set(fold.order % 200) & set(fold.judged % 200)


def test_a_column_that_one_value_rules_or_that_names_rows_groups_nothing() -> None:
    data = frame().drop(columns=["customer", "day"])
    assert _by(made(data)) == {}
    assert _by(made(data.assign(code=np.where(np.arange(200) < 80, "most", [f"c{i % 15}" for i in range(200)])))) == {}
    assert _by(made(data.assign(code=[f"c{i}" for i in range(200)]))) == {}
    assert _by(made(data.assign(code=[f"c{i % 15}" for i in range(200)])))["group"].by == "code"


def test_one_that_sounds_like_an_owner_comes_before_one_with_more_values() -> None:
    data = frame().assign(code=[f"c{i % 40}" for i in range(200)])
    assert _by(made(data))["group"].by == "customer"


def test_labels_of_what_is_judged_stay_out_of_its_jobs() -> None:
    other = other_splits.resplit(made(), group="customer")
    job = other.job(40, 0, 1)
    assert len(job.arrays["targets"]) == 40
    assert len(other.truth(0)) == len(other.units(0).ids)
