"""A driver's eye: which way does the road bend, how far is the car from its middle, is something in the way?

    pip install "gymnasium[box2d]"
    python examples/driver.py --budget 60s
    python examples/driver.py --drives 60 --budget 5m --out runs/driver

The pictures are RENDERED. Gymnasium's car racing (MIT licence; Klimov, 2016) makes a road for each drive and moves the
car by its physics; its own pictures look down from above, so `Eye` below draws instead what a camera behind the
windscreen would see of that road, from the simulator's true state. Boxes on the road and posts beside it are put there
by this file; nothing happens when the car meets one. Each drive has a road, light and colours of its own, and stands on
one side of every split. Three races say what tells curve, offset and obstacle best; their models then answer a drive
that no race has seen, picture by picture. None of it says how well real roads would be read.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

import deepenough

WIDTH, HEIGHT, HORIZON = 64, 48, 18
"""Of a picture, in pixels, and the row of the horizon."""
FOCAL, EYE_HEIGHT = 46.0, 2.2
"""Of the camera, in pixels and in the simulator's units of length."""
HALF_ROAD, STEP = 40 / 6, 21 / 6
"""Half the road's width and the distance of the points that the simulator's road is made of, in its units."""
AHEAD, BEND = 30.0, 0.15
"""The road bends where its direction turns by more than so many radians over the next so many units."""
NEAR = 40.0
"""An obstacle counts within so many units ahead."""
APART, SPEED = 24.0, 28.0
"""Units that the car drives from picture to picture, and in a second."""
QUESTIONS = ("curve", "offset", "obstacle")


def simulator(seed: int) -> Any:
    """A car on a new road. Exits with what to do where the simulator is not installed."""
    try:
        import gymnasium

        simulated: Any = gymnasium.make("CarRacing-v3").unwrapped
    except ImportError as error:  # gymnasium says so too where box2d alone is missing
        raise SystemExit('The simulator comes with a package: pip install "gymnasium[box2d]"') from error
    simulated._render = lambda mode: None  # its view from above would take most of the time, and nobody looks at it
    simulated.reset(seed=seed)
    return simulated


@dataclass(frozen=True)
class Road:
    """The middle of a closed road. points: shape (n, 2). turned: its direction at each, in radians, as the simulator
    counts them: at 0 it leads up, more is to the left."""

    points: np.ndarray
    turned: np.ndarray

    def nearest(self, place: np.ndarray) -> int:
        return int(((self.points - place) ** 2).sum(axis=1).argmin())

    def from_middle(self, places: np.ndarray, at: np.ndarray | int) -> np.ndarray:
        """How far places lie to the right of the road's middle at these points."""
        turned = self.turned[at]
        return np.asarray(
            ((places - self.points[at]) * np.stack([np.cos(turned), np.sin(turned)], axis=-1)).sum(axis=-1)
        )

    def on(self, at: int, right: float) -> np.ndarray:
        """The place so far to the right of a point."""
        at %= len(self.points)
        return self.points[at] + right * np.array([np.cos(self.turned[at]), np.sin(self.turned[at])])

    def bend(self, at: int) -> str:
        """Which way it bends ahead."""
        turned = np.unwrap(self.turned[(at + np.arange(round(AHEAD / STEP) + 1)) % len(self.turned)])
        change = turned[-1] - turned[0]
        return "left" if change > BEND else "right" if change < -BEND else "straight"


@dataclass(frozen=True)
class Box:
    """Something that stands on the road or beside it."""

    place: np.ndarray
    width: float
    height: float
    colour: tuple[int, int, int]


