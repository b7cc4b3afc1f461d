"""Drives are rendered from a simulator's state, raced by drive, and a drive that nobody has seen is answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("PIL")

STRAIGHT = {"points": np.stack([np.zeros(200), np.arange(200) * 3.5], axis=1), "turned": np.zeros(200)}


@pytest.fixture(scope="module")
def driver(example: Callable[[str], ModuleType]) -> Any:
    pytest.importorskip("Box2D", exc_type=ImportError)
    return example("driver")


def test_a_road_knows_its_sides_and_its_bends(driver: Any) -> None:
    road = driver.Road(**STRAIGHT)
    assert road.from_middle(np.array([2.0, 35.0]), road.nearest(np.array([2.0, 35.0]))) == pytest.approx(2.0)
    assert np.allclose(road.on(10, -3.0), [-3.0, 35.0]) and road.bend(5) == "straight"
    for turn, name in ((0.03, "left"), (-0.03, "right")):
        assert driver.Road(road.points, turn * np.arange(200)).bend(5) == name


def test_a_camera_sees_what_a_driver_would(driver: Any) -> None:
    """From the right half of a straight road its middle line is on the left; a box ahead hides the road behind it."""
    road = driver.Road(**STRAIGHT)
    eye = driver.Eye(road, np.random.default_rng(0))
    eye.light, eye.dashed, eye.grey, eye.rng = 1.0, False, 90.0, np.random.default_rng(1)
    here = np.array([2.0, 70.0])
    picture = eye.see(here, 0.0, ()).astype(float)
    bright = picture[driver.HEIGHT - 6].mean(axis=1) > 180
    assert bright.any() and np.flatnonzero(bright).max() < driver.WIDTH / 2
    box = driver.Box(np.array([2.0, 85.0]), 2.5, 1.8, (220, 30, 30))
    changed = np.abs(eye.see(here, 0.0, (box,)).astype(float) - picture).mean(axis=2) > 30
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 20 and abs(columns.mean() - driver.WIDTH / 2) < 2 and rows.min() > driver.HORIZON - 1
    behind = driver.Box(np.array([2.0, 50.0]), 2.5, 1.8, (220, 30, 30))
    assert (np.abs(eye.see(here, 0.0, (behind,)).astype(float) - picture).mean(axis=2) > 30).sum() == 0


def test_a_drive_is_its_own_and_the_same_again(driver: Any) -> None:
    first, again, other = driver.drive(3, 2), driver.drive(3, 2), driver.drive(4, 2)
    assert all(np.array_equal(one.picture, two.picture) for one, two in zip(first, again, strict=True))
    assert not np.array_equal(first[0].picture, other[0].picture)
    assert all(abs(moment.offset) < 1.2 for moment in (*first, *other)), "the car stays on the road"


def test_questions_are_raced_by_drive_and_a_new_drive_is_answered(
    driver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPENOUGH_CACHE", str(tmp_path / "cache"))
    table = driver.written([driver.drive(seed, 10) for seed in range(10)], tmp_path / "pictures")
    quick = {"only": ("pixels_linear", "convolution"), "analysis": 0, "cores": 1, "listen": (), "side": 24}
    races = driver.raced(table, "6trials", tmp_path, **quick)
    assert {race.evidence.plan.splitting for race in races.values()} == {"group"}
    answers = driver.answered(races, driver.drive(10, 6), tmp_path / "unseen")
    said = driver.told(races, answers)
    assert "On a drive of 6 pictures that no race has seen" in said and said.count(" right; always straight") == 1
    assert np.isfinite(answers["said offset"]).all() and set(answers["said obstacle"]) <= {"yes", "no"}
    drawn = driver.sheet(answers, across=3)
    assert drawn.size == (3 * (2 * driver.WIDTH + 12), 2 * (2 * driver.HEIGHT + 40))
