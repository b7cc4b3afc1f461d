"""Find the objects: shoes, bags and tops in front of anything, each with a box around it.

    pip install scikit-image
    python examples/objects.py --pictures 400 --budget 5m
    python examples/objects.py --find photo.jpg

The pictures are COMPOSED: real small photos of clothes (Fashion-MNIST, as shipped), tinted, made larger or smaller and
laid in front of real photos that scikit-image brings. Each piece of clothing is used once, and pictures in front of one
quarter of a photo stand on one side of every split. At the end both finalists find objects in pictures composed of
other clothes in front of other photos, and the boxes of the model that is handed over are drawn onto them.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

import deepenough

CLOTHES = Path(__file__).parent / "data" / "fashion.zip"
KINDS = {"sneaker": "shoe", "boot": "shoe", "sandal": "shoe", "bag": "bag", "t-shirt": "top", "pullover": "top"}
GROUNDS = ("astronaut", "brick", "camera", "cell", "chelsea", "coffee", "coins", "grass", "gravel", "moon", "rocket")
PARTS = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Quarters of a photo, each the ground of pictures of its own."""
LATER_GROUNDS = ("hubble_deep_field", "ihc", "motorcycle_left", "retina")
ENDINGS = (".png", ".jpg")
SIDE = 112
SMALLEST, LARGEST = 20, 44
"""Of a piece of clothing, in pixels."""
MOST_EACH = 4
SURE = 0.5
"""Finds that are drawn are likelier right than not."""
COLOURS = {"shoe": "#ff8c1a", "bag": "#33ccff", "top": "#b3ff66"}


