"""The shipped learning curves: what they hold, and that their maker keeps what it says."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pandas as pd

from deepenough import lcdb
from tests.conftest import ROOT

AT_MOST_BYTES = 400_000


def test_every_curve_is_a_curve() -> None:
    for table in lcdb.tables():
        for learner, curve in table.curves.items():
            values = np.array([curve.val_error, curve.val_stderr, curve.test_error, curve.test_stderr])
            assert values.shape == (4, len(curve.sizes)), (table.name, learner)
            assert np.all(np.diff(curve.sizes) > 0), (table.name, learner)
            assert np.all((values >= 0) & (values <= 1)), (table.name, learner)


def test_facts_fit_the_curves_but_for_two_tables_that_are_named() -> None:
    """The database trains on more rows of these than they are said to have: see `data/LCDB.md`."""
    odd = {table.name for table in lcdb.tables() if not table.is_sound}
    assert odd == {"variousCancers_final", "Indian_pines"}


def test_tables_come_with_what_is_known_before_a_race() -> None:
    tables = lcdb.tables()
    assert len({table.dataset_id for table in tables}) == len(tables) == 123
    assert all(table.classes >= 2 and table.features >= 1 and 0 <= table.majority_share <= 1 for table in tables)
    letter = next(table for table in tables if table.name == "letter")
    assert (letter.dataset_id, letter.rows, letter.features, letter.classes) == (6, 20_000, 16, 26)
    assert letter.curves["CatBoost"].test_error[-1] == 0.0357
    assert letter.curves["CatBoost"].sizes[-1] == 15_025


def test_rosters_are_equal_and_there() -> None:
    classical, deep = lcdb.ROSTERS["classical"], lcdb.ROSTERS["deep"]
    assert len(classical) == len(deep)
    for learner in (*classical, *deep):
        assert sum(learner in table.curves for table in lcdb.tables()) >= 122, learner


def test_it_stays_small_and_says_whose_it_is() -> None:
    assert lcdb.FILE.stat().st_size < AT_MOST_BYTES
    note = (lcdb.FILE.parent / "LCDB.md").read_text(encoding="utf-8")
    assert "2505.15657" in note and "CC BY 4.0" in note and "What was changed" in note


def _maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_lcdb", ROOT / "benchmarks" / "make_lcdb.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _points(learner: str, sizes: list[int]) -> pd.DataFrame:
    rows = [(7, "made up", learner, size, 1 / size, 0.01, 2 / size, 0.02) for size in sizes]
    names = ["dataset_id", "dataset", "learner", "n_train", "val_error", "val_error_stderr", "test_error"]
    return pd.DataFrame(rows, columns=[*names, "test_error_stderr"])


def test_its_maker_keeps_doublings_and_what_is_largest() -> None:
    anchors = [int(np.ceil(16 * 2 ** (k / 8))) for k in range(20)]
    roster = [name for names in lcdb.ROSTERS.values() for name in names]
    curves = [_points(name, anchors) for name in roster] + [_points("KNN", anchors[:12])]
    points = pd.concat(curves).sort_values(["learner", "n_train"]).reset_index(drop=True)
    kept = points[_maker().keep(points)]
    assert kept.loc[kept["learner"] == "MLP", "n_train"].tolist() == [16, 32, *anchors[-5:]]
    assert anchors[-5:][1] == 64
    assert kept.loc[kept["learner"] == "KNN", "n_train"].tolist() == [16, 32, anchors[11]]


def test_what_is_packed_is_read_again(tmp_path: Any, monkeypatch: Any) -> None:
    points = pd.concat([_points("KNN", [16, 32, 64]), _points("MLP", [16, 32])]).reset_index(drop=True)
    facts = {"dataset_id": [7], "dataset": ["made up"], "features": [3], "samples": [80], "classes": [2]}
    packed = _maker().pack(points, pd.DataFrame({**facts, "majority_share": [0.5]}))
    np.savez_compressed(tmp_path / "small.npz", **packed)
    monkeypatch.setattr(lcdb, "FILE", tmp_path / "small.npz")
    (table,) = lcdb.tables.__wrapped__()
    assert (table.name, table.rows, table.features, sorted(table.curves)) == ("made up", 80, 3, ["KNN", "MLP"])
    assert table.curves["MLP"].sizes.tolist() == [16, 32]
    assert np.allclose(table.curves["KNN"].test_error, [2 / 16, 2 / 32, 2 / 64], atol=5e-5)
    assert np.allclose(table.curves["KNN"].val_error, [1 / 16, 1 / 32, 1 / 64], atol=5e-5)
