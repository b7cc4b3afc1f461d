"""A sealed run of a race that never ran, with a model that never predicted, and a key."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from deepenough.model import manifest
from deepenough.result import Race
from deepenough.seal import keys, sealing
from deepenough.task import files
from tests.report.conftest import full_race
from tests.test_cli import written_run


@pytest.fixture(scope="session")
def sealed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds `run`, `data.csv`, `key.pem` and `key.pem.pub`; the run is sealed and signed."""
    place = tmp_path_factory.mktemp("sealed")
    (place / "data.csv").write_text("a,b\n1,2\n3,4\n")
    evidence = full_race()
    source = {"name": "data.csv", "path": str(place / "data.csv"), "sha256": files.fingerprint(place / "data.csv")}
    plan = dataclasses.replace(evidence.plan, source=source)
    folder = written_run(place / "run", dataclasses.replace(evidence, plan=plan))
    _add_model(folder / "model")
    keys.generate(place / "key.pem")
    sealing.write(Race(folder), keys.private_key(place / "key.pem"))
    return place


def _add_model(folder: Path) -> None:
    (folder / "members" / "0").mkdir(parents=True)
    (folder / "members" / "0" / "weights.bin").write_bytes(bytes(range(64)))
    content = {"format": 1, "kind": "stub", "members": [], "task": {}, "note": ""}
    member = {"name": "a", "family": "deep", "learner": "m:C", "model": "m:M", "needs": []}
    content["members"] = [member | {"weight": 1.0, "temperature": 1.0}]
    (folder / manifest.MANIFEST).write_text(json.dumps(content | {"files": manifest.hashes(folder)}))
    (folder / manifest.CARD).write_text("# A card that a person may write into\n")


@pytest.fixture
def run(sealed_once: Path, tmp_path: Path) -> Path:
    """A copy of the sealed run, to be altered."""
    return Path(shutil.copytree(sealed_once / "run", tmp_path / "run"))
