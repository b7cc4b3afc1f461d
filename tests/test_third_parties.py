"""A real distribution of a stranger, installed by pip into a folder of its own: found, checked, raced, predicted with.

The one of CONTRIBUTING.md, made into a wheel as a build would, and a second one whose entry points lead nowhere.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.test_contributing import _blocks, _section

LEARNER = _blocks(_section("Add a learner"), "python")[0]
POINTS = """[deepenough.learners]
least_squares = least_squares:LeastSquares
linear = least_squares:LeastSquares
nowhere = no_such_module:Learner
no_learner = least_squares:with_ones
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip installed the distribution."""
    folder = tmp_path_factory.mktemp("strangers")
    wheel = folder / "least_squares-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("least_squares.py", LEARNER)
        info = "least_squares-1.0.dist-info"
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: least-squares\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/entry_points.txt", POINTS)
        file.writestr(f"{info}/RECORD", "")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target"]
    subprocess.run([*pip, str(folder / "site"), str(wheel)], check=True, capture_output=True, text=True)
    return folder


def _deepenough(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(place / "site"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "deepenough.cli", *arguments]
    environment = os.environ | {"PYTHONPATH": paths}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=place, check=False)


def test_it_is_listed_and_a_taken_name_gets_the_distributions_beside_it(place: Path) -> None:
    done = _deepenough(place, "learners", "--json")
    assert done.returncode == 0, done.stderr
    found = {entry["name"]: entry["family"] for entry in json.loads(done.stdout)}
    assert found["least_squares"] == found["linear.least-squares"] == found["linear"] == "classical"
    assert {"nowhere", "no_learner"} & set(found) == set()


def test_it_keeps_its_promises(place: Path) -> None:
    done = _deepenough(place, "check", "least_squares", "--json")
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    assert told["good"] and len(told["results"]) > 50
    assert {result["toy"] for result in told["results"]} == {"binary", "three_classes", "number"}
    assert all(result["outcome"] == "kept" and result["about"] for result in told["results"])


def test_what_leads_nowhere_is_said(place: Path) -> None:
    done = _deepenough(place, "check", "nowhere")
    assert done.returncode == 2
    assert "No module named 'no_such_module'" in done.stderr and "Traceback" not in done.stderr
    done = _deepenough(place, "check", "no_learner")
    assert done.returncode == 2
    assert "no class of Learner" in done.stderr


def test_it_races_beside_ours_and_wins_what_it_can(place: Path) -> None:
    """A plane with noise: nothing beats least squares here."""
    draw = random.Random(0)
    rows = [(draw.gauss(0, 1), draw.gauss(0, 1)) for _ in range(240)]
    lines = [f"{a:.4f},{b:.4f},{3 * a - 2 * b + draw.gauss(0, 0.1):.4f}" for a, b in rows]
    (place / "plane.csv").write_text("\n".join(["a,b,y", *lines]) + "\n")
    options = "--target y --budget 12trials --only least_squares --only mlp --out run --quiet"
    done = _deepenough(place, "race", "plane.csv", *options.split())
    assert done.returncode == 0, done.stderr
    facts = json.loads((place / "run" / "facts.json").read_text())
    finalist = facts["verdict"]["classical"]
    assert finalist["contender"] == "least_squares" and finalist["loss"] < 0.15
    assert facts["model"]["contenders"] == ["least_squares"]
    notes = " ".join(facts["notes"])
    assert "'nowhere' took no part: no_such_module:Learner of least-squares can't be used" in notes
    done = _deepenough(place, "predict", "run", "plane.csv", "-o", "out.csv")
    assert done.returncode == 0, done.stderr
    assert len((place / "out.csv").read_text().splitlines()) == 241
