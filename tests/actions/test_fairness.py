"""A run's model held against the groups of a column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough.actions.fairness import OTHERS, UNKNOWN, fairness, groups_of, sentences
from deepenough.cli import main
from deepenough.errors import ColumnError, OptionError
from deepenough.task import frame as frames


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Loans: the town's people are asked about by a score that says more of them than is true of them."""
    folder, rng = tmp_path_factory.mktemp("fair"), np.random.default_rng(0)
    place = rng.choice(["town", "land"], 800, p=[0.4, 0.6])
    score = rng.normal(0, 1, 800)
    odds = 1.5 * score - 1.5 * (place == "town")
    paid = np.where(rng.random(800) < 1 / (1 + np.exp(-odds)), "yes", "no")
    loans = pd.DataFrame({"place": place, "score": score, "age": rng.integers(18, 80, 800), "paid": paid})
    loans.to_csv(folder / "loans.csv", index=False)
    only = ("linear", "mlp")
    deepenough.race(folder / "loans.csv", "paid", budget="8trials", drop=("place",), only=only, out=folder / "run")
    return folder / "run"


def test_a_group_that_the_model_does_not_see_is_measured_and_said(run: Path) -> None:
    told = fairness(run, "place", positive="yes", value="tp=10, fp=-10")
    groups = {group["name"]: group["measures"] for group in told["groups"]}
    assert set(groups) == {"town", "land"}
    assert groups["town"]["said_too_much"]["value"] > 0.05 > -0.05 > groups["land"]["said_too_much"]["value"]
    assert groups["town"]["said_too_much"]["differs"]
    assert any(line.startswith("place = town: the model says") for line in sentences(told))


def test_a_column_that_tells_nothing_is_said_to_tell_nothing(run: Path) -> None:
    told = fairness(run, "age", positive="yes")
    assert len(told["groups"]) == 4 and sum(group["units"] for group in told["groups"]) == told["units"]
    assert "nothing differs" in sentences(told)[0]


def test_the_command(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fairness", str(run), "--by", "place", "--positive", "yes"]) == 0
    printed = capsys.readouterr().out
    assert "said too much" in printed and "town" in printed and "* differs" in printed
    assert main(["fairness", str(run), "--by", "place", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["by"] == "place"


def test_what_can_not_be_compared_is_said(run: Path) -> None:
    with pytest.raises(ColumnError, match="--by 'plac'"):
        fairness(run, "plac")
    with pytest.raises(OptionError, match="known to `act` alone"):
        fairness(run, "place", value="tp=amount, fp=-1")


def test_dates_are_written_as_dates() -> None:
    def named(moments: Any) -> tuple[list[int], list[str]]:
        codes, names = groups_of(frames.from_frame(pd.DataFrame({"x": moments})).column("x"))
        return np.bincount(codes).tolist(), names

    days = pd.date_range("1969-12-01", periods=100, freq="D")
    parts = ["up to 1969-12-25", "1969-12-25 to 1970-01-19", "1970-01-19 to 1970-02-13", "above 1970-02-13"]
    assert named(days) == ([25] * 4, parts)
    assert named(np.repeat(days[30:32], 50)) == ([50, 50], ["1969-12-31", "1970-01-01"])
    hours = np.repeat(pd.to_datetime(["2024-05-01 06:00", "2024-05-01 18:30"]), 50)
    assert named(hours) == ([50, 50], ["2024-05-01 06:00:00", "2024-05-01 18:30:00"])


def test_small_groups_are_put_together_and_missing_is_a_group() -> None:
    words = ["a"] * 40 + ["b"] * 30 + ["c"] * 3 + ["d"] * 2 + [None] * 25
    codes, names = groups_of(frames.from_frame(pd.DataFrame({"x": words})).column("x"))
    assert names == ["a", "b", UNKNOWN, OTHERS]
    assert np.bincount(codes).tolist() == [40, 30, 25, 5]
    with pytest.raises(OptionError, match="no two groups"):
        groups_of(frames.from_frame(pd.DataFrame({"x": ["a"] * 90})).column("x"))
