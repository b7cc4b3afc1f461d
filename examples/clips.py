"""What happens in the clip: does it go left, right, up, or does it come nearer?

    python examples/clips.py --budget 60s
    python examples/clips.py --clips 600 --budget 5m --out runs/clips

The clips are RENDERED, not filmed: a shoe or a bag from one picture of Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017;
MIT licence, `data/LICENSE.fashion`) moves over a background that is cut from another. What moves, how large it is,
where it is in the middle of the clip and what lies behind it are drawn alike for all motions, so the middle frame tells
nothing of them. A race says whether motion described by hand is enough or a net that sees the frames pays; its model
then says what happens in clips that no race has seen, made of other pictures.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import deepenough

SHIPPED = Path(__file__).parent / "data" / "fashion.zip"
THINGS, BEHIND = ("bag", "boot", "sneaker"), ("coat", "dress", "pullover", "shirt")
"""What moves, and what backgrounds are cut from."""
FRAMES, SIDE, RATE = 16, 48, 8
"""Frames of a clip, pixels a side, frames per second."""
FAR = 1.1
"""Pixels that a thing moves from frame to frame."""
MOTIONS: dict[str, Callable[[float], tuple[float, float, float]]] = {
    "comes_nearer": lambda time: (0.0, 0.0, 1.045**time),
    "left": lambda time: (0.0, -FAR * time, 1.0),
    "right": lambda time: (0.0, FAR * time, 1.0),
    "up": lambda time: (-FAR * time, 0.0, 1.0),
}
"""By name: frames since the middle -> pixels down, pixels to the right, size."""
ASIDE = 40
"""Clips that no race sees."""


def pictures(labels: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Shipped pictures of these classes, for the race and for the clips that it doesn't see; uint8, (n, 28, 28)."""
    with zipfile.ZipFile(SHIPPED) as archive:
        names = [name for name in sorted(archive.namelist()) if name.partition("/")[0] in labels]
        found = np.stack([np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names])
    order = np.random.default_rng(0).permutation(len(found))
    return found[order[: -len(found) // 5]], found[order[-len(found) // 5 :]]


def rendered(rng: np.random.Generator, motion: str, things: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """A clip: a thing that moves so over a background, uint8, shape (FRAMES, SIDE, SIDE)."""
    top, left = rng.integers(0, 12, 2)
    cut = Image.fromarray(rng.choice(behind)[top : top + 16, left : left + 16])
    scene = np.asarray(cut.resize((SIDE, SIDE), Image.Resampling.BICUBIC)) * rng.uniform(0.3, 0.6)
    thing, size = Image.fromarray(rng.choice(things)), rng.uniform(14, 20)
    place = rng.uniform(SIDE / 2 - 5, SIDE / 2 + 5, 2)
    clip = np.empty((FRAMES, SIDE, SIDE))
    for number in range(FRAMES):
        down, right, larger = MOTIONS[motion](number - FRAMES // 2)
        wide = round(size * larger)
        shape = np.asarray(thing.resize((wide, wide), Image.Resampling.BILINEAR), dtype=float)
        canvas, solid = np.zeros((3 * SIDE, 3 * SIDE)), np.zeros((3 * SIDE, 3 * SIDE))
        row, column = (round(SIDE + at - wide / 2) for at in (place[0] + down, place[1] + right))
        canvas[row : row + wide, column : column + wide] = shape
        solid[row : row + wide, column : column + wide] = np.minimum(shape / 50, 1)
        inside = slice(SIDE, 2 * SIDE)
        clip[number] = scene + solid[inside, inside] * (canvas[inside, inside] - scene)
    return np.clip(clip + rng.normal(0, 3, clip.shape), 0, 255).astype(np.uint8)


def film(clip: np.ndarray) -> bytes:
    """A clip as the bytes of an MP4."""
    import av

    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as file:
        stream: Any = file.add_stream("mpeg4", rate=RATE, options={"b": "1000000"})
        stream.height, stream.width, stream.pix_fmt = *clip.shape[1:], "yuv420p"
        for pixels in clip:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="gray")))
        file.mux(stream.encode())
    return content.getvalue()


def films(count: int, unseen: bool = False, seed: int = 0) -> list[tuple[str, bytes]]:
    """So many clips, as many of each motion, each with its name; unseen: of pictures that no other clip is made of."""
    rng = np.random.default_rng([seed, unseen])
    things, behind = (pictures(labels)[unseen] for labels in (THINGS, BEHIND))
    names = [list(MOTIONS)[number % len(MOTIONS)] for number in range(count)]
    return [(name, film(rendered(rng, name, things, behind))) for name in names]


def written(clips: list[tuple[str, bytes]], folder: Path) -> Path:
    """As a folder with a folder a motion, as `deepenough race` takes them."""
    for number, (name, content) in enumerate(clips):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / f"{number:04}.mp4").write_bytes(content)
    return folder


def raced(clips: int, budget: str, out: Path, **more: Any) -> deepenough.Race:
    """A race on so many clips."""
    return deepenough.race(written(films(clips), out / "clips"), budget=budget, out=out / "race", **more)


def told(race: deepenough.Race, new: list[tuple[str, bytes]]) -> str:
    """The decision, both families' best with its log loss, and what the model says of clips that no race has seen."""
    lines = [race.decision_sentence]
    for family in ("classical", "deep"):
        side = race.facts["costs"][family]
        lines.append(f"  {family:<9}  {side['contender']}: log loss {side['shown']:.3f}")
    answers = deepenough.load(race.folder).predict([content for _, content in new])["class"].tolist()
    right = np.mean([name == answer for (name, _), answer in zip(new, answers, strict=True)])
    lines.append(f"Of {len(new)} clips that no race has seen, its model names {right:.0%} rightly.")
    lines.append(f"In the first of them it sees: {answers[0]}. What happens there: {new[0][0]}.")
    return "\n".join(lines)


@contextlib.contextmanager
def place(named: Path | None) -> Iterator[Path]:
    """The folder that was named, or one that is gone afterwards."""
    if named is not None:
        yield named
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clips", type=int, default=240)
    parser.add_argument("--budget", default="60s", help="of the race (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, help="folder of the clips and the race (default: one that is gone afterwards)"
    )
    options = parser.parse_args()
    print(f"{options.clips} clips of {FRAMES} frames are rendered from pictures of Fashion-MNIST (MIT licence).")
    with place(options.out) as out:
        race = raced(options.clips, options.budget, out)
        print(told(race, films(ASIDE, unseen=True)))


if __name__ == "__main__":
    main()
