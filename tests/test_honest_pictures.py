"""Real races of pictures: what has no signal is said to have none; a pattern anywhere is deep's, a colour is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepenough
from deepenough.kinds import file_store
from deepenough.result import Race

PICTURES = 500


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))


def raced(
    folder: Path, pixels: np.ndarray, labels: np.ndarray, only: tuple[str, ...], budget: str = "12trials"
) -> Race:
    from PIL import Image

    for label in np.unique(labels):
        (folder / "in" / str(label)).mkdir(parents=True)
    for number, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
        Image.fromarray(picture).save(folder / "in" / str(label) / f"{number:04}.png")
    return deepenough.race(folder / "in", budget=budget, only=only, out=folder / "run", listen=())


def noise(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(40, 90, (PICTURES, 24, 24, 3)).astype(np.uint8)


def test_shuffled_labels_of_pictures_have_no_signal(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    race = raced(tmp_path, noise(rng), rng.choice(["a", "b"], PICTURES), ("hog_svm", "convolution"))
    assert race.evidence.plan.kind == "image"
    assert race.decision == "no_signal"


def test_a_pattern_anywhere_is_found_by_the_net_and_not_by_trees(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels, labels = noise(rng), rng.choice(["cross", "ring"], PICTURES)
    rows, columns = np.mgrid[:5, :5] - 2
    cross, ring = (rows == 0) | (columns == 0), (np.abs(rows) == 2) ^ (np.abs(columns) == 2)
    for picture, label in zip(pixels, labels, strict=True):
        down, right = rng.integers(0, 19, 2)
        picture[down : down + 5, right : right + 5][cross if label == "cross" else ring] = 220
    race = raced(tmp_path, pixels, labels, ("pixels_linear", "convolution"))
    assert race.decision == "deep_pays"
    assert all(item["shown"]["form"] == "picture" for item in race.facts["mistakes"]["classical"]["examples"])
    looked = race.facts["mistakes"]["classical"]["examples"][0]["looked"]
    assert len(looked["cells"]) == looked["rows"] * looked["columns"] == 36 and any(looked["cells"])
    page = (race.folder / "report.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in page and "img-src data:" in page


@pytest.mark.slow
def test_where_a_colour_decides_classical_is_enough(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels, labels = noise(rng), rng.choice(["green", "red"], PICTURES)
    for picture, label in zip(pixels, labels, strict=True):
        picture[8:16, 8:16, 1 if label == "green" else 0] += 60
    race = raced(tmp_path, pixels, labels, ("hog_boosted", "convolution"))
    assert race.decision == "classical_is_enough"
    assert race.facts["drivers"]["classical"]["inputs"][0]["name"] == "centre"
    model = deepenough.load(race.folder)
    answers = model.predict(str(next((tmp_path / "in" / "red").iterdir())))
    assert answers["class"].tolist() == ["red"]
