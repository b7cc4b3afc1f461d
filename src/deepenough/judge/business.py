"""Both finalists in a business's terms: what a year of each costs at its traffic, and what their difference is worth.

Needs that this module answers:

* What is paid is a machine: whole cores rented all year, as many as the traffic needs and one at least, the electricity
  of the time that they predict, and the trainings of a year.
* A limit of latency decides how predictions are made: alone, each as it comes, or in batches where nobody waits. As
  they come they queue: cores are rented until nineteen in twenty wait no longer than the limit leaves.
* What better predictions are worth is the person's own number; with what changing costs it fixes, before the race, what
  counts as practically equal.
* Money keeps its doubts: the gap's bounds, and the band of what is modelled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deepenough.judge.cost import Amount, Bill, Prices, modelled, money
from deepenough.judge.verdict import Gap

SECONDS_A_YEAR = 365.25 * 86_400
HOURS_A_YEAR = SECONDS_A_YEAR / 3600
TRAININGS_A_YEAR = 12
MAY_WAIT = 0.05
"""Share of the predictions that may wait for a core longer than the limit leaves."""
MOST_COUNTED_CORES = 10_000
"""Beyond this a queue is not counted core by core: two roots of the load are added (Halfin and Whitt, 1981)."""


@dataclass(frozen=True)
class Business:
    """What a person says of the use. Money is in the currency of the prices.

    per_second: predictions, all year. max_latency_ms: within which a single one must answer, at the 95th percentile.
    worth_a_year: of one unit of the judged metric's loss. switch_cost_a_year: of the dearer family, beside machines.
    """

    per_second: float | None = None
    max_latency_ms: float | None = None
    worth_a_year: float | None = None
    switch_cost_a_year: float | None = None
    trainings_a_year: int = TRAININGS_A_YEAR

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Business:
        """From what stands in the plan."""
        return cls(**said)

    @property
    def equal_within(self) -> float | None:
        """The difference that would just pay for changing; None where one of the two is not said."""
        if self.worth_a_year is None or self.switch_cost_a_year is None:
            return None
        return self.switch_cost_a_year / self.worth_a_year


@dataclass(frozen=True)
class Year:
    """A year of one finalist.

    alone: each prediction by itself, not in batches. busy_cores: cores that are predicting on average; cores: that are
    rented (see `cores_for`). latency_ms: 95th percentile of one prediction, measured alone. in_time: whether that keeps
    the limit; None without a limit or a measurement. serving, training, total: money.
    """

    contender: str
    alone: bool
    busy_cores: float
    cores: int
    latency_ms: float | None
    in_time: bool | None
    serving: Amount
    training: Amount
    total: Amount


@dataclass(frozen=True)
class Worth:
    """What deep's better predictions are worth a year over classical's, and what is left after what deep costs more.

    Negative where classical predicts better, or where the gain does not pay. net: less what the machines and what
    changing to the dearer family cost.
    """

    quality: Amount
    net: Amount


def year_of(own: Bill, business: Business) -> Year | None:
    """The finalist's year at this traffic; None where the traffic, or its speed, is not known."""
    alone = business.max_latency_ms is not None
    seconds = _seconds_each(own, alone)
    if business.per_second is None or seconds is None or not math.isfinite(business.per_second * seconds):
        return None
    busy = business.per_second * seconds
    in_time = slack = None
    if business.max_latency_ms is not None and own.one_ms_p95 is not None:
        slack = business.max_latency_ms - own.one_ms_p95
        in_time = slack >= 0
    cores = cores_for(busy, seconds, slack / 1000) if slack is not None and slack >= 0 else max(math.ceil(busy), 1)
    rent = cores * HOURS_A_YEAR * own.prices.core_hour
    power = _power(busy * SECONDS_A_YEAR, own.prices)
    serving = Amount(rent + (power.value or 0), rent + (power.low or 0), rent + (power.high or 0), "modelled")
    training = own.train_money.times(business.trainings_a_year)
    total = _sum(serving, training)
    return Year(own.contender, alone, busy, cores, own.one_ms_p95, in_time, serving, training, total)


def cores_for(busy: float, seconds: float, slack: float) -> int:
    """Cores that keep all but MAY_WAIT of the predictions from waiting longer than `slack` seconds.

    busy: cores that predict on average. seconds: of one prediction. Predictions come at random (Poisson) to one queue;
    the formula is Erlang's (1917), whose service times vary more than real ones: rather a core too many.
    """
    if busy <= 0:
        return 1
    if busy > MOST_COUNTED_CORES:
        return math.ceil(busy + 2 * math.sqrt(busy))
    blocked, cores = 1.0, 0
    while True:
        cores += 1
        blocked = busy * blocked / (cores + busy * blocked)
        if cores > busy:
            waits = blocked / (1 - busy / cores * (1 - blocked))
            if waits * math.exp(-(cores - busy) * slack / seconds) <= MAY_WAIT:
                return cores


def _seconds_each(own: Bill, alone: bool) -> float | None:
    """Processor seconds of one prediction."""
    if alone:
        return None if own.one_ms_p50 is None else own.one_ms_p50 / 1000
    return None if own.predict_cpu_seconds is None else own.predict_cpu_seconds / 1000


def _power(cpu_seconds: float, prices: Prices) -> Amount:
    """Money for the electricity of so much predicting; the rent of the cores is left out."""
    free = Prices(kwh=prices.kwh, core_hour=0.0, watts_per_core=prices.watts_per_core)
    return money(cpu_seconds, modelled(cpu_seconds * prices.watts_per_core), free)


def _sum(first: Amount, second: Amount, sign: int = 1) -> Amount:
    """The sum of two amounts, or (sign -1) their difference with the widest band."""
    if first.value is None or second.value is None:
        return Amount(None)
    low, high = (second.low, second.high) if sign > 0 else (second.high, second.low)
    return Amount(
        first.value + sign * second.value,
        (first.low or 0.0) + sign * (low or 0.0),
        (first.high or 0.0) + sign * (high or 0.0),
        "modelled",
    )


def dearer(classical: Year, deep: Year) -> Amount:
    """How much more a year of deep costs than one of classical; negative where it costs less.

    Cores are rented alike on both sides, so that what is modelled of both (the electricity) errs together: the band of
    the difference is that of the larger side.
    """
    if classical.total.value is None or deep.total.value is None:
        return Amount(None)
    more = deep.total.value - classical.total.value
    wide = max((year.total.high or 0.0) - (year.total.value or 0.0) for year in (classical, deep))
    return Amount(more, more - wide, more + wide, "modelled")


def worth(gap: Gap, business: Business, more: Amount | None, cheaper: str = "classical") -> Worth | None:
    """What the gap is worth a year; None where nobody said what a unit of it is worth.

    more: what a year of deep costs more (see `dearer`); None where that is not known: then machines don't count.
    cheaper: the family that the verdict takes for the cheaper one; the other pays what changing costs.
    """
    if business.worth_a_year is None:
        return None
    value, low, high = (business.worth_a_year * each for each in (gap.value, gap.low, gap.high))
    quality = Amount(value, low, high, "measured")
    switch = (business.switch_cost_a_year or 0.0) * (1 if cheaper == "classical" else -1)
    machines = Amount(0.0, 0.0, 0.0) if more is None or more.value is None else more
    cost = _sum(machines, Amount(switch, switch, switch))
    return Worth(quality, _sum(quality, cost, -1))
