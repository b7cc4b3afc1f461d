"""The page: whole, offline, safe with whatever the data are called, the same for the same facts."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from deepenough.report import html

Facts = dict[str, Any]
CASES = ["tie", "deep", "early", "nothing", "one family"]


class _Tags(HTMLParser):
    """What the page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.unclosed: list[str] = []
        self.json = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [
            value or "" for name, value in attrs if name in ("src", "href", "action") or name.startswith("on")
        ]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            self.unclosed.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "pre":
            self.json += data


def read(page: str) -> _Tags:
    tags = _Tags()
    tags.feed(re.sub(r"(<(?:circle|rect|line|path)[^>]*)/>", r"\1></x>", page).replace("</x>", ""))
    return tags


@pytest.mark.parametrize("case", CASES)
def test_page_of_every_case_is_written(case: str, facts_by_case: dict[str, Facts], tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    html.write(facts_by_case[case], path)
    assert path.stat().st_size < 2_000_000
    assert path.read_text() == html.page(facts_by_case[case])
    assert not list(tmp_path.glob("*.part"))


def test_page_loads_nothing_and_runs_nothing(facts: Facts) -> None:
    page = html.page(facts)
    assert read(page).links == []
    assert "<script" not in page
    assert "@import" not in page and "url(" not in page
    assert "default-src 'none'" in page


def test_names_from_the_data_stay_text(facts: Facts) -> None:
    assert "<script>alert(1)</script>" in json.dumps(facts)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html.page(facts)


def test_hostile_text_anywhere_stays_text(facts: Facts) -> None:
    """Every text of the facts is made hostile in turn with the others; none of it becomes markup."""
    page = html.page(_hostile(facts))
    assert "<img" not in page


def _hostile(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _hostile(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_hostile(item, key) for item in value]
    return f"{value}\"'><img src=x>" if isinstance(value, str) else value


def test_all_facts_can_be_read_back_from_the_page(facts: Facts) -> None:
    assert json.loads(read(html.page(facts)).json) == facts


@pytest.mark.parametrize("case", CASES)
def test_every_element_is_closed(case: str, facts_by_case: dict[str, Facts]) -> None:
    page = re.sub(r"<(circle|rect|line|path)([^>]*)/>", r"<\1\2></\1>", html.page(facts_by_case[case]))
    tags = _Tags()
    tags.feed(page)
    assert tags.open == [] and tags.unclosed == []


def test_first_screen_says_what_to_do(facts_by_case: dict[str, Facts]) -> None:
    page = html.page(facts_by_case["deep"])
    assert page.index("Deep pays") < page.index("What next") < page.index("What each costs")
    assert 'class="decision of-deep"' in page
