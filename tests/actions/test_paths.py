"""From a run of forecasts to what is ordered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough.actions import act, judged, paths
from deepenough.cli import main
from deepenough.errors import OptionError

HORIZON, WEEKS = 4, 100
VALUE = "over=1, under=4"


def sales(weeks: int, seed: int = 0) -> pd.DataFrame:
    """What three shops of different size sell by week: a price that is known in advance, and skewed noise."""
    rng, told = np.random.default_rng(seed), []
    for place, shop in enumerate(("old town", "station", "=harbour")):
        price = rng.choice([4.0, 5.0, 6.0], weeks)
        sold = 40.0 * 3**place * (1 + 0.3 * (5 - price)) * (0.9 + 0.1 * rng.gamma(1, 1, weeks))
        week = pd.date_range("2021-01-04", periods=weeks, freq="7D")
        told.append(pd.DataFrame({"shop": shop, "week": week, "price": price, "sold": sold.round(2)}))
    return pd.concat(told, ignore_index=True)


def parted() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """What has been, the same with what is known of the coming weeks, and what then came."""
    rows = sales(WEEKS + HORIZON)
    later = rows["week"] > rows["week"].unique()[WEEKS - 1]
    return rows[~later], rows.assign(sold=rows["sold"].where(~later)), rows[later]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paths")
    past, new, _ = parted()
    past.to_csv(folder / "past.csv", index=False)
    new.to_csv(folder / "new.csv", index=False)
    asked: dict[str, Any] = {"horizon": HORIZON, "series": ["shop"], "known": ["price"], "time": "week"}
    only = ("lags_linear", "dlinear")
    out = folder / "run"
    deepenough.race(folder / "past.csv", "sold", budget="6trials", only=only, analysis=0, cores=1, out=out, **asked)
    return out


def test_each_series_is_ordered_for_at_every_step(run: Path) -> None:
    _, new, came = parted()
    found = act(run, new, value=VALUE)
    frame, facts = found.frame, found.facts
    assert list(frame.columns) == ["shop", "week", "median", "order", "expected_cost"]
    both = frame.merge(came, on=["shop", "week"])
    assert len(both) == len(frame) == facts["rows"] == 3 * HORIZON
    assert (facts["paths"], facts["steps"], facts["level"]) == (3, HORIZON, 0.8)
    answers = deepenough.load(run).predict(new)
    assert frame["median"].tolist() == pytest.approx(answers["sold"].tolist())
    assert (frame["order"] > frame["median"]).all() and (frame["expected_cost"] > 0).all()
    plan = facts["plans"]["plan"]
    assert plan["value"] == pytest.approx(-frame["expected_cost"].sum(), rel=1e-4)
    assert plan["low"] < plan["value"] < plan["high"] <= 0
    short = (both["sold"] - both["order"]).to_numpy()
    assert plan["low"] <= -np.where(short > 0, 4 * short, -short).sum() <= plan["high"]
    assert sum(step["value"] for step in facts["by_step"]) == pytest.approx(plan["value"])
    again = act(run, new, value=VALUE)
    pd.testing.assert_frame_equal(again.frame, frame)


def test_the_same_orders_are_held_against_the_median_and_both_families(run: Path) -> None:
    found = act(run, parted()[1], value=VALUE)
    tried, facts = found.facts["judged"], found.facts
    race = deepenough.Race(run)
    assert tried["units"] == race.verdict.judged_rows and tried["stretches"] > 5
    each = tried["per_thousand"]
    assert set(each) == {"winner", "classical", "deep", "median"} and max(each.values()) < 0
    more = tried["more_than"]["median"]
    assert more["low"] < more["value"] == pytest.approx(each["winner"] - each["median"])
    assert more["value"] > 0  # too few are dear
    assert tried["families"]["value"] == pytest.approx(each["deep"] - each["classical"])
    side = race.verdict.classical
    own = [t for t in race.evidence.trials if side and t.contender == side.contender and t.n_train == side.n_train]
    assert own and facts["running_per_thousand"]["classical"] is not None
    said = " ".join(found.sentences)
    for part in (
        f"for 3 series and {HORIZON} steps",
        "suffices in 80 % of the cases",
        "Against ordering the median that is forecast",
        "Of it the first step comes to EUR",
        "forecasts that judged the models",
        "per 1,000 steps",
        "Deep against classical on those forecasts",
    ):
        assert part in said, part


def test_a_dearer_lack_orders_more_and_even_costs_the_middle(run: Path) -> None:
    new = parted()[1]
    totals = [act(run, new, value=f"over=1, under={under}").facts["ordered"] for under in (0.25, 1, 4, 9)]
    assert totals == sorted(totals) and totals[0] < totals[-1]


def test_few_stretches_are_said(run: Path) -> None:
    found = act(run, parted()[1], value=VALUE)
    facts = dict(found.facts) | {"judged": dict(found.facts["judged"]) | {"stretches": 6}}
    from deepenough.actions import words

    assert any("lie in 6 stretches of time" in each for each in words.sentences(facts))


def test_what_was_to_be_known_in_advance_and_is_not_is_said(run: Path) -> None:
    new = parted()[1]
    assert act(run, new, value=VALUE).facts["unread"] == {}
    last = new["week"] == new["week"].max()
    found = act(run, new.assign(price=new["price"].mask(last)), value=VALUE)
    assert found.facts["unread"] == {"price": 3}
    assert any("of 'price' 3 cells are not known" in each for each in found.sentences)


def test_series_that_get_no_answer_are_said(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = parted()[1]
    opened = new[new["shop"] == "station"].assign(shop="opened", sold=np.nan)
    found = act(run, pd.concat([new, opened]), value=VALUE)
    (said,) = found.facts["unanswered"]
    assert "('opened')" in said and f"Careful: {said}" in found.sentences
    pd.concat([new, opened]).to_csv(tmp_path / "new.csv", index=False)
    assert main(["predict", str(run), str(tmp_path / "new.csv"), "-o", str(tmp_path / "out.csv")]) == 0
    assert said in capsys.readouterr().err
    model = deepenough.load(run)
    model.predict_file(new, tmp_path / "again.csv")
    assert model.unanswered == []


@pytest.mark.parametrize("asked", [{"above": 3.0}, {"amount": "price"}, {"positive": "a"}, {"rule": "price"}])
def test_what_paths_are_not_asked_is_refused(run: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=f"--{next(iter(asked))} is not for forecasts: .*Leave it out"):
        act(run, parted()[1], value=VALUE, **asked)


def test_room_and_worth_of_classes_are_refused(run: Path) -> None:
    with pytest.raises(OptionError, match="--capacity is not for forecasts"):
        act(run, parted()[1], value=VALUE, capacity=3)
    with pytest.raises(OptionError, match=r"Expected are over=\.\.\., under="):
        act(run, parted()[1], value="tp=1, fp=-1")


def test_series_are_told_apart_by_the_numbers_of_their_moments(run: Path) -> None:
    from deepenough.racing import again

    race = deepenough.Race(run)
    known = judged.read(race.folder, race.evidence, race.verdict)
    assert known.clusters.ndim == 1
    task: Any = again.task_of(race.evidence.plan, None)
    owners = task._pool.owner[known.rows]
    assert (np.unique(owners, return_inverse=True)[1] == paths._owners(known, known.clusters)).all()


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_the_command_writes_the_list(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    out = tmp_path / f"orders.{ending}"
    given = ["act", str(run), str(run.parent / "new.csv"), "--value", VALUE]
    assert main([*given, "-o", str(out)]) == 0
    assert capsys.readouterr().out.startswith("Order ")
    readers: dict[str, Any] = {"csv": pd.read_csv, "parquet": pd.read_parquet}
    found = readers[ending](out) if ending in readers else pd.DataFrame(map(json.loads, out.read_text().splitlines()))
    assert len(found) == 3 * HORIZON and list(found.columns)[:2] == ["shop", "week"]
    assert ("'=harbour" if ending == "csv" else "=harbour") in set(found["shop"])
    assert main([*given, "--above", "3"]) == 2
    assert "--above is not for forecasts" in capsys.readouterr().err
