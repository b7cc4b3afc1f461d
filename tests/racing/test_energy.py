"""Energy: counters against closed forms, and never a number without how it was known."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepenough.judge.cost import BAND, Amount, Prices
from deepenough.racing.energy import (
    UNKNOWN,
    Counter,
    GpuCounter,
    combine,
    counted_joules,
    first_visible,
    gpu_present,
    model,
    read_counters,
    share_of_busy,
)

RANGE = 262_143_328_850
PRICES = Prices()


def zone(powercap: Path, name: str, kind: str, microjoules: int) -> None:
    folder = powercap / name
    folder.mkdir(parents=True)
    for file, text in (("name", kind), ("energy_uj", microjoules), ("max_energy_range_uj", RANGE)):
        (folder / file).write_text(f"{text}\n")


def test_a_counter_that_grew() -> None:
    before, after = {"a": Counter(1_000_000, RANGE)}, {"a": Counter(31_000_000, RANGE)}
    assert counted_joules(before, after, 2.0, 0.5) == pytest.approx(15.0)


def test_a_counter_that_wrapped() -> None:
    before, after = {"a": Counter(RANGE - 4_000_000, RANGE)}, {"a": Counter(6_000_000, RANGE)}
    assert counted_joules(before, after, 2.0, 1.0) == pytest.approx(10.0)


def test_several_packages_add_up() -> None:
    before = {"a": Counter(0, RANGE), "b": Counter(5_000_000, RANGE)}
    after = {"a": Counter(1_000_000, RANGE), "b": Counter(7_000_000, RANGE)}
    assert counted_joules(before, after, 1.0, 1.0) == pytest.approx(3.0)


def test_where_it_may_have_wrapped_twice_nothing_is_said() -> None:
    counters = {"a": Counter(0, 65_000_000_000)}
    assert counted_joules(counters, counters, 100.0, 1.0) == 0.0
    assert counted_joules(counters, counters, 200.0, 1.0) is None


def test_without_counters_or_with_others_nothing_is_said() -> None:
    assert counted_joules({}, {}, 1.0, 1.0) is None
    assert counted_joules({"a": Counter(0, RANGE)}, {}, 1.0, 1.0) is None


@pytest.mark.parametrize(
    ("process", "machine", "share"), [(1.0, 4.0, 0.25), (1.0, None, 1.0), (1.0, 0.9, 1.0), (0.0, 0.0, 1.0)]
)
def test_the_share_of_the_machine(process: float, machine: float | None, share: float) -> None:
    assert share_of_busy(process, machine) == share


def test_the_model_is_cores_and_memory() -> None:
    assert model(10.0, 20.0, 2**31).value == pytest.approx(10 * PRICES.watts_per_core + 20 * 2 * PRICES.watts_per_gib)


def test_what_was_counted_is_measured() -> None:
    joules = combine(12.0, 0.5, Amount(99.0, 9.0, 999.0, "modelled"), None, on_gpu=False)
    assert (joules.joules, joules.low, joules.high, joules.source) == (12.0, 12.0, 12.0, "measured")
    assert "50%" in joules.how


def test_what_was_modelled_has_its_band() -> None:
    joules = combine(None, 1.0, model(2.0, 0.0, 0), None, on_gpu=False)
    value = 2 * PRICES.watts_per_core
    assert (joules.joules, joules.low, joules.high) == (value, value / BAND, value * BAND)
    assert joules.source == "modelled"


def test_a_gpu_with_its_counter_adds_to_a_model_and_leaves_it_one() -> None:
    joules = combine(None, 1.0, Amount(10.0, 4.0, 25.0, "modelled"), 100.0, on_gpu=True)
    assert (joules.joules, joules.low, joules.high, joules.source) == (110.0, 104.0, 125.0, "modelled")


def test_a_gpu_without_a_counter_makes_it_unknown() -> None:
    joules = combine(12.0, 1.0, Amount(10.0, 4.0, 25.0, "modelled"), None, on_gpu=True)
    assert joules.joules is None and joules.source == "unknown"


def test_an_idle_gpu_is_not_counted() -> None:
    assert combine(12.0, 1.0, Amount(None), 100.0, on_gpu=False).joules == 12.0


def test_nothing_to_go_by_is_unknown() -> None:
    assert combine(None, 1.0, Amount(None), None, on_gpu=False) == UNKNOWN


def test_packages_and_memory_are_read_and_cores_are_not(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 11)
    zone(tmp_path, "intel-rapl:0:0", "core", 5)
    zone(tmp_path, "intel-rapl:0:1", "dram", 7)
    zone(tmp_path, "intel-rapl:1", "psys", 99)
    assert read_counters(tmp_path) == {"intel-rapl:0": Counter(11, RANGE), "intel-rapl:0:1": Counter(7, RANGE)}


@pytest.mark.parametrize("content", [None, "", "many"])
def test_a_counter_that_cannot_be_read_is_none(tmp_path: Path, content: str | None) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 11)
    file = tmp_path / "intel-rapl:0" / "energy_uj"
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    assert read_counters(tmp_path) == {}


def test_no_powercap_no_counters(tmp_path: Path) -> None:
    assert read_counters(tmp_path / "nowhere") == {}


def test_a_gpu_that_is_not_there_has_no_joules_and_no_name(tmp_path: Path) -> None:
    gpu = GpuCounter(library=str(tmp_path / "nothing.so"))
    assert gpu.joules() is None and gpu.name() == ""
    assert not gpu_present(tmp_path / "version")


@pytest.mark.parametrize(
    ("visible", "index"), [(None, 0), ("", 0), ("2", 2), ("3,1", 3), ("GPU-8f1a", 0), (" 1 ", 1), ("-1", 0)]
)
def test_the_first_visible_gpu(visible: str | None, index: int) -> None:
    assert first_visible({} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}) == index
