"""Error against training size: a Bayesian average over a bank of shapes, with honest intervals beyond the last size.

Needs that this module answers:

* Intervals that hold. Least squares on one shape with a bootstrap covered about half of what it promised at 90 %; here
  many shapes (power, exponential, Morgan-Mercer-Flodin, inverse log, Weibull, broken power, late and steep, flat) are
  weighted by their evidence, older sizes count a little less, and the interval widens with every doubling beyond the
  last size. The shapes are those that Viering and Loog review (arXiv 2103.10948), the broken law is Caballero's
  (arXiv 2210.14891).
* Two learners are fitted jointly: they were judged on the same units, and their common noise cancels in the gap.
* Milliseconds: given its shape, a curve is linear in its two coefficients, so that every posterior is closed form.
* Curves that break the rules (rising, or falling faster at the end) are named, not smoothed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import chdtri

SHAPES = 2500
PAIRS = 4000
DRAWS = 600
AGE_DISCOUNT = 0.1
"""Share of the observed span by which a size four doublings below the last may miss the curve."""
HORIZON = {"classical": 0.4, "deep": 0.8}
"""How many of the last drops a curve may miss by a doubling beyond the last size; nets start late."""
HORIZON_CROSSING = 0.4
"""The same where two curves are asked for their crossing: the rate of wrong claims was measured with it."""
SIGNIFICANT = 2.33
"""Standard errors from which a rise is one: 1 % each, for a ladder has several steps."""


@dataclass(frozen=True)
class Ladder:
    """One learner's losses by training size: sizes rise; both shape (K,)."""

    sizes: np.ndarray
    losses: np.ndarray
    family: str = "classical"


@dataclass(frozen=True)
class ShapeBank:
    """Shapes that fall from 1 at the first size. Each block is a function with its parameters, shape (k, 1) each."""

    first: float
    blocks: tuple[tuple[Callable[..., np.ndarray], tuple[np.ndarray, ...]], ...]
    flat: int

    def at(self, sizes: np.ndarray) -> np.ndarray:
        """Every shape at these sizes, shape (shapes, len(sizes))."""
        sizes = np.asarray(sizes, dtype=np.float64)[None]
        start = np.array([[self.first]])
        rows = [shape(sizes, *values) / shape(start, *values) for shape, values in self.blocks]
        return np.vstack([*rows, np.zeros((self.flat, sizes.shape[1]))])


def _power(n: np.ndarray, exponent: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return np.asarray((n + shift) ** -exponent)


def _exponential(n: np.ndarray, reach: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-n / reach))


def _hill(n: np.ndarray, middle: np.ndarray, steepness: np.ndarray) -> np.ndarray:
    """Morgan-Mercer-Flodin."""
    return np.asarray(1 / (1 + (n / middle) ** steepness))


def _inverse_log(n: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return np.asarray(1 / np.log(n + shift))


def _weibull(n: np.ndarray, reach: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-((n / reach) ** exponent)))


def _broken_power(n: np.ndarray, exponent: np.ndarray, turn: np.ndarray, second: np.ndarray) -> np.ndarray:
    sharpness = 0.3
    bend = (1 + (n / turn) ** (1 / sharpness)) ** (-(second - exponent) * sharpness)
    return np.asarray(n**-exponent * bend)


