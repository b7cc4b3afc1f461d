"""What a race would probably find, from tables that others have measured: no race, and an honest doubt.

Needs that this module answers:

* A table is compared by what is known before anything is learnt: rows, features, classes, the largest class's share.
* What happened there is read at the size that the person would train on, not at the size that the table has.
* It may know nothing: the guess stands beside the base rate, and leave-one-table-out says which was nearer to what
  happened. How widely to look is chosen inside that, on the other tables alone: the choice is no gain of its own.
* Few tables make wide intervals; a table unlike all others gets the base rate.

Neighbours are weighed by a Gaussian kernel (Nadaraya and Watson, 1964) and shrunk towards the base rate; the score is
Brier's (1950), its difference's interval a bootstrap over tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, ndtr

OUTCOMES = ("classical_better", "equal", "deep_better")
"""By more than what counts, or by less: `deep_better` is deep pays, both others are classical is enough."""
WITHIN = 0.01
"""What counts: one point of error."""
TRAINED_SHARE = 0.8
"""Of the rows a race trains on so many; the others judge."""
LEVEL = 0.95
DRAWS = 10_000
LEAST_SHARE = 1e-3


@dataclass(frozen=True)
class Facts:
    """What is known of a table before anything is learnt of it. majority_share: of the largest class."""

    rows: int
    features: int
    classes: int
    majority_share: float

    @property
    def place(self) -> np.ndarray:
        """Where it stands among tables: logarithms, because a factor counts the same at any size."""
        frequent = max(self.majority_share, 1 / max(self.classes, 1))
        return np.log([max(self.rows, 1), max(self.features, 1), max(self.classes, 1), max(frequent, LEAST_SHARE)])


@dataclass(frozen=True)
class Case:
    """A table where both families were measured.

    sizes: rows trained on, rising, shape (k,). shares: probabilities of the OUTCOMES there, shape (k, 3).
    """

    name: str
    facts: Facts
    sizes: np.ndarray
    shares: np.ndarray

    def at(self, n_train: float) -> np.ndarray:
        """The outcome's probabilities after training on so many rows, or on the nearest size that was measured."""
        where = np.log(self.sizes)
        return np.array([np.interp(np.log(max(n_train, 1)), where, column) for column in self.shares.T])


@dataclass(frozen=True)
class Setting:
    """width: of the kernel, in standard deviations of the tables' facts. prior: tables that the base rate counts as."""

    width: float
    prior: float


SETTINGS = tuple(Setting(width, prior) for width in (0.5, 1.0, 2.0) for prior in (1.0, 3.0, 10.0))


@dataclass(frozen=True)
class Guess:
    """What is expected of a race.

    shares, low, high: of each of the OUTCOMES, and 95 % intervals. enough: {share, low, high} of both outcomes in which
    classical is enough. like: how many tables the nearest ones weigh as much as. nearest: names, the nearest first.
    """

    shares: np.ndarray
    low: np.ndarray
    high: np.ndarray
    enough: tuple[float, float, float]
    like: float
    nearest: tuple[str, ...]


