"""Columns of pictures inside a table."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough.kinds.table import pictures
from deepenough.kinds.table.codec import TableCodec
from deepenough.kinds.table.inputs import Table
from deepenough.kinds.table.task import TableTask, load
from deepenough.task.task import Question

PIL = pytest.importorskip("PIL.Image")
ROWS = 60


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    """A table whose prices follow from an area and from how light a photo is; two photos lack."""
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    rows = []
    for number in range(ROWS):
        light, area = int(rng.integers(30, 220)), int(rng.integers(50, 200))
        noise = rng.integers(0, 30, (20, 30, 3), dtype=np.uint8)
        PIL.fromarray(noise + np.uint8(light)).save(tmp_path / "photos" / f"{number}.png")
        name = {3: "", 4: "photos/none.png"}.get(number, f"photos/{number}.png")
        rows.append({"photo": name, "area": area, "price": 1_000 * area + 900 * light})
    pd.DataFrame(rows).to_csv(tmp_path / "houses.csv", index=False)
    return tmp_path / "houses.csv"


def loaded(source: Any, **asked: Any) -> TableTask:
    return load(source, Question(target="price", **asked))


def values(task: TableTask, name: str) -> np.ndarray:
    return next(column.values for column in task.table.columns if column.name == f"photo: {name}")


def test_a_column_of_pictures_becomes_numbers_with_names(houses: Path) -> None:
    task = loaded(houses)
    light = values(task, "brightness")
    prices = task.targets - 1_000 * next(c.values for c in task.table.columns if c.name == "area")
    there = ~np.isnan(light)
    assert np.flatnonzero(~there).tolist() == [3, 4]
    assert np.corrcoef(light[there], prices[there])[0, 1] > 0.999
    assert "photo" not in [column.name for column in task.table.columns]
    assert task.table.parts() == ["photo", "area"]
    assert any("1 of 59 pictures in 'photo' can't be read" in note for note in task.notes)


def test_edges_and_places_are_told_apart() -> None:
    def of(pixels: np.ndarray) -> dict[str, float]:
        content = io.BytesIO()
        PIL.fromarray(pixels.astype(np.uint8)).save(content, "PNG")
        return dict(zip(pictures.NUMBERS, pictures.measured(content.getvalue()), strict=True))

    stripes = np.tile(np.where(np.arange(64) % 8 < 4, 0, 255), (64, 1))
    upright, level = of(stripes), of(stripes.T)
    assert upright["upright edges, top left"] > 10 * upright["level edges, top left"]
    assert level["level edges, top left"] > 10 * level["upright edges, top left"]
    corner = np.zeros((64, 64, 3))
    corner[48:, :16] = (255, 0, 0)
    seen = of(corner)
    assert seen["brightness in row 4, column 1 of 4"] == pytest.approx(1 / 3)
    assert seen["brightness in row 1, column 4 of 4"] == 0
    assert seen["red"] == pytest.approx(1 / 16) and seen["green"] == 0
    assert seen["megapixels"] == pytest.approx(64 * 64 / 1e6) and seen["width by height"] == 1
    slope = np.fromfunction(lambda y, x: np.where((x + y) % 16 < 8, 0, 255), (64, 64))
    rising = of(slope)  # lines along which x + y stays the same rise to the right
    assert rising["rising edges, top left"] > 3 * rising["falling edges, top left"]


def test_a_served_row_is_measured_as_the_raced_one_was(houses: Path) -> None:
    task = loaded(houses)
    codec = TableCodec.from_json(TableCodec.of(task).to_json())
    assert [(item.name, item.role) for item in codec.columns] == [("photo", "picture"), ("area", "number")]
    file = houses.parent / "photos" / "7.png"
    address = f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode('ascii')}"
    for given in (str(file), file, file.read_bytes(), address, np.asarray(PIL.open(file)), PIL.open(file)):
        table = codec.encode({"photo": given, "area": 70})
        expected = task.table.take(np.array([7]))
        same(table, expected)
    assert codec.encode(codec.example).columns[2].values[0] == pytest.approx(128 / 255)
    lost = codec.encode([{"photo": None, "area": 1}, {"photo": "nowhere.png", "area": 2}, {"photo": b"x", "area": 3}])
    assert np.isnan(lost.columns[0].values).all()


def same(table: Table, expected: Table) -> None:
    for own, other in zip(table.columns, expected.columns, strict=True):
        assert (own.name, own.of) == (other.name, other.of)
        if own.of:
            assert np.array_equal(own.values, other.values, equal_nan=True)


def test_paths_of_a_file_lead_from_its_folder_whatever_the_place(houses: Path) -> None:
    task = loaded(houses)
    codec = TableCodec.of(task)
    batch = next(codec.batches(houses, 100))
    same(codec.encode(batch), task.table)
    assert codec.unread(batch, codec.encode(batch)) == {"photo": 1}


def test_inputs_cross_into_a_trial_and_a_picture_is_shuffled_as_a_whole(houses: Path) -> None:
    table = loaded(houses).table
    same(Table.from_arrays(table.to_arrays()), table)
    turned = table.shuffled(0, np.arange(ROWS)[::-1])
    for own, moved in zip(table.columns, turned.columns, strict=True):
        expected = own.values[::-1] if own.of else own.values
        assert np.array_equal(moved.values, expected, equal_nan=True)


def test_a_test_of_ones_own_has_its_pictures_beside_it(houses: Path, tmp_path: Path) -> None:
    from deepenough.kinds.table import held_out

    other = tmp_path / "later"
    other.mkdir()
    (other / "photos").symlink_to(houses.parent / "photos")
    (other / "later.csv").write_text(houses.read_text())
    task = held_out.with_test(loaded(houses), Question(target="price", test=other / "later.csv"))
    test = task.held_out()
    assert test is not None
    same(test.inputs, task.table)


def test_pictures_that_are_mostly_gone_are_not_used_and_said(houses: Path) -> None:
    for number in range(40):
        (houses.parent / "photos" / f"{number}.png").unlink()
    task = loaded(houses)
    assert task.table.parts() == ["area"]
    aside = {item["name"]: item["reason"] for item in task.set_aside}
    assert aside["photo"].startswith("of 59 pictures 39 can't be read (photos/0.png: not in ")


def test_a_column_that_is_dropped_is_not_looked_at(houses: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures.file_store, "decoded", lambda *_: pytest.fail("looked at"))
    assert loaded(houses, drop=("photo",)).table.parts() == ["area"]


def test_without_the_package_it_is_said_what_to_install(houses: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures.importlib.util, "find_spec", lambda _: None)
    task = loaded(houses)
    assert task.table.parts() == ["area"]
    assert "pip install 'deepenough[image]'" in task.set_aside[0]["reason"]


def test_a_race_uses_the_pictures_and_its_model_answers(houses: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = deepenough.race(houses, target="price", budget="6trials", out=run)
    model = deepenough.load(run)
    answer = model.predict([{"photo": str(houses.parent / "photos" / "7.png"), "area": 100}])
    assert len(answer) == 1 and result.facts["question"]["columns"] > 30