@lru_cache(maxsize=16)
def shape_bank(first: float, last: float, seed: int, size: int = SHAPES) -> ShapeBank:
    """The bank for a ladder from `first` to `last`; built once a race."""
    rng = np.random.default_rng(seed)
    share, steep = size // 6, size // 8

    def spread(low: float, high: float, count: int = share) -> np.ndarray:
        return np.exp(rng.uniform(np.log(low), np.log(high), (count, 1)))

    def even(low: float, high: float, count: int = share) -> np.ndarray:
        return rng.uniform(low, high, (count, 1))

    shift = np.where(rng.random((share, 1)) < 0.5, 0.0, even(0, 4 * first))
    blocks = (
        (_power, (spread(0.05, 1.5), shift)),
        (_exponential, (spread(first / 2, 4 * last),)),
        (_hill, (spread(first / 4, 4 * last), even(0.3, 2.3))),
        (_inverse_log, (np.full((share // 4, 1), 2.0),)),
        (_weibull, (spread(first / 4, 8 * last), even(0.2, 1.5))),
        (_broken_power, (spread(0.05, 1.0), spread(first, 10 * last), spread(0.02, 1.5))),
        (_hill, (spread(first / 2, 8 * last, steep), even(2, 4, steep))),
    )
    return ShapeBank(first, blocks, size // 10)


@dataclass(frozen=True)
class Fit:
    """Draws of the posterior of one or more curves.

    shapes: index into the bank, shape (draws, learners). coefficients: level and height, shape (draws, learners, 2).
    wander: what each draw adds a doubling beyond the last size, shape (draws, learners).
    misfit: no shape in the bank fits; the intervals were widened.
    """

    bank: ShapeBank
    shapes: np.ndarray
    coefficients: np.ndarray
    wander: np.ndarray
    last: np.ndarray
    scale: float
    offset: float
    misfit: bool

    def losses(self, sizes: np.ndarray) -> np.ndarray:
        """Draws of the loss at these sizes, shape (learners, draws, len(sizes))."""
        sizes = np.asarray(sizes, dtype=np.float64)
        bank = self.bank.at(sizes)
        curves = []
        for learner, last in enumerate(self.last):
            level, height = self.coefficients[:, learner].T
            ahead = np.log2(np.maximum(sizes / last, 1.0))
            curve = level[:, None] + height[:, None] * bank[self.shapes[:, learner]]
            curves.append(np.clip(curve + self.wander[:, learner, None] * ahead, 0, None))
        return np.stack(curves) * self.scale + self.offset


def fit(
    ladders: Sequence[Ladder],
    covariance: np.ndarray,
    bank: ShapeBank,
    scale: float,
    seed: int,
    horizon: float | None = None,
) -> Fit:
    """The posterior of one curve, or of several jointly.

    ladders: at least two sizes each. covariance: of all losses, ladder after ladder. scale: the trivial loss; the
    priors are in its units. horizon: in place of each family's own, see HORIZON.
    """
    rng = np.random.default_rng(seed)
    losses = np.concatenate([ladder.losses for ladder in ladders])
    lowest = float(losses.min())
    offset = 0.0 if lowest >= 0 else 2 * lowest - float(losses.max())  # what was never negative has its floor at 0
    y, noise = (losses - offset) / scale, covariance / scale**2
    parts = np.split(y, np.cumsum([len(ladder.sizes) for ladder in ladders])[:-1])
    noise = noise + np.diag(
        np.concatenate([_age(ladder, part, noise) for ladder, part in zip(ladders, parts, strict=True)])
    )
    shapes = _combinations(bank, len(ladders), rng)
    problem = _Problem(_design(ladders, bank, shapes), y, *_prior(parts))
    answer, misfit = problem.solve(noise), False
    spare = max(1, len(y) - 2 * len(ladders))
    if answer.misfit > chdtri(spare, 0.10):
        answer, misfit = problem.solve(noise * answer.misfit / spare), True
    chosen, coefficients = answer.draw(rng)
    wander = rng.standard_normal((len(chosen), len(ladders))) * _horizon(ladders, parts, noise, horizon)
    last = np.array([ladder.sizes[-1] for ladder in ladders], dtype=np.float64)
    coefficients = coefficients.reshape(len(chosen), len(ladders), 2)
    return Fit(bank, shapes[chosen], coefficients, wander, last, scale, offset, misfit)


def _age(ladder: Ladder, y: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Variance by which smaller sizes may miss the curve."""
    span = max(abs(y[0] - y[-1]), float(np.sqrt(noise.diagonal().max())))
    doublings = np.log2(ladder.sizes[-1] / ladder.sizes)
    return np.asarray((AGE_DISCOUNT * span * doublings / 4) ** 2)


def _combinations(bank: ShapeBank, learners: int, rng: np.random.Generator) -> np.ndarray:
    """Shapes to try, shape (tries, learners): every one for a single curve, random ones for several."""
    size = len(bank.at(np.array([bank.first])))
    if learners == 1:
        return np.arange(size)[:, None]
    return rng.integers(0, size, (PAIRS, learners))


def _design(ladders: Sequence[Ladder], bank: ShapeBank, shapes: np.ndarray) -> np.ndarray:
    """The losses' linear dependence on level and height of each learner, shape (tries, losses, 2 learners)."""
    rows = sum(len(ladder.sizes) for ladder in ladders)
    design = np.zeros((len(shapes), rows, 2 * len(ladders)))
    start = 0
    for learner, ladder in enumerate(ladders):
        own = slice(start, start + len(ladder.sizes))
        design[:, own, 2 * learner] = 1.0
        design[:, own, 2 * learner + 1] = bank.at(ladder.sizes)[shapes[:, learner]]
        start = own.stop
    return design


def _prior(parts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Weak normal prior of level and height: mean and sd, in units of the scale."""
    mean = [value for y in parts for value in (y.min() * 0.7, max(y[0] - y.min() * 0.7, 1e-3))]
    sd = [value for y in parts for value in (max(y.min(), 0.02), max(y[0], 0.02))]
    return np.array(mean), np.array(sd)


def _horizon(
    ladders: Sequence[Ladder], parts: Sequence[np.ndarray], noise: np.ndarray, horizon: float | None
) -> np.ndarray:
    """Sd that each learner's curve gains a doubling beyond its last size."""
    ends = np.cumsum([len(y) for y in parts]) - 1
    drops = [max(y[-2] - y[-1], np.sqrt(noise[end, end])) for y, end in zip(parts, ends, strict=True)]
    shares = [HORIZON.get(ladder.family, HORIZON["deep"]) if horizon is None else horizon for ladder in ladders]
    return np.asarray(np.array(shares) * np.array(drops))


@dataclass(frozen=True)
class _Problem:
    """Linear regressions, one a try, with a common noise and prior."""

    design: np.ndarray
    y: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    def solve(self, noise: np.ndarray) -> _Answer:
        precision = np.linalg.inv(noise + 1e-14 * np.trace(noise) * np.eye(len(noise)))
        weighted = np.swapaxes(self.design, 1, 2) @ precision
        inverse = weighted @ self.design + np.diag(self.sd**-2.0)
        right = weighted @ self.y + self.mean / self.sd**2
        variance = np.linalg.inv(inverse)
        centre = np.einsum("sij,sj->si", variance, right)
        evidence = 0.5 * (right * centre).sum(axis=1) - 0.5 * np.linalg.slogdet(inverse)[1]
        miss = self.y - np.einsum("skj,sj->sk", self.design, centre)
        misfit = float(np.einsum("sk,kl,sl->s", miss, precision, miss).min())
        return _Answer(variance, centre, evidence, misfit)


@dataclass(frozen=True)
class _Answer:
    variance: np.ndarray
    centre: np.ndarray
    evidence: np.ndarray
    misfit: float

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Tries and coefficients, none negative where enough such draws are to be had."""
        weight = np.exp(self.evidence - self.evidence.max())
        chosen = rng.choice(len(weight), DRAWS * 6, p=weight / weight.sum())
        width = self.centre.shape[1]
        root = np.linalg.cholesky(self.variance + 1e-14 * np.eye(width))
        normal = rng.standard_normal((len(chosen), width))
        values = self.centre[chosen] + np.einsum("sij,sj->si", root[chosen], normal)
        possible = np.flatnonzero((values >= 0).all(axis=1))
        kept = possible[:DRAWS] if len(possible) >= 20 else np.arange(DRAWS)
        return chosen[kept], values[kept]


def rises(ladder: Ladder, covariance: np.ndarray) -> list[tuple[int, int]]:
    """Neighbouring sizes between which the loss rose by more than noise explains."""
    found = []
    for low in range(len(ladder.sizes) - 1):
        rise = ladder.losses[low + 1] - ladder.losses[low]
        if rise > SIGNIFICANT * _sd_of(covariance, {low: -1.0, low + 1: 1.0}) and rise > 0:
            found.append((int(ladder.sizes[low]), int(ladder.sizes[low + 1])))
    return found


def starts_slowly(ladder: Ladder, covariance: np.ndarray) -> bool:
    """Whether the loss falls faster at the end than before, by more than noise explains."""
    if len(ladder.sizes) < 3:
        return False
    end = len(ladder.sizes) - 1
    speeding = 2 * ladder.losses[end - 1] - ladder.losses[end] - ladder.losses[end - 2]
    return bool(speeding > SIGNIFICANT * _sd_of(covariance, {end - 1: 2.0, end: -1.0, end - 2: -1.0}) and speeding > 0)


def _sd_of(covariance: np.ndarray, weights: dict[int, float]) -> float:
    contrast = np.zeros(len(covariance))
    contrast[list(weights)] = list(weights.values())
    return float(np.sqrt(max(contrast @ covariance @ contrast, 0.0)))
