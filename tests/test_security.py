"""Every threat that docs/security.md names has its test, and the test exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from deepenough.model.card import card
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def _tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_named_test_exists() -> None:
    assert len(NAMED) > 40
    absent = [f"{path}::{name}" for path, name in NAMED if name not in _tests(ROOT / path)]
    assert absent == []


def test_every_threat_has_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| threat", "| ---"))]
    assert len(rows) > 30
    assert [row for row in rows if "`tests/" not in row.rsplit("|", 2)[1]] == []


def test_a_card_with_hostile_names_runs_nothing() -> None:
    markdown = pytest.importorskip("markdown")
    bad = '</code>`<script>alert(1)</script>\n```\n<img src=x onerror="alert(1)">'
    member = {"name": bad, "family": "classical", "weight": 1.0, "needs": []}
    about = {"task": {"target": bad}, "members": [member, member], "blend": "mean", "note": ""}
    page = markdown.markdown(card(about, {"example": {bad: bad}}), extensions=["fenced_code"])
    assert "<script" not in page and "<img" not in page
