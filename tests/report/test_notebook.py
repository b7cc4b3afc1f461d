"""What a notebook shows of a race: while it runs, and when it is over."""

from __future__ import annotations

import copy
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from deepenough.errors import OptionError
from deepenough.evidence import Event
from deepenough.report import live, notebook, text
from tests.report.test_live import events


class Seen(HTMLParser):
    """What a browser makes of a page: its tags, its links, its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_card_says_decision_gap_and_prices(facts: dict[str, Any]) -> None:
    seen = Seen(notebook.card(facts, "runs/one/report.html"))
    assert seen.open == []
    assert text.headline(facts) in seen.text
    assert text.gap_sentence(facts) in seen.text
    for row in text.side_by_side(facts, complete=False):
        assert all(cell in seen.text for cell in row)
    assert seen.links == ["runs/one/report.html"]


def test_card_is_small_and_runs_nothing(facts: dict[str, Any]) -> None:
    page = notebook.card(facts)
    assert len(page.encode()) < 8_000
    assert set(Seen(page).tags) <= {"div", "strong", "table", "thead", "tbody", "tr", "th", "td"}


def test_names_stay_text(facts: dict[str, Any]) -> None:
    hostile = copy.deepcopy(facts)
    hostile["decision_sentence"] = "Use <script>alert(1)</script> & \x1b[31mred"
    seen = Seen(notebook.card(hostile, 'runs/"onclick="x'))
    assert "script" not in seen.tags
    assert "<script>alert(1)</script> &" in seen.text
    assert "\x1b" not in seen.text
    assert seen.links == ['runs/"onclick="x']


@pytest.mark.parametrize("case", ["tie", "deep", "early", "nothing", "one family"])
def test_every_ending_has_a_card(facts_by_case: dict[str, dict[str, Any]], case: str) -> None:
    assert text.headline(facts_by_case[case]) in Seen(notebook.card(facts_by_case[case])).text


def test_address_of_the_report() -> None:
    here = Path("/home/me")
    assert notebook.address(here / "runs/a b/report.html", here) == "runs/a%20b/report.html"
    assert notebook.address(Path("/tmp/run/report.html"), here) == "file:///tmp/run/report.html"


def test_line_renews_itself_and_ends_with_the_decision() -> None:
    lines: list[str] = []
    listen = live.Notebook(lines.append)
    for event in [*events()[:-1], Event("done", 19.0, {"decision": "deep_pays"})]:
        listen(event)
    assert "2 s of 60 s · mlp on 800 rows, fold 2, final" in lines
    assert any("so far: open" in line for line in lines)
    assert lines[-1] == "done after 19 s · deep pays"
    assert not any("\n" in line or "\x1b" in line for line in lines)


def test_line_is_renewed_four_times_a_second_at_most() -> None:
    lines: list[str] = []
    listen = live.Notebook(lines.append)
    for hundredth in range(100):
        listen(Event("note", hundredth / 100, {"text": "n"}))
    assert len(lines) == 4
    listen(Event("done", 1.0, {}))
    assert len(lines) == 5, "the end is always said"


def test_line_is_drawn_by_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[dict[str, str]] = []

    class Cell:
        def update(self, what: dict[str, str], raw: bool) -> None:
            drawn.append(what)

    module: Any = ModuleType("IPython.display")
    module.display = lambda what, raw, display_id: Cell()
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    listen = live.heard_by(None)
    listen(Event("plan", 1.0, {"budget_seconds": 60.0}))
    assert drawn == [{"text/plain": "1 s of 60 s"}]


def test_nothing_is_said_outside_a_notebook(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    listen = live.heard_by(None)
    for event in events():
        listen(event)
    assert capsys.readouterr() == ("", "")


def test_several_listeners_hear_in_their_order() -> None:
    heard: list[tuple[str, str]] = []
    listen = live.heard_by(
        [lambda event: heard.append(("a", event.what)), lambda event: heard.append(("b", event.what))]
    )
    listen(Event("plan", 1.0, {}))
    assert heard == [("a", "plan"), ("b", "plan")]
    live.heard_by(())(Event("plan", 1.0, {}))
    alone = heard.append
    assert live.heard_by(alone) is alone  # type: ignore[arg-type,comparison-overlap]  # any function will do


@pytest.mark.parametrize("given", ["loud", 3, [print, "loud"]])
def test_what_can_not_listen_is_refused(given: Any) -> None:
    with pytest.raises(OptionError, match="listen must be a function"):
        live.heard_by(given)
