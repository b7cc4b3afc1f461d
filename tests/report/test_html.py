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
CASES = ["tie", "deep", "early", "nothing", "one family", "numbers"]


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
    assert [link for link in read(page).links if not link.startswith("#")] == []
    assert "<script" not in page
    assert "@import" not in page and "url(" not in page
    assert "default-src 'none'" in page


def test_names_from_the_data_stay_text(facts: Facts) -> None:
    assert "<script>alert(1)</script>" in json.dumps(facts)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html.page(facts)


@pytest.mark.parametrize("unseen", ["\u202e", "\u200b", "\u2066", "\ufeff", "\x07", "\x1b", "\u2028", "\ud800"])
def test_what_can_not_be_seen_is_shown_as_its_number(unseen: str, facts: Facts) -> None:
    page = html.page(_with(facts, f"ab{unseen}cd"))
    assert unseen not in page
    page.encode()
    assert f"ab[U+{ord(unseen):04X}]cd" in page


def test_letters_of_any_script_stay_letters(facts: Facts) -> None:
    name = "Größe, العمر, 年齢, 😀"
    assert name in html.page(_with(facts, name))


def _with(facts: Facts, name: str) -> Facts:
    """The same race with a column of that name, which was set aside and which drives the predictions."""
    driven = {"name": name, "rise": 1.0, "low": 0.9, "high": 1.1}
    deep = facts["drivers"]["deep"] | {"inputs": [driven]}
    aside = [{"name": name, "reason": "it was tried"}]
    return facts | {"set_aside": aside, "drivers": facts["drivers"] | {"deep": deep}}


def test_a_race_of_very_many_names_stays_small(facts: Facts) -> None:
    aside = [{"name": f"{index} " * 2000, "reason": "every value is different, " * 50} for index in range(3000)]
    page = html.page(facts | {"set_aside": aside})
    assert len(page.encode()) < 2_000_000
    assert "2,800 more" in page and "facts.json, beside it" in page


def test_every_word_that_is_explained_leads_to_its_meaning(facts: Facts) -> None:
    page = html.page(facts)
    asked = set(re.findall(r'aria-describedby="([^"]+)"', page))
    assert len(asked) > 8
    for identity in asked:
        assert page.count(f'id="{identity}"') == 1


def test_links_of_the_page_lead_somewhere(facts: Facts) -> None:
    page = html.page(facts)
    links = re.findall(r'href="#([^"]+)"', page)
    assert len(links) > 8
    assert all(page.count(f'id="{link}"') == 1 for link in links)


def test_every_table_says_what_it_is(facts_by_case: dict[str, Facts]) -> None:
    for facts in facts_by_case.values():
        page = html.page(facts)
        tables = re.findall(r"<table>.*?</table>", page, re.DOTALL)
        assert all("<caption>" in table and 'scope="col"' in table for table in tables)
        assert all('scope="row"' in table for table in tables if "<td" in table)


def test_what_is_wider_than_a_phone_scrolls_and_shows_that_it_does(facts: Facts) -> None:
    """Phones hide the bars to scroll with: what goes on beyond the edge has a shadow there."""
    page = html.page(facts)
    rule = page[page.index("\n.scroll, figure .picture {") :].partition("}")[0]
    assert rule.count("local") == 2 and rule.count("var(--edge), transparent") == 2
    assert page.count("--edge: ") == 2, "in the light and in the dark"
    assert len(re.findall(r'<div class="scroll" tabindex="0"><table', page)) == page.count("<table")
    assert page.count('class="tall"') == len(
        re.findall(r'<div class="picture" tabindex="0"><svg [^>]*class="tall"', page)
    )


def test_of_very_many_classes_the_most_frequent_confusions_are_listed(facts: Facts) -> None:
    side = facts["mistakes"]["deep"]
    classes = side["classes"] | {"confusion": None, "names": ["spruce", "fir"]}
    page = html.page(facts | {"mistakes": {"classical": None, "deep": side | {"classes": classes}}})
    assert re.search(r"fir</th><td>spruce</td><td[^>]*>200</td><td[^>]*>800</td>", page)


def test_what_was_not_measured_is_said(facts_by_case: dict[str, Facts]) -> None:
    assert html.page(facts_by_case["early"]).count("It was not measured.") == 2
    assert "No time was left to look." in html.page(facts_by_case["numbers"])


def test_the_command_of_the_race_stands_on_the_page(facts: Facts) -> None:
    assert facts["repeat"]["command"] in html.page(facts)
    assert facts["repeat"]["command"].endswith("--budget 2m")


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
    assert page.index("Deep pays") < page.index("What next") < page.index('class="cards"') < page.index("<nav")
    assert page.index("<nav") < page.index("<figure")
    assert 'class="decision of-deep"' in page


def test_documents_that_were_got_wrong_stand_in_a_table_as_text(facts_by_case: dict[str, Facts]) -> None:
    page = html.page(facts_by_case["deep"])
    assert "The worst mistakes of mlp (deep)" in page
    assert re.search(r"no</th><td>yes \(90 %\)</td><td class=.why.>&lt;script&gt;", page)
    assert "the word &lt;script&gt;" in page


def test_finds_are_drawn_over_their_pictures(facts_by_case: dict[str, dict[str, Any]]) -> None:
    drawn = html.page(facts_by_case["lists"])
    assert drawn.count('<rect class="there"') == 2 * 2
    assert drawn.count('<rect class="said of-classical"') == 2, "what is unlikely is not drawn"
    assert 'x="6.0" y="4.0" width="24.0" height="16.0"' in drawn, "in the picture's own pixels"
    assert drawn.count("<image href=") == 2 and "<script" not in drawn
    assert "share of finds that were right" in drawn and "1 cat, 1 &lt;script&gt;" in drawn
