"""Templates of gradients: a linear machine for each shape of each class, learnt from windows that hold an object and
from those that do not.

Needs that this module answers:

* A template is learnt from windows as they will be looked through: those that agree with a true box, at their size.
* What is wrongly taken for an object is learnt from in a second round (hard negatives).
* A window's object is not quite where the window is: a linear sum says by how much (Felzenszwalb et al., 2010).
* Under a clock fewer pictures are looked at, and it is said which share of the plan that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deepenough.kinds.descent import descended
from deepenough.kinds.objects import boxes, scores, windows
from deepenough.kinds.objects.windows import Shape
from deepenough.learner import Examples, Limits

HOLDS, LACKS = 0.6, 0.35
"""Agreement with a true box from which a window holds an object; and under which it holds none."""
FEW_BOXES = 20
"""A class of fewer boxes has one shape."""
EACH = 4
"""Windows that hold one object, at most."""
MOST_PLACES = 300
"""Windows of a picture that are thought about, the best ones."""
LEAST_ODDS = -7.0
"""Logarithm of odds under which a window is not told."""
MOST_ROWS = 40_000_000
"""Numbers of all windows of one template to learn from: 160 MB."""
FIRST_SHARE = 0.35
"""Of the time, for the first round."""


@dataclass(frozen=True)
class Template:
    """A shape with its weights. weights: float32, shape (numbers,); shift: what is added. moves: shape (numbers + 1,
    4): how far a box's middle and the logarithms of its sides are from the window's, in windows."""

    shape: Shape
    weights: np.ndarray
    shift: float
    moves: np.ndarray

    @property
    def kernel(self) -> np.ndarray:
        """The weights as a window sees them, shape (numbers, rows, columns)."""
        return self.weights.reshape(-1, self.shape.rows - 1, self.shape.columns - 1)


@dataclass
class Rows:
    """Windows of one template to learn from: what they see, whether they hold an object, and how far it is off."""

    seen: list[np.ndarray] = field(default_factory=list)
    holds: list[np.ndarray] = field(default_factory=list)
    off: list[np.ndarray] = field(default_factory=list)
    weights: list[np.ndarray] = field(default_factory=list)

    def add(self, seen: np.ndarray, holds: bool, off: np.ndarray, weight: float) -> None:
        self.seen.append(seen)
        self.holds.append(np.full(len(seen), holds))
        self.off.append(off)
        self.weights.append(np.full(len(seen), weight))

    @property
    def numbers(self) -> int:
        return sum(each.size for each in self.seen)


def shapes_of(truth: np.ndarray, classes: int, size: tuple[int, int], most: int) -> list[Shape]:
    """Shapes of each class: groups of boxes by how wide they are for their height, at most so many.

    truth: class and box, shape (n, longest, 5). size: height and width that pictures are read with.
    """
    found = []
    for code in range(classes):
        own = truth[truth[:, :, 0] == code][:, 1:]
        if not len(own):
            continue
        width, height = (own[:, 2] - own[:, 0]) * size[1], (own[:, 3] - own[:, 1]) * size[0]
        order = np.argsort(width / np.maximum(height, 1e-9), kind="stable")
        count = 1 if len(own) < FEW_BOXES else min(most, 1 + int(np.log(width / height).std() > 0.2) * (most - 1))
        for part in np.array_split(order, count):
            longer = np.maximum(width[part], height[part])
            low, high = np.quantile(longer, (0.05, 0.95))
            usual = float(np.median(width[part])), float(np.median(height[part]))
            found.append(Shape.of(code, *usual, (max(float(low), 4.0), max(float(high), 4.0))))
    return found


def learnt(
    examples: Examples,
    shapes: Sequence[Shape],
    colours: bool,
    penalty: float,
    negatives: int,
    limits: Limits,
    seed: int,
) -> tuple[list[Template], float]:
    """Templates of these shapes, and which share of the plan was done.

    penalty: on the squares of the weights. negatives: windows of a picture that hold nothing, at most, in each round.
    """
    rows = [Rows() for _ in shapes]
    start = limits.seconds_left()
    first = _gather(examples, shapes, colours, rows, [], negatives, limits, seed, start * (1 - FIRST_SHARE))
    templates = [_fitted(shape, own, penalty, limits) for shape, own in zip(shapes, rows, strict=True)]
    found = [template for template in templates if template is not None]
    if not found or limits.seconds_left() <= 0:
        return found, 0.5 * first
    second = _gather(examples, shapes, colours, rows, templates, negatives, limits, seed + 1, start * 0.2)
    again = [_fitted(shape, own, penalty, limits) for shape, own in zip(shapes, rows, strict=True)]
    return [template for template in again if template is not None], 0.5 * (first + second)


def _gather(
    examples: Examples,
    shapes: Sequence[Shape],
    colours: bool,
    rows: Sequence[Rows],
    templates: Sequence[Template | None],
    negatives: int,
    limits: Limits,
    seed: int,
    until: float,
) -> float:
    """Add windows of pictures, in a drawn order, as long as there is time: with templates only those that these take
    for objects wrongly. Returns the share of pictures that were looked at. until: seconds that must be left."""
    rng = np.random.default_rng(seed)
    order, sizes = rng.permutation(len(examples)), windows.factors(shapes)
    for done, row in enumerate(order.tolist()):
        if done and np.isfinite(until) and limits.seconds_left() <= until:
            return done / len(order)
        if limits.seconds_left() <= 0:
            return done / len(order)
        truth = examples.targets[row][~np.isnan(examples.targets[row, :, 0])]
        weight = 1.0 if examples.weights is None else float(examples.weights[row])
        pixels = examples.inputs.read(np.array([row]))[0]
        seen = list(windows.levels(pixels, sizes, colours))
        for place, shape in enumerate(shapes):
            if rows[place].numbers > MOST_ROWS:
                continue
            own = truth[truth[:, 0] == shape.code][:, 1:]
            if not templates:
                _add_holding(rows[place], seen, shape, own, weight)
                _add_lacking(rows[place], seen, shape, own, None, negatives, weight, rng)
            elif (template := templates[place]) is not None:
                _add_lacking(rows[place], seen, shape, own, template, negatives, weight, rng)
    return 1.0


def _add_holding(rows: Rows, seen: Sequence[windows.Level], shape: Shape, own: np.ndarray, weight: float) -> None:
    """The windows that agree best with each object."""
    if not len(own):
        return
    found: list[list[tuple[float, np.ndarray, np.ndarray]]] = [[] for _ in own]
    for level in filter(lambda level: level.fits(shape), seen):
        places = level.boxes(shape).reshape(-1, 4)
        agree = boxes.agreement(places, own)
        for thing in range(len(own)):
            best = np.argsort(-agree[:, thing])[:EACH]
            best = best[agree[best, thing] >= HOLDS]
            seen_there = level.seen_by(shape, best)
            found[thing] += zip(agree[best, thing].tolist(), seen_there, places[best], strict=True)
    for thing, those in enumerate(found):
        if kept := sorted(those, key=lambda each: -each[0])[:EACH]:
            off = _off(np.stack([each[2] for each in kept]), own[thing])
            rows.add(np.stack([each[1] for each in kept]), True, off, weight)


def _add_lacking(
    rows: Rows,
    seen: Sequence[windows.Level],
    shape: Shape,
    own: np.ndarray,
    template: Template | None,
    most: int,
    weight: float,
    rng: np.random.Generator,
) -> None:
    """Windows that hold no object: drawn, or those that the template takes for one most surely."""
    values, chosen = [], []
    for level in filter(lambda level: level.fits(shape), seen):
        places = level.boxes(shape).reshape(-1, 4)
        empty = np.flatnonzero(boxes.agreement(places, own).max(axis=1, initial=0.0) < LACKS)
        if template is None:
            taken = rng.permutation(empty)[:most]
            score = rng.random(len(taken))
        else:
            score = raw(level, template).ravel()[empty]
            taken = empty[np.argsort(-score, kind="stable")[:most]]
            score = np.sort(score)[::-1][:most]
            taken, score = taken[score > -1.0], score[score > -1.0]
        values.append(score)
        chosen.append(level.seen_by(shape, taken))
    if chosen and (count := sum(map(len, chosen))):
        best = np.argsort(-np.concatenate(values), kind="stable")[: min(most, count)]
        rows.add(np.concatenate(chosen)[best], False, np.zeros((len(best), 4)), weight)


def _off(places: np.ndarray, thing: np.ndarray) -> np.ndarray:
    """How far an object's box is from each window, in windows: its middle, and the logarithms of its sides."""
    size = places[:, 2:] - places[:, :2]
    own = thing[2:] - thing[:2]
    middle = (thing[:2] + thing[2:] - places[:, :2] - places[:, 2:]) / 2 / size
    return np.concatenate([middle, np.log(own / size)], axis=1)