class Eye:
    """Draws what a camera sees that looks ahead from the car, with the light and the colours of one drive."""

    def __init__(self, road: Road, rng: np.random.Generator) -> None:
        self.road, self.rng = road, rng
        self.light = rng.uniform(0.5, 1.1)
        self.grey, self.dashed = rng.uniform(70, 130), bool(rng.random() < 0.7)
        self.grass = np.array([rng.uniform(60, 130), rng.uniform(100, 150), rng.uniform(40, 80)])
        self.sky = np.array([rng.uniform(130, 190), rng.uniform(170, 210), rng.uniform(200, 245)])
        rows, columns = np.mgrid[HORIZON + 1 : HEIGHT, 0:WIDTH]
        self.far = FOCAL * EYE_HEIGHT / (rows - HORIZON).ravel()
        self.aside = (columns.ravel() - WIDTH / 2 + 0.5) * self.far / FOCAL

    def see(self, place: np.ndarray, turned: float, boxes: Sequence[Box]) -> np.ndarray:
        """The picture, uint8, shape (HEIGHT, WIDTH, 3)."""
        ahead = np.array([-np.sin(turned), np.cos(turned)])
        right = np.array([np.cos(turned), np.sin(turned)])
        ground = place + self.far[:, None] * ahead + self.aside[:, None] * right
        seen = np.empty((HEIGHT, WIDTH, 3))
        seen[: HORIZON + 1] = self.sky * np.linspace(0.8, 1.1, HORIZON + 1)[:, None, None]
        haze = np.exp(-self.far / 120)[:, None]
        seen[HORIZON + 1 :] = (haze * self._ground(ground, place) + (1 - haze) * self.sky).reshape(-1, WIDTH, 3)
        picture = Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8))
        self._draw(ImageDraw.Draw(picture), [(box, *(box.place - place) @ np.stack([ahead, right]).T) for box in boxes])
        noisy = np.asarray(picture) * self.light + self.rng.normal(0, 3, seen.shape)
        return np.clip(noisy, 0, 255).astype(np.uint8)

    def _ground(self, ground: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Colours of places on the ground: grass in patches, the road with its lines."""
        near = (self.road.nearest(place) + np.arange(-2, 34)) % len(self.road.points)
        at = near[((ground[:, None] - self.road.points[near]) ** 2).sum(axis=2).argmin(axis=1)]
        aside = np.abs(self.road.from_middle(ground, at)) / HALF_ROAD
        patches = np.floor(ground / 3).astype(np.int64) @ np.array([7, 13]) % 5
        colours = self.grass * (0.85 + 0.06 * patches[:, None])
        colours[aside < 1] = self.grey
        dash = (at % 4 < 2) if self.dashed else np.ones(len(at), dtype=bool)
        colours[((aside > 0.9) & (aside < 1)) | ((aside < 0.04) & dash)] = 215
        return colours

    def _draw(self, pen: ImageDraw.ImageDraw, boxes: Sequence[tuple[Box, float, float]]) -> None:
        """Upright boxes, the furthest first. With each how far ahead it is, and how far to the right."""
        for box, far, aside in sorted(boxes, key=lambda item: -item[1]):
            if 2 < far < 90:
                left, right = (WIDTH / 2 + FOCAL * (aside + side * box.width / 2) / far for side in (-1, 1))
                top, bottom = (HORIZON + FOCAL * (EYE_HEIGHT - height) / far for height in (box.height, 0))
                pen.rectangle((left, top, right, bottom), fill=box.colour)
                pen.rectangle((left, (top + 2 * bottom) / 3, right, bottom), fill=tuple(c // 2 for c in box.colour))


@dataclass(frozen=True)
class Moment:
    """One picture of a drive and what is true of it. offset: of the car to the right of the road's middle, in halves of
    the road's width: at 1 it is on the edge."""

    picture: np.ndarray
    curve: str
    offset: float
    obstacle: str


def placed(road: Road, rng: np.random.Generator) -> tuple[list[tuple[int, Box]], list[Box]]:
    """Boxes on the road, each with the point where it stands; and posts beside the road."""
    on, beside, count = [], [], len(road.points)
    for at in range(8, count - 4, 4):
        colour = tuple(int(value) for value in rng.integers(40, 230, 3))
        if rng.random() < 0.18:
            on.append((at, Box(road.on(at, rng.uniform(-0.7, 0.7) * HALF_ROAD), 2.5, 1.8, colour)))
        elif rng.random() < 0.5:
            aside = rng.choice([-1, 1]) * rng.uniform(1.25, 2.2) * HALF_ROAD
            beside.append(Box(road.on(at, aside), rng.uniform(0.8, 2.5), rng.uniform(1.5, 5), colour))
    return on, beside


def drive(seed: int, pictures: int) -> list[Moment]:
    """A drive along a road of its own: the car weaves over its width, and looks up from time to time."""
    car = simulator(seed)
    rng = np.random.default_rng([seed, 1])
    road = Road(np.array([point[2:] for point in car.track]), np.array([point[1] for point in car.track]))
    eye, (on, beside) = Eye(road, rng), placed(road, rng)
    boxes, wave, phase = [*(box for _, box in on), *beside], rng.uniform(40, 120), rng.uniform(0, 2 * np.pi)
    moments, driven, wanted = list[Moment](), 0.0, APART
    while len(moments) < pictures:
        place, turned = np.array(car.car.hull.position), float(car.car.hull.angle)
        velocity = np.array(car.car.hull.linearVelocity)
        at = road.nearest(place)
        if driven >= wanted:
            near = any(0 < (other - at) % len(road.points) * STEP <= NEAR for other, _ in on)
            aside = float(road.from_middle(place, at)) / HALF_ROAD
            seen = eye.see(place, turned, boxes)
            moments.append(Moment(seen, road.bend(at), aside, "yes" if near else "no"))
            wanted += APART
        goal = road.on(at + 4, 0.6 * HALF_ROAD * np.sin(driven / wave * 2 * np.pi + phase)) - place
        across = goal @ np.array([np.cos(turned), np.sin(turned)])
        along = goal @ np.array([-np.sin(turned), np.cos(turned)])
        steer = np.clip(1.5 * np.arctan2(across, along), -1, 1)
        slow = float(np.hypot(*velocity)) < SPEED
        car.step(np.array([steer, 0.3 if slow else 0.0, 0.0 if slow else 0.05], dtype=np.float32))
        driven += float(np.hypot(*velocity)) / 50  # the simulator makes so many steps a second
    car.close()
    return moments


def written(drives: Sequence[Sequence[Moment]], folder: Path) -> pd.DataFrame:
    """The pictures as files, and a table: picture, drive, curve, offset, obstacle."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, moments in enumerate(drives):
        for place, moment in enumerate(moments):
            file = folder / f"{number:03}-{place:03}.png"
            Image.fromarray(moment.picture).save(file)
            rows.append((str(file.absolute()), f"drive {number}", moment.curve, moment.offset, moment.obstacle))
    return pd.DataFrame(rows, columns=["picture", "drive", *QUESTIONS])


def raced(table: pd.DataFrame, budget: str, out: Path, **more: Any) -> dict[str, deepenough.Race]:
    """One race a question; no drive is ever on both sides."""
    return {
        asked: deepenough.race(
            table[["picture", "drive", asked]],
            asked,
            image="picture",
            group="drive",
            budget=budget,
            out=out / asked,
            **more,
        )
        for asked in QUESTIONS
    }


def answered(races: dict[str, deepenough.Race], moments: Sequence[Moment], folder: Path) -> pd.DataFrame:
    """What the models say of each picture, beside what is true."""
    true = written([moments], folder)
    said = {f"said {asked}": deepenough.load(race.folder).predict(true)[asked] for asked, race in races.items()}
    return true.assign(**{name: values.to_numpy() for name, values in said.items()})


def told(races: dict[str, deepenough.Race], answers: pd.DataFrame) -> str:
    """The decisions with what each winner looked at, and the errors on the drive that no race has seen."""
    lines = []
    for asked, race in races.items():
        lines += [f"{asked}: {race.decision_sentence}", *looked(race)]
    count = len(answers)
    bends = answers["curve"] == answers["said curve"]
    off = (answers["offset"] - answers["said offset"]).abs().mean()
    there, seen = answers["obstacle"] == "yes", answers["said obstacle"] == "yes"
    lines.append(f"On a drive of {count} pictures that no race has seen:")
    lines.append(
        f"  curve: {bends.sum()} of {count} right; always straight would be {(answers['curve'] == 'straight').sum()}"
    )
    lines.append(
        f"  offset: off by {off:.3f} of half the road's width on average; always the middle by "
        f"{answers['offset'].abs().mean():.3f}"
    )
    lines.append(
        f"  obstacle: {(there & seen).sum()} of {there.sum()} seen, {(~there & seen).sum()} of {(~there).sum()} times "
        "seen where there was none"
    )
    return "\n".join(lines)


def looked(race: deepenough.Race) -> list[str]:
    """The parts of the picture that the finalists' answers go by most, where that was measured."""
    lines = []
    for family, side in race.facts["drivers"].items():
        parts = [item["name"] for item in (side or {}).get("inputs") or () if item["low"] > 0][:2]
        lines += (
            [f"  {side['contender']} ({family}) goes by the {' and the '.join(parts)} of the picture most"]
            if parts
            else []
        )
    return lines


def sheet(answers: pd.DataFrame, across: int = 6) -> Image.Image:
    """The pictures with what was said of them, framed in red where curve or obstacle are wrong."""
    wide, high = 2 * WIDTH + 12, 2 * HEIGHT + 40
    drawn = Image.new("RGB", (across * wide, -(-len(answers) // across) * high), "white")
    pen = ImageDraw.Draw(drawn)
    for place, row in enumerate(answers.to_dict("records")):
        left, top = place % across * wide + 6, place // across * high + 6
        wrong = any(row[asked] != row[f"said {asked}"] for asked in ("curve", "obstacle"))
        pen.rectangle((left - 3, top - 3, left + 2 * WIDTH + 2, top + 2 * HEIGHT + 2), fill="red" if wrong else "gray")
        drawn.paste(Image.open(row["picture"]).resize((2 * WIDTH, 2 * HEIGHT), Image.Resampling.NEAREST), (left, top))
        for line, word in enumerate(("", "said ")):
            blocked = "box" if row[f"{word}obstacle"] == "yes" else "free"
            text = f"{word or 'true '}{row[f'{word}curve']} {row[f'{word}offset']:+.2f} {blocked}"
            pen.text((left, top + 2 * HEIGHT + 5 + 13 * line), text, fill="black")
    return drawn


@contextlib.contextmanager
def place_for(named: Path | None) -> Iterator[Path]:
    """The folder that was named, or one that is gone afterwards."""
    if named is not None:
        yield named
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--drives", type=int, default=24)
    parser.add_argument("--pictures", type=int, default=30, help="of a drive (default: %(default)s)")
    parser.add_argument("--budget", default="60s", help="of each of the three races (default: %(default)s)")
    parser.add_argument("--sheet", type=Path, default=Path("drive.png"), help="picture of the drive that no race saw")
    parser.add_argument("--out", type=Path, help="folder of pictures and races (default: one that is gone afterwards)")
    options = parser.parse_args()
    print(f"{options.drives} drives of {options.pictures} pictures are rendered from Gymnasium's car racing.")
    with place_for(options.out) as out:
        table = written([drive(seed, options.pictures) for seed in range(options.drives)], out / "pictures")
        races = raced(table, options.budget, out)
        answers = answered(races, drive(options.drives, options.pictures), out / "unseen")
        print(told(races, answers))
        sheet(answers).save(options.sheet)
    print(f"The drive, picture by picture: {options.sheet}")


if __name__ == "__main__":
    main()
