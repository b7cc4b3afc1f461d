"""The card of the model that was handed over: every section says what the race found, and no more."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

import deepenough
from deepenough import kinds
from deepenough.report import card, html

EXAMPLES = Path(__file__).parents[2] / "examples" / "data"


@pytest.fixture(scope="module")
def race(tmp_path_factory: pytest.TempPathFactory) -> deepenough.Race:
    out = tmp_path_factory.mktemp("card") / "run"
    given = {"budget": "8trials", "only": ("linear", "mlp"), "out": out}
    return deepenough.race(EXAMPLES / "heart_disease.csv", "thal", **given)


@pytest.fixture
def facts(race: deepenough.Race) -> dict[str, Any]:
    return copy.deepcopy(race.facts)


def said(facts: dict[str, Any]) -> dict[str, str]:
    return {section.title: " ".join(section.paragraphs) for section in card.sections(facts)}


def test_it_says_what_the_model_is_for_how_good_it_is_where_it_ends_and_what_it_costs(facts: dict[str, Any]) -> None:
    found = said(facts)
    assert "'thal'" in found["What it is for"]
    assert (
        "heart_disease.csv" in found["What it learnt from"] and facts["model"]["note"] in found["What it learnt from"]
    )
    assert facts["decision_sentence"] in found["How good it is"]
    for family in ("classical", "deep"):
        assert f"{facts['verdict'][family]['contender']} ({family}): " in found["How good it is"]
    assert f"{facts['judged_rows']:,} rows" in found["How good it is"]
    assert "nothing was measured" in found["Where it ends"]
    assert "one training" in found["What it costs"] and "Weights of others" not in found


def test_a_model_that_keeps_nothing_is_a_reactive_machine(facts: dict[str, Any]) -> None:
    kind = said(facts)["What kind of AI it is"]
    assert kind.startswith("A reactive machine") and "theory only" in kind


def test_a_recurrent_winner_has_limited_memory(facts: dict[str, Any]) -> None:
    facts["setup"]["remembers"] = {facts["model"]["contenders"][0].split("-")[0]: "it reads word by word"}
    kind = said(facts)["What kind of AI it is"]
    assert kind.startswith("Limited memory: it reads word by word. It is frozen")


def test_every_recurrent_learner_says_what_it_remembers() -> None:
    for name in kinds.find():
        for entry in kinds.find_learners(name):
            recurrent = entry.name in ("recurrent", "frames_gru")
            assert bool(entry.cls.remembers) == recurrent, f"{name}: {entry.name}"


def test_doubts_stand_in_its_limits(facts: dict[str, Any]) -> None:
    facts["verdict"]["flags"] = [{"flag": "few", "severity": "distrust", "reason": "only 9 rows were judged"}]
    assert "only 9 rows were judged" in said(facts)["Where it ends"]


def test_no_model_no_card(facts: dict[str, Any]) -> None:
    facts["model"]["saved"] = False
    assert card.sections(facts) == []
    assert "Model card" not in html.page(facts)


def test_it_stands_beside_the_model_and_in_the_report(race: deepenough.Race) -> None:
    beside = (race.folder / "model" / "README.md").read_text()
    page = (race.folder / "report.html").read_text()
    for title in ("What kind of AI it is", "Where it ends", "What it costs"):
        assert f"## {title}" in beside and f"<h3>{title}</h3>" in page
    assert 'id="model-card"' in page and 'href="#model-card"' in page
    assert "## Licences of what it needs" in beside or not race.model.about["members"][0]["needs"]
    assert race.model.predict([{}] * 0) is not None  # the model still loads: the card is no file that is verified
