"""The documentation builds into a site without a warning: complete, in four parts, and it opens without a network."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytest.importorskip("properdocs")


class _Addresses(HTMLParser):
    """What a page loads, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag in ("script", "img", "iframe", "source"):
            self.loads += filter(None, [found.get("src")])
        elif tag == "link" and found.get("rel") != "canonical":
            self.loads += filter(None, [found.get("href")])
        elif tag == "a":
            self.links += filter(None, [found.get("href")])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "properdocs", "build", "--strict", "--config-file", str(ROOT / "properdocs.yml")]
    built = subprocess.run([*command, "-d", str(place)], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return place


def _pages(site: Path) -> dict[str, _Addresses]:
    return {page.name: _Addresses(page.read_text(encoding="utf-8")) for page in site.glob("*.html")}


def test_every_page_is_there(site: Path) -> None:
    written = {f"{page.stem}.html" for page in (ROOT / "docs").glob("*.md")}
    assert written | {"index.html", "contributing.html", "changes.html", "benchmarks.html"} <= set(_pages(site))


def test_it_has_four_parts() -> None:
    text = (ROOT / "properdocs.yml").read_text(encoding="utf-8")
    parts = re.findall(r"^  - ([\w ]+):", text.split("\nnav:\n")[1], re.MULTILINE)
    assert parts == ["Start", "Tutorial", "How to", "Reference", "Explanation"]


def test_links_between_pages_lead_somewhere(site: Path) -> None:
    pages = _pages(site)
    for name, page in pages.items():
        for link in page.links:
            if not re.match(r"\w+:|#|\.$", link) and name != "404.html":
                assert (site / link.split("#")[0]).exists(), f"{name}: {link}"


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for name, page in _pages(site).items():
        assert not [address for address in page.loads if re.match(r"(https?:)?//", address)], name


def test_what_is_named_is_listed_as_a_list(site: Path) -> None:
    """Markdown of docstrings must not run together into paragraphs."""
    text = (site / "api.html").read_text(encoding="utf-8")
    assert re.search(r"<li><code>budget</code>: ", text)
    assert "deepenough.race" in text
