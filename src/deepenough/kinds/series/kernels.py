"""Random convolution kernels: what a series answers to each of them.

Needs that this module answers:

* A few thousand features of a thousand series of a thousand steps in seconds of numpy: kernels of one spread are one
  product of matrices.
* Several channels: each kernel looks at some of them.
* A series alone, and among longer ones, gets the same answers: what lies behind its end counts nothing.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from deepenough.kinds.series.inputs import Signals
from deepenough.kinds.series.scaling import Scaling
from deepenough.kinds.stored import read, write
from deepenough.learner import Limits

MOST_STEPS = 512
"""Longer series are averaged down to so many steps."""
TAPS, HIGH, KERNELS = 9, 3, 84
"""Steps of a kernel; how many of them weigh 2, the others -1, so that levels cancel out; kernels that this makes."""
MOST_CHANNELS = 4
"""Channels that one bank of kernels sees."""
SAMPLE = 64
"""Training series by which thresholds are chosen."""
AT_ONCE = 8_000_000
"""Answers of kernels held at once: 32 MB."""
FACTS_SAY = 0.3
"""How much level, liveliness and length of a series, a handful of numbers, vary together against all kernels."""
GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Bank:
    """Kernels of one spread: 84 of them, every way to choose three of nine steps.

    dilation: steps from one tap to the next. differences: whether it sees the series' differences.
    channels: those that it sees. weights: float32, shape (channels * 9, 84). low, high: thresholds, shape (84,).
    """

    dilation: int
    differences: bool
    channels: np.ndarray
    weights: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def answers(self, series: np.ndarray) -> np.ndarray:
        """What the kernels say at each step, shape (n, steps, 84). series: float32, shape (n, channels, steps)."""
        some = series[:, self.channels]
        reach, steps = self.dilation * (TAPS // 2), series.shape[2]
        wide = np.pad(some, ((0, 0), (0, 0), (reach, reach)))
        taps = [wide[:, :, tap * self.dilation : tap * self.dilation + steps] for tap in range(TAPS)]
        stacked = np.stack(taps, axis=2).reshape(len(series), -1, steps)
        return np.asarray(stacked.transpose(0, 2, 1) @ self.weights)

    def pooled(self, series: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """The shares of steps above both thresholds, and the highest answer; float32, shape (n, 3 * 84)."""
        said = self.answers(series)
        if bool((lengths < series.shape[2]).any()):
            said[np.arange(series.shape[2]) >= lengths[:, None]] = -np.inf
        counts = np.maximum(lengths, 1)[:, None]
        shares = [np.count_nonzero(said > threshold, axis=1) / counts for threshold in (self.low, self.high)]
        highest = np.where(lengths[:, None] > 0, said.max(axis=1), 0.0)
        return np.concatenate([*shares, highest], axis=1, dtype=np.float32, casting="same_kind")


@dataclass(frozen=True)
class Kernels:
    """Banks of kernels, and how their answers are scaled and turned.

    centre, scale: of each feature. turn: float32, shape (features, columns): the directions in which training series
        differ, where there are fewer of these than features; a weighted sum loses nothing by it. None: not turned.
    """

    scaling: Scaling
    banks: tuple[Bank, ...]
    centre: np.ndarray
    scale: np.ndarray
    turn: np.ndarray | None = None

    @classmethod
    def fit_transform(
        cls, signals: Signals, seed: int, dilations: int, limits: Limits
    ) -> tuple[Self, np.ndarray, float]:
        """Draw kernels, choose their thresholds by what training series say, and give these series' matrix.

        There are fewer kernels where time is short, which the last number says: the share of them that there are.
        """
        rng = np.random.default_rng(seed)
        scaling = Scaling.fit(signals, MOST_STEPS)
        views, lengths = _views(scaling, signals), scaling.lengths(signals)
        sample = np.sort(rng.permutation(len(signals))[:SAMPLE])
        planned = list(itertools.product((False, True), _dilations(scaling.steps, dilations)))
        banks: list[Bank] = []
        said: list[np.ndarray] = []
        until = limits.seconds_left() / 2
        for differences, dilation in planned:
            if banks and limits.seconds_left() < until:
                break
            series = views[differences]
            banks.append(_bank(dilation, differences, series[sample], lengths[sample], rng))
            said.append(_said(banks[-1], series, lengths))
        facts = scaling.facts(signals)
        raw = np.concatenate([*said, facts], axis=1)
        centre, spread = raw.mean(axis=0), raw.std(axis=0)
        spread[-facts.shape[1] :] /= np.sqrt(FACTS_SAY * raw.shape[1] / facts.shape[1])
        scale = np.where(spread > 1e-6, spread, np.inf).astype(np.float32)
        kernels = cls(scaling, tuple(banks), centre, scale, _directions((raw - centre) / scale))
        return kernels, kernels._finished(raw), len(banks) / len(planned)

    def _finished(self, raw: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = (raw - self.centre) / self.scale
        return scaled if self.turn is None else scaled @ self.turn

    def transform(self, inputs: Signals) -> np.ndarray:
        """The matrix of any series; float32, shape (n, columns)."""
        views, lengths = _views(self.scaling, inputs), self.scaling.lengths(inputs)
        said = [_said(bank, views[bank.differences], lengths) for bank in self.banks]
        return self._finished(np.concatenate([*said, self.scaling.facts(inputs)], axis=1))

    def save(self, folder: Path) -> None:
        """Kernels as arrays, their spreads and the scaling as JSON."""
        banks = [{"dilation": bank.dilation, "differences": bank.differences} for bank in self.banks]
        arrays = {
            f"{name}{place}": getattr(bank, name)
            for place, bank in enumerate(self.banks)
            for name in ("channels", "weights", "low", "high")
        }
        arrays |= {"centre": self.centre, "scale": self.scale}
        arrays |= {} if self.turn is None else {"turn": self.turn}
        write(folder, "kernels", {"scaling": self.scaling.to_json(), "banks": banks}, arrays)

    @classmethod
    def load(cls, folder: Path) -> Kernels:
        """Itself again."""
        facts, arrays = read(folder, "kernels")
        banks = tuple(
            Bank(
                bank["dilation"],
                bank["differences"],
                *(arrays[f"{name}{place}"] for name in ("channels", "weights", "low", "high")),
            )
            for place, bank in enumerate(facts["banks"])
        )
        scaling = Scaling.from_json(facts["scaling"])
        return cls(scaling, banks, arrays["centre"], arrays["scale"], arrays.get("turn"))


def _views(scaling: Scaling, signals: Signals) -> tuple[np.ndarray, np.ndarray]:
    """The series, and their differences; 0 behind their ends."""
    values = scaling.values(signals)
    return scaling.own(values), scaling.changes(values)


def _said(bank: Bank, series: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """What a bank says of all series, a few of them at once; float32, shape (n, 3 * 84)."""
    at_once = max(1, AT_ONCE // (KERNELS * max(1, series.shape[2])))
    whole = np.empty((len(series), 3 * KERNELS), np.float32)
    for start in range(0, len(series), at_once):
        rows = slice(start, start + at_once)
        longest = max(1, int(lengths[rows].max(initial=1)))
        whole[rows] = bank.pooled(series[rows, :, :longest], lengths[rows])
    return whole


def _directions(scaled: np.ndarray) -> np.ndarray | None:
    """Directions in which rows differ, shape (features, fewer); None where there are as many rows as features."""
    if len(scaled) >= scaled.shape[1]:
        return None
    values, vectors = np.linalg.eigh((scaled @ scaled.T).astype(np.float64))
    strong = values > 1e-6 * max(1e-12, float(values[-1]))
    return np.asarray(scaled.T @ (vectors[:, strong] / np.sqrt(values[strong])), dtype=np.float32)


def _dilations(steps: int, most: int) -> list[int]:
    """Spreads from 1 to where a kernel is as long as the series, each about as much larger than the last."""
    widest = max(1, (steps - 1) // (TAPS - 1))
    return sorted(set(np.rint(np.geomspace(1, widest, most)).astype(int).tolist()))


def _bank(dilation: int, differences: bool, series: np.ndarray, lengths: np.ndarray, rng: np.random.Generator) -> Bank:
    shapes = np.full((TAPS, KERNELS), -1.0, np.float32)
    for kernel, high in enumerate(itertools.combinations(range(TAPS), HIGH)):
        shapes[list(high), kernel] = 2.0
    count = min(series.shape[1], MOST_CHANNELS)
    channels = np.sort(rng.permutation(series.shape[1])[:count])
    seen = rng.random((count, KERNELS)) < rng.choice([0.3, 0.6, 1.0], KERNELS)
    seen[rng.integers(0, count, KERNELS), np.arange(KERNELS)] = True
    signs = rng.choice([-1.0, 1.0], (count, KERNELS)) if count > 1 else np.ones((1, KERNELS))
    weights = ((seen * signs)[:, None, :] * shapes).reshape(count * TAPS, KERNELS).astype(np.float32)
    nothing = np.zeros(KERNELS, np.float32)
    bank = Bank(dilation, differences, channels, weights, nothing, nothing)
    said = bank.answers(series)
    valid = said[np.arange(series.shape[2]) < lengths[:, None]]
    if not len(valid):
        return bank
    places = (rng.random() + GOLDEN * np.arange(KERNELS)) % 1.0
    valid, kernels = np.sort(valid, axis=0), np.arange(KERNELS)
    below, above = (((half + places) / 2 * (len(valid) - 1)).astype(int) for half in (0, 1))
    after = np.concatenate([valid[1:], valid[-1:]])  # a threshold between two answers is met by neither of them
    between = (valid + after) / 2
    return Bank(dilation, differences, channels, weights, between[below, kernels], between[above, kernels])
