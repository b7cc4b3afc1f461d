"""Reports of pictures speak of pictures, in the terminal and on the page, and say what new ones look like."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from deepenough.evidence import Event
from deepenough.judge.verdict import judge
from deepenough.report import html, plots, text
from deepenough.report.facts import facts as gather
from deepenough.report.live import State
from tests.report.conftest import full_race

QUESTION = {"target": "class", "metric": "log_loss", "classes": ["cat", "dog"], "called": ["picture", "pictures"]}
QUESTION |= {"new": {"source": "new_pictures", "about": "a folder of pictures"}}


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    evidence = full_race(question=QUESTION, notes=("40 rows have no 'class' and are set aside.",))
    return gather(evidence, judge(evidence))


class Said(HTMLParser):
    """What a page says to a reader, without the facts at its end."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside, self.words = [""], list[str]()
        self.feed(page.partition('<h2 id="all-facts">')[0])

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.inside += [tag] if tag in ("style", "pre") else []

    def handle_endtag(self, tag: str) -> None:
        if tag == self.inside[-1]:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        self.words += [data] if not self.inside[-1] else []


def test_no_rows_are_left_in_what_a_reader_sees(told: dict[str, Any]) -> None:
    page = " ".join(" ".join(Said(html.page(told)).words).split())
    assert "2,000 pictures" in page and "pictures to train on" in page and "40 pictures have no" in page
    assert re.findall(r".{30}\brows\b.{10}", page) == []
    assert re.findall(r"\brows\b", text.summary(told)) == []
    for chart in plots.charts(told).values():
        assert not re.search(r"\brows\b", f"{chart.about} {chart.title} {' '.join(chart.header)}"), chart.name


def test_rows_stay_rows_where_nothing_else_is_said(facts: dict[str, Any]) -> None:
    page = " ".join(Said(html.page(facts)).words)
    assert "rows to train on" in page and "pictures" not in page and "units" not in page.replace("currency units", "")


def test_what_to_predict_next_is_a_folder(told: dict[str, Any], facts: dict[str, Any]) -> None:
    steps = {step["command"]: step["why"] for step in told["next_steps"]}
    why = steps["deepenough predict RUN new_pictures -o predictions.csv"]
    assert why == "Predict new pictures with the model of this race: new_pictures is a folder of pictures."
    rows = {step["command"]: step["why"] for step in facts["next_steps"]}
    assert rows["deepenough predict RUN new.csv -o predictions.csv"] == "Predict new rows with the model of this race."


def test_who_watches_reads_of_pictures() -> None:
    state = State()
    state.hear(Event("plan", 0.0, {"rows": 90, "largest": 60, "called": ["picture", "pictures"]}))
    state.hear(Event("trial_started", 1.0, {"contender": "hog", "n_train": 60, "fold": 0, "purpose": "final"}))
    assert [own.shown for own in state.running.values()] == ["hog on 60 pictures, fold 1, final"]
