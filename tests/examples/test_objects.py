"""Objects are composed, raced, found in pictures of other clothes and photos, and drawn."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough.seal.checks import FAILED, verify

pytest.importorskip("torch")
image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def objects(example: Callable[[str], ModuleType]) -> Any:
    module = example("objects")
    try:
        module.photos()
    except SystemExit:
        pytest.skip("scikit-image, which brings the photos, is not installed")
    return module


def test_pictures_of_the_end_share_nothing_with_the_others(objects: Any, tmp_path: Path) -> None:
    tables = [pd.read_csv(file) for file in objects.prepared(tmp_path, 24, 6)]
    assert [table["picture"].nunique() for table in tables] == [24, 6]
    photos = [{ground.rpartition(" ")[0] for ground in table["ground"]} for table in tables]
    assert not photos[0] & photos[1]
    boxes = tables[0].dropna()
    assert len(tables[0]) > len(boxes), "some pictures hold nothing"
    assert set(boxes["what"]) <= {"shoe", "bag", "top"} and (boxes["right"] > boxes["left"]).all()
    pieces, rng = objects.clothes(), np.random.default_rng(0)
    left = list(range(8))
    list(objects._laid(rng, image.new("RGB", (objects.SIDE, objects.SIDE)), pieces, left, 3))
    assert len(left) == 5, "each piece is used once"


def test_all_that_is_written_lies_under_runs(objects: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which git ignores."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["objects.py", "--pictures", "6", "--later", "2"])
    monkeypatch.setattr(objects, "raced", lambda *given: sys.exit(str(given[-1])))
    with pytest.raises(SystemExit, match=r"^runs.objects$"):
        objects.main()
    assert [file.name for file in tmp_path.iterdir()] == ["runs"]


def test_objects_are_found_and_drawn(objects: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPENOUGH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(objects, "SIDE", 48)
    monkeypatch.setattr(objects, "SMALLEST", 18)
    monkeypatch.setattr(objects, "LARGEST", 24)
    monkeypatch.setattr(objects, "MOST_EACH", 2)
    boxes, later = objects.prepared(tmp_path, 30, 8)
    race = objects.raced(boxes, later, "6trials", tmp_path, analysis=0, cores=1, listen=())
    assert race.evidence.plan.kind == "objects" and race.evidence.plan.splitting == "group"
    assert FAILED not in {check.result for check in verify(race.folder)}
    assert sum("On later pictures" in line for line in objects.said(race)) == 2
    assert race.facts["test"]["classical"]["shown"] > 0.2, "far more than the same boxes everywhere"
    files, model = sorted((tmp_path / "later").glob("*.png")), deepenough.load(tmp_path / "run")
    count = objects.drawn(model, files, tmp_path / "found")
    finds = model.predict([str(file) for file in files])
    assert count == int((finds["score"] >= objects.SURE).sum())
    assert len(list((tmp_path / "found").glob("*.png"))) == len(files)
