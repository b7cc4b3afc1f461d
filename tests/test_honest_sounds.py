"""Real races of recordings: what has no signal is said to have none; where a tone's height decides no net is needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepenough
from deepenough.kinds import file_store
from deepenough.result import Race

pytest.importorskip("torch")
pytest.importorskip("soundfile")
from tests.kinds.audio.files import encoded, tone

RECORDINGS = 280


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))


def raced(folder: Path, sounds: list[np.ndarray], labels: np.ndarray, only: tuple[str, ...]) -> Race:
    for label in np.unique(labels):
        (folder / "in" / str(label)).mkdir(parents=True)
    for number, (sound, label) in enumerate(zip(sounds, labels.tolist(), strict=True)):
        (folder / "in" / label / f"{number:04}.wav").write_bytes(encoded(sound))
    return deepenough.race(folder / "in", budget="8trials", only=only, out=folder / "run", listen=())


def test_shuffled_labels_of_recordings_have_no_signal(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sounds = [tone(rng.uniform(200, 4_000), 0.3, seed=seed) for seed in range(RECORDINGS)]
    race = raced(tmp_path, sounds, rng.choice(["a", "b"], RECORDINGS), ("cepstra_svm", "recurrent"))
    assert race.evidence.plan.kind == "audio"
    assert race.decision == "no_signal"


def test_where_the_height_of_a_tone_decides_classical_is_enough(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(["high", "low"], RECORDINGS)
    sounds = []
    for seed, label in enumerate(labels.tolist()):
        hertz = (1_800 if label == "high" else 600) * rng.uniform(0.5, 2.0)
        sounds.append(tone(hertz, 0.3, loud=float(rng.uniform(0.02, 0.4)), seed=seed))
    race = raced(tmp_path, sounds, labels, ("cepstra_svm", "convolution"))
    assert race.decision == "classical_is_enough"
    assert any("personal data" in note for note in race.evidence.plan.notes)
    shown = race.facts["mistakes"]["classical"]["examples"][0]["shown"]
    assert shown["form"] == "sound" and shown["sound"] and shown["picture"]
    page = (race.folder / "report.html").read_text(encoding="utf-8")
    assert 'src="data:audio/mpeg;base64,' in page and "media-src data:" in page
    answers = deepenough.load(race.folder).predict(encoded(tone(3_000, 0.3)))
    assert answers["class"].tolist() == ["high"]
