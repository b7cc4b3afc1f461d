"""PURE: predictions and what right and wrong are worth to a person, to whom to act on and how much money that is.

Needs that this module answers:

* What acting is worth may hang on the case: each outcome is a sum of money and a share of the case's own amount.
* Acting pays where its expected gain over leaving be is above zero (Elkan, IJCAI 2001); with room for few, the largest
  gains first.
* What is promised is what will come true: probabilities are first held against judged units, and the interval holds
  both how little is known of them and how the cases fall out.
* Two families are compared in money on the units that judged them, case by case.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepenough.errors import OptionError
from deepenough.judge import stats

OUTCOMES = ("tp", "fp", "fn", "tn")
AMOUNT = "amount"
LEVEL = 0.9
"""Of the intervals around sums of money."""
DRAWS = 1_000
MOST_NUMBERS = 200_000_000
"""Drawn at random for one promise, at most; with more cases there are fewer draws."""
FEWEST_DRAWS = 200
SLOPE_SD, OFFSET_SD = 0.5, 1.0
"""Prior standard deviations of a recalibration around none: the models were calibrated already."""
SMALLEST = 1e-6
_STEPS = 50


@dataclass(frozen=True)
class Price:
    """What an outcome is worth: `fixed`, and `each` times the case's amount."""

    fixed: float = 0.0
    each: float = 0.0

    def of(self, amounts: np.ndarray) -> np.ndarray:
        """Shape of the amounts."""
        return np.asarray(self.fixed + (self.each * amounts if self.each else np.zeros(len(amounts))))


