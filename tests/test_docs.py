"""The documentation can't lie: it quotes the program, its options exist, its blocks parse and run, its links lead."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import inspect
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import deepenough
from deepenough import errors
from deepenough.cli import parser
from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("examples/**/*.md")])
PAGES += sorted(ROOT.glob("benchmarks/*.md"))


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def _commands() -> list[tuple[str, str]]:
    """Every `deepenough ...` line that a page shows, with the page."""
    found = []
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        shown = re.findall(r"^\$ (deepenough .*)$", text, re.MULTILINE) + re.findall(
            r"`(deepenough [a-z]+[^`]*)`", text
        )
        found += [(_id(path), command) for command in shown]
    return found


def _subparsers() -> dict[str, argparse.ArgumentParser]:
    actions = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(actions[0].choices)


def _options(command: argparse.ArgumentParser) -> set[str]:
    """The options of a command and of those below it."""
    own = {option for action in command._actions for option in action.option_strings}
    below = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    return own.union(*(_options(choice) for action in below for choice in action.choices.values()))


def test_there_are_commands_to_check() -> None:
    assert len(_commands()) > 8


@pytest.mark.parametrize(("page", "command"), _commands())
def test_shown_commands_exist(page: str, command: str) -> None:
    words = shlex.split(command.split("|")[0])
    if words[1].startswith("-"):
        assert words[1] in _options(parser())
        return
    assert words[1] in _subparsers(), f"{page} names an unknown command"
    for word in words[2:]:
        if word.startswith("-"):
            assert word in _options(_subparsers()[words[1]]), f"{page}: {words[1]} has no {word}"


def _shown_examples() -> list[tuple[str, str]]:
    """Every `python examples/...` line of a page or of an example's own text, with where it stands."""
    places = [*PAGES, *sorted((ROOT / "examples").glob("*.py"))]
    found = {path: re.findall(r"python (examples/[^`;\n]+)", path.read_text(encoding="utf-8")) for path in places}
    return [(_id(path), command) for path, commands in found.items() for command in commands]


@pytest.mark.parametrize(("page", "command"), _shown_examples())
def test_shown_examples_exist(page: str, command: str) -> None:
    script, *words = shlex.split(command)
    assert (ROOT / script).is_file(), f"{page} names an unknown example"
    known = re.findall(r"\"(--[a-z-]+)\"", (ROOT / script).read_text(encoding="utf-8"))
    for word in words:
        assert not word.startswith("--") or word in known, f"{page}: {script} has no {word}"


def _measured() -> list[list[str]]:
    """The rows of the table of what was measured, a cell an item."""
    text = (ROOT / "docs" / "what-is-it.md").read_text(encoding="utf-8").split("## What was measured")[1]
    rows = [line.strip("| ").split(" | ") for line in text.split("\n## ")[0].splitlines() if line.startswith("|")]
    return rows[2:]


def test_what_was_measured_covers_what_can_be_raced() -> None:
    shown = " ".join(row[-1] for row in _measured())
    for part in ("german_credit", "churn", "fraud", "mails", "stations", "fashion", "ears", "clips"):
        assert part in shown


@pytest.mark.parametrize("row", _measured(), ids=lambda row: row[-1].strip("`"))
def test_what_was_measured_can_be_repeated_in_minutes(row: list[str]) -> None:
    """Every row has all its cells and a command of at most two minutes, whose columns the file has."""
    *cells, command = row
    assert len(cells) == 7 and all(cells), "a cell is empty"
    words = shlex.split(command.strip("`"))
    assert words[:2] == ["deepenough", "race"] or (words[0] == "python" and words[1].startswith("examples/"))
    assert words[words.index("--budget") + 1] in ("60s", "90s", "2m")
    if words[0] == "deepenough" and words[2].endswith(".csv"):
        header = (ROOT / words[2]).read_text(encoding="utf-8").split("\n")[0].replace('"', "").split(",")
        for option in ("--target", "--time", "--series", "--known"):
            assert option not in words or words[words.index(option) + 1] in header


@pytest.mark.parametrize("path", PAGES, ids=_id)
def test_named_options_exist(path: Path) -> None:
    """A page may name an option of another program where it shows that program in the same code."""
    known = set().union(_options(parser()), *(_options(command) for command in _subparsers().values()))
    for code in re.findall(r"(?<!`)`([^`\n]+)`", path.read_text(encoding="utf-8")):
        if not code.startswith("--"):
            continue
        assert code.split()[0].split("=")[0] in known | _benchmark_options(), f"{code} is no option"