def photos() -> Path:
    """Where the grounds are. Exits with what to do where the package is not installed."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The photos in the background come with a package: pip install scikit-image")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def clothes() -> list[tuple[str, np.ndarray]]:
    """Each piece: what it is, and its pixels, grey on black."""
    with zipfile.ZipFile(CLOTHES) as archive:
        names = sorted(archive.namelist(), key=lambda name: name.rpartition("/")[2])
        kept = [name for name in names if name.partition("/")[0] in KINDS]
        return [
            (KINDS[name.partition("/")[0]], np.asarray(Image.open(io.BytesIO(archive.read(name))))) for name in kept
        ]


def compose(
    folder: Path, pictures: int, pieces: Sequence[tuple[str, np.ndarray]], grounds: Sequence[str], seed: int
) -> pd.DataFrame:
    """Write pictures into the folder; a row a box: picture, ground, what, and corners in pixels, empty where a picture
    holds nothing. Ends where the pieces do."""
    rng = np.random.default_rng(seed)
    files = [
        next(photos() / f"{name}{end}" for end in ENDINGS if (photos() / f"{name}{end}").is_file()) for name in grounds
    ]
    opened = [Image.open(file).convert("RGB") for file in files]
    left, rows = rng.permutation(len(pieces)).tolist(), []
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(pictures):
        if len(left) < MOST_EACH:
            break
        own, part = int(rng.integers(len(opened))), PARTS[rng.integers(len(PARTS))]
        picture = _ground(rng, opened[own], part)
        boxes = list(_laid(rng, picture, pieces, left, 0 if number % 12 == 11 else int(rng.integers(1, MOST_EACH + 1))))
        name = f"{folder.name}/{number:04}.png"
        picture.save(folder / f"{number:04}.png")
        rows += [(name, f"{grounds[own]} {part[0]}{part[1]}", *box) for box in boxes or [(None, *[None] * 4)]]
    return pd.DataFrame(rows, columns=["picture", "ground", "what", "left", "top", "right", "bottom"])


def _file(name: str) -> Path:
    return next(file for end in ENDINGS if (file := photos() / f"{name}{end}").is_file())


def _ground(rng: np.random.Generator, photo: Image.Image, part: tuple[int, int]) -> Image.Image:
    """A square of a quarter of a photo."""
    sizes = [most // 2 for most in photo.size]
    side = int(rng.integers(min(*sizes, SIDE), min(sizes) + 1))
    right, down = (own * size + int(rng.integers(0, size - side + 1)) for own, size in zip(part, sizes, strict=True))
    return photo.crop((right, down, right + side, down + side)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)


def _laid(
    rng: np.random.Generator,
    picture: Image.Image,
    pieces: Sequence[tuple[str, np.ndarray]],
    left: list[int],
    count: int,
) -> Iterator[tuple[str, int, int, int, int]]:
    """Lay pieces into the picture, where hardly anything lies yet."""
    taken = np.zeros((SIDE, SIDE), dtype=bool)
    for _ in range(count):
        what, grey = pieces[left.pop()]
        rows, columns = np.nonzero(grey > 40)
        grey = grey[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        scale = rng.uniform(SMALLEST, LARGEST) / max(grey.shape)
        size = (max(6, round(grey.shape[1] * scale)), max(6, round(grey.shape[0] * scale)))
        small = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR)).astype(float)
        for _ in range(20):
            right, down = int(rng.integers(0, SIDE - size[0])), int(rng.integers(0, SIDE - size[1]))
            there = taken[down : down + size[1], right : right + size[0]]
            if there.mean() < 0.1:
                tint = rng.uniform(0.5, 1.0, 3)
                colour = Image.fromarray((small[:, :, None] * tint).astype(np.uint8))
                picture.paste(colour, (right, down), Image.fromarray(np.uint8(np.clip(small * 6, 0, 255))))
                there[:] = True
                yield what, right, down, right + size[0], down + size[1]
                break


def prepared(home: Path, pictures: int, later: int) -> tuple[Path, Path]:
    """Tables of boxes: to race with, and for the end, of other clothes in front of other photos."""
    pieces = clothes()
    aside = max(50, MOST_EACH * later)
    tables = []
    for name, count, own, grounds, seed in (
        ("pictures", pictures, pieces[aside:], GROUNDS, 1),
        ("later", later, pieces[:aside], LATER_GROUNDS, 2),
    ):
        tables.append(home / f"{name}.csv")
        compose(home / name, count, own, grounds, seed).to_csv(tables[-1], index=False)
    return tables[0], tables[1]


def raced(boxes: Path, later: Path, budget: str, home: Path, **options: Any) -> deepenough.Race:
    """The race, kept in the folder; both finalists are tried on the later pictures too."""
    run = home / "run"
    return deepenough.race(boxes, "what", group="ground", test=later, budget=budget, out=run, **options)


def said(race: deepenough.Race) -> list[str]:
    """What came of it, in sentences."""
    lines, test = [race.decision_sentence], race.facts["test"]
    for family in ("classical", "deep"):
        if test and test.get(family):
            own = test[family]
            lines.append(
                f"On later pictures {own['contender']} ({family}) has an average precision of {own['shown']:.2f}."
            )
    return lines


def drawn(model: Any, files: Sequence[Path], folder: Path) -> int:
    """Each picture with the boxes that the model is sure of; how many boxes there are."""
    folder.mkdir(parents=True, exist_ok=True)
    finds = model.predict([str(file) for file in files])
    finds = finds[finds["score"] >= SURE]
    by_file: Mapping[Any, pd.DataFrame] = dict(tuple(finds.groupby("file")))
    for file in files:
        picture = Image.open(file).convert("RGB")
        times = max(1, 448 // max(picture.size))
        picture = picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
        pen = ImageDraw.Draw(picture)
        for find in by_file.get(str(file), finds[:0]).to_dict("records"):
            corners = [find[name] * times for name in ("x0", "y0", "x1", "y1")]
            colour = COLOURS.get(find["class"], "#ffffff")
            pen.rectangle(corners, outline=colour, width=3)
            pen.text((corners[0] + 5, corners[1] + 4), f"{find['class']} {100 * find['score']:.0f} %", fill=colour)
        picture.save(folder / f"{file.stem}.png")
    return len(finds)


def main() -> None:
    """Compose, race, and draw what is found; or only find, with the model of an earlier race."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", type=Path, default=Path("runs/objects"), help="its folder (default: %(default)s)")
    parser.add_argument("--pictures", type=int, default=400, help="to race with")
    parser.add_argument("--later", type=int, default=60, help="for the end")
    parser.add_argument("--budget", default="5m")
    parser.add_argument(
        "--find", type=Path, nargs="*", help="pictures to find objects in, by the model of an earlier race"
    )
    given = parser.parse_args()
    if not given.find:
        boxes, later = prepared(given.home, given.pictures, given.later)
        print("\n".join(said(raced(boxes, later, given.budget, given.home))))
    files = given.find or sorted((given.home / "later").glob("*.png"))[:12]
    count = drawn(deepenough.load(given.home / "run"), files, given.home / "found")
    print(f"{count} objects found in {len(files)} pictures, drawn in {given.home / 'found'}.")


if __name__ == "__main__":
    main()
