"""Clips in which motion decides are rendered from pictures, raced, and the model names what no race has seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def clips(example: Callable[[str], ModuleType]) -> Any:
    pytest.importorskip("PIL")
    pytest.importorskip("av")
    return example("clips")


def test_the_middle_frame_does_not_tell_the_motion(clips: Any) -> None:
    """Of one draw, the middle frame is the same whatever the motion; the others are not."""
    things, behind = clips.pictures(clips.THINGS)[0], clips.pictures(clips.BEHIND)[0]
    drawn = {name: clips.rendered(np.random.default_rng(5), name, things, behind) for name in clips.MOTIONS}
    first = drawn.pop("left")
    for name, clip in drawn.items():
        assert np.array_equal(clip[clips.FRAMES // 2], first[clips.FRAMES // 2]), name
        assert np.abs(clip[0].astype(float) - first[0]).mean() > 5, name


def test_what_is_unseen_is_made_of_other_pictures(clips: Any) -> None:
    for labels in (clips.THINGS, clips.BEHIND):
        raced, unseen = ({picture.tobytes() for picture in part} for part in clips.pictures(labels))
        assert len(raced) == 4 * len(unseen) and not raced & unseen


def test_motions_are_raced_and_told(clips: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPENOUGH_CACHE", str(tmp_path / "cache"))
    quick = {"only": ("motion_svm", "frames_gru"), "analysis": 0, "cores": 1, "listen": (), "side": 16}
    race = clips.raced(80, "6trials", tmp_path, **quick)
    assert race.evidence.plan.kind == "video"
    said = clips.told(race, clips.films(8, unseen=True))
    assert "motion_svm: log loss" in said and "Of 8 clips that no race has seen" in said
    assert float(race.facts["costs"]["classical"]["shown"]) < 0.8 * np.log(4), "far better than the trivial answer"
