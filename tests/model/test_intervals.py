"""Intervals hold what they promise on rows that gave them nothing, and refuse what they can't."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough import cli
from deepenough.errors import ModelError, OptionError
from deepenough.model.intervals import MOST_RANKS, Intervals

Errors = Callable[[np.random.Generator, np.ndarray], np.ndarray]
ERRORS: dict[str, Errors] = {
    "even": lambda rng, x: rng.normal(size=len(x)),
    "growing": lambda rng, x: x * rng.normal(size=len(x)),
    "skewed": lambda rng, x: rng.exponential(size=len(x)) - 1,
}


def drawn(errors: str, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth and predictions; the predictions begin below zero, so that there is no floor."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.3, 5, rows)
    return x + 0.3 * ERRORS[errors](rng, x) - 2, x - 2


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("rows", [60, 400])
@pytest.mark.parametrize("errors", ERRORS)
def test_new_rows_are_covered_as_promised(errors: str, rows: int, level: float) -> None:
    """The mean over many draws; its standard error is about .002, and whole ranks may widen by 2 / (rows + 1)."""
    covered = []
    for seed in range(200):
        truth, predictions = drawn(errors, rows + 200, seed)
        found = Intervals.of(truth[:rows], predictions[:rows])
        low, high = found.around(predictions[rows:], level)
        covered.append(((low <= truth[rows:]) & (truth[rows:] <= high)).mean())
    assert level - 0.01 < np.mean(covered) < level + 2 / (rows + 1) + 0.01


def test_errors_that_grow_get_intervals_that_grow() -> None:
    truth, predictions = drawn("growing", 1000, 0)
    found = Intervals.of(truth, predictions)
    low, high = found.around(np.array([-1.5, 2.5]), 0.9)
    assert (high - low)[1] > 2.5 * (high - low)[0]
    low, high = Intervals.of(*drawn("even", 1000, 0)).around(np.array([-1.5, 2.5]), 0.9)
    assert (high - low)[1] == pytest.approx((high - low)[0])


def test_skewed_errors_get_skewed_intervals() -> None:
    truth, predictions = drawn("skewed", 1000, 0)
    low, high = Intervals.of(truth, predictions).around(np.zeros(1), 0.9)
    assert high[0] > 1.5 * -low[0]


def test_what_never_was_negative_stays_so() -> None:
    truth, predictions = drawn("even", 200, 0)
    low, _ = Intervals.of(np.abs(truth), predictions).around(np.array([-2.0, 0.0]), 0.9)
    assert (low >= 0).all()
    low, _ = Intervals.of(truth, predictions).around(np.array([-2.0, 0.0]), 0.9)
    assert (low < 0).all()


@pytest.mark.parametrize("rows", [10, 19, 40, 200, 5000])
def test_a_level_that_the_rows_cannot_bear_is_refused(rows: int) -> None:
    found = Intervals.of(*drawn("even", rows, 0))
    found.around(np.zeros(1), found.widest)
    with pytest.raises(OptionError, match=f"needs more judged rows than the {rows:,}"):
        found.around(np.zeros(1), min(found.widest + 0.003, 0.9999))


@pytest.mark.parametrize("level", [0, 1, -0.1, 90])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(OptionError, match="between 0 and 1"):
        Intervals.of(*drawn("even", 50, 0)).around(np.zeros(1), level)


def test_thinning_is_small_careful_and_survives_json() -> None:
    truth, predictions = drawn("growing", 30_000, 0)
    found = Intervals.of(truth, predictions)
    text = json.dumps(found.to_json())
    assert len(found.ranks) == MOST_RANKS
    assert len(text) < 20_000
    again = Intervals.from_json(json.loads(text))
    size = np.interp(predictions, again.places, again.sizes)
    for level in (0.5, 0.9, 0.99):
        ends = again.around(predictions, level)
        assert np.allclose(ends, found.around(predictions, level), rtol=1e-5, atol=1e-5)
        low, high = ((end - predictions) / size for end in ends)
        exact = np.quantile((truth - predictions) / size, [(1 - level) / 2, (1 + level) / 2])
        assert low[0] <= exact[0] + 1e-6
        assert high[0] >= exact[1] - 1e-6
    with pytest.raises(ModelError, match="damaged"):
        Intervals.from_json({"ranks": "x"})


def test_weights_move_the_ranks() -> None:
    residuals = np.concatenate([np.full(200, -1.0), np.full(200, 3.0)]) + 0.01 * np.arange(400)
    heavy = np.where(residuals < 2, 0.05, 1.0)
    low, _ = Intervals.of(residuals, np.zeros(400), heavy).around(np.zeros(1), 0.8)
    assert low[0] > 2 > Intervals.of(residuals, np.zeros(400)).around(np.zeros(1), 0.8)[0][0]


def test_a_race_of_numbers_gives_intervals_and_one_of_classes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.3, 5, 1200)
    data = pd.DataFrame({"x": x, "z": rng.normal(size=1200), "y": x + 0.3 * x * rng.normal(size=1200)})
    raced, new = data[:200], data[200:]
    race = deepenough.race(raced, "y", budget="10trials", only=["linear", "mlp"], out=tmp_path / "run")
    answers = race.model.predict(new, interval=0.9)
    assert list(answers.columns) == ["y", "low_90", "high_90"]
    covered = ((answers["low_90"] <= new["y"].to_numpy()) & (new["y"].to_numpy() <= answers["high_90"])).mean()
    assert 0.8 < covered < 0.98  # one draw of some 80 residuals: its sd is about .03
    new.to_csv(tmp_path / "new.csv", index=False)
    command = ["predict", str(tmp_path / "run"), str(tmp_path / "new.csv"), "-o", str(tmp_path / "out.csv")]
    assert cli.main([*command, "--interval", "0.975"]) == 0
    assert list(pd.read_csv(tmp_path / "out.csv").columns) == ["y", "low_97.5", "high_97.5"]
    assert cli.main([*command, "--interval", "0.999"]) == 2
    assert "needs more judged rows than the" in capsys.readouterr().err
    classes = raced.assign(y=np.where(raced["y"] > 2, "many", "few"))
    other = deepenough.race(classes, "y", budget="8trials", only=["linear", "mlp"], out=tmp_path / "other")
    with pytest.raises(OptionError, match="for numbers"):
        other.model.predict(classes, interval=0.9)
