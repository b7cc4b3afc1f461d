"""The benchmarks start, explain themselves, and say which tables are not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

COMMANDS = sorted(path for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text(encoding="utf-8"))


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_every_benchmark_has_its_line_in_the_readme(path: Path) -> None:
    assert f"benchmarks/{path.name}" in (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["race_tables", "quality", "one_row", "startup", "install", "peers"])
def test_help_explains(name: str) -> None:
    done = _run(f"benchmarks/{name}.py", "--help")
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout


def test_a_table_that_is_not_there_is_named() -> None:
    done = _run("benchmarks/quality.py", "--tables", "diamonds", "--data", "nowhere")
    assert "diamonds: not there" in done.stdout


def test_sizes_are_shown() -> None:
    assert "functions; half up to" in _run("benchmarks/size.py", "src/deepenough").stdout


def test_the_synthetic_table_has_a_signal_and_holes() -> None:
    code = (
        "import sys; sys.path.insert(0, 'benchmarks'); import tables; frame = tables.synthetic(4000);"
        "print(len(frame), frame.x0.isna().any(), frame.groupby('y').x0.mean().diff().iloc[-1] > 0.3)"
    )
    assert _run("-c", code).stdout.split() == ["4000", "True", "True"]


def test_the_score_beside_peers_is_that_of_the_true_class() -> None:
    code = (
        "import sys; sys.path.insert(0, 'benchmarks'); import numpy as np, pandas as pd; from peers import _loss;"
        "given = pd.DataFrame({'0': [.5, .25, .9], '1': [.5, .75, .1]});"
        "print(round(_loss(given, pd.Series([0, 1, 7]), False) - float(np.mean(-np.log([.5, .75]))), 9),"
        "_loss(np.array([1., 3.]), pd.Series([1., 1.]), True) ** 2)"
    )
    zero, squared = _run("-c", code).stdout.split()
    assert float(zero) == 0.0, "a class that no model knows is left out"
    assert float(squared) == pytest.approx(2.0)
