"""Files of boxes that lie with pictures: COCO's JSON, YOLO's lines, Pascal VOC's XML.

Needs that this module answers:

* A folder is recognised by what lies in it; of each file no more is read than it takes.
* Each form says in its own way which pictures hold nothing: COCO lists all pictures; a picture without lines of its own
  holds nothing for YOLO; VOC has a file for each picture, and one without is not raced.
* Nothing of a file is run or fetched: XML that declares a document type is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath, PurePosixPath
from typing import Any
from xml.etree import ElementTree

import numpy as np

from deepenough.errors import SourceError
from deepenough.kinds import picture_files
from deepenough.kinds.folders import Item, shown
from deepenough.kinds.objects.marks import Marks

COCO, YOLO, VOC = "COCO's JSON", "YOLO's lines of text", "Pascal VOC's XML"
NAMES_OF_CLASSES = ("classes.txt", "obj.names", "_darknet.labels", "labels.txt")
MOST_BYTES = 500_000_000


def wanted(name: PurePath) -> bool:
    """Whether a file is a picture, or may hold boxes."""
    ending = name.suffix.lower()
    return picture_files.is_picture(name) or ending in (".json", ".txt", ".xml") or name.name in NAMES_OF_CLASSES


def form_of(items: Sequence[Item]) -> str:
    """In which form boxes lie beside these pictures; empty where they lie in none."""
    by_name = {item.name: item for item in items}
    if not any(_is_picture(name) for name in by_name):
        return ""
    if _coco(items) is not None:
        return COCO
    for ending, form, looks in ((".txt", YOLO, _is_yolo), (".xml", VOC, _is_voc)):
        beside = _beside(list(by_name), ending)
        if any(looks(_text(by_name[name])) for name in list(beside.values())[:20]):
            return form
    return ""


def read(items: Sequence[Item], place: str) -> Marks:
    """The boxes of the pictures among these files. place: the folder's name. Raises SourceError."""
    form = form_of(items)
    reads = {COCO: _read_coco, YOLO: _read_yolo, VOC: _read_voc}
    if not form:
        raise SourceError(
            f"{place} holds no boxes around objects that can be read. Name a table of them with --boxes, or put COCO's "
            "JSON, YOLO's .txt or Pascal VOC's .xml files beside the pictures."
        )
    return reads[form](items)


def _is_picture(name: str) -> bool:
    return picture_files.is_picture(PurePosixPath(name))


def _text(item: Item) -> str:
    if item.size > MOST_BYTES:
        raise SourceError(f"{item.name} is larger than {MOST_BYTES // 1_000_000} MB, as no file of boxes is.")
    return item.read().decode("utf-8-sig", "replace")


def _beside(names: Sequence[str], ending: str) -> dict[str, str]:
    """By picture, the file of that ending that has its name: beside it, or the only one of that name anywhere."""
    files: dict[str, list[str]] = {}
    for name in names:
        if name.lower().endswith(ending):
            files.setdefault(PurePosixPath(name).stem, []).append(name)
    found = {}
    for name in filter(_is_picture, names):
        own = PurePosixPath(name)
        own_files = files.get(own.stem, [])
        near = [each for each in own_files if PurePosixPath(each).parent == own.parent]
        moved = [
            each for each in own_files if str(PurePosixPath(each).parent) == str(own.parent).replace("images", "labels")
        ]
        chosen = near or moved or (own_files if len(own_files) == 1 else [])
        if chosen:
            found[name] = chosen[0]
    return found


def _marks(rows: Sequence[tuple[int, str, Sequence[float]]], names: list[str], in_shares: bool, how: str) -> Marks:
    place = np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4)
    return Marks(
        np.array([row[0] for row in rows], dtype=np.int64), [row[1] for row in rows], place, names, in_shares, how
    )


# --- COCO (Lin et al., 2014) ------------------------------------------------------------------------------------------


def _coco(items: Sequence[Item]) -> tuple[Item, Mapping[str, Any]] | None:
    for item in items:
        if item.name.lower().endswith(".json") and item.size <= MOST_BYTES:
            content = item.read()
            if b'"annotations"' in content and b'"images"' in content:
                try:
                    told = json.loads(content)
                except (ValueError, RecursionError):
                    continue
                if isinstance(told, dict) and all(isinstance(told.get(key), list) for key in ("annotations", "images")):
                    return item, told
    return None