def moved(places: np.ndarray, off: np.ndarray) -> np.ndarray:
    """Boxes that are so far from their windows; no further than what was learnt from."""
    size = places[:, 2:] - places[:, :2]
    middle = (places[:, :2] + places[:, 2:]) / 2 + np.clip(off[:, :2], -0.3, 0.3) * size
    half = size * np.exp(np.clip(off[:, 2:], -0.5, 0.5)) / 2
    return np.concatenate([middle - half, middle + half], axis=1)


def raw(level: windows.Level, template: Template) -> np.ndarray:
    """Logarithms of odds of every window of a level, shape (down, right)."""
    found = np.einsum("yxnij,nij->yx", level.windows(template.shape), template.kernel, optimize=True)
    return np.asarray(found + template.shift)


def _fitted(shape: Shape, rows: Rows, penalty: float, limits: Limits) -> Template | None:
    """The most likely weights of a logistic model (Cox, 1958), and the moves; None where no window holds an object."""
    if not rows.seen or not any(each.any() for each in rows.holds) or all(each.all() for each in rows.holds):
        return None
    x, holds = np.concatenate(rows.seen), np.concatenate(rows.holds)
    counts = np.concatenate(rows.weights).astype(np.float32)
    goal = holds.astype(np.float32)

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        odds = x @ at[:-1] + at[-1]
        value = float(counts @ (np.logaddexp(0, odds) - goal * odds)) + penalty / 2 * float(at[:-1] @ at[:-1])
        off = counts * (scores.chance(odds) - goal)
        return value, np.append(x.T @ off + penalty * at[:-1], off.sum()).astype(np.float32)

    at = np.zeros(x.shape[1] + 1, dtype=np.float32)
    at[-1] = np.log(float(counts @ goal) / max(float(counts @ (1 - goal)), 1e-6))
    at = descended(loss, at, 150, 1e-5, lambda: limits.seconds_left() > 0)
    own, off = x[holds].astype(np.float64), np.concatenate(rows.off)[holds]
    return Template(shape, at[:-1], float(at[-1]), _moves(own, off))


