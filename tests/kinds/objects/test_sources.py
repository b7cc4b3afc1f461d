"""Where boxes come from: tables, folders with a table, COCO, YOLO, Pascal VOC, zips; and what is wrong with them."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from deepenough.errors import ColumnError, InputError, OptionError, SourceError, TargetError
from deepenough.kinds import file_store, folders
from deepenough.kinds.objects import Objects, beside, boxes, sources
from deepenough.kinds.objects.task import ObjectsTask
from deepenough.racing import planning
from deepenough.task.task import Question
from tests.kinds.objects.files import CLASSES, coco, voc, written, yolo


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DEEPENOUGH_CACHE", str(tmp_path / "cache"))
    yield
    file_store.give_back()


def asked(**options: Any) -> Question:
    known = {name: options.pop(name) for name in ("target", "group", "weights", "test") if name in options}
    return Question(**known, options=options)


def lists(task: ObjectsTask) -> dict[str, list[tuple[float, ...]]]:
    """By picture its objects in pixels of the 60 x 40 pictures."""
    found = {}
    for name, own in zip(task.names, task.targets, strict=True):
        there = own[~np.isnan(own[:, 0])] * [1, 60, 40, 60, 40]
        found[Path(name).name] = sorted(tuple(np.round(thing, 1).tolist()) for thing in there)
    return found


def wanted(table: pd.DataFrame, names: list[str]) -> dict[str, list[tuple[float, ...]]]:
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in names}
    for row in table.itertuples():
        box = (row.xmin, row.ymin, row.xmax, row.ymax)
        found[str(row.picture)].append((float(CLASSES.index(row.what)), *map(float, box)))
    return {name: sorted(things) for name, things in found.items()}


NAMES = [f"{number:03}.png" for number in range(24)]


def test_a_folder_and_a_table_of_boxes(tmp_path: Path) -> None:
    table = written(tmp_path / "photos")
    table.to_csv(tmp_path / "boxes.csv", index=False)
    question = asked(target="what", boxes=str(tmp_path / "boxes.csv"))
    assert "boxes.csv" in sources.recognised(tmp_path / "photos", question)
    task = ObjectsTask.load(tmp_path / "photos", question)
    assert task.things == CLASSES and lists(task) == wanted(table, NAMES)
    assert any("3 pictures of the folder have no box" in note for note in task.notes)
    assert any("xmin, ymin, xmax, ymax (two corners" in note for note in task.notes)
    assert any("classes from 'what'" in note for note in task.notes)
    assert task.column == "picture", "what a model is asked with is called as in the person's table"
    grouped = ObjectsTask.load(tmp_path / "photos", replace(question, group="picture"))
    assert grouped.splitting == "group" and grouped.frame.names.count("picture") == 1


@pytest.mark.parametrize(
    "names",
    [
        ["x0", "y0", "x1", "y1"],
        ["Left", "Top", "Right", "Bottom"],
        ["x_min", "y_min", "x_max", "y_max"],
        ["x", "y", "w", "h"],
    ],
    ids=["x0", "left", "x_min", "sizes"],
)
def test_a_table_names_pictures_and_boxes(tmp_path: Path, names: list[str]) -> None:
    table = written(tmp_path / "photos")
    told = table.assign(picture="photos/" + table["picture"])
    if names[-1] == "h":
        told = told.assign(xmax=told.xmax - told.xmin, ymax=told.ymax - told.ymin)
    told.columns = ["picture", "class", *names]
    told.loc[len(told)] = ["photos/021.png", None, *[None] * 4]
    told.to_csv(tmp_path / "table.csv", index=False)
    assert "names pictures" in sources.recognised(tmp_path / "table.csv", asked())
    task = ObjectsTask.load(tmp_path / "table.csv", asked())
    assert lists(task) == wanted(table, NAMES[:22]) and task.question_facts["target"] == "class"
    assert any("1 pictures are named without a box" in note for note in task.notes)
    chosen, reason = planning.chosen_kind(tmp_path / "table.csv", asked(), None)
    assert chosen.name == "objects" and "where a box is" in reason


def test_without_classes_there_is_one(tmp_path: Path) -> None:
    table = written(tmp_path / "photos")
    table.drop(columns="what").to_csv(tmp_path / "boxes.csv", index=False)
    task = ObjectsTask.load(tmp_path / "photos", asked(boxes=str(tmp_path / "boxes.csv")))
    assert task.things == ("object",) and task.lists is not None and task.lists.classes == 1


@pytest.mark.parametrize("form", ["coco", "yolo", "voc"])
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_files_beside_the_pictures(tmp_path: Path, form: str, packed: bool) -> None:
    place = tmp_path / "set"
    table = written(place)
    {
        "coco": lambda: coco(place, table, NAMES),
        "yolo": lambda: yolo(place, table),
        "voc": lambda: voc(place, table, NAMES),
    }[form]()
    source = place
    if packed:
        source = tmp_path / "set.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for file in place.rglob("*.*"):
                archive.write(file, f"set/{file.relative_to(place)}")
    assert "boxes around objects" in sources.recognised(source, asked())
    task = ObjectsTask.load(source, asked())
    assert task.things == CLASSES and lists(task) == wanted(table, NAMES)
    assert planning.chosen_kind(source, asked(), None)[0].name == "objects"


def test_other_folders_are_left_to_others(tmp_path: Path) -> None:
    written(tmp_path / "photos")
    assert not sources.recognised(tmp_path / "photos", asked())
    (tmp_path / "photos" / "000.txt").write_text("a caption of 5 words here\n")
    (tmp_path / "photos" / "some.json").write_text('{"annotations": 1, "images": 2}')
    assert not sources.recognised(tmp_path / "photos", asked())
    with pytest.raises(SourceError, match="--boxes"):
        ObjectsTask.load(tmp_path / "photos", asked())


def test_a_table_of_other_things_is_left_to_others(tmp_path: Path) -> None:
    pd.DataFrame({"x": [1, 2], "y": [1, 2], "width": [3, 4], "height": [1, 2]}).to_csv(tmp_path / "t.csv", index=False)
    assert not sources.recognised(tmp_path / "t.csv", asked(target="x"))
    assert not sources.recognised(tmp_path / "none.csv", asked()) and not sources.recognised("sqlite:///a.db", asked())


def test_what_is_no_box_is_counted_and_said(tmp_path: Path) -> None:
    table = written(tmp_path / "photos").astype(dict.fromkeys(("xmin", "ymin", "xmax", "ymax"), float))
    odd = [
        ("000.png", "dark", -8, 5, 12, 20),  # beyond the edge
        ("001.png", "dark", 20, 20, 5, 8),  # swapped
        ("002.png", "dark", 5, 5, 5, 20),  # no width
        ("003.png", "dark", 70, 5, 90, 20),  # outside
        ("004.png", "dark", 5, None, 9, 20),  # no number
        ("900.png", "dark", 5, 5, 9, 20),  # no picture
        ("005.png", "owl", 5, 5, 19, 20),  # a rare class
    ]
    told = pd.concat([table, pd.DataFrame(odd, columns=table.columns)])
    told.to_csv(tmp_path / "boxes.csv", index=False)
    task = ObjectsTask.load(tmp_path / "photos", asked(target="what", boxes=str(tmp_path / "boxes.csv")))
    notes = " ".join(task.notes)
    for said in (
        "1 boxes reach beyond the edge",
        "1 boxes have their corners swapped",
        "1 boxes are less than a pixel wide or high: set aside",
        "1 boxes lie outside of their picture: set aside",
        "1 boxes have no four numbers: set aside",
        "1 boxes are of 1 pictures that are not there: 900.png",
        "Classes that fewer than 5 pictures hold are set aside: 'owl' (1)",
    ):
        assert said in notes, said
    assert (0.0, 0.0, 5.0, 12.0, 20.0) in lists(task)["000.png"], "cut off at the edge"
    assert (0.0, 5.0, 8.0, 20.0, 20.0) in lists(task)["001.png"], "put right"
    assert boxes.counted(task.targets, 2).sum() == len(table) + 2


def test_a_picture_that_cannot_be_read_is_set_aside_by_name(tmp_path: Path) -> None:
    table = written(tmp_path / "photos")
    (tmp_path / "photos" / "003.png").write_bytes(b"no picture")
    table.to_csv(tmp_path / "boxes.csv", index=False)
    task = ObjectsTask.load(tmp_path / "photos", asked(boxes=str(tmp_path / "boxes.csv")))
    assert task.rows == 23 and [item["name"] for item in task.set_aside] == ["003.png"]


def test_turned_and_large_pictures_keep_their_boxes(tmp_path: Path) -> None:
    """A picture that the camera held upright: boxes are of what is seen."""
    table = written(tmp_path / "photos")
    for file in (tmp_path / "photos").glob("*.png"):
        turned = Image.open(file).resize((240, 160)).transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6
        turned.save(file.with_suffix(".jpg"), exif=exif)
        file.unlink()
    numbers = ["xmin", "ymin", "xmax", "ymax"]
    table[numbers] *= 4
    table["picture"] = table["picture"].str.replace("png", "jpg")
    table.to_csv(tmp_path / "boxes.csv", index=False)
    task = ObjectsTask.load(tmp_path / "photos", asked(target="what", boxes=str(tmp_path / "boxes.csv")))
    pixels = task.all_inputs.read()
    for picture, own in zip(pixels, task.targets, strict=True):
        for code, x0, y0, x1, y1 in own[~np.isnan(own[:, 0])]:
            middle = picture[int((y0 + y1) / 2 * picture.shape[0]), int((x0 + x1) / 2 * picture.shape[1])].mean()
            assert middle < 60 if code == 0 else middle > 190


def test_boxes_go_to_the_pictures_of_their_folder(tmp_path: Path) -> None:
    """Two folders have pictures of the same names; the table names both, from where it lies."""
    table = written(tmp_path / "val", empty=0)
    written(tmp_path / "train", empty=0)
    told = [
        table.assign(picture="val/" + table["picture"]),
        table.assign(picture="train/" + table["picture"], what="x"),
    ]
    pd.concat(told).to_csv(tmp_path / "boxes.csv", index=False)
    question = asked(target="what", boxes=str(tmp_path / "boxes.csv"))
    task = ObjectsTask.load(tmp_path / "val", question)
    assert lists(task) == wanted(table, NAMES)
    assert any("24 pictures that are not there: train/000.png" in note for note in task.notes)
    both = ObjectsTask.load(tmp_path, question)
    assert both.rows == 48 and both.things == ("dark", "light", "x")
    pd.concat(told[1:]).to_csv(tmp_path / "boxes.csv", index=False)
    with pytest.raises(SourceError, match=r"No picture of .* has a name"):
        ObjectsTask.load(tmp_path / "val", question)


def test_pictures_that_a_name_may_mean_beside_others_do_not_count_as_empty(tmp_path: Path) -> None:
    table = written(tmp_path / "in" / "a", empty=0)
    shutil.copy(tmp_path / "in" / "a" / "000.png", tmp_path / "in" / "000.png")
    (tmp_path / "in" / "b").mkdir()
    for name in ("000.png", "001.png"):
        shutil.move(
            tmp_path / "in" / "000.png" if name == "000.png" else tmp_path / "in" / "a" / name,
            tmp_path / "in" / "b" / name,
        )
    (tmp_path / "out").mkdir()
    table.to_csv(tmp_path / "out" / "boxes.csv", index=False)
    task = ObjectsTask.load(tmp_path / "in", asked(target="what", boxes=str(tmp_path / "out" / "boxes.csv")))
    assert sorted(task.names)[:2] == ["a/002.png", "a/003.png"] and "b/001.png" in task.names and task.rows == 23
    assert any("2 pictures are set aside" in note and "a/000.png, b/000.png" in note for note in task.notes)


def test_coco_means_the_pictures_of_its_folder(tmp_path: Path) -> None:
    table = written(tmp_path / "set" / "val")
    written(tmp_path / "set" / "train")
    coco(tmp_path / "set" / "val", table, NAMES)
    task = ObjectsTask.load(tmp_path / "set", asked())
    assert {Path(name).parent.name for name in task.names} == {"val"} and lists(task) == wanted(table, NAMES)
    (tmp_path / "set" / "val" / "001.png").unlink()
    left = ObjectsTask.load(tmp_path / "set", asked())
    assert left.rows == 23 and "train/001.png" not in left.names, "what is gone is not looked for elsewhere"
    beside_it = tmp_path / "set" / "val" / "instances.json"
    beside_it.rename(tmp_path / "set" / "instances_train.json")
    assert {Path(n).parent.name for n in ObjectsTask.load(tmp_path / "set", asked()).names} == {"train"}


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda t: t.drop(columns=["xmin"]), ColumnError, "say where boxes are"),
        (lambda t: t.assign(xmax=t.xmin), TargetError, "no box that can be used"),
        (lambda t: t.assign(picture="strange.png"), SourceError, "strange.png"),
        (lambda t: t.drop(columns="picture"), OptionError, "No column names pictures"),
    ],
    ids=["no corner", "no area", "no picture", "no paths"],
)
def test_what_cannot_be_raced_is_refused(tmp_path: Path, change: Any, error: type[InputError], said: str) -> None:
    change(written(tmp_path / "photos")).to_csv(tmp_path / "boxes.csv", index=False)
    with pytest.raises(error, match=said):
        ObjectsTask.load(tmp_path / "photos", asked(target="what", boxes=str(tmp_path / "boxes.csv")))


def test_a_group_is_one_a_picture_and_is_heeded(tmp_path: Path) -> None:
    table = written(tmp_path / "photos", empty=0)
    table["camera"] = table["picture"].str[:3].astype(int) // 2
    table.to_csv(tmp_path / "boxes.csv", index=False)
    how = {"target": "what", "group": "camera", "boxes": str(tmp_path / "boxes.csv")}
    task = ObjectsTask.load(tmp_path / "photos", asked(**how))
    assert task.splitting == "group"
    for fold in task.splits.folds:
        owners = [{int(task.names[row][:3]) // 2 for row in rows} for rows in (fold.order, fold.judged)]
        assert not owners[0] & owners[1]
    table.loc[table.index[table["picture"] == "001.png"][0], "camera"] = 99
    table.to_csv(tmp_path / "boxes.csv", index=False)
    with pytest.raises(OptionError, match="differs between rows of one picture"):
        ObjectsTask.load(tmp_path / "photos", asked(**how))


def test_weights_and_a_test_of_ones_own(tmp_path: Path) -> None:
    table = written(tmp_path / "photos")
    table["heft"] = 1 + table["picture"].str[:3].astype(int) % 2
    table.assign(picture="photos/" + table["picture"]).to_csv(tmp_path / "table.csv", index=False)
    later = written(tmp_path / "later", count=8, empty=0).assign(what="dark", heft=1)
    for file in (tmp_path / "later").glob("*.png"):
        Image.open(file).rotate(180).point(lambda value: 255 - value).save(file)
    later.assign(picture="later/" + later["picture"]).to_csv(tmp_path / "later.csv", index=False)
    question = asked(target="what", weights="heft", test=str(tmp_path / "later.csv"))
    task = Objects().load(tmp_path / "table.csv", question)
    assert isinstance(task, ObjectsTask) and task.weighs is not None and task.weighs.mean() == pytest.approx(1)
    test = task.held_out()
    assert test is not None and len(test.truth) == 8 and boxes.counted(test.truth, 2).sum() == len(later)
    assert task.metrics()[0].evaluate(np.column_stack([np.zeros((4, 2 + 3)), np.ones(4)]))[1].shape == (4,)


def test_coco_says_what_is_strange(tmp_path: Path) -> None:
    table = written(tmp_path / "set")
    coco(tmp_path / "set", table, NAMES)
    shutil.copy(tmp_path / "set" / "000.png", tmp_path / "set" / "unlisted.png")
    (tmp_path / "set" / "001.png").unlink()
    task = ObjectsTask.load(tmp_path / "set", asked())
    notes = " ".join(task.notes)
    assert "1 pictures that instances.json lists are not there" in notes
    assert "1 pictures that instances.json does not list are not raced" in notes and task.rows == 23
    (tmp_path / "set" / "instances.json").write_text('{"images": [{"id": 1}], "annotations": []}')
    with pytest.raises(SourceError, match="COCO"):
        ObjectsTask.load(tmp_path / "set", asked())


def test_lines_that_look_like_boxes_and_are_none_are_counted(tmp_path: Path) -> None:
    folder = yolo(tmp_path, written(tmp_path))
    before = ObjectsTask.load(folder, asked())
    file = folder / "000.txt"
    file.write_text(f"{file.read_text()}0 - e . 1\n{'9' * 5000} .5 .5 .1 .1\n")
    task = ObjectsTask.load(folder, asked())
    assert any("2 lines are no class and four numbers" in note for note in task.notes)
    assert lists(task) == lists(before)


def test_json_nested_beyond_reason_is_no_list_of_boxes(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "deep.json").write_text('{"images": [], "annotations": ' + "[" * 100_000)
    assert beside.form_of(folders.everything(tmp_path, beside.wanted, "pictures")) == ""


def test_xml_that_declares_a_document_type_is_not_read() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb">]><annotation><object><name>&b;</name></object></annotation>'
    assert not beside._is_voc(bomb)
    with pytest.raises(ValueError, match="document type"):
        beside._of_voc(bomb)
