"""The steps of CONTRIBUTING.md, followed word for word: each makes a distribution that is found and keeps its word."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT


def _section(title: str) -> str:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def _blocks(section: str, language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", section, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for _, block in found]


def _follow(section: str, folder: Path) -> None:
    """Write every file that the steps show, and the metadata that an install would write for their entry points."""
    for block in _blocks(section, "python"):
        name = block.split("\n")[0].removeprefix("# ")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent != folder:
            (path.parent / "__init__.py").touch()
        path.write_text(block)
    info = folder / "throwaway-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: throwaway\nVersion: 1\n")
    lines = []
    for block in _blocks(section, "toml"):
        for group, points in tomllib.loads(block)["project"]["entry-points"].items():
            lines += [f"[{group}]", *(f"{name} = {path}" for name, path in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    command = (
        command.replace("deepenough", "python -m deepenough.cli", 1) if command.startswith("deepenough") else command
    )
    words = [sys.executable if word == "python" else word for word in command.split()]
    return subprocess.run(
        words, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": paths}, cwd=folder, check=False
    )


@pytest.mark.parametrize(("title", "checked"), [("Add a learner", 1), ("Add a kind", 4)])
def test_the_steps_lead_to_kept_promises(title: str, checked: int, tmp_path: Path) -> None:
    """Four are the kind itself and its three learners."""
    section = _section(title)
    _follow(section, tmp_path)
    commands = re.findall(r"^ *\$ (.*)$", section, re.MULTILINE)
    assert commands
    for command in commands:
        done = _run(command, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        closing = re.findall(r"^(\w+): (\d+) of (\d+) kept", done.stdout, re.MULTILINE)
        assert len(closing) == checked, done.stdout
        assert all(kept == all_of_them and int(kept) > 5 for _, kept, all_of_them in closing)


def test_what_was_added_is_listed(tmp_path: Path) -> None:
    _follow(_section("Add a kind"), tmp_path)
    done = _run("deepenough learners --kind signals", tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split()[:3] for line in done.stdout.splitlines()] == [
        ["signals", "baseline", "even"],
        ["signals", "classical", "difference"],
        ["signals", "deep", "two_layers"],
    ]


def test_a_broken_promise_is_told(tmp_path: Path) -> None:
    """The same steps with a learner that forgets half of its answer."""
    section = _section("Add a kind").replace("return np.column_stack([1 - positive, positive])", "return positive")
    _follow(section, tmp_path)
    done = _run("deepenough check difference", tmp_path)
    assert done.returncode == 1
    assert "difference: predictions_are_valid on waves: broken. predicts shape (40,) instead of (40, 2)" in done.stdout
