"""What rows of a table can be told apart by: its columns, as they are, and texts by their length."""

from __future__ import annotations

import numpy as np
import pandas as pd

from deepenough.judge.traits import Trait
from deepenough.kinds.table import traits
from deepenough.kinds.table.inputs import Column, Table
from tests.kinds.table.test_task import frame, made

TABLE = Table(
    (
        Column("size", "number", np.array([1.0, np.nan, 3.0])),
        Column("town", "category", np.array([1, -1, 0], dtype=np.int32), ("a", "b")),
        Column("day", "date", np.array([0.0, 86400.0, np.nan])),
        Column("letter", "text", np.array([0, -1, 1], dtype=np.int32), ("dear all", "to whom it may concern")),
    )
)


def _by_name(found: object) -> dict[str, Trait]:
    return {trait.name: trait for trait in found}  # type: ignore[attr-defined]  # any traits


def test_each_column_is_a_trait_in_its_own_form() -> None:
    found = _by_name(traits.of(TABLE))
    assert [(name, trait.form) for name, trait in found.items()] == [
        ("size", "number"),
        ("town", "category"),
        ("day", "date"),
        ("letters of letter", "number"),
    ]
    assert found["town"].levels == ("a", "b") and found["letters of letter"].levels == ()


def test_what_is_missing_is_missing_in_every_form() -> None:
    found = _by_name(traits.of(TABLE))
    assert found["size"].missing.tolist() == found["town"].missing.tolist() == [False, True, False]
    assert found["day"].missing.tolist() == [False, False, True]
    assert found["letters of letter"].missing.tolist() == [False, True, False]
    assert found["letters of letter"].values[[0, 2]].tolist() == [8.0, 22.0]


def test_they_are_those_of_the_judged_rows_in_their_order() -> None:
    data = frame()
    task = made(data.assign(note=[f"the {'very ' * (row % 7)} long story of row {row}" for row in range(len(data))]))
    for fold in range(task.folds):
        found, ids = _by_name(task.traits(fold)), task.units(fold).ids
        assert np.allclose(found["size"].values, data["size"].to_numpy()[ids])
        towns = [found["town"].levels[code] for code in found["town"].values]
        assert towns == data["town"].to_numpy()[ids].tolist()
        days = pd.to_datetime(found["day"].values, unit="s")
        assert (days == data["day"].to_numpy()[ids]).all()
        assert "letters of note" in found and "y" not in found, "the answer is no trait"


def test_every_fold_has_the_same_traits() -> None:
    task = made()
    forms = {tuple((t.name, t.form, t.levels) for t in task.traits(fold)) for fold in range(task.folds)}
    assert len(forms) == 1
