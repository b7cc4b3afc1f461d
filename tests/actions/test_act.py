"""From a run and new rows to a list of what to do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough.actions import act, words
from deepenough.actions.rule import Rule
from deepenough.cli import main
from deepenough.errors import ColumnError, DeepenoughError, OptionError, RunError
from deepenough.task import frame as frames


def people(rows: int, seed: int) -> pd.DataFrame:
    """Who leaves: the new ones on monthly plans; what is lost with them is their bill."""
    rng = np.random.default_rng(seed)
    months, plan = rng.integers(0, 60, rows), rng.choice(["monthly", "yearly"], rows)
    odds = 1.5 - months / 15 - 1.5 * (plan == "yearly")
    leaves = rng.random(rows) < 1 / (1 + np.exp(-odds))
    bill = rng.integers(10, 200, rows)
    phone = [f"=0{number}" for number in range(rows)]
    told = {"months": months, "plan": plan, "bill": bill, "sold": (bill * rng.uniform(0.5, 1.5, rows)).round(1)}
    return pd.DataFrame(told | {"phone": phone, "leaves": np.where(leaves, "yes", "no")})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("act")
    people(500, 0).to_csv(folder / "people.csv", index=False)
    drop = ("phone", "sold")
    only = ("lightgbm", "mlp")
    deepenough.race(folder / "people.csv", "leaves", budget="8trials", drop=drop, only=only, out=folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sales")
    people(300, 1).to_csv(folder / "sales.csv", index=False)
    drop, only = ("phone", "leaves"), ("lightgbm", "mlp")
    deepenough.race(folder / "sales.csv", "sold", budget="8trials", drop=drop, only=only, out=folder / "run")
    return folder / "run"


def test_whom_to_act_on_comes_ranked_with_reasons_and_all_columns(run: Path) -> None:
    new = people(200, 2)
    found = act(run, new, value="tp=100, fp=-20", positive="yes")
    frame = found.frame
    assert found.facts["threshold"] == pytest.approx(20 / 120)
    assert len(frame) == found.facts["acted"] < 200
    assert frame["expected_gain"].is_monotonic_decreasing and (frame["expected_gain"] > 0).all()
    assert (frame["chance"] > 20 / 120).all()
    own = new.iloc[frame["row"] - 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(frame[list(new.columns)], own)
    left = (own["leaves"] == "yes").mean()
    assert left > (new["leaves"] == "yes").mean() + 0.1  # it chose those who leave
    first = frame["reasons"][0]
    assert "months" in first and "points; usual:" in first


def test_what_it_is_worth_is_said_against_nothing_all_and_todays_rule(run: Path) -> None:
    new = people(300, 3)
    found = act(run, new, value="tp=100, fp=-20", positive="yes", rule="plan = monthly and months < 12")
    for name in ("nothing", "all", "rule"):
        assert found.facts["more_than"][name]["value"] > 0
    judged = found.facts["judged"]
    assert judged["units"] == deepenough.Race(run).verdict.judged_rows and judged["positives"] > 0
    assert judged["per_thousand"]["nothing"] == 0
    assert judged["more_than"]["all"]["low"] < judged["more_than"]["all"]["high"]
    families = judged["families"]
    expected = judged["per_thousand"]["deep"] - judged["per_thousand"]["classical"]
    assert families["low"] <= families["value"] <= families["high"] and families["value"] == pytest.approx(expected)
    said = " ".join(found.sentences)
    for part in ("today's rule", "doing nothing", "acting on all", "Deep against classical", "per 1,000 rows"):
        assert part in said


@pytest.mark.slow
def test_promises_of_a_raced_model_hold_on_rows_that_came_later(run: Path) -> None:
    later, kept = people(2_000, 30), 0
    for seed in range(50):
        new = later.sample(300, random_state=seed)
        found = act(run, new, value="tp=100, fp=-20", positive="yes")
        acted = found.frame["leaves"].to_numpy() == "yes"
        promised = found.facts["plans"]["plan"]
        kept += promised["low"] <= np.where(acted, 100, -20).sum() <= promised["high"]
    assert kept >= 0.85 * 50


def test_less_than_half_a_cent_is_nothing() -> None:
    assert words._more({"value": -7.5e-08, "low": -235.0, "high": 235.0}, "EUR") == "EUR 0 more (between -235 and 235)"
    assert (
        words._more({"value": -0.02, "low": -0.5, "high": 0.3}, "EUR") == "EUR 0.0200 less (between -0.300 and 0.500)"
    )
    assert words._sum({"value": 1e-06, "low": 0.0, "high": 2.0}, "EUR") == "EUR 0, between 0 and 2.00"


def test_amounts_and_capacity(run: Path) -> None:
    new = people(200, 4)
    found = act(run, new, value="tp=amount-5, fp=-5", amount="bill", capacity=10, positive="yes")
    assert len(found.frame) == 10 and found.facts["beyond_capacity"] > 0
    assert found.frame["bill"].mean() > new["bill"].mean()
    assert found.facts["judged"]["per_thousand"]["winner"] > 0
    with pytest.raises(OptionError, match="--amount COLUMN"):
        act(run, new, value="fn=-amount")
    with pytest.raises(ColumnError, match="'bil'"):
        act(run, new, value="fn=-amount", amount="bil")
    with pytest.raises(OptionError, match="holds no numbers"):
        act(run, new, value="fn=-amount", amount="plan")


def test_the_rarest_class_is_acted_on_unless_one_is_named(run: Path) -> None:
    found = act(run, people(50, 5), value="tp=1, fp=-1")
    judged = people(500, 0)["leaves"].value_counts()
    assert found.facts["positive"]["name"] == judged.idxmin()
    assert "rarest" in found.facts["positive"]["why"]
    with pytest.raises(OptionError, match="'maybe' is no class"):
        act(run, people(50, 5), value="tp=1, fp=-1", positive="maybe")


def test_a_model_that_can_not_be_explained_is_acted_on_and_that_is_said(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepenough.kinds.table.codec import TableCodec

    monkeypatch.setattr(TableCodec, "usual", lambda self: {})
    found = act(run, people(50, 5), value="tp=10, fp=-1", positive="yes")
    assert len(found.frame) and set(found.frame["reasons"]) == {""}
    assert any("Why each of them can't be said: This model knows no usual values" in each for each in found.sentences)


def photographed(folder: Path, rows: int, seed: int) -> Path:
    """A table beside its photos: what is light is sold."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    (folder / "photos").mkdir(parents=True)
    told = []
    for number in range(rows):
        light = int(rng.integers(20, 230))
        noise = rng.integers(0, 20, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(noise + np.uint8(light)).save(folder / "photos" / f"{number}.png")
        told.append({"photo": f"photos/{number}.png", "rooms": int(rng.integers(1, 6))})
        told[-1] |= {"sold": "yes" if light > 130 else "no"}
    pd.DataFrame(told).to_csv(folder / "houses.csv", index=False)
    return folder / "houses.csv"


def test_reasons_see_pictures_where_the_new_file_lies(tmp_path: Path) -> None:
    raced, new = photographed(tmp_path / "old", 120, 0), photographed(tmp_path / "new", 20, 1)
    deepenough.race(raced, "sold", budget="6trials", only=("lightgbm", "mlp"), analysis=0, out=tmp_path / "run")
    found = act(tmp_path / "run", new, value="tp=10, fp=-10", positive="yes").frame
    assert len(found) > 2 and (found["sold"] == "yes").mean() > 0.8
    for photo, reasons in zip(found["photo"], found["reasons"], strict=True):
        assert reasons.startswith(f"photo {photo} (+")


def test_room_for_none_is_refused(run: Path) -> None:
    with pytest.raises(OptionError, match="--capacity must be at least 1"):
        act(run, people(50, 5), value="tp=10, fp=-1", capacity=0)


def test_nothing_to_act_on_is_an_answer(run: Path) -> None:
    found = act(run, people(50, 5), value="tp=1, fp=-1000", positive="yes")
    assert len(found.frame) == 0 and found.sentences[0].startswith("Act on none of 50")


def test_orders_suffice_as_often_as_is_cheapest(sales: Path, tmp_path: Path) -> None:
    new = people(400, 6)
    found = act(sales, new, value="over=1, under=4", rule="bill")
    assert found.facts["level"] == pytest.approx(0.8)
    ticked = act(sales, new, value="over=1, under=4", rule="`bill`")
    assert ticked.facts["more_than"] == found.facts["more_than"]
    assert 0.7 < (found.frame["order"] >= new["sold"]).mean() < 0.92
    assert found.facts["more_than"]["prediction"]["value"] > 0
    assert found.facts["judged"]["more_than"]["rule"]["value"] > 0
    assert list(found.frame["row"]) == list(range(1, 401)) and found.sentences[0].startswith("Order ")


def test_alarms_beyond_a_limit(sales: Path) -> None:
    new = people(300, 7)
    found = act(sales, new, value="tp=10, fp=-5", above=150)
    assert 0 < len(found.frame) < 300
    assert (found.frame["sold"] > 150).mean() > (new["sold"] > 150).mean() + 0.2
    assert found.facts["positive"]["name"] == "above 150"


def test_the_command_writes_the_list_and_no_formula_in_it(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people(80, 8).drop(columns="leaves").to_csv(tmp_path / "new.csv", index=False)
    given = ["act", str(run), str(tmp_path / "new.csv"), "--value", "tp=100, fp=-20", "--positive", "yes"]
    assert main([*given, "-o", str(tmp_path / "list.csv")]) == 0
    assert "Act on " in capsys.readouterr().out
    written = pd.read_csv(tmp_path / "list.csv", dtype=str)
    assert written["phone"].str.startswith("'=").all()
    assert main([*given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 80
    assert main([*given[:3], "--value", "nonsense"]) == 2
    assert "not understood" in capsys.readouterr().err


def test_the_new_rows_are_never_written_over(
    run: Path, sales: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new.csv"
    people(30, 8).drop(columns="leaves").to_csv(new, index=False)
    before, same = new.read_bytes(), tmp_path / "." / "new.csv"
    assert main(["act", str(run), str(new), "--value", "tp=100, fp=-20", "-o", str(same)]) == 2
    assert "its rows would be lost" in capsys.readouterr().err
    for raced, value in ((run, "tp=100, fp=-20"), (sales, "over=1, under=4")):
        with pytest.raises(OptionError, match="its rows would be lost"):
            act(raced, new, value=value).write(same)
    assert new.read_bytes() == before


def test_cells_that_can_not_be_read_are_said(
    run: Path, sales: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = people(60, 8).astype({"months": object})
    new.loc[:6, "months"] = "many"
    new.to_csv(tmp_path / "new.csv", index=False)
    said = "column 'months': 7 cells could not be read and count as missing."
    assert main(["act", str(run), str(tmp_path / "new.csv"), "--value", "tp=100, fp=-20"]) == 0
    assert f"Careful: {said}" in capsys.readouterr().out
    found = act(sales, tmp_path / "new.csv", value="over=1, under=4")
    assert found.facts["unread"] == {"months": 7} and f"Careful: {said}" in found.sentences
    assert not act(run, people(60, 8), value="tp=100, fp=-20").facts["unread"]


def test_data_that_are_gone_leave_the_promise_and_say_so(run: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(run, tmp_path / "run")
    raced = run.parent / "people.csv"
    kept = raced.read_bytes()
    try:
        raced.unlink()
        found = act(tmp_path / "run", people(50, 9), value="tp=amount, fp=-5", amount="bill", positive="yes")
        assert found.facts["judged"] is None and "gone or were changed" in " ".join(found.sentences)
        plain = act(tmp_path / "run", people(50, 9), value="tp=50, fp=-5", positive="yes")
        assert (
            plain.facts["judged"]["units"] == deepenough.Race(run).verdict.judged_rows
        )  # what needs no column of the data needs no data
    finally:
        raced.write_bytes(kept)
    shutil.rmtree(tmp_path / "run" / "truth")
    with pytest.raises(RunError, match="Race again"):
        act(tmp_path / "run", people(50, 9), value="tp=50, fp=-5")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age > 60", [False, True, False]),
        ("age >= 60 and plan = basic", [False, True, False]),
        ("plan != basic", [True, False, False]),
        ("plan = 'gold' or age=70", [True, True, False]),
        ("joined < 2020-06-01", [True, False, False]),
        ("`age` > 60", [False, True, False]),
        ("`paid and kept` > 1 or `a >= b` = 4", [False, True, True]),
        ("`a >= b` >= 3 and `paid and kept`<2", [True, False, True]),
        ("plan != 't Hooft and plan != 'basic'", [True, False, False]),
        ("plan = 'this or that' or `plan`=gold", [True, False, False]),
        ("plan = Land's and age > 60 or age < 60 and plan != men's", [True, False, False]),
    ],
)
def test_rules(text: str, expected: list[bool]) -> None:
    frame = frames.from_frame(
        pd.DataFrame(
            {
                "age": [30, 70, None],
                "plan": ["gold", "basic", None],
                "joined": pd.to_datetime(["2020-01-01", "2021-01-01", None]),
                "paid and kept": [1, 2, 1],
                "a >= b": [3, 3, 4],
            }
        )
    )
    assert Rule.read(text).of(frame).tolist() == expected


@pytest.mark.parametrize("text", ["age", "age > old", "plan > basic", "weight > 3", "__import__('os').system('x') > 1"])
def test_rules_that_are_none(text: str) -> None:
    frame = frames.from_frame(pd.DataFrame({"age": [30.0], "plan": ["gold"]}))
    with pytest.raises(DeepenoughError, match="--rule"):
        Rule.read(text).of(frame)
