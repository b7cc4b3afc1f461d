"""Real races of clips: what has no signal is said to have none; where motion decides and the scene does not, those find
it that see motion, and those that see one frame do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepenough
from deepenough.kinds import file_store
from deepenough.result import Race

pytestmark = pytest.mark.slow
CLIPS, FRAMES = 200, 8


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("av")
    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))


def raced(folder: Path, pixels: np.ndarray, labels: np.ndarray, only: tuple[str, ...], budget: str = "8trials") -> Race:
    from deepenough.kinds.video.decode import as_file

    for label in np.unique(labels):
        (folder / "in" / str(label)).mkdir(parents=True)
    for number, (clip, label) in enumerate(zip(pixels, labels, strict=True)):
        (folder / "in" / str(label) / f"{number:04}.avi").write_bytes(as_file(clip))
    return deepenough.race(folder / "in", budget=budget, only=only, out=folder / "run", listen=())


def scenes(rng: np.random.Generator) -> np.ndarray:
    """A scene of its own for each clip, which stays as it is."""
    return rng.integers(40, 100, (CLIPS, 1, 16, 16, 3)).repeat(FRAMES, axis=1).astype(np.uint8)


def moved(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """A square crosses the scene to the left or to the right; in the middle frame it may stand anywhere."""
    pixels = scenes(rng)
    for clip, label in zip(pixels, labels, strict=True):
        low, middle = rng.integers(1, 11), rng.integers(4, 8)
        for time in range(FRAMES):
            left = middle + (time - FRAMES // 2) * (1 if label == "right" else -1)
            clip[time, low : low + 4, left : left + 4] = 210
    return pixels


def test_shuffled_labels_of_clips_have_no_signal(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = moved(rng, rng.choice(["left", "right"], CLIPS))
    race = raced(tmp_path, pixels, rng.choice(["a", "b"], CLIPS), ("motion_svm", "frames_gru"))
    assert race.evidence.plan.kind == "video"
    assert race.decision == "no_signal"


def test_where_motion_decides_a_net_of_clips_finds_it_and_trees_on_one_frame_do_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(["left", "right"], CLIPS)
    race = raced(tmp_path, moved(rng, labels), labels, ("middle_boosted", "convolution_2plus1d"), "12trials")
    assert race.decision == "deep_pays"
    wrong = race.facts["mistakes"]["classical"]["examples"][0]
    assert wrong["shown"]["form"] == "picture"
    assert len(wrong["looked"]["cells"]) == wrong["looked"]["rows"] * wrong["looked"]["columns"] == 36
    page = (race.folder / "report.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in page


def test_where_motion_decides_described_motion_is_enough(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(["left", "right"], CLIPS)
    race = raced(tmp_path, moved(rng, labels), labels, ("motion_boosted", "frames_gru"), "12trials")
    assert race.decision == "classical_is_enough"
    rises = {item["name"]: item for item in race.facts["drivers"]["deep"]["inputs"]}
    assert "order of the frames" in list(rises)[:2], "what it goes by is the order of the frames"
    model = deepenough.load(race.folder)
    answers = model.predict(str(next((tmp_path / "in" / "right").iterdir())))
    assert answers["class"].tolist() == ["right"]
