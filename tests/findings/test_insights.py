"""From a run to sentences: what drives the answers, for whom it happens, and what changed between two tables."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough.actions import judged
from deepenough.errors import DeepenoughError, ModelError, OptionError, RunError
from deepenough.result import Race
from tests.commands import Run

NAME = "<b>plan</b>"
"""A column whose name a page must not take for its own."""


def people(rows: int, seed: int, monthly: float = 0.5, more: float = 0.0) -> pd.DataFrame:
    """Who leaves: new ones, on monthly plans. more: how much likelier all are to leave, in log odds."""
    rng = np.random.default_rng(seed)
    months = rng.integers(0, 60, rows)
    plan = rng.choice(["monthly", "yearly"], rows, p=[monthly, 1 - monthly])
    odds = 1.5 + more - months / 15 - 1.5 * (plan == "yearly")
    leaves = rng.random(rows) < 1 / (1 + np.exp(-odds))
    told = {"months": months, NAME: plan, "noise": rng.normal(0, 1, rows).round(3)}
    return pd.DataFrame(told | {"leaves": np.where(leaves, "yes", "no")})


def raced(folder: Path, table: pd.DataFrame, target: str = "leaves", **more: object) -> Path:
    table.to_csv(folder / "people.csv", index=False)
    options = {"budget": "8trials", "only": ("lightgbm", "mlp"), "listen": ()} | more
    deepenough.race(folder / "people.csv", target, out=folder / "run", **options)
    return folder / "run"


@pytest.fixture(scope="module")
def churn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return raced(tmp_path_factory.mktemp("insights"), people(900, 0))


def test_drivers_come_with_direction_and_size_and_noise_is_none(churn: Path) -> None:
    facts = deepenough.insights(churn).facts["insights"]
    drivers = {item["name"]: item for item in facts["items"] if item["about"] == "driver"}
    assert set(drivers) == {"months", NAME}
    months, plan = drivers["months"]["effect"], drivers[NAME]["effect"]
    assert facts["reason"] == "" and months["value"] < 0 and months["one_way"]
    assert -1 < months["value"] < -0.3 and months["high"] < 0, "from one tenth to nine, of a probability"
    assert plan["shown"][plan["end"]] == "yearly" and plan["high"] < 0
    assert "the probability that leaves is yes falls by" in drivers["months"]["sentence"]
    assert "If it is yearly rather than monthly" in drivers[NAME]["sentence"]


def test_for_whom_it_happens_is_as_the_data_were_made(churn: Path) -> None:
    items = deepenough.insights(churn).facts["insights"]["items"]
    groups = [item for item in items if item["about"] == "outcome"]
    assert groups and all("noise" not in item["words"] for item in groups)
    top = max(groups, key=lambda item: item["inside"]["value"])
    table = people(900, 0)
    assert top["is_above"] and top["inside"]["value"] > (table["leaves"] == "yes").mean() + 0.1
    assert "leaves is yes in" in top["sentence"] and "elsewhere in" in top["sentence"]


def test_the_report_and_the_command_say_the_same(churn: Path, run: Run) -> None:
    sentences = deepenough.insights(churn).sentences
    page = (churn / "report.html").read_text(encoding="utf-8")
    assert 'id="insights"' in page and "From " in page and NAME not in page and "&lt;b&gt;plan" in page
    told = run("insights", churn)
    flat = " ".join(told.out.split())
    assert told.code == 0 and all(" ".join(sentence.split()) in flat for sentence in sentences)
    assert "would change what happens is not shown" in flat
    facts = json.loads(run("insights", churn, "--json").out)
    assert facts["insights"]["items"] and facts["compared"] is None


def test_shuffled_targets_yield_nothing(tmp_path: Path) -> None:
    table = people(300, 1)
    table["leaves"] = np.random.default_rng(0).permutation(table["leaves"])
    found = deepenough.insights(raced(tmp_path, table))
    assert found.facts["insights"]["items"] == [] and "could be luck" in found.sentences[0]


@pytest.mark.slow
def test_of_a_hundred_shuffled_targets_five_at_most_yield_any(tmp_path: Path) -> None:
    """Classes and numbers in turn, none of which an input could foretell."""
    some = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        table = people(300, seed)
        (tmp_path / str(seed)).mkdir()
        target = "leaves" if seed % 2 else "worth"
        table["worth"] = 10 * (table["leaves"] == "yes") + rng.normal(0, 3, 300)
        table[target] = rng.permutation(table[target])
        run = raced(tmp_path / str(seed), table.drop(columns={"leaves", "worth"} - {target}), target)
        some += bool(deepenough.insights(run).facts["insights"]["items"])
    assert some <= 5


def reviews(rows: int, seed: int) -> pd.DataFrame:
    """Each with a word that tells how many stars it gives."""
    rng = np.random.default_rng(seed)
    stars = rng.choice(["bad", "good"], rows)
    words = np.array(["the", "room", "was", "near", "station", "and", "breakfast", "came", "early", "today", "again"])
    said = [" ".join([*rng.choice(words, 8), "terrible" if star == "bad" else "lovely"]) for star in stars]
    return pd.DataFrame({"review": said, "stars": stars})


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    only = ("tfidf_linear", "recurrent")
    return raced(tmp_path_factory.mktemp("texts"), reviews(240, 2), "stars", only=only, kind="text")


def test_of_texts_the_words_that_decide_come_with_their_direction(texts: Path) -> None:
    drivers = [item for item in deepenough.insights(texts).facts["insights"]["items"] if item["about"] == "driver"]
    assert drivers and {item["name"] for item in drivers} <= {"terrible", "lovely"}, "either tells all"
    assert all(item["effect"]["shown"] == ["absent", "there"] for item in drivers)
    assert all("If it is there rather than absent, the probability" in item["sentence"] for item in drivers)


def test_of_texts_the_words_that_came_up_are_told(texts: Path) -> None:
    new = reviews(200, 3)
    new["review"] = [f"{said} wifi" if place % 3 == 0 else said for place, said in enumerate(new["review"])]
    told = deepenough.insights(texts, compare=(reviews(200, 4), new)).facts["compared"]
    wifi = told["columns"][0]
    assert wifi["name"] == "'wifi' in review" and wifi["level"] == "there" and wifi["moves"] is None
    assert any("'wifi' in review: there went from 0 % to" in sentence for sentence in told["sentences"])


def test_texts_that_are_missing_are_no_words_that_went(texts: Path) -> None:
    new = reviews(200, 5)
    new["review"] = new["review"].where(np.arange(200) % 10 == 0)
    old = reviews(60, 6)
    told = deepenough.insights(texts, compare=(old, new)).facts["compared"]
    assert [item["name"] for item in told["columns"]] == ["review"]
    (review,) = told["columns"]
    assert review["missing"]["after"] == 0.9 and review["moves"] is not None and told["looked_at"] > 2
    assert any("review: 0 % were missing, and 90 % are now" in sentence for sentence in told["sentences"])


def test_a_run_without_analysis_says_how_to_get_some(tmp_path: Path) -> None:
    run = raced(tmp_path, people(120, 3), analysis=0)
    with pytest.raises(RunError, match="deepenough analyse"):
        deepenough.insights(run)
    deepenough.analyse(run)
    assert deepenough.insights(run).facts["insights"] is not None


def test_a_race_that_did_not_end_says_how_to_go_on(churn: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(churn, run)
    journal = run / "evidence.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(line for line in lines if '"insights"' not in line and '"done"' not in line))
    with pytest.raises(RunError, match="deepenough resume"):
        deepenough.insights(run)


# What changed between two tables.


def test_a_mix_that_moved_is_told_from_a_world_that_changed(churn: Path) -> None:
    old = people(800, 10)
    mix = deepenough.insights(churn, compare=(old, people(800, 11, monthly=0.8))).facts["compared"]
    plan = mix["columns"][0]
    assert plan["name"] == NAME and plan["p"] < 1e-6, "what moves the answers stands first"
    assert plan["change"]["low"] > 0.2 if plan["level"] == "monthly" else plan["change"]["high"] < -0.2
    assert plan["moves"]["low"] > 0, "more of those who leave"
    assert mix["happened"]["low"] > 0 and not mix["rest"]["low"] > 0
    assert any("The inputs explain it" in sentence for sentence in mix["sentences"])
    world = deepenough.insights(churn, compare=(old, people(800, 12, more=1.0))).facts["compared"]
    assert world["happened"]["low"] > 0 and world["rest"]["low"] > 0
    assert any("race again with the newer rows" in sentence for sentence in world["sentences"])


def test_nothing_changed_is_said_to_have_changed_in_one_of_twenty(churn: Path) -> None:
    told = [
        deepenough.insights(churn, compare=(people(200, 100 + seed), people(200, 200 + seed))).facts["compared"]
        for seed in range(20)
    ]
    assert sum(bool(each["columns"]) for each in told) <= 3
    assert any("none changed by more than chance" in sentence for sentence in told[0]["sentences"])


def test_rows_that_were_raced_answer_by_models_that_had_not_learnt_from_them(churn: Path) -> None:
    race = Race(churn)
    own = judged.read(race.folder, race.evidence, race.verdict)
    file = churn.parent / "people.csv"
    told = deepenough.insights(churn, compare=(file, people(300, 20))).facts["compared"]
    code = list(race.evidence.plan.question["classes"]).index(told["outcome"])
    assert told["answers"]["before"] == pytest.approx(own.predictions["winner"][:, code].mean())
    assert told["happened"]["before"] == pytest.approx((own.truth == code).mean())
    newer = deepenough.insights(churn, compare=(people(300, 20), file)).facts["compared"]
    assert newer["answers"]["after"] == pytest.approx(told["answers"]["before"]), "as the newer table too"
    assert told["learnt_from"] == newer["learnt_from"] == [False, False]


def test_rows_without_a_target_keep_the_raced_table_recognised(tmp_path: Path) -> None:
    table = people(300, 40)
    table.loc[::7, "leaves"] = None
    run = raced(tmp_path, table)
    race = Race(run)
    own = judged.read(race.folder, race.evidence, race.verdict)
    told = deepenough.insights(run, compare=(tmp_path / "people.csv", people(200, 41))).facts["compared"]
    assert told["rows"][0] == len(own.rows) and told["learnt_from"] == [False, False]
    code = list(race.evidence.plan.question["classes"]).index(told["outcome"])
    assert told["happened"]["before"] == pytest.approx((own.truth == code).mean())


def test_without_the_target_only_inputs_and_answers_are_compared(churn: Path, run: Run, tmp_path: Path) -> None:
    people(200, 30).drop(columns="leaves").to_csv(tmp_path / "old.csv", index=False)
    people(200, 31, monthly=0.9).to_csv(tmp_path / "new.csv", index=False)
    told = run("insights", churn, "--compare", tmp_path / "old.csv", tmp_path / "new.csv")
    flat = " ".join(told.out.split())
    assert told.code == 0 and "The mean probability that leaves is" in flat
    assert "race again" not in flat and "yearly went from" in flat


def test_targets_that_are_written_in_another_way_are_counted(churn: Path) -> None:
    new = people(200, 50)
    spaced = new.assign(leaves=new["leaves"] + " ")
    told = deepenough.insights(churn, compare=(people(200, 51), spaced)).facts["compared"]
    assert told["strange"] == [0, 0] and told["happened"]["after"] == pytest.approx(
        (new["leaves"] == told["outcome"]).mean()
    )
    found = deepenough.insights(churn, compare=(people(200, 51), new.assign(leaves=new["leaves"] == "yes")))
    assert found.facts["compared"]["happened"] is None and found.facts["compared"]["strange"] == [0, 200]
    assert any("In 200 of the 200 newer rows leaves is written as nothing" in one for one in found.sentences)


def test_numbers_and_missing_values_are_compared_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    table = people(300, 4)
    table["worth"] = table["months"] * 2 + rng.normal(0, 5, 300)
    run = raced(tmp_path, table.drop(columns="leaves"), "worth")
    new = people(200, 6).assign(worth=0.0)
    new["worth"] = new["months"] * 2.0 + rng.normal(0, 5, 200)
    new["noise"] = new["noise"].where(rng.random(200) > 0.4)
    told = deepenough.insights(run, compare=(table, new)).facts["compared"]
    noise = next(item for item in told["columns"] if item["name"] == "noise")
    assert told["outcome"] == "" and noise["missing"]["low"] > 0.2
    assert any("were missing, and" in sentence for sentence in told["sentences"])
    for file in (run / "truth").iterdir():
        file.unlink()
    found = deepenough.insights(run, compare=(new, tmp_path / "people.csv"))
    assert found.facts["compared"]["learnt_from"] == [False, True], "their judged answers are gone"
    assert any("The model learnt from the newer rows" in sentence for sentence in found.sentences)


@pytest.mark.parametrize(
    ("old", "new", "error", "said"),
    [
        (people(200, 1), people(10, 2), OptionError, "10 rows"),
        (people(200, 1), people(200, 2).drop(columns="months"), ModelError, "months"),
        ("nowhere.csv", people(200, 2), DeepenoughError, "nowhere.csv"),
    ],
    ids=["few", "column", "file"],
)
def test_tables_that_can_not_be_compared_are_refused(
    churn: Path, old: object, new: object, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        deepenough.insights(churn, compare=(old, new))
