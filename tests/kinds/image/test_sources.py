"""Where pictures come from: folders, zips, tables of paths; and what is no question of pictures."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough import kinds
from deepenough.errors import InputError, OptionError, SourceError
from deepenough.kinds import file_sources, file_store, folders, picture_files, picture_task
from deepenough.kinds.image import task
from deepenough.task.task import Question
from tests.kinds.image.files import folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))


def why(source: Any, **asked: Any) -> tuple[str, str]:
    kind, reason = kinds.recognise(source, Question(**({"target": None} | asked)))
    return kind.name, reason


def table(place: Path, **more: Any) -> pd.DataFrame:
    names = [path.relative_to(place.parent).as_posix() for path in sorted(place.glob("*/*.png"))]
    light = ["yes" if "light" in name else "no" for name in names]
    return pd.DataFrame({"photo": names, "light": light, **more})


def test_a_folder_a_class_is_pictures(tmp_path: Path) -> None:
    place = folder(tmp_path / "in")
    assert why(place) == ("image", "a folder of pictures for each class")
    made = task.ImageTask.load(str(place), Question(None))
    assert made.rows == 24 and made.target.classes == ("dark", "light") and made.all_inputs.shape == (30, 40, 3)


def test_so_is_a_zip_of_one_and_nothing_is_unpacked(tmp_path: Path) -> None:
    place = folder(tmp_path / "in")
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", place))
    assert why(packed)[0] == "image"
    with zipfile.ZipFile(packed, "a") as archive:
        archive.write(place / "dark" / "000.png", "../../../climbs/out.png")
        archive.write(place / "dark" / "000.png", "__MACOSX/dark/._000.png")
    before = set(tmp_path.rglob("*"))
    found = folders.items(packed, picture_files.is_picture, "pictures")
    assert {item.label for item in found} == {"climbs", "dark", "light"} and len(found) == 25, "names are but names"
    task.ImageTask.load(packed, Question(None))
    assert {path for path in set(tmp_path.rglob("*")) - before if "cache" not in path.parts} == set()


def test_hidden_files_and_other_files_are_not_there(tmp_path: Path) -> None:
    place = folder(tmp_path / "in")
    (place / "dark" / ".DS_Store").write_bytes(b"x")
    (place / "dark" / "._000.png").write_bytes(b"x")
    (place / "dark" / "notes.txt").write_text("x")
    (place / ".thumbnails").mkdir()
    shutil.copy(place / "dark" / "000.png", place / ".thumbnails" / "000.png")
    assert task.ImageTask.load(place, Question(None)).rows == 24


def test_a_class_is_a_folder_with_all_folders_in_it_and_what_lies_in_none_is_said(tmp_path: Path) -> None:
    place = folder(tmp_path / "in")
    for name in ("dark/more/a.png", "light/yet/more/b.png", "grey/first/c.png", "grey/second/d.png", "loose.png"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(place / "dark" / "000.png", place / name)
    (place / "dark" / "e.jp2").write_bytes(b"x")
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "in")
    for source in (place, packed):
        made = task.ImageTask.load(source, Question(None))
        assert made.rows == 28 and made.target.classes == ("dark", "grey", "light")
        assert any("2 files are passed over" in note and "dark/e.jp2, loose.png" in note for note in made.notes)


def test_folders_that_part_training_and_testing_are_no_classes(tmp_path: Path) -> None:
    for part in ("train", "test"):
        folder(tmp_path / "in" / part)
    assert why(tmp_path / "in")[0] == "image"
    with pytest.raises(SourceError, match=r"no classes. Name the one to learn from, .*in/train, and .*--test"):
        task.ImageTask.load(tmp_path / "in", Question(None))


def test_links_are_followed_but_in_no_ring(tmp_path: Path) -> None:
    place = folder(tmp_path / "in")
    (place / "grey").symlink_to(place / "dark")
    (place / "dark" / "ring").symlink_to(place)
    found = folders.items(place, picture_files.is_picture, "pictures")
    assert len({item.name for item in found}) == len(found) < 200
    assert {item.label for item in found} == {"dark", "grey", "light"}


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", folder(tmp_path / "in")))
    content = bytearray(packed.read_bytes())
    content[content.rindex(b"PK\x01\x02")] = 0
    packed.write_bytes(content)
    with pytest.raises(SourceError, match=r"packed\.zip is a damaged zip"):
        kinds.recognise(packed, Question(None))


def test_hidden_folders_of_a_zip_are_no_classes(tmp_path: Path) -> None:
    place = folder(tmp_path / "in")
    shutil.copytree(place / "dark", place / ".thumbnails")
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "in")
    assert folders.classes(packed, picture_files.is_picture) == ["dark", "light"]


def test_a_cell_too_long_for_a_name_is_no_file(tmp_path: Path) -> None:
    frame = table(folder(tmp_path / "in"))
    frame.loc[3, "photo"] = "x" * 300 + ".png"
    frame.to_csv(tmp_path / "photos.csv", index=False)
    made = task.ImageTask.load(tmp_path / "photos.csv", Question("light"))
    assert made.rows == 23 and made.set_aside[0]["reason"] == "the file is not there"


def test_a_table_of_paths_alone_is_pictures(tmp_path: Path) -> None:
    frame = table(folder(tmp_path / "in"))
    frame.to_csv(tmp_path / "photos.csv", index=False)
    assert why(tmp_path / "photos.csv", target="light") == ("image", "nothing but the pictures of 'photo' to go by")
    made = task.ImageTask.load(tmp_path / "photos.csv", Question("light"))
    assert made.rows == 24 and made.names[0] == "in/dark/000.png"


def test_with_more_to_go_by_it_stays_a_table_unless_somebody_says_so(tmp_path: Path) -> None:
    place = folder(tmp_path / "in")
    frame = table(place, rooms=np.random.default_rng(0).integers(1, 5, 24), price=np.arange(24.0) // 2)
    frame.to_csv(tmp_path / "houses.csv", index=False)
    assert why(tmp_path / "houses.csv", target="price")[0] == "table"
    question = Question("price", options={"image": "photo"})
    assert why(tmp_path / "houses.csv", target="price", options=question.options)[0] == "image"
    made = task.ImageTask.load(tmp_path / "houses.csv", question)
    assert made.n_classes is None and {item["name"] for item in made.set_aside} == {"light", "rooms"}


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    frame = table(folder(tmp_path / "in"))
    frame.loc[3, "photo"] = "in/gone.png"
    frame.loc[4, "photo"] = None
    frame.to_csv(tmp_path / "photos.csv", index=False)
    made = task.ImageTask.load(tmp_path / "photos.csv", Question("light"))
    assert made.rows == 22
    assert {(item["name"], item["reason"]) for item in made.set_aside} == {
        ("in/gone.png", "the file is not there"),
        ("(no name)", "the file is not there"),
    }
    frame["photo"] = [f"nowhere/{name}" for name in frame["photo"]]
    frame.to_csv(tmp_path / "lost.csv", index=False)
    with pytest.raises(SourceError, match="None of the files that 'photo' names is there"):
        task.ImageTask.load(tmp_path / "lost.csv", Question("light"))


def test_what_can_not_be_meant_is_said(tmp_path: Path) -> None:
    place = folder(tmp_path / "in")
    frame = table(place)
    frame.assign(second=frame["photo"]).to_csv(tmp_path / "two.csv", index=False)
    with pytest.raises(OptionError, match="'photo' and 'second' name pictures"):
        task.ImageTask.load(tmp_path / "two.csv", Question("light"))
    frame.to_csv(tmp_path / "photos.csv", index=False)
    with pytest.raises(OptionError, match="is the target too"):
        task.ImageTask.load(tmp_path / "photos.csv", Question("photo", options={"image": "photo"}))
    with pytest.raises(OptionError, match="names a column of a table"):
        task.ImageTask.load(place, Question(None, options={"image": "photo"}))
    with pytest.raises(InputError, match="are: 'file', 'class'"):
        task.ImageTask.load(place, Question("kind"))
    for path in place.glob("light/*"):
        path.unlink()
    assert why(place) == ("image", "a folder of pictures")
    with pytest.raises(SourceError, match="all its pictures lie in 'dark'"):
        task.ImageTask.load(place, Question(None))
    with pytest.raises(SourceError, match="its pictures lie in no folders"):
        task.ImageTask.load(place / "dark", Question(None))


def test_other_questions_are_left_to_others(tmp_path: Path) -> None:
    place = folder(tmp_path / "in")
    for options in ({"horizon": 3}, {"series": ("photo",)}, {"text": ("photo",)}):
        assert not file_sources.recognised(place, Question("light", options=options), picture_task.FORM)
