"""The nearest series vote, time being allowed to stretch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.answers import Answers, fit_twice
from deepenough.kinds.series.inputs import Signals
from deepenough.kinds.series.scaling import Scaling, stretched
from deepenough.kinds.series.warping import Neighbourhood
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Learner, Limits, Model

COUNTS = (1, 2, 3, 5, 8, 12)
WINDOWS = (0.03, 0.1)
"""Parts of the series' length by which a step may be moved."""
TO_CHOOSE_ON = 100
NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class NearestDtw(Learner):
    """The nearest training series vote, the nearer the more; distances let time stretch (dynamic time warping).

    Sakoe and Chiba, 1978, with a band; far series are told by a bound (Keogh and Ratanamahatana, 2005); votes fall to
    nothing at the first series that has none (Hechenbichler and Schliep, 2004). The band, how many vote, and whether
    levels count are chosen with each series left out. Time to predict grows with stored series times steps times the
    band, memory with stored series times steps. A bad choice for noisy or very long series, where many channels say
    nothing, and where a rhythm tells and not a shape.

    window: part of the length by which a step may be moved; None: chosen.
    neighbours: how many vote; None: chosen.
    most_series: training series that are kept, a random share of more. most_steps: longer ones are averaged down.
    """

    window: float | None = None
    neighbours: int | None = None
    most_series: int = 1_000
    most_steps: int = 96

    priority = 30

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Keep series; choose how they are compared."""

        def fitted(rows: np.ndarray, first: NearestDtwModel | None) -> NearestDtwModel:
            own, weights = examples.inputs.take(rows), examples.weights_of(rows)
            answers = Answers.of(examples.targets[rows], examples.n_classes, weights)
            encoded = answers.encode(examples.targets[rows])
            kept = np.sort(np.random.default_rng(seed).permutation(len(rows))[: self.most_series])
            average = answers.average(encoded, weights)
            says = np.ones(len(kept)) if weights is None else weights[kept]
            shapes = Shapes(Scaling.fit(own, self.most_steps))
            voters = Voters(answers, encoded[kept], says, average)
            if first is not None:
                shapes.levels = first.shapes.levels
                return NearestDtwModel(shapes, voters, shapes(own.take(kept)), first.window, first.count)
            return self._chosen(shapes, voters, own.take(kept), limits)

        return fit_twice(examples, limits, fitted)

    def _chosen(self, shapes: Shapes, voters: Voters, kept: Signals, limits: Limits) -> NearestDtwModel:
        """The choices with the lowest loss on some of the series, each left out; as many as time allows."""
        some = np.linspace(0, len(kept) - 1, min(len(kept), TO_CHOOSE_ON)).astype(int)
        windows = WINDOWS if self.window is None else (self.window,)
        tries = [(levels, window) for window in windows for levels in (False, True)]
        best: NearestDtwModel | None = None
        lowest, done, spent = np.inf, 0, 0.0
        for levels, window in tries:
            if best is not None and limits.seconds_left() <= spent:
                break
            started = time.monotonic()
            found = Shapes(shapes.scaling, levels)
            stored = found(kept)
            model = NearestDtwModel(found, voters, stored, window, self.neighbours or 3)
            best = best or model
            done += 1
            if len(kept) < 3 or limits.seconds_left() <= 0:
                continue
            loss, model.count = self._lowest(model, stored, some)
            spent = time.monotonic() - started
            if loss < lowest:
                best, lowest = model, loss
        assert best is not None  # there are always two tries
        best.planned = done / len(tries)
        return best

    def _lowest(self, model: NearestDtwModel, stored: np.ndarray, some: np.ndarray) -> tuple[float, int]:
        counts = [count for count in COUNTS if count < len(stored) - 1] or [1]
        counts = counts if self.neighbours is None else [self.neighbours]
        near, places = model.neighbourhood.nearest(stored[some], max(counts) + 1, some)
        voters = model.voters
        losses = [
            voters.answers.loss(voters.vote(near, places, count), voters.targets[some], voters.says[some])
            for count in counts
        ]
        best = int(np.argmin(losses))
        return losses[best], counts[best]

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "window": lambda random: float(random.choice([0.01, 0.05, 0.2, 0.3])),
            "most_steps": lambda random: int(random.choice([48, 96, 128])),
        }


@dataclass
class Shapes:
    """Series drawn out to one length. levels: whether their level and spread count, or only their shape."""

    scaling: Scaling
    levels: bool = False

    def __call__(self, signals: Signals) -> np.ndarray:
        """float32, shape (n, channels, steps)."""
        lengths = self.scaling.lengths(signals)
        values = stretched(self.scaling.values(signals), lengths, self.scaling.steps)
        return self.scaling.common(values) if self.levels else self.scaling.own(values)


@dataclass
class Voters:
    """What stored series say.

    targets: encoded. says: what each one's vote counts. average: one vote more among classes.
    """

    answers: Answers
    targets: np.ndarray
    says: np.ndarray
    average: np.ndarray

    def vote(self, squares: np.ndarray, places: np.ndarray, count: int) -> np.ndarray:
        """Raw answers of the `count` nearest, each weighed by how much nearer it is than the next one."""
        if not places.shape[1]:
            return np.repeat(self.average, len(places), axis=0)
        near = np.sqrt(squares.astype(np.float64))
        edge = near[:, min(count, near.shape[1] - 1)][:, None]
        count = min(count, near.shape[1])
        weights = (1.0 - near[:, :count] / (1.05 * edge + 1e-9)) * self.says[places[:, :count]]
        weights /= weights.sum(axis=1, keepdims=True)
        targets = self.targets[places[:, :count]]
        if self.answers.n_classes is None:
            return np.asarray((weights * targets).sum(axis=1))
        votes = np.zeros((len(places), self.answers.width))
        for place in range(count):
            votes[np.arange(len(places)), targets[:, place]] += weights[:, place]
        return np.asarray((votes * count + self.average) / (count + 1))


class NearestDtwModel(Model):
    """The series that vote. window: part of the length. count: how many vote."""

    def __init__(self, shapes: Shapes, voters: Voters, stored: np.ndarray, window: float, count: int) -> None:
        self.shapes, self.voters, self.window, self.count = shapes, voters, window, count
        self.neighbourhood = Neighbourhood(stored, max(1, round(window * stored.shape[2])))

    def predict(self, inputs: Any) -> np.ndarray:
        return self.voters.answers.decode(np.concatenate([self.voters.average[:0], *self._votes(inputs)]))

    def _votes(self, inputs: Signals) -> Iterator[np.ndarray]:
        at_once = max(1, NUMBERS_AT_ONCE // max(1, len(self.neighbourhood.stored)))
        for start in range(0, len(inputs), at_once):
            queries = self.shapes(inputs.take(np.arange(start, min(len(inputs), start + at_once))))
            raw = self.voters.vote(*self.neighbourhood.nearest(queries, self.count + 1), self.count)
            yield raw.reshape(len(queries), self.voters.average.shape[1])

    def save(self, folder: Path) -> None:
        voters, scaling = self.voters, self.shapes.scaling.to_json()
        facts = {"answers": voters.answers.to_json(), "scaling": scaling, "levels": self.shapes.levels}
        facts |= {"window": self.window, "count": self.count}
        arrays = {"targets": voters.targets, "says": voters.says, "average": voters.average}
        write(folder, "nearest", facts, arrays | {"stored": self.neighbourhood.stored})

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts, arrays = read(folder, "nearest")
        answers = Answers.from_json(facts["answers"])
        voters = Voters(answers, arrays["targets"], arrays["says"], arrays["average"])
        shapes = Shapes(Scaling.from_json(facts["scaling"]), facts["levels"])
        return cls(shapes, voters, arrays["stored"], facts["window"], facts["count"])
