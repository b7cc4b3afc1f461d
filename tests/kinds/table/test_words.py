"""A text column inside a table is used: where it alone decides, learners of both families find it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deepenough import kinds
from deepenough.kinds.table import task as tables
from deepenough.learner import Limits
from deepenough.task.task import Answer, Question

PLACES = ("garden and orchard", "harbour and quay", "tram stop around the corner", "quiet street by the school")
FITTINGS = ("oak floor", "tiled bath", "new kitchen", "open fireplace", "large cellar", "two balconies", "a pantry")


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prices that depend on what the advertisement says, beside columns that say nothing."""
    rng = np.random.default_rng(0)
    place, rows = rng.integers(0, len(PLACES), 600), []
    for where in place.tolist():
        said = rng.choice(FITTINGS, 3, replace=False).tolist()
        said.insert(int(rng.integers(0, 4)), PLACES[where])
        rows.append(f"House with {', '.join(said)}, free from month {rng.integers(1, 13)}.")
    columns = {"rooms": rng.integers(2, 8, 600), "plot": rng.normal(500, 90, 600), "advertisement": rows}
    path = tmp_path_factory.mktemp("houses") / "houses.csv"
    pd.DataFrame(columns | {"price": 100.0 * place + rng.normal(0, 20, 600)}).to_csv(path, index=False)
    return path


def test_a_table_with_a_text_column_stays_a_table_that_reads_it(houses: Path) -> None:
    question = Question("price")
    kind, _ = kinds.recognise(str(houses), question)
    assert kind.name == "table"
    roles = {column.name: column.role for column in tables.load(str(houses), question).table.columns}
    assert roles == {"rooms": "number", "plot": "number", "advertisement": "text"}


@pytest.mark.parametrize("name", ["linear", "lightgbm", "mlp"])
def test_what_the_text_says_is_learnt(houses: Path, name: str) -> None:
    task = tables.load(str(houses), Question("price"))
    entry = next(entry for entry in kinds.find_learners("table") if entry.name == name)
    model = entry.cls().fit(task.train(task.largest, 0, 0), Limits(threads=1), 0)
    explained = task.scores(Answer(task.largest, model.predict(task.inputs(0))), 0)["r2"]
    assert explained > 0.8, explained
