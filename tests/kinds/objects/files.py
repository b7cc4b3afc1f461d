"""Pictures with boxes for the tests, and the files that say where they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

CLASSES = ("dark", "light")


def written(place: Path, count: int = 24, width: int = 60, height: int = 40, empty: int = 3) -> pd.DataFrame:
    """Pictures of one or two squares in a folder; a row a box: picture, what, xmin, ymin, xmax, ymax in pixels. The
    last `empty` ones hold none."""
    rng = np.random.default_rng(0)
    place.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(count):
        pixels = rng.integers(100, 140, (height, width, 3)).astype(np.uint8)
        name = f"{number:03}.png"
        for code in range(0 if number >= count - empty else 1 + number % 2):
            side, left, top = int(rng.integers(9, 14)), int(rng.integers(0, 15)) + 30 * code, int(rng.integers(0, 26))
            pixels[top : top + side, left : left + side] = 240 if code else 10
            rows.append((name, CLASSES[code], left, top, left + side, top + side))
        Image.fromarray(pixels).save(place / name)
    return pd.DataFrame(rows, columns=["picture", "what", "xmin", "ymin", "xmax", "ymax"])


def coco(place: Path, table: pd.DataFrame, names: list[str]) -> Path:
    """The same as COCO writes it."""
    boxes = [
        {
            "image_id": names.index(row.picture),
            "category_id": 7 + CLASSES.index(row.what),
            "bbox": [row.xmin, row.ymin, row.xmax - row.xmin, row.ymax - row.ymin],
        }
        for row in table.itertuples()
    ]
    told = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "categories": [{"id": 7 + code, "name": name} for code, name in enumerate(CLASSES)],
        "annotations": boxes,
    }
    (place / "instances.json").write_text(json.dumps(told))
    return place


def yolo(place: Path, table: pd.DataFrame, width: int = 60, height: int = 40) -> Path:
    """The same as YOLO writes it."""
    for name, rows in table.groupby("picture"):
        lines = [
            f"{CLASSES.index(row.what)} "
            f"{(row.xmin + row.xmax) / 2 / width:.6f} {(row.ymin + row.ymax) / 2 / height:.6f} "
            f"{(row.xmax - row.xmin) / width:.6f} {(row.ymax - row.ymin) / height:.6f}"
            for row in rows.itertuples()
        ]
        (place / f"{Path(str(name)).stem}.txt").write_text("\n".join(lines) + "\n")
    (place / "classes.txt").write_text("\n".join(CLASSES))
    return place


def voc(place: Path, table: pd.DataFrame, names: list[str]) -> Path:
    """The same as Pascal VOC writes it, in a folder of its own."""
    (place / "Annotations").mkdir()
    for name in names:
        things = "".join(
            f"<object><name>{row.what}</name><bndbox><xmin>{row.xmin}</xmin><ymin>{row.ymin}</ymin>"
            f"<xmax>{row.xmax}</xmax><ymax>{row.ymax}</ymax></bndbox></object>"
            for row in table[table.picture == name].itertuples()
        )
        (place / "Annotations" / f"{Path(name).stem}.xml").write_text(f"<annotation>{things}</annotation>")
    return place