def _benchmark_options() -> set[str]:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "benchmarks").glob("*.py"))
    return set(re.findall(r"\"(--[a-z-]+)\"", text))


@pytest.mark.parametrize("path", PAGES, ids=_id)
def test_links_lead_to_files(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if not link.startswith(("http:", "https:", "mailto:")):
            assert (path.parent / link).exists(), f"{link} leads nowhere"


@pytest.mark.parametrize("path", PAGES, ids=_id)
def test_shown_data_is_shipped(path: Path) -> None:
    for name in re.findall(r"examples/data/[\w.-]+\w", path.read_text(encoding="utf-8")):
        assert (ROOT / name).is_file(), f"{name} is not there"


@pytest.mark.parametrize("path", PAGES, ids=_id)
def test_python_blocks_parse_and_call_what_exists(path: Path) -> None:
    for block in _blocks(path, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "deepenough":
                assert node.attr in deepenough.__all__, f"deepenough has no {node.attr}"
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "deepenough.race":
                known = set(inspect.signature(deepenough.race).parameters)
                assert {word.arg for word in node.keywords} <= known


def _written() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write", ROOT / "docs" / "write.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cli.md", "learners.md", "contract.md", "python.md", "api.md"])
def test_written_pages_are_up_to_date(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "cli.md" and sys.version_info[:2] != (3, 11):
        pytest.skip("argparse lays its help out otherwise in other versions of Python; the page is written by 3.11")
    monkeypatch.setenv("NO_COLOR", "1")
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == _written().pages()[name], "run `make docs`"


@pytest.mark.parametrize("name", deepenough.__all__)
def test_public_names_are_documented(name: str) -> None:
    thing = getattr(deepenough, name)
    if name.startswith("__"):
        assert isinstance(thing, str)
        return
    text = inspect.getdoc(thing) or ""
    assert text.split("\n")[0].endswith("."), f"{name} has no first sentence"
    if inspect.isfunction(thing):
        missing = [word for word in inspect.signature(thing).parameters if not re.search(rf"\b{word}\b", text)]
        assert missing == [], f"{name} doesn't explain {missing}"
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            is_public = not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
            assert not is_public or inspect.getdoc(getattr(thing, member)), f"{name}.{member}"


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    drawn: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"^([ │├└─]*)([A-Z]\w+)\s{2,}", line):
            drawn.append((len(match.group(1)) // 4, match.group(2)))
    parents: dict[str, str | None] = {}
    for place, (depth, name) in enumerate(drawn):
        above = [other for level, other in drawn[:place] if level == depth - 1]
        parents[name] = above[-1] if above else None
    real: dict[str, Any] = {
        name: cls.__base__.__name__ if cls is not errors.DeepenoughError else None
        for name, cls in inspect.getmembers(errors, inspect.isclass)
        if cls.__module__ == errors.__name__
    }
    assert parents == real


def test_changes_speak_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## Unreleased" in text or f"## {deepenough.__version__}" in text


def test_extras_named_in_the_docs_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for path in PAGES:
        for named in re.findall(r"deepenough\[([\w,]+)\]", path.read_text(encoding="utf-8")):
            assert set(named.split(",")) <= set(extras), f"{_id(path)}: [{named}]"


def test_pinned_versions_are_allowed() -> None:
    """Every distribution that the extras name is pinned, and constraints.txt pins it inside the range."""
    from importlib.metadata import version

    from packaging.requirements import Requirement

    pins = dict(
        line.strip().lower().replace("_", "-").split("==")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
    ]
    for requirement in map(Requirement, wanted):
        if requirement.name == "deepenough":
            continue
        assert requirement.name.lower() in pins, f"{requirement.name} is not pinned"
        assert requirement.specifier.contains(pins[requirement.name.lower()])
        assert version(requirement.name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", ["README.md", "docs/python.md", "docs/tutorial.md", "docs/own_split.md", "docs/service.md"]
)
def test_python_blocks_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other in one folder, as a reader would; the budget is cut to a few trials."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in _blocks(ROOT / page, "python"):
        exec(re.sub(r'budget="[^"]*"', 'budget="24trials"', block), names)
    assert names["race"].decision
