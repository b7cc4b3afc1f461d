"""What a path or a name leads to, and what is said when it leads nowhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepenough.contract.subjects import search
from deepenough.errors import InputError

LEARNER = """
from dataclasses import dataclass

import numpy as np

from deepenough.learner import Learner, Model


@dataclass(frozen=True)
class Constant(Learner):
    {facts}

    def fit(self, examples, limits, seed):
        raise NotImplementedError
"""
OF_TABLES = 'kind, family = "table", "classical"'


@pytest.fixture(autouse=True)
def _no_trace() -> Iterator[None]:
    """Modules and paths of one test are unknown to the next."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def _written(folder: Path, name: str, facts: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(LEARNER.format(facts=facts))
    return path


def test_a_name_of_ours() -> None:
    [subject] = search("linear")
    assert (subject.kind, subject.whole, [entry.name for entry in subject.learners]) == ("table", False, ["linear"])


def test_a_kind_comes_with_all_its_learners() -> None:
    [subject] = search("table")
    assert subject.whole
    assert {entry.family for entry in subject.learners} == {"classical", "deep", "baseline"}


def test_a_file_says_its_kind_and_family(tmp_path: Path) -> None:
    [subject] = search(str(_written(tmp_path, "constant_a.py", OF_TABLES)))
    [entry] = subject.learners
    assert (entry.name, entry.kind, entry.family) == ("constant_a", "table", "classical")


def test_the_folder_says_the_family_and_the_option_the_kind(tmp_path: Path) -> None:
    [subject] = search(str(_written(tmp_path / "deep", "constant_b.py", "pass")), kind="table")
    assert subject.learners[0].family == "deep"


def test_a_folder_of_learners(tmp_path: Path) -> None:
    _written(tmp_path, "constant_c.py", OF_TABLES)
    _written(tmp_path, "constant_d.py", OF_TABLES)
    assert [subject.learners[0].name for subject in search(str(tmp_path))] == ["constant_c", "constant_d"]


def test_a_project_is_checked_by_its_entry_points(tmp_path: Path) -> None:
    _written(tmp_path / "src", "constant_e.py", OF_TABLES)
    points = '[project.entry-points."deepenough.learners"]\nalways = "constant_e:Constant"\n'
    (tmp_path / "pyproject.toml").write_text(points)
    [subject] = search(str(tmp_path))
    assert [entry.name for entry in subject.learners] == ["always"]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ("pass", "doesn't say its kind"),
        ('kind, family = "nosuch", "deep"', "kind = 'nosuch'"),
        ('kind, family = "table", "shallow"', "family = 'shallow'"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_what_a_learner_must_say(facts: str, said: str, tmp_path: Path) -> None:
    path = _written(tmp_path, f"constant_{abs(hash(facts))}.py", facts)
    with pytest.raises(InputError, match=said):
        search(str(path))


def test_a_file_without_a_learner(tmp_path: Path) -> None:
    (tmp_path / "empty_one.py").write_text("x = 1\n")
    with pytest.raises(InputError, match="holds no Learner"):
        search(str(tmp_path / "empty_one.py"))


def test_a_file_that_is_no_python(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x\n1\n")
    with pytest.raises(InputError, match="no Python file"):
        search(str(tmp_path / "data.csv"))


def test_an_empty_folder_and_an_empty_project(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no learner"):
        search(str(tmp_path))
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(InputError, match="has no entry points"):
        search(str(tmp_path))


def test_a_name_that_is_taken_by_another_module(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Rename the file"):
        search(str(_written(tmp_path, "json.py", OF_TABLES)))


def test_a_name_that_nobody_has() -> None:
    with pytest.raises(InputError, match=r"'nosuch' is no file, .*linear"):
        search("nosuch")
    with pytest.raises(InputError, match=r"Known kinds: .*table"):
        search("linear", kind="nosuch")


def test_missing_packages_are_named(tmp_path: Path) -> None:
    from deepenough import contract

    [subject] = search(str(_written(tmp_path, "constant_f.py", OF_TABLES + '; needs = ("no-such-thing",)')))
    [result] = contract.check(subject.learners[0])
    assert not result.is_good
    assert "pip install no-such-thing" in result.reason
