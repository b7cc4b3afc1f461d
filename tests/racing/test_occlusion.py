"""What answers go by, field by field: from the models that judged them, and only where there is time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepenough
from deepenough.racing.occlusion import _moved


def test_what_a_field_says_for_a_class_is_the_fall_of_its_chance_without_it() -> None:
    plain = np.array([0.2, 0.8])
    cells = _moved(plain, np.array([[0.2, 0.8], [0.6, 0.4], [0.1, 0.9]]))
    assert cells == pytest.approx([0.0, np.log(2), np.log(0.8 / 0.9)])
    assert _moved(np.float64(3.0), np.array([3.0, 1.0])) == pytest.approx([0.0, 2.0])


def test_kinds_without_fields_show_examples_without_them(tmp_path: Path) -> None:
    import pandas as pd

    rng = np.random.default_rng(0)
    said = [" ".join(rng.choice(["red", "blue", "green", "old", "new"], 8).tolist()) for _ in range(200)]
    frame = pd.DataFrame({"said": said, "kind": [text.count("red") > 1 for text in said]})
    frame["kind"] ^= rng.random(200) < 0.1
    only = ("bag_of_words", "convolution")
    race = deepenough.race(frame, "kind", budget="6trials", only=only, out=tmp_path / "run", listen=())
    shown = race.facts["mistakes"]["classical"]["examples"]
    assert shown and not any(item.get("looked") for item in shown)
