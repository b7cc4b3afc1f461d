"""How much to order, where numbers are predicted; and how likely a number lies beyond a limit, to raise alarms by.

Needs that this module answers:

* What may come true is the prediction with errors of judged units, larger where those were larger.
* The same order on the judged units, by both finalists, so that their difference is money.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deepenough.actions.choices import A_THOUSAND, PLAN, RULE, told
from deepenough.actions.judged import WINNER, Judged
from deepenough.evidence import FAMILIES
from deepenough.judge import orders, value
from deepenough.judge.orders import Costs
from deepenough.judge.value import Promise
from deepenough.model.intervals import Intervals

PREDICTION = "prediction"
"""The plan that orders just what is predicted."""


def errors_of(judged: Judged, side: str) -> Intervals:
    """The errors of one side on the judged units."""
    return Intervals.of(judged.truth, judged.predictions[side])


def order(
    predictions: np.ndarray, known: Intervals, costs: Costs, today: np.ndarray | None, seed: int
) -> tuple[np.ndarray, Promise]:
    """What to order for each case, and what that is expected to cost.

    today: what is ordered by today's rule; None without one.
    """
    sizes = known.sizes_at(predictions)
    quantities = _at_least(known, orders.quantities(predictions, sizes, known.ranks, costs))
    plans = {PLAN: quantities, PREDICTION: predictions} | ({} if today is None else {RULE: today})
    return quantities, orders.promise(predictions, sizes, known.ranks, known.rows, plans, costs, seed)


def _at_least(known: Intervals, quantities: np.ndarray) -> np.ndarray:
    return quantities if known.floor is None else np.maximum(quantities, known.floor)


def on_judged(judged: Judged, costs: Costs, today: np.ndarray | None) -> dict[str, Any]:
    """What each side's orders came to on the judged units, per 1,000 of them; costs are below zero."""
    came: dict[str, np.ndarray] = {}
    for side, predictions in judged.predictions.items():
        known = errors_of(judged, side)
        sizes = known.sizes_at(predictions)
        ordered = _at_least(known, orders.quantities(predictions, sizes, known.ranks, costs))
        came[side] = -costs.of(ordered, judged.truth)
    others = {PREDICTION: judged.predictions[WINNER]} | ({} if today is None else {RULE: today})
    against = {name: -costs.of(ordered, judged.truth) for name, ordered in others.items()}

    def more(own: np.ndarray, other: np.ndarray) -> dict[str, float]:
        return told(value.difference(own, other, judged.clusters, A_THOUSAND))

    return {
        "units": len(judged.truth),
        "per_thousand": {name: A_THOUSAND * float(own.mean()) for name, own in (came | against).items()},
        "more_than": {name: more(came[WINNER], own) for name, own in against.items()},
        "families": more(came["deep"], came["classical"]) if all(family in came for family in FAMILIES) else None,
    }


def chances_beyond(limit: float, predictions: np.ndarray, known: Intervals) -> np.ndarray:
    """The probability that each truth lies above the limit, as two columns: not, and so."""
    above = orders.chance_beyond(limit, predictions, known.sizes_at(predictions), known.ranks)
    return np.column_stack([1 - above, above])