def _read_coco(items: Sequence[Item]) -> Marks:
    found = _coco(items)
    assert found is not None
    item, told = found
    by_end: dict[str, list[str]] = {}
    for name in (each.name for each in items if _is_picture(each.name)):
        by_end.setdefault(PurePosixPath(name).name, []).append(name)
    own = f"{PurePosixPath(item.name).parent}/"  # a JSON among pictures means these
    is_among = any(name.startswith(own) for same in by_end.values() for name in same)
    names: list[str] = []
    place_of, absent = {}, []
    place_of_name: dict[str, int] = {}
    try:
        classes = {each["id"]: str(each["name"]) for each in told.get("categories", ())}
        for picture in told["images"]:
            path = str(picture["file_name"]).replace("\\", "/")
            there = [each for each in by_end.get(PurePosixPath(path).name, ()) if not is_among or each.startswith(own)]
            near = _meant(path, there, PurePosixPath(item.name).stem)
            if near is None or near in place_of_name:
                absent.append(path)
            else:
                place_of[picture["id"]] = place_of_name[near] = len(names)
                names.append(near)
        rows = []
        for each in told["annotations"]:
            if each["image_id"] in place_of and not each.get("iscrowd"):
                x, y, width, height = map(float, each["bbox"])
                label = classes.get(each.get("category_id"), str(each.get("category_id")))
                rows.append((place_of[each["image_id"]], label, (x, y, x + width, y + height)))
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{item.name} is no JSON as COCO writes it ({type(error).__name__}: {error}).") from error
    how = f"Boxes are read from {item.name}, as COCO writes them; pictures that it lists without a box hold nothing"
    marks = _marks(rows, names, False, f"{how}.")
    crowds = sum(bool(each.get("iscrowd")) for each in told["annotations"])
    strangers = sum(map(len, by_end.values())) - len(set(names))
    marks.notes += [f"{crowds:,} regions of crowds are no single objects: set aside."] if crowds else []
    gone = f"{len(absent):,} pictures that {item.name} lists are not there, or several have such a name"
    marks.notes += [f"{gone}: {shown(absent, 3)}."] if absent else []
    marks.notes += [f"{strangers:,} pictures that {item.name} does not list are not raced."] if strangers else []
    return marks


def _meant(path: str, there: Sequence[str], called: str) -> str | None:
    """Which of the pictures of one name a path means: the one that it is the end of, or that is its end; of several,
    the one in a folder that the JSON is called after. None where that is not one."""
    ends = [each for each in there if f"/{each}".endswith(f"/{path}") or f"/{path}".endswith(f"/{each}")]
    named = [each for each in ends if PurePosixPath(each).parent.name in called]
    return next((way[0] for way in (ends, named) if len(way) == 1), None)


# --- YOLO (Redmon et al., 2016) ---------------------------------------------------------------------------------------

_YOLO_LINE = re.compile(r"\d+(\s+[-+.\deE]+){4}\s*")


def _is_yolo(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip()]
    return bool(lines) and all(_YOLO_LINE.fullmatch(line.strip()) for line in lines[:5])


def _of_yolo(line: str) -> tuple[int, tuple[float, float, float, float]] | None:
    """The number of a class, and a box as the file has it; None where the line holds none."""
    if not _YOLO_LINE.fullmatch(line.strip()):
        return None
    code, *numbers = line.split()
    try:
        x, y, width, height = map(float, numbers)
        return int(code), (x, y, width, height)
    except ValueError:  # `-`, `e`, or more digits than a number may have
        return None


def _read_yolo(items: Sequence[Item]) -> Marks:
    by_name = {item.name: item for item in items}
    names = [name for name in by_name if _is_picture(name)]
    called = next((each for each in by_name if PurePosixPath(each).name in NAMES_OF_CLASSES), None)
    classes = [line.strip() for line in _text(by_name[called]).splitlines()] if called else []
    beside, rows, broken = _beside(list(by_name), ".txt"), [], 0
    for place, name in enumerate(names):
        for line in _text(by_name[beside[name]]).splitlines() if name in beside else ():
            if (told := _of_yolo(line)) is None:
                broken += bool(line.strip())
                continue
            code, (x, y, width, height) = told
            label = classes[code] if code < len(classes) else str(code)
            rows.append((place, label, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)))
    whose = f", classes from {called}" if called else ""
    how = f"Boxes are read from the .txt files beside the pictures, as YOLO writes them{whose}; a picture without lines"
    marks = _marks(rows, names, True, f"{how} holds nothing.")
    marks.notes += [f"{broken:,} lines are no class and four numbers: set aside."] if broken else []
    return marks


# --- Pascal VOC (Everingham et al., 2010) -----------------------------------------------------------------------------


def _is_voc(text: str) -> bool:
    return "<annotation" in text[:2_000] and "<!DOCTYPE" not in text[:2_000]


def _read_voc(items: Sequence[Item]) -> Marks:
    by_name = {item.name: item for item in items}
    beside = _beside(list(by_name), ".xml")
    names: list[str] = []
    rows, broken = [], []
    for name, file in beside.items():
        try:
            found = _of_voc(_text(by_name[file]))
        except (ElementTree.ParseError, ValueError):
            broken.append(file)
            continue
        rows += [(len(names), label, place) for label, place in found]
        names.append(name)
    marks = _marks(rows, names, False, "Boxes are read from the .xml files of the pictures, as Pascal VOC writes them.")
    without = sum(map(_is_picture, by_name)) - len(beside)
    marks.notes += [f"{without:,} pictures have no .xml file and are not raced."] if without else []
    marks.notes += [f"{len(broken):,} .xml files can't be read, and their pictures are not raced."] if broken else []
    return marks


def _of_voc(text: str) -> list[tuple[str, tuple[float, float, float, float]]]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it declares a document type")
    found = []
    for thing in ElementTree.fromstring(text).iter("object"):
        box = thing.find("bndbox")
        if box is not None:
            x0, y0, x1, y1 = (float(box.findtext(side, "nan")) for side in ("xmin", "ymin", "xmax", "ymax"))
            found.append((str(thing.findtext("name", "object")), (x0, y0, x1, y1)))
    return found