def _moves(x: np.ndarray, off: np.ndarray) -> np.ndarray:
    """Ridge regression (Hoerl and Kennard, 1970) of how far objects are off, in its dual form; the constant is free."""
    middle, mean = x.mean(axis=0), off.mean(axis=0)
    some = slice(None, None, max(1, len(x) // 2_000))
    x, off = x[some] - middle, off[some] - mean
    dual = np.linalg.solve(x @ x.T + (0.02 * np.square(x).sum() / len(x) + 1e-3) * np.eye(len(x)) * 10, off)
    weights = x.T @ dual
    return np.asarray(np.concatenate([weights, (mean - middle @ weights)[None]]), dtype=np.float32)


def found(
    pixels: np.ndarray, templates: Sequence[Template], sizes: Sequence[float], colours: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes, shape (m, 4), raw scores and classes, shape (m,), of a picture's best windows, at most `MOST_PLACES`."""
    looks = [
        (level, template)
        for level in windows.levels(pixels, sizes, colours)
        for template in templates
        if level.fits(template.shape)
    ]
    told = [_best(raw(level, template).ravel()) for level, template in looks]
    odds = np.concatenate([own for _, own in told]) if told else np.zeros(0)
    order = np.argsort(-odds, kind="stable")[:MOST_PLACES]
    look = np.repeat(np.arange(len(looks)), [len(own) for _, own in told])[order]
    window = np.concatenate([places for places, _ in told])[order] if told else order
    where, codes = np.zeros((len(order), 4)), np.zeros(len(order), dtype=np.int64)
    for place in np.unique(look).tolist():
        (level, template), own = looks[place], look == place
        off = level.seen_by(template.shape, window[own]) @ template.moves[:-1] + template.moves[-1]
        where[own] = moved(level.boxes(template.shape).reshape(-1, 4)[window[own]], off)
        codes[own] = template.shape.code
    return where, odds[order], codes


def _best(odds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Windows that are told, the best first, and their odds."""
    best = np.argsort(-odds, kind="stable")[:MOST_PLACES]
    best = best[odds[best] > LEAST_ODDS]
    return best, odds[best]
