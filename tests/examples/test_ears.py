"""Spoken commands become intents, values and entries of files; voices and phrasings are held out whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("soundfile")


@pytest.fixture(scope="module")
def ears(example: Callable[[str], ModuleType]) -> Any:
    return example("ears")


def test_voices_and_phrasings_are_held_out_whole(ears: Any, tmp_path: Path) -> None:
    learnt, held_out = ears.unpacked(tmp_path)
    assert (len(learnt), len(held_out)) == (400, 120)
    for column in ("voice", "phrasing"):
        assert not set(learnt[column]) & set(held_out[column])
    assert held_out["voice"].nunique() == 3 and 3 * held_out["phrasing"].nunique() >= learnt["phrasing"].nunique()
    assert set(learnt["value"]) == set(held_out["value"]) and len(set(learnt["value"])) == 20


def test_what_is_heard_is_done(ears: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raced on a third of the recordings with one quick learner a family; far better than by chance on new voices."""
    monkeypatch.setenv("DEEPENOUGH_CACHE", str(tmp_path / "cache"))
    learnt, held_out = ears.unpacked(tmp_path)
    quick = {"only": ("cepstra_svm", "recurrent"), "analysis": 0, "cores": 1, "listen": ()}
    for asked in ears.ASKED:
        ears.raced(learnt.iloc[::3], asked, "6trials", tmp_path, **quick)
    made = ears.Ears(tmp_path)
    shares = ears.counted(made, held_out.iloc[::3])
    assert shares["intent"] > 0.3 and shares["intent and value"] > 0.1, "by chance .2 and .05"
    monkeypatch.setattr(ears, "SURE", 0.0)
    heard = made.hear(held_out["file"].iloc[0])
    done = made.act(held_out["file"].iloc[0], datetime(2026, 3, 2, 14, 0))
    (written,) = [path for path in tmp_path.glob("*.json") if path.stem in done]
    assert heard.value in json.dumps(json.loads(written.read_text(encoding="utf-8")))
