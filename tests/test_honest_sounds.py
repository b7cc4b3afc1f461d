"""Real races of recordings: without a signal it is said; where the length decides no net pays."""

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

RECORDINGS = 300


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


@pytest.mark.slow
def test_where_the_length_decides_no_net_pays(tmp_path: Path) -> None:
    """Whatever is heard; one label in twenty is wrong, so that there are mistakes to show."""
    rng = np.random.default_rng(0)
    seconds = rng.uniform(0.1, 0.5, RECORDINGS)
    sounds = [tone(rng.uniform(200, 4_000), each, seed=seed) for seed, each in enumerate(seconds.tolist())]
    labels = np.where((seconds > 0.3) ^ (rng.random(RECORDINGS) < 0.05), "long", "short")
    race = raced(tmp_path, sounds, labels, ("spectra_boosted", "convolution"))
    assert race.decision in ("classical_is_enough", "open")
    assert race.facts["verdict"]["classical"]["shown"] < 0.4, "log loss; .2 is the least that the wrong labels allow"
    assert any("personal data" in note for note in race.evidence.plan.notes)
    shown = race.facts["mistakes"]["classical"]["examples"][0]["shown"]
    assert shown["form"] == "sound" and shown["sound"] and shown["picture"]
    page = (race.folder / "report.html").read_text(encoding="utf-8")
    assert 'src="data:audio/mpeg;base64,' in page and "media-src data:" in page
    answers = deepenough.load(race.folder).predict(encoded(tone(700, 0.4)))
    assert answers["class"].tolist() == ["long"]
