"""Seconds, bytes and joules to prices: who pays what, and how each number is known.

Needs that this module answers:

* Every number says how it was known: `measured`, `modelled` (with its band), or `unknown`. Modelled energy is right
  within a factor of two or three at best (arXiv 2509.22092 finds 40 % even for models with counters), so its band is
  [E / 2.5, 2.5 E] and a ratio of two such numbers is given only from 2 on.
* Prices are assumptions that anyone can replace, and are printed with what they give.
* A family is called the cheaper only where it is so by more than 1.5 times, to train and to predict; CPU seconds count,
  for wall seconds depend on who else used the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from deepenough.evidence import Trial

JOULES_PER_KWH = 3.6e6
BAND = 2.5
"""A modelled energy may be this many times too low or too high."""
RATIO_FROM = 2.0
"""A ratio of energies of which one is modelled is given from here on."""
CHEAPER_BY = 1.5
GIB = 2**30


@dataclass(frozen=True)
class Prices:
    """What things cost: assumptions, to be replaced by one's own.

    kwh: price of a kilowatt hour. core_hour: price of one CPU core for an hour, its electricity left out.
    watts_per_core: taken where nothing measures it; between watts_per_core_low and watts_per_core_high is usual.
    watts_per_gib: of memory in use (CodeCarbon's .375 W a GB).
    """

    kwh: float = 0.30
    core_hour: float = 0.05
    currency: str = "EUR"
    watts_per_core: float = 5.0
    watts_per_core_low: float = 2.0
    watts_per_core_high: float = 15.0
    watts_per_gib: float = 0.375
    source: str = "assumed prices; set your own"


@dataclass(frozen=True)
class Amount:
    """A number with its band and how it is known; None and `unknown` where nothing says."""

    value: float | None
    low: float | None = None
    high: float | None = None
    known: str = "unknown"

    def times(self, factor: float) -> Amount:
        """The amount and its band, scaled."""
        if self.value is None or self.low is None or self.high is None:
            return self
        return Amount(self.value * factor, self.low * factor, self.high * factor, self.known)


UNKNOWN = Amount(None)


def measured(value: float) -> Amount:
    """An amount that an instrument showed."""
    return Amount(value, value, value, "measured")


def modelled(value: float) -> Amount:
    """An amount from a model, with its band."""
    return Amount(value, value / BAND, value * BAND, "modelled")


def modelled_joules(cpu_seconds: float, wall_seconds: float, peak_bytes: float, prices: Prices) -> Amount:
    """Energy where no counter can be read: cores and memory."""
    return modelled(cpu_seconds * prices.watts_per_core + wall_seconds * peak_bytes / GIB * prices.watts_per_gib)


def joules_of(trial: Trial, prices: Prices) -> Amount:
    """The energy of a trial as it was measured, else modelled."""
    if trial.joules is not None and trial.joules_source == "measured":
        return measured(trial.joules)
    if trial.joules is not None and trial.joules_source == "modelled":
        return modelled(trial.joules)
    if trial.cpu_seconds > 0:
        return modelled_joules(trial.cpu_seconds, trial.wall_seconds, trial.peak_bytes, prices)
    return UNKNOWN


def kilowatt_hours(joules: Amount) -> Amount:
    """Joules as kilowatt hours."""
    return joules.times(1 / JOULES_PER_KWH)


def money(cpu_seconds: float, joules: Amount, prices: Prices) -> Amount:
    """Core hours and electricity; only the core hours where the energy is unknown."""
    cores = cpu_seconds / 3600 * prices.core_hour
    if joules.value is None or joules.low is None or joules.high is None:
        return Amount(cores, cores, cores, "modelled")
    power = joules.times(prices.kwh / JOULES_PER_KWH)
    assert power.value is not None and power.low is not None and power.high is not None
    return Amount(cores + power.value, cores + power.low, cores + power.high, power.known)


@dataclass(frozen=True)
class Bill:
    """What one contender costs at one size: the median of its fits.

    train_*: one fit. predict_*: 1,000 predictions in batches. one_ms_*: one prediction alone, milliseconds.
    """

    contender: str
    n_train: int
    fits: int
    train_wall_seconds: float
    train_wall_low: float
    train_wall_high: float
    train_cpu_seconds: float
    train_joules: Amount
    train_money: Amount
    predict_cpu_seconds: float | None
    predict_money: Amount
    one_ms_p50: float | None
    one_ms_p95: float | None
    peak_bytes: float
    model_bytes: float | None
    prices: Prices


def bill(trials: Sequence[Trial], prices: Prices | None = None) -> Bill | None:
    """The bill of fits of one contender at one size; None without any."""
    if not trials:
        return None
    prices = prices or Prices()
    walls = [trial.fit_wall_seconds or trial.wall_seconds for trial in trials]
    cpu = median(trial.fit_cpu_seconds or trial.cpu_seconds for trial in trials)
    joules = _median_amount([joules_of(trial, prices) for trial in trials])
    thousand = predict_cpu_seconds(trials)
    return Bill(
        trials[0].contender,
        trials[0].n_train,
        len(trials),
        median(walls),
        min(walls),
        max(walls),
        cpu,
        joules,
        money(cpu, joules, prices),
        thousand,
        UNKNOWN if thousand is None else money(thousand, modelled(thousand * prices.watts_per_core), prices),
        _median([trial.predict_one_ms_p50 for trial in trials]),
        _median([trial.predict_one_ms_p95 for trial in trials]),
        median(trial.peak_bytes for trial in trials),
        _median([trial.model_bytes for trial in trials]),
        prices,
    )


def predict_cpu_seconds(trials: Sequence[Trial]) -> float | None:
    """CPU seconds of 1,000 predictions in batches, every thread of the trial taken as busy."""
    rates = [trial.predict_rows_per_second / trial.threads for trial in trials if trial.predict_rows_per_second]
    return 1000 / median(rates) if rates else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _median_amount(amounts: Sequence[Amount]) -> Amount:
    known = [amount for amount in amounts if amount.value is not None]
    if not known:
        return UNKNOWN
    middle = median(amount.value for amount in known if amount.value is not None)
    return measured(middle) if all(amount.known == "measured" for amount in known) else modelled(middle)


def clearly_cheaper(first: Bill | None, second: Bill | None) -> str | None:
    """Which contender is cheaper by more than 1.5 times, to train and to predict; None where neither is."""
    if first is None or second is None:
        return None
    for own, other in ((first, second), (second, first)):
        trains = other.train_cpu_seconds > CHEAPER_BY * own.train_cpu_seconds
        if own.predict_cpu_seconds is None or other.predict_cpu_seconds is None:
            continue
        if trains and other.predict_cpu_seconds > CHEAPER_BY * own.predict_cpu_seconds:
            return own.contender
    return None


def energy_ratio(first: Amount, second: Amount) -> float | None:
    """How many times the energy of the second the first takes; None where the numbers don't carry it."""
    if first.value is None or second.value is None or first.value <= 0 or second.value <= 0:
        return None
    ratio = first.value / second.value
    sure = first.known == second.known == "measured"
    return ratio if sure or max(ratio, 1 / ratio) >= RATIO_FROM else None


def monthly(own: Bill, predictions: float, trainings: float = 1.0) -> Amount:
    """Money a month for so many predictions and trainings; unknown where the speed of predicting is."""
    predict = own.predict_money.times(predictions / 1000)
    train = own.train_money.times(trainings)
    if predict.value is None or train.value is None:
        return UNKNOWN
    return Amount(
        predict.value + train.value,
        (predict.low or 0.0) + (train.low or 0.0),
        (predict.high or 0.0) + (train.high or 0.0),
        train.known if train.known == predict.known else "modelled",
    )
