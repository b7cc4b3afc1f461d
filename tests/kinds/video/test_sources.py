"""Where clips come from: folders, zips, tables of paths; and what is no question of clips."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough import kinds
from deepenough.errors import OptionError, SourceError
from deepenough.kinds import file_store
from deepenough.kinds.video import task
from deepenough.task.task import Question
from tests.kinds.video.files import folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))


def why(source: Any, **asked: Any) -> tuple[str, str]:
    kind, reason = kinds.recognise(source, Question(**({"target": None} | asked)))
    return kind.name, reason


def table(place: Path, **more: Any) -> pd.DataFrame:
    names = [path.relative_to(place.parent).as_posix() for path in sorted(place.glob("*/*.avi"))]
    return pd.DataFrame({"clip": names, "way": [name.split("/")[1] for name in names], **more})


def test_a_folder_a_class_is_clips(tmp_path: Path) -> None:
    place = folder(tmp_path / "in")
    assert why(place) == ("video", "a folder of clips for each class")
    made = task.VideoTask.load(str(place), Question(None))
    assert made.rows == 24 and made.target.classes == ("left", "right") and made.all_inputs.shape == (16, 24, 32, 3)


def test_so_is_a_zip_of_one(tmp_path: Path) -> None:
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", folder(tmp_path / "in", each=6)))
    assert why(packed)[0] == "video"
    assert task.VideoTask.load(packed, Question(None)).rows == 12


def test_a_table_of_paths_alone_is_clips(tmp_path: Path) -> None:
    frame = table(folder(tmp_path / "in"))
    frame.to_csv(tmp_path / "clips.csv", index=False)
    assert why(tmp_path / "clips.csv", target="way") == ("video", "nothing but the clips of 'clip' to go by")
    made = task.VideoTask.load(tmp_path / "clips.csv", Question("way"))
    assert made.rows == 24 and made.names[0] == "in/left/000.avi"
    assert made.describe()["columns"] == [{"name": "clip", "role": "clip"}]


def test_with_more_to_go_by_it_stays_a_table_unless_somebody_says_so(tmp_path: Path) -> None:
    frame = table(folder(tmp_path / "in"), age=np.random.default_rng(0).integers(1, 90, 24), score=np.arange(24.0) // 2)
    frame.to_csv(tmp_path / "people.csv", index=False)
    assert why(tmp_path / "people.csv", target="score")[0] == "table"
    options = {"video": "clip"}
    assert why(tmp_path / "people.csv", target="score", options=options)[0] == "video"
    made = task.VideoTask.load(tmp_path / "people.csv", Question("score", options=options))
    assert made.n_classes is None and {item["name"] for item in made.set_aside} == {"way", "age"}


def test_files_that_are_not_there_and_what_can_not_be_meant_are_named(tmp_path: Path) -> None:
    place = folder(tmp_path / "in", each=8)
    frame = table(place)
    frame.loc[3, "clip"] = "in/gone.mp4"
    frame.to_csv(tmp_path / "clips.csv", index=False)
    made = task.VideoTask.load(tmp_path / "clips.csv", Question("way"))
    assert made.rows == 15 and made.set_aside[0]["reason"] == "the file is not there"
    with pytest.raises(OptionError, match="names a column of a table"):
        task.VideoTask.load(place, Question(None, options={"video": "clip"}))
    for path in place.glob("left/*"):
        path.unlink()
    assert why(place) == ("video", "a folder of clips")
    with pytest.raises(SourceError, match="all its clips lie in 'right'"):
        task.VideoTask.load(place, Question(None))


def test_animated_pictures_stay_pictures(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / "in" / label).mkdir(parents=True)
        (tmp_path / "in" / label / "moves.gif").write_bytes(b"GIF89a")
    assert why(tmp_path / "in")[0] == "image"
