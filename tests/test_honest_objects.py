"""Real races for objects in pictures: boxes of other pictures have no signal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough.kinds import file_store
from deepenough.kinds.objects import toys


@pytest.mark.slow
def test_boxes_of_other_pictures_have_no_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from PIL import Image

    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))
    task = toys.shapes(220, seed=4, side=40)
    rows, others = [], np.random.default_rng(0).permutation(task.rows)
    (tmp_path / "photos").mkdir()
    for number, pixels in enumerate(task.all_inputs.read()):
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{number:03}.png")
        own = task.targets[others[number]]
        rows += [(f"{number:03}.png", task.things[int(t[0])], *(t[1:] * 40)) for t in own[~np.isnan(own[:, 0])]]
    table = tmp_path / "boxes.csv"
    pd.DataFrame(rows, columns=["picture", "what", "x0", "y0", "x1", "y1"]).to_csv(table, index=False)
    race = deepenough.race(
        tmp_path / "photos", "what", budget="12trials", boxes=str(table), out=tmp_path / "run", listen=()
    )
    assert race.decision == "no_signal"
