"""PURE: predicted numbers, and what too much and too little cost, to quantities to order and alarms to raise.

Needs that this module answers:

* The quantity that costs least is a quantile of what may be wanted, not its middle (the newsvendor; Arrow, Harris and
  Marschak, Econometrica, 1951): the quantile that `under` has in `under + over`.
* What may be wanted is the prediction with the errors of units that judged the model, of whatever shape they are.
* The promise holds how little is known of the errors, and how the cases fall out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepenough.errors import OptionError
from deepenough.judge.value import DRAWS, FEWEST_DRAWS, MOST_NUMBERS, Money, Promise, money_of, pairs

SIDES = ("over", "under")


@dataclass(frozen=True)
class Costs:
    """What each unit too many, and each unit too few, costs; both above zero."""

    over: float
    under: float

    @classmethod
    def read(cls, text: str) -> Costs:
        """From `over=2, under=5`. Raises OptionError."""
        found = {}
        for name, said in pairs(text, SIDES).items():
            try:
                found[name] = abs(float(said))
            except ValueError:
                raise OptionError(f"--value {text!r}: {said!r} is no number.") from None
        if set(found) != set(SIDES) or not all(np.isfinite(cost) and cost > 0 for cost in found.values()):
            raise OptionError(f"--value {text!r}: both are needed, over=COST and under=COST, each more than 0.")
        return cls(**found)

    @property
    def level(self) -> float:
        """The quantile that costs least."""
        return self.under / (self.under + self.over)

    def of(self, ordered: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """What each order costs, given what was wanted; shape of both."""
        short = wanted - ordered
        return np.asarray(np.where(short > 0, self.under * short, -self.over * short))


def quantities(predictions: np.ndarray, sizes: np.ndarray, errors: np.ndarray, costs: Costs) -> np.ndarray:
    """What to order for each case.

    predictions, sizes: shape (n,); an error times its case's size is in the target's unit. errors: signed (truth less
    prediction), shape (m,).
    """
    return np.asarray(predictions + sizes * np.quantile(errors, costs.level, method="inverted_cdf"))


def chance_beyond(limit: float, predictions: np.ndarray, sizes: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """The probability that the truth lies above a limit, shape (n,)."""
    ranked = np.sort(errors)
    below = np.searchsorted(ranked, (limit - predictions) / sizes, side="right")
    return np.asarray((len(ranked) - below + 0.5) / (len(ranked) + 1))


def promise(
    predictions: np.ndarray,
    sizes: np.ndarray,
    errors: np.ndarray,
    judged: int,
    plans: Mapping[str, np.ndarray],
    costs: Costs,
    seed: int,
) -> Promise:
    """What orders are expected to cost over these cases, as money below zero.

    judged: units that the errors are of. plans: by name, what each orders, shape (n,); the first one is held against
    the others.
    """
    rng = np.random.default_rng(seed)
    draws = int(np.clip(MOST_NUMBERS // max(len(predictions), 1), FEWEST_DRAWS, DRAWS))
    names = list(plans)
    drawn = np.empty((draws, len(names)))
    for row in range(draws):
        own = rng.choice(errors, min(judged, len(errors)))  # what other judged units would have said of the errors
        wanted = predictions + sizes * rng.choice(own, len(predictions))
        drawn[row] = [-costs.of(plans[name], wanted).sum() for name in names]
    expected = drawn.mean(axis=0)
    sums = {name: money_of(float(expected[place]), drawn[:, place]) for place, name in enumerate(names)}
    more: dict[str, Money] = {
        name: money_of(float(expected[0] - expected[place]), drawn[:, 0] - drawn[:, place])
        for place, name in enumerate(names[1:], 1)
    }
    return Promise(sums, more)