@dataclass(frozen=True)
class Values:
    """What each outcome is worth. tp: acted on, and it was one; fp: acted on in vain; fn: left be, and it was one; tn:
    rightly left be."""

    tp: Price = Price()
    fp: Price = Price()
    fn: Price = Price()
    tn: Price = Price()

    @classmethod
    def read(cls, text: str) -> Values:
        """From `tp=100, fp=-5, fn=-amount`. Raises OptionError that says what is expected."""
        prices: dict[str, Price] = {}
        for name, said in pairs(text, OUTCOMES).items():
            prices[name] = _price(said, text)
        found = cls(**prices)
        if all(own == other for own, other in ((found.tp, found.fn), (found.fp, found.tn))):
            raise OptionError(f"--value {text!r}: acting and leaving be are worth the same, so nothing can be chosen.")
        return found

    @property
    def by_amount(self) -> bool:
        """Whether a case's amount matters."""
        return any(getattr(self, name).each for name in OUTCOMES)

    def gains(self, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What acting brings over leaving be where the case is one, and where it is none; shape (n,) each."""
        return self.tp.of(amounts) - self.fn.of(amounts), self.fp.of(amounts) - self.tn.of(amounts)

    def left_be(self, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What leaving be is worth where the case is one, and where it is none."""
        return self.fn.of(amounts), self.tn.of(amounts)

    @property
    def threshold(self) -> float | None:
        """The probability from which acting pays; None where it hangs on the amount, or where it always or never
        does."""
        if self.by_amount:
            return None
        hit, miss = self.tp.fixed - self.fn.fixed, self.fp.fixed - self.tn.fixed
        return -miss / (hit - miss) if hit > 0 > miss else None


def pairs(text: str, known: tuple[str, ...]) -> dict[str, str]:
    """`name=value` by name, parted by commas. Raises OptionError for what is none, and for names that are not known."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, said = (piece.strip() for piece in part.partition("="))
        if not equals or name not in known or name in found:
            expected = ", ".join(f"{each}=..." for each in known)
            raise OptionError(
                f"--value {text!r}: {part!r} is not understood. Expected are {expected}, each once at most."
            )
        found[name] = said
    if not found:
        raise OptionError(f"--value {text!r} says nothing. Expected is {', '.join(f'{each}=...' for each in known)}.")
    return found


_TERM = re.compile(r"([+-])(?:(\d+(?:\.\d*)?|\.\d+)(?:\*(amount))?|(amount))")


def _price(said: str, text: str) -> Price:
    """A sum of numbers and shares of the amount: `100`, `0.9*amount - 5`, `-amount`."""
    compact = said.replace(" ", "")
    compact = compact if compact.startswith(("+", "-")) else f"+{compact}"
    place, fixed, each = 0, 0.0, 0.0
    while place < len(compact):
        term = _TERM.match(compact, place)
        if term is None:
            raise OptionError(
                f"--value {text!r}: {said!r} is not understood. Expected is a number, or with --amount a sum such as "
                "0.9*amount - 5."
            )
        sign, number = -1.0 if term[1] == "-" else 1.0, float(term[2] or 1)
        if term[3] or term[4]:
            each += sign * number
        else:
            fixed += sign * number
        place = term.end()
    return Price(fixed, each)


def expected_gain(chances: np.ndarray, values: Values, amounts: np.ndarray) -> np.ndarray:
    """What acting on each case is expected to bring over leaving it be, shape (n,)."""
    hit, miss = values.gains(amounts)
    return np.asarray(chances * hit + (1 - chances) * miss)


def chosen(gains: np.ndarray, capacity: float | None = None) -> np.ndarray:
    """Whom to act on: where it is expected to pay; of these the largest gains, where there is room for so many."""
    acted = gains > 0
    if capacity is not None and acted.sum() > capacity:
        first = np.argsort(-gains, kind="stable")[: int(capacity)]
        acted = np.zeros(len(gains), dtype=bool)
        acted[first] = True
    return np.asarray(acted)


# --- how far probabilities can be believed ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Recalibration:
    """A line through the log odds, with what is not known of it. 0 and 1 change nothing."""

    offset: float
    slope: float
    covariance: np.ndarray

    def of(self, chances: np.ndarray) -> np.ndarray:
        """The probabilities as judged units say they are."""
        return _moved(chances, self.offset, self.slope)

    def drawn(self, draws: int, rng: np.random.Generator) -> np.ndarray:
        """Offsets and slopes as they may be too, shape (draws, 2)."""
        return np.asarray(rng.multivariate_normal((self.offset, self.slope), self.covariance, draws))


def recalibration(chances: np.ndarray, truth: np.ndarray, clusters: np.ndarray) -> Recalibration:
    """How probabilities are to be read, by units that were judged (Cox, 1958: logistic recalibration).

    Few units move little: what is known before is that nothing has to be moved. Units of one cluster count as one.

    chances, truth: shape (m,); truth is 0 or 1. clusters: shape (m,) or (m, 2), of which the first column counts.
    """
    x = np.column_stack([np.ones(len(chances)), _log_odds(chances)])
    prior, middle = np.diag([OFFSET_SD**-2, SLOPE_SD**-2]), np.array([0.0, 1.0])
    line = middle.copy()
    for _ in range(_STEPS):
        now = _from_log_odds(x @ line)
        curvature = x.T @ (x * (now * (1 - now))[:, None]) + prior
        step = np.linalg.solve(curvature, x.T @ (truth - now) - prior @ (line - middle))
        line = line + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < 1e-9:
            break
    scores = x * (truth - _from_log_odds(x @ line))[:, None]
    _, owner = np.unique(clusters if clusters.ndim == 1 else clusters[:, 0], return_inverse=True)
    sums = np.zeros((int(owner.max()) + 1, 2))
    np.add.at(sums, owner, scores)
    bread = np.linalg.inv(curvature)
    return Recalibration(float(line[0]), float(line[1]), bread @ (sums.T @ sums + prior) @ bread)


def _log_odds(chances: np.ndarray) -> np.ndarray:
    inside = np.clip(chances, SMALLEST, 1 - SMALLEST)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _from_log_odds(values: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -700, 700))))


def _moved(chances: np.ndarray, offset: float, slope: float) -> np.ndarray:
    return _from_log_odds(offset + slope * _log_odds(chances))


# --- what is promised -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Money:
    """A sum with the ends of its interval (of `LEVEL`)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Promise:
    """What each plan is expected to be worth over all cases, and how much more the first is worth than each other."""

    plans: Mapping[str, Money]
    more_than: Mapping[str, Money]


def promise(
    chances: np.ndarray,
    plans: Mapping[str, np.ndarray],
    values: Values,
    amounts: np.ndarray,
    known: Recalibration,
    seed: int,
) -> Promise:
    """What plans are expected to be worth over these cases.

    chances: as the model gives them, shape (n,). plans: by name, whom each acts on, bool (n,); the first one is held
    against the others.
    """
    rng = np.random.default_rng(seed)
    draws = int(np.clip(MOST_NUMBERS // max(len(chances), 1), FEWEST_DRAWS, DRAWS))
    hit, miss = values.gains(amounts)
    one, none = values.left_be(amounts)
    names = list(plans)
    acted = np.stack([plans[name] for name in names]).astype(np.float64)
    drawn = np.empty((draws, len(names)))
    for row, (offset, slope) in enumerate(known.drawn(draws, rng)):
        true = rng.random(len(chances)) < _moved(chances, offset, slope)
        drawn[row] = np.where(true, one, none).sum() + acted @ np.where(true, hit, miss)
    read = known.of(chances)
    expected = (read * one + (1 - read) * none).sum() + acted @ (read * hit + (1 - read) * miss)
    sums = {name: money_of(float(expected[place]), drawn[:, place]) for place, name in enumerate(names)}
    more = {
        name: money_of(float(expected[0] - expected[place]), drawn[:, 0] - drawn[:, place])
        for place, name in enumerate(names[1:], 1)
    }
    return Promise(sums, more)


def money_of(value: float, drawn: np.ndarray) -> Money:
    """A sum, with its interval from what was drawn; it holds the sum itself.

    The sum is a mean, and what is rare and dear moves a mean while it lies beyond both quantiles: a loss that comes
    once in a hundred times. Such an interval is widened to the mean, which makes it right no less often.
    """
    low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Money(value, min(float(low), value), max(float(high), value))


def came_true(acted: np.ndarray, truth: np.ndarray, values: Values, amounts: np.ndarray) -> np.ndarray:
    """What each case was worth, given whom was acted on and what it was; shape (n,)."""
    hit, miss = values.gains(amounts)
    one, none = values.left_be(amounts)
    return np.asarray(np.where(truth, one, none) + acted * np.where(truth, hit, miss))


def difference(own: np.ndarray, other: np.ndarray, clusters: np.ndarray, times: float = 1.0) -> Money:
    """How much more `own` is worth than `other`, case by case, in the mean and times so many; its ends are those of
    `LEVEL`, with cases of one cluster together."""
    more = own - other
    spread = stats.cluster_variance(more, clusters)
    width = stats.t_quantile((1 - LEVEL) / 2, spread.df) * math.sqrt(spread.variance)
    mean = float(more.mean())
    return Money(times * mean, times * (mean - width), times * (mean + width))
