"""What is shipped: the wheel and the source hold what they must and no more, with types that others see."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

import deepenough
from deepenough import kinds
from tests.conftest import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCE = ROOT / "src" / "deepenough"


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    shipped = {name for name in wheel.namelist() if name.startswith("deepenough/")}
    there = {f"deepenough/{path.relative_to(SOURCE).as_posix()}" for path in SOURCE.rglob("*") if path.is_file()}
    assert shipped == {name for name in there if "__pycache__" not in name}
    assert "deepenough/py.typed" in shipped


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"deepenough"}
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    (path,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    about = Parser().parsestr(wheel.read(path).decode())
    assert about["Version"] == deepenough.__version__
    assert about["License-Expression"] == "Apache-2.0"
    assert about["Requires-Python"] == PROJECT["requires-python"]
    assert set(about.get_all("Provides-Extra") or []) == set(PROJECT["optional-dependencies"])
    assert "deepenough race" in str(about.get_payload()), "the README is its long description"


def test_the_source_builds_tests_and_documents_itself(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as source:
        names = {name.split("/", 1)[1] for name in source.getnames()}
    wanted = {"pyproject.toml", "Makefile", "constraints.txt", "LICENSE", "README.md", "CHANGELOG.md", "docs/cli.md"}
    assert wanted <= names
    assert {"tests/conftest.py", "examples/data/letter.csv", "benchmarks/tables.py", "src/deepenough/py.typed"} <= names
    assert not [name for name in names if name.startswith((".venv", "runs", "dist")) or "__pycache__" in name]


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", text, maxsplit=1)[0].lower() for text in requirements}


@pytest.mark.parametrize("kind", kinds.find())
def test_a_kinds_extra_brings_what_its_learners_need(kind: str) -> None:
    brought = _names(PROJECT["dependencies"]) | _names(PROJECT["optional-dependencies"][kinds.find()[kind].extra])
    for entry in kinds.find_learners(kind):
        if entry.cls.__module__.startswith("deepenough."):
            assert set(entry.cls.needs) <= brought, entry.name


def test_all_is_the_sum_of_the_kinds() -> None:
    extras = {kind.extra for kind in kinds.find().values()}
    assert extras <= set(re.findall(r"[\w-]+", PROJECT["optional-dependencies"]["all"][0].partition("[")[2]))


def test_what_the_tests_ran_with_is_pinned() -> None:
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    stated = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    extras = ("table", "text", "series", "image", "audio", "docs")
    stated += [text for name in extras for text in PROJECT["optional-dependencies"][name]]
    assert _names(stated) - {"deepenough"} <= {name.lower() for name in pins}


def test_declared_pythons_are_those_that_are_allowed() -> None:
    declared = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert declared[0] == PROJECT["requires-python"].removeprefix(">=")
    assert len(declared) == len(set(declared)) > 1


OUTSIDE = """
import deepenough

race = deepenough.race("loans.csv", "paid_back", budget="1m")
reveal_type(race)
reveal_type(race.decision_sentence)
reveal_type(deepenough.load(race.folder))
deepenough.race("loans.csv", 7)
"""


@pytest.mark.slow
def test_type_checkers_see_the_types_from_outside(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "user.py").write_text(OUTSIDE)
    command = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--cache-dir", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}
    told = subprocess.run([*command, "user.py"], capture_output=True, text=True, cwd=tmp_path, env=environment)
    out = told.stdout
    assert 'Revealed type is "deepenough.result.Race"' in out, out + told.stderr
    assert re.search(r'user.py:6: note: Revealed type is "(builtins.)?str"', out)
    assert 'Revealed type is "deepenough.model.folder.LoadedModel"' in out
    assert 'Argument 2 to "race" has incompatible type "int"' in out
    assert "Found 1 error" in out
