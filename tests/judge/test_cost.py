"""Prices against closed forms."""

from __future__ import annotations

import pytest

from deepenough.evidence import Trial
from deepenough.judge import cost


def _trial(cpu: float = 10.0, rate: float | None = 1000.0, **values: object) -> Trial:
    base = {"fit_cpu_seconds": cpu, "cpu_seconds": cpu, "wall_seconds": cpu, "fit_wall_seconds": cpu}
    return Trial(0, "net", "deep", "final", 100, 0, 0, "ok", predict_rows_per_second=rate, **(base | values))


def test_modelled_energy_has_its_band() -> None:
    amount = cost.modelled_joules(100.0, 60.0, 2 * 2**30, cost.Prices())
    assert amount.value == pytest.approx(100 * 5 + 60 * 2 * 0.375)
    assert amount.high == pytest.approx(2.5 * amount.value)
    assert amount.low == pytest.approx(amount.value / 2.5)
    assert amount.known == "modelled"


def test_measured_energy_stays_measured() -> None:
    amount = cost.joules_of(_trial(joules=42.0, joules_source="measured"), cost.Prices())
    assert (amount.value, amount.known) == (42.0, "measured")


def test_money_is_core_hours_and_kilowatt_hours() -> None:
    price = cost.money(3600.0, cost.measured(3.6e6), cost.Prices(kwh=0.4, core_hour=0.1))
    assert price.value == pytest.approx(0.5)
    assert price.known == "measured"


def test_unknown_energy_leaves_the_core_hours() -> None:
    price = cost.money(3600.0, cost.UNKNOWN, cost.Prices(core_hour=0.1))
    assert price.value == pytest.approx(0.1)


def test_a_bill_takes_the_middle_of_its_fits() -> None:
    bill = cost.bill([_trial(1.0), _trial(2.0), _trial(30.0)])
    assert bill is not None
    assert (bill.train_cpu_seconds, bill.train_wall_low, bill.train_wall_high, bill.fits) == (2.0, 1.0, 30.0, 3)
    assert bill.predict_cpu_seconds == pytest.approx(1.0)
    assert cost.bill([]) is None


def test_busy_threads_count_each() -> None:
    assert cost.predict_cpu_seconds([_trial(threads=4)]) == pytest.approx(4.0)
    assert cost.predict_cpu_seconds([_trial(rate=None)]) is None


@pytest.mark.parametrize(
    ("cpu", "rate", "cheaper"),
    [(1.0, 2000.0, "trees"), (1.0, 1000.0, None), (9.0, 2000.0, None), (1.0, None, None), (100.0, 100.0, "net")],
)
def test_cheaper_is_to_train_and_to_predict(cpu: float, rate: float | None, cheaper: str | None) -> None:
    net = cost.bill([_trial(10.0, 1000.0)])
    trees = cost.bill([_named("trees", cpu, rate)])
    assert cost.clearly_cheaper(trees, net) == cheaper
    assert cost.clearly_cheaper(net, trees) == cheaper


def _named(name: str, cpu: float, rate: float | None) -> Trial:
    return Trial(
        0,
        name,
        "classical",
        "final",
        100,
        0,
        0,
        "ok",
        fit_cpu_seconds=cpu,
        cpu_seconds=cpu,
        predict_rows_per_second=rate,
    )


def test_a_modelled_ratio_is_told_from_two_on() -> None:
    assert cost.energy_ratio(cost.modelled(3.0), cost.modelled(1.0)) == pytest.approx(3.0)
    assert cost.energy_ratio(cost.modelled(1.0), cost.modelled(1.9)) is None
    assert cost.energy_ratio(cost.measured(1.2), cost.measured(1.0)) == pytest.approx(1.2)
    assert cost.energy_ratio(cost.UNKNOWN, cost.measured(1.0)) is None


def test_a_month_of_traffic() -> None:
    bill = cost.bill([_trial(joules=0.0, joules_source="measured")], cost.Prices(kwh=0.0, core_hour=3.6))
    assert bill is not None
    # A CPU second costs .001: 10 s a training, 1 s a thousand predictions.
    assert cost.monthly(bill, predictions=50_000, trainings=2).value == pytest.approx(0.020 + 0.050)