@dataclass(frozen=True)
class Gain:
    """Mean Brier scores, 0 to 2, lower is better; how much lower the guess's is than the base rate's (positive: it is
    better), and that difference's 95 % interval over tables."""

    brier: float
    brier_base: float
    gain: float
    low: float
    high: float

    @property
    def is_certain(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.low > 0


@dataclass(frozen=True)
class Score:
    """Leave-one-table-out: of all three OUTCOMES, and of the decision alone (deep pays, or classical is enough).

    shares, happened: what was guessed of each table and what happened there, shape (tables, 3).
    """

    outcomes: Gain
    decision: Gain
    shares: np.ndarray
    happened: np.ndarray


def outcome(gain: float, stderr: float, within: float = WITHIN) -> np.ndarray:
    """Probabilities of the OUTCOMES where deep makes `gain` fewer errors, measured with that standard error.

    All three are shares of one; a gap without noise is still a gap of whole ten-thousandths.
    """
    noise = max(stderr, 1e-6)
    deep = float(ndtr((gain - within) / noise))
    classical = float(ndtr((-within - gain) / noise))
    return np.array([classical, max(1.0 - deep - classical, 0.0), deep])


def guess(cases: Sequence[Case], facts: Facts, setting: Setting, nearest: int = 3) -> Guess:
    """What a race on a table of these facts would find."""
    spots, size = _scaled([case.facts for case in cases], facts)
    happened = np.array([case.at(TRAINED_SHARE * facts.rows) for case in cases])
    weights = _weights(spots, size, setting)
    total = float(weights.sum()) + setting.prior
    shares = (weights @ happened + setting.prior * _own(cases).mean(axis=0)) / total
    order = np.argsort(-weights, kind="stable")[:nearest]
    names = tuple(cases[place].name for place in order)
    low, high = _interval(shares, total)
    share = float(1 - shares[2])
    return Guess(shares, low, high, (share, 1 - high[2], 1 - low[2]), float(weights.sum()), names)


def base_rate(cases: Sequence[Case]) -> Guess:
    """The same for a table of which nothing is known: how often it came out how on all tables, each at its own size."""
    shares = _own(cases).mean(axis=0)
    low, high = _interval(shares, len(cases))
    return Guess(shares, low, high, (float(1 - shares[2]), 1 - high[2], 1 - low[2]), float(len(cases)), ())


def _own(cases: Sequence[Case]) -> np.ndarray:
    """What happened on each table at its own size, shape (tables, 3)."""
    return np.array([case.at(TRAINED_SHARE * case.facts.rows) for case in cases])


def _interval(shares: np.ndarray, tables: float) -> tuple[np.ndarray, np.ndarray]:
    """Of each share, as if so many tables had been counted (Jeffreys' interval, 1946)."""
    hits, misses = tables * shares + 0.5, tables * (1 - shares) + 0.5
    tail = (1 - LEVEL) / 2
    return betaincinv(hits, misses, tail), betaincinv(hits, misses, 1 - tail)


def _scaled(known: Sequence[Facts], asked: Facts) -> tuple[np.ndarray, np.ndarray]:
    """Places in standard deviations of the known tables', shape (tables, 4), and that of the one that is asked of."""
    places = np.array([facts.place for facts in known])
    spread = np.maximum(places.std(axis=0), 1e-9)
    return places / spread, asked.place / spread


def _weights(spots: np.ndarray, spot: np.ndarray, setting: Setting) -> np.ndarray:
    """How much each table says of the one that stands at `spot`: 1 where they are alike."""
    away = ((spots - spot) / setting.width) ** 2
    return np.asarray(np.exp(-0.5 * away.sum(axis=-1)))


def best_setting(cases: Sequence[Case], settings: Sequence[Setting] = SETTINGS) -> Setting:
    """The setting of the best leave-one-out score on these tables."""
    happened, spots = _tables(cases)
    return settings[int(np.argmin(_left_out(happened, spots, settings)[1].sum(axis=1)))]


def leave_one_out(cases: Sequence[Case], settings: Sequence[Setting] = SETTINGS, seed: int = 0) -> Score:
    """How near the guesses are to what happened on tables that had no part in them, nor in choosing the setting."""
    happened, spots = _tables(cases)
    own = np.einsum("iij->ij", happened)
    shares, base = np.empty_like(own), (own.sum(axis=0) - own) / (len(cases) - 1)
    everyone = np.arange(len(cases))
    outer = _left_out(happened, spots, settings)[0]
    for place in everyone:
        rest = np.delete(everyone, place)
        inner = _left_out(happened[np.ix_(rest, rest)], spots[rest], settings)[1]
        shares[place] = outer[int(np.argmin(inner.sum(axis=1))), place]
    decision = _gain(_decided(shares), _decided(base), _decided(own), seed)
    return Score(_gain(shares, base, own, seed), decision, shares, own)


def _decided(shares: np.ndarray) -> np.ndarray:
    """Probabilities that classical is enough, and that deep pays."""
    return np.stack([1 - shares[:, 2], shares[:, 2]], axis=1)


def _gain(guessed: np.ndarray, base: np.ndarray, happened: np.ndarray, seed: int) -> Gain:
    ours, theirs = brier(guessed, happened), brier(base, happened)
    low, high = _bootstrap(theirs - ours, seed)
    return Gain(float(ours.mean()), float(theirs.mean()), float((theirs - ours).mean()), low, high)


def _tables(cases: Sequence[Case]) -> tuple[np.ndarray, np.ndarray]:
    """What happened on table j at table i's size, shape (tables, tables, 3), and where each stands."""
    sizes = TRAINED_SHARE * np.array([case.facts.rows for case in cases], dtype=float)
    by_case = [[case.at(size) for case in cases] for size in sizes]
    return np.array(by_case), np.array([case.facts.place for case in cases])


def _left_out(happened: np.ndarray, spots: np.ndarray, settings: Sequence[Setting]) -> tuple[np.ndarray, np.ndarray]:
    """By setting and table: the guess that the other tables make, and its Brier score."""
    count = len(happened)
    own = np.einsum("iij->ij", happened)
    base = (own.sum(axis=0) - own) / (count - 1)
    spots = spots / np.maximum(spots.std(axis=0), 1e-9)
    guesses = []
    for setting in settings:
        weights = _weights(spots[:, None], spots[None], setting)
        np.fill_diagonal(weights, 0.0)
        summed = np.einsum("ij,ijk->ik", weights, happened) + setting.prior * base
        guesses.append(summed / (weights.sum(axis=1, keepdims=True) + setting.prior))
    found = np.array(guesses)
    return found, brier(found, own)


def brier(guessed: np.ndarray, happened: np.ndarray) -> np.ndarray:
    """Expected squared distance from what happens, 0 to 2, over the last axis, where only its probabilities are known.

    The noise of what happened counts against every guess alike.
    """
    return np.asarray((guessed**2).sum(-1) - 2 * (guessed * happened).sum(-1) + 1)


def _bootstrap(values: np.ndarray, seed: int) -> tuple[float, float]:
    """The 95 % interval of the mean over tables."""
    places = np.random.default_rng(seed).integers(0, len(values), (DRAWS, len(values)))
    low, high = np.quantile(values[places].mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
