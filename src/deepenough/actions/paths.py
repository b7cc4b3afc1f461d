"""How much to order at each step, where paths are forecast.

Needs that this module answers:

* A forecast needs whole histories, and answers for steps that stand in no row: what is listed are its own answers.
* The same orders for the judged forecasts, by both finalists, so that their difference is money.
* What can't be asked of paths is refused in one sentence, before anything is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deepenough.actions.choices import A_THOUSAND, told
from deepenough.actions.judged import WINNER, Judged
from deepenough.errors import OptionError
from deepenough.evidence import FAMILIES
from deepenough.judge import path_orders, value
from deepenough.judge.orders import Costs
from deepenough.judge.path_orders import MEDIAN, Known, Ordered, Paths
from deepenough.model.folder import LoadedModel

if TYPE_CHECKING:
    import pandas as pd

BATCH = 10_000
REFUSED = {
    "capacity": "each series is ordered for at every step",
    "amount": "nothing is known of the rows of steps that are still to come",
    "positive": "they have no classes",
    "rule": "today's orders of steps to come stand in no row that was judged; the list is held against the median",
    "above": "alarms are raised for single numbers alone",
}


def refuse(asked: Any) -> None:
    """Raises OptionError for what forecasts are not acted on by."""
    for name, why in REFUSED.items():
        if getattr(asked, name) is not None:
            raise OptionError(f"--{name} is not for forecasts: {why}. Leave it out.")


@dataclass(frozen=True)
class Coming:
    """Forecasts of new series. answers: a row a series and step, as the model gives them. quantiles: the same, shape
    (series, steps, levels). unread: by column, cells that count as missing. unanswered: sentences on what is not
    forecast."""

    answers: pd.DataFrame
    quantiles: np.ndarray
    levels: tuple[float, ...]
    unread: Mapping[str, int]
    unanswered: tuple[str, ...] = ()


def read(source: Any, model: LoadedModel) -> Coming:
    """Forecast all series of a source."""
    import pandas as pd

    answers, quantiles, unread = [], [], Counter[str]()
    unanswered: list[str] = []
    for part in model.codec.batches(source, BATCH):
        inputs = model.codec.encode(part)
        unread.update(model.codec.unread(part, inputs))
        unanswered += model.codec.unanswered(inputs)
        if len(inputs):
            quantiles.append(model.predict_raw(inputs))
            answers.append(model.codec.decode(quantiles[-1], inputs))
    if not quantiles:
        raise OptionError(f"{source} holds no series to act on.")
    levels = tuple(model.about["task"]["paths"][1])
    return Coming(pd.concat(answers, ignore_index=True), np.concatenate(quantiles), levels, unread, tuple(unanswered))


def order(coming: Coming, judged: Judged, costs: Costs, seed: int) -> Ordered:
    """What to order for each series and step, and what that is expected to cost."""
    paths = _paths(judged, WINNER)
    new = Paths.of(coming.quantiles, paths.floor, paths.typical)
    return path_orders.order(new, _known(judged, paths), costs, seed)


def listed(coming: Coming, ordered: Ordered, target: str) -> pd.DataFrame:
    """A row a series and step: what tells the series apart, the time, `median`, `order` and `expected_cost`."""
    own = {target, *(f"{target}_{100 * level:g}" for level in coming.levels)}
    made: dict[str, Any] = {
        "median": coming.answers[target],
        "order": ordered.quantities.ravel(),
        "expected_cost": np.round(ordered.costs.ravel(), 6),
    }
    named = coming.answers.drop(columns=[name for name in coming.answers.columns if name in own])
    renamed = named.rename(columns={name: f"{name} (given)" for name in named.columns if name in made})
    return renamed.assign(**made)


def on_judged(judged: Judged, costs: Costs) -> dict[str, Any]:
    """What each side's orders came to on the judged forecasts, per 1,000 steps; costs are below zero."""
    came, truth = {}, _truth(judged)
    for side in judged.predictions:
        paths = _paths(judged, side)
        came[side] = path_orders.tried(paths, truth, _known(judged, paths), costs)
    median = path_orders.came(_paths(judged, WINNER).middle, truth, costs)

    def more(own: np.ndarray, other: np.ndarray) -> dict[str, float]:
        return told(value.difference(own, other, judged.clusters, A_THOUSAND))

    return {
        "units": len(truth),
        "stretches": _known(judged, _paths(judged, WINNER)).stretches,
        "per_thousand": {name: A_THOUSAND * float(own.mean()) for name, own in (came | {MEDIAN: median}).items()},
        "more_than": {MEDIAN: more(came[WINNER], median)},
        "families": more(came["deep"], came["classical"]) if all(family in came for family in FAMILIES) else None,
    }


def by_step(ordered: Ordered) -> list[Mapping[str, float]]:
    """What each step ahead is expected to come to, of all series together."""
    return [told(money) for money in ordered.by_step]


def _truth(judged: Judged) -> np.ndarray:
    """What came in each step; behind the steps stands what measures of the kind need."""
    return np.asarray(judged.truth[:, : judged.predictions[WINNER].shape[1]])


def _paths(judged: Judged, side: str) -> Paths:
    floor = 0.0 if np.nanmin(_truth(judged)) >= 0 else None
    return Paths.of(judged.predictions[side], floor)


def _known(judged: Judged, paths: Paths) -> Known:
    stretches = judged.clusters if judged.clusters.ndim == 1 else judged.clusters[:, 1]
    return Known.of(paths.errors(_truth(judged)), stretches, _owners(judged, stretches), judged.rows)


def _owners(judged: Judged, stretches: np.ndarray) -> np.ndarray:
    """Which series each judged forecast is of, shape (m,): as its cluster says; else by their numbers, which run
    through one series after the other, so that a new one begins where time goes back."""
    if judged.clusters.ndim > 1:
        return np.asarray(judged.clusters[:, 0])
    order = np.argsort(judged.rows, kind="stable")
    owners = np.empty(len(order), dtype=np.int64)
    owners[order] = np.cumsum(np.append(0, np.diff(stretches[order]) < 0))
    return owners
