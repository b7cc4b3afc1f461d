"""A person's own test: read as a served table, never learnt from, scored after the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

import deepenough
from deepenough.errors import ColumnError, OptionError, SourceError, TargetError
from deepenough.evidence import read
from deepenough.judge import held_out as judging
from deepenough.judge.metrics import find
from deepenough.kinds import find as find_kinds
from deepenough.report.text import test_sentence as sentence
from deepenough.task.task import HeldOut, Question


def frame(rows: int = 160, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    size, town = rng.normal(size=rows), rng.choice(["a", "b", "c"], rows)
    late = size + (town == "a") + 0.7 * rng.normal(size=rows) > 0.5
    return pd.DataFrame({"size": size, "town": town, "owner": rng.integers(0, 30, rows), "y": np.where(late, "l", "i")})


def held(test: Any, data: pd.DataFrame | None = None, **question: Any) -> HeldOut:
    asked = Question(**{"target": "y", "test": test, **question})
    found = find_kinds()["table"].load(frame() if data is None else data, asked).held_out()
    assert found is not None
    return found


def test_columns_are_found_by_name_in_any_order() -> None:
    test = frame(40, seed=1)
    found = held(test[["y", "town", "owner", "size"]].assign(more=1))
    assert [column.name for column in found.inputs.columns] == ["size", "town", "owner"]
    assert np.array_equal(found.inputs.columns[0].values, test["size"])
    assert np.array_equal(found.truth == found.truth[0], (test["y"] == test["y"][0]).to_numpy())


def test_a_file_is_read_in_its_own_style(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_text("size;town;owner;y\n1,5;a;3;l\n-0,5;new;4;i\n2,5;b;5;l\n")
    found = held(path)
    assert np.array_equal(found.inputs.columns[0].values, [1.5, -0.5, 2.5])
    assert found.name == "test.csv"


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda test: test.drop(columns="town"), ColumnError, "--test DataFrame lacks 'town'"),
        (lambda test: test[["y", "owner"]], ColumnError, r"lacks 'size' and 1 more \('town'\)"),
        (lambda test: test.drop(columns="y"), ColumnError, "lacks the target 'y'"),
        (lambda test: test.assign(y="other"), TargetError, "0 rows have a 'y' that the race knows"),
    ],
)
def test_what_cannot_be_tested_on_is_refused(change: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        held(change(frame(30, seed=1)))


def test_a_test_that_is_not_there_is_refused() -> None:
    with pytest.raises(SourceError, match="not there"):
        held("no/test.csv")


def test_rows_without_a_known_answer_are_set_aside() -> None:
    test = frame(30, seed=1)
    test.loc[:4, "y"] = None
    test.loc[5:6, "y"] = "never seen"
    found = held(test)
    assert len(found.truth) == len(found.inputs) == 23
    assert any("2 rows" in note and "'never seen'" in note for note in found.notes)
    assert any("5 rows" in note for note in found.notes)


def test_rows_that_are_raced_too_are_counted() -> None:
    data = frame()
    flags = held(pd.concat([data[:20], frame(30, seed=1)]), data).flags
    assert [flag["flag"] for flag in flags] == ["test_overlap"]
    assert "20 of the 50 rows" in flags[0]["reason"]
    assert held(frame(30, seed=1), data).flags == ()


def test_weights_and_groups_of_the_test_count() -> None:
    data, test = frame().assign(w=2.0), frame(30, seed=1).assign(w=np.arange(30.0))
    found = held(test, data, weights="w", group="owner")
    assert found.weights is not None
    assert len(found.truth) == 29
    assert np.allclose(found.weights / found.weights[0], np.arange(1, 30))
    assert found.clusters is not None
    assert len(np.unique(found.clusters)) == test["owner"][1:].nunique()
    without = held(frame(30, seed=1), data, weights="w")
    assert without.weights is not None
    assert (without.weights == 1).all()
    assert any("every row counts the same" in note for note in without.notes)


def test_numbers_are_tested_on_too() -> None:
    test = frame(30, seed=1)
    assert np.allclose(held(test, target="size").truth, test["size"])


def test_the_gap_on_a_test_knows_rows_and_fits() -> None:
    rng = np.random.default_rng(0)
    metric = find("mae", None)
    common = rng.exponential(size=300)
    first = np.stack([common + 0.3 + 0.05 * rng.normal(size=300) for _ in range(3)])[:, :, None]
    second = np.stack([common + 0.05 * rng.normal(size=300) for _ in range(2)])[:, :, None]
    sides = {"classical": judging.Tested("a", first), "deep": judging.Tested("b", second)}
    found = judging.gap(metric, sides, np.arange(300), 1.0)
    assert found is not None
    assert found["low"] < 0.3 < found["high"]
    assert found["low"] > 0.2
    shaken = judging.Tested("b", second + np.array([0.2, -0.2])[:, None, None])
    wider = judging.gap(metric, sides | {"deep": shaken}, np.arange(300), 1.0)
    assert wider is not None
    assert wider["high"] - wider["low"] > 2 * (found["high"] - found["low"])
    assert judging.gap(metric, {"deep": shaken}, np.arange(300), 1.0) is None


@pytest.mark.parametrize(
    ("low", "high", "verdict", "expected"),
    [(0.1, 0.3, 0.2, "agrees"), (0.1, 0.3, -0.2, "contradicts"), (-0.1, 0.3, 0.2, "open"), (0.1, 0.2, None, "open")],
)
def test_a_test_agrees_contradicts_or_leaves_it_open(
    low: float, high: float, verdict: float | None, expected: str
) -> None:
    assert judging.agreement({"low": low, "high": high}, verdict) == expected


def test_a_race_scores_its_test_and_what_it_hands_over(tmp_path: Path) -> None:
    data, test = frame(), frame(80, seed=1)
    out = tmp_path / "run"
    race = deepenough.race(data, "y", budget="10trials", only=["linear", "mlp"], test=test, out=out, seed=3)
    told = race.facts["test"]
    assert (told["name"], told["rows"], told["reason"]) == ("DataFrame", 80, "")
    answers = race.model.predict(test)
    expected = log_loss(test["y"], answers[["probability_i", "probability_l"]].to_numpy())
    assert told["model"]["loss"] == pytest.approx(expected, abs=1e-5)
    assert told["classical"]["contender"] == race.verdict.classical.contender
    assert told["deep"]["models"] == race.verdict.folds
    assert told["gap"]["low"] < told["gap"]["value"] < told["gap"]["high"]
    assert told["gap"]["value"] == pytest.approx(told["classical"]["loss"] - told["deep"]["loss"])
    assert "Your test (DataFrame, 80 rows)" in str(race)
    without = deepenough.race(data, "y", budget="10trials", only=["linear", "mlp"], out=tmp_path / "other", seed=3)
    assert without.verdict == race.verdict  # a test changes nothing else
    assert without.facts["test"] is None
    assert sentence(without.facts) == ""
    assert read(out).plan.question["test"] == {"frame": "DataFrame"}
    with pytest.raises(SourceError, match="test=frame"):
        deepenough.resume(out, source=data)


def test_a_kind_that_knows_no_test_refuses_it() -> None:
    from deepenough.racing.planning import refuse_unheeded
    from tests.stubs import StubSupervised

    with pytest.raises(OptionError, match="--test is not known"):
        refuse_unheeded(Question(test="x.csv"), StubSupervised(), "stub")
