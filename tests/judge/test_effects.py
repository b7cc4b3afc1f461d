"""Effects of inputs whose true effect is known, and of inputs that have none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from deepenough.judge import effects
from deepenough.judge.effects import Effect
from deepenough.judge.traits import Trait

Model = Callable[[np.ndarray], np.ndarray]


def effect_of(columns: np.ndarray, place: int, models: list[Model], trait: Trait | None = None) -> Effect | None:
    """The effect of one column on models, each asked about its own part of the units, as a race does."""
    trait = trait or Trait("x", columns[:, place])
    own = effects.grid(trait)
    if own is None:
        return None
    parts = np.array_split(np.arange(len(columns)), len(models))
    where, lower, upper, levels = [], [], [], []
    for model, rows in zip(models, parts, strict=True):
        holders = effects.holders(own, trait.values[rows])
        taken = columns[rows][holders][:, place]

        def answers(values: np.ndarray, model: Model = model, rows: np.ndarray = rows) -> np.ndarray:
            changed = columns[rows].copy()
            changed[:, place] = values
            return model(changed)[:, None]

        if own.is_category:
            levels.append(np.stack([answers(np.full(len(rows), value)) for value in taken]))
        else:
            inside = effects.bins(own, trait.values[rows])
            where.append(inside)
            lower.append(answers(taken[np.maximum(inside, 0)]))
            upper.append(answers(taken[np.maximum(inside, 0) + 1]))
    clusters = list(parts)
    if own.is_category:
        return effects.of_levels(levels, clusters, [None])
    return effects.of_numbers(where, lower, upper, clusters, [None], len(own.values))


def units(seed: int = 0, rows: int = 900) -> np.ndarray:
    """Two numbers that hang together, and a category of three levels."""
    rng = np.random.default_rng(seed)
    first = rng.normal(0, 1, rows)
    return np.column_stack([first, first + rng.normal(0, 0.3, rows), rng.integers(0, 3, rows)])


def linear(slopes: tuple[float, float, float]) -> Model:
    return lambda x: x @ np.array(slopes)


def test_a_slope_comes_back_over_the_stretch_from_tenth_to_tenth() -> None:
    x = units()
    found = effect_of(x, 0, [linear((2, 5, 0)), linear((2.2, 5, 0)), linear((1.8, 5, 0))])
    assert found is not None and found.one_way and found.is_sure
    low, high = np.quantile(x[:, 0], [0.1, 0.9], method="inverted_cdf")
    assert found.value == pytest.approx(2 * (high - low), rel=0.05), "that of the input that goes along is not in it"
    assert found.low < 2 * (high - low) < found.high
    assert np.diff(found.curve).min() > 0 and np.mean(found.curve) == pytest.approx(0)


def test_no_unit_is_asked_about_that_can_not_exist() -> None:
    """Where two inputs go along, a model that is wild where they part looks tame: only near steps are taken."""
    x = units()
    wild = linear((1, 0, 0))
    found = effect_of(x, 0, [lambda x: wild(x) + 1000 * (np.abs(x[:, 0] - x[:, 1]) > 1.5)] * 3)
    low, high = np.quantile(x[:, 0], [0.1, 0.9], method="inverted_cdf")
    assert found is not None and found.value == pytest.approx(high - low, rel=0.2)


def test_what_goes_up_and_down_is_not_said_to_go_one_way() -> None:
    found = effect_of(units(), 0, [lambda x: -(x[:, 0] ** 2)] * 3)
    assert found is not None and not found.one_way and found.is_sure
    curve = np.array(found.curve)
    assert {found.start, found.end} == {int(curve.argmin()), int(curve.argmax())}
    assert 3 <= curve.argmax() <= 5, "highest in the middle"


def test_levels_are_held_against_each_other() -> None:
    x = units()
    trait = Trait("city", x[:, 2].astype(int), ("Bergen", "Oslo", "Tromsø"), "category")
    found = effect_of(x, 2, [lambda x: np.choose(x[:, 2].astype(int), [1.0, 4.0, 2.0])] * 3, trait)
    assert found is not None and (found.start, found.end) == (0, 1)
    assert found.value == pytest.approx(3.0) and found.low > 2 and found.is_sure


def test_levels_that_are_rare_or_alone_and_numbers_that_are_all_alike_have_no_grid() -> None:
    assert effects.grid(Trait("c", np.zeros(100, dtype=int), ("only",), "category")) is None
    rare = np.r_[np.zeros(100, dtype=int), np.ones(5, dtype=int)]
    assert effects.grid(Trait("c", rare, ("many", "few"), "category")) is None
    assert effects.grid(Trait("n", np.full(50, 7.0))) is None
    assert effects.grid(Trait("n", np.full(50, np.nan))) is None
    mostly = effects.grid(Trait("n", np.r_[np.zeros(95), np.arange(1.0, 6)]))
    assert mostly is not None and mostly.values.tolist() == [0.0, 5.0]


def test_missing_values_and_the_outer_tenths_are_left_alone() -> None:
    own = effects.grid(Trait("n", np.r_[np.arange(100.0), np.nan]))
    assert own is not None
    where = effects.bins(own, np.array([0.0, own.values[0], own.values[1], own.values[-1], 99.0, np.nan]))
    assert where.tolist() == [-1, 0, 0, len(own.values) - 2, -1, -1]
    assert effects.holders(own, np.array([50.0, np.nan, 11.0])).min() >= 0


def test_of_inputs_without_effect_one_in_twenty_at_most_is_said_to_have_one() -> None:
    """Each fold's model took up some slope by luck; the intervals hold that."""
    said = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        models = [linear((slope, 1, 0)) for slope in rng.normal(0, 0.1, 5)]
        found = effect_of(units(seed, 300), 0, models)
        said += found is not None and found.is_sure
    assert said <= 14, f"{said} of 200"


def test_the_interval_holds_the_true_effect_in_nineteen_of_twenty() -> None:
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        models = [linear((2 + slope, 1, 0)) for slope in rng.normal(0, 0.2, 5)]
        x = units(seed, 300)
        low, high = np.quantile(x[:, 0], [0.1, 0.9], method="inverted_cdf")
        found = effect_of(x, 0, models)
        assert found is not None
        held += found.low <= 2 * (high - low) <= found.high
    assert held >= 184, f"{held} of 200"


def test_the_surest_class_is_taken_and_its_interval_is_wide_enough_for_all() -> None:
    x = units()
    where = [effects.bins(own := effects.grid(Trait("x", x[:, 0])), x[:, 0])]  # type: ignore[arg-type]  # it has one
    assert own is not None
    lower, upper = (own.values[np.maximum(where[0], 0) + side] for side in (0, 1))
    clusters = [np.arange(len(x))]
    three = [np.column_stack([0 * told, told, 0.1 * told]) for told in (lower, upper)]
    of_three = effects.of_numbers(where, three[:1], three[1:], clusters, [0, 1, 2], len(own.values))
    of_one = effects.of_numbers(where, [lower[:, None]], [upper[:, None]], clusters, [1], len(own.values))
    assert of_three is not None and of_one is not None and of_three.outcome == 1
    assert of_three.value == pytest.approx(of_one.value)
    assert of_three.high - of_three.low > of_one.high - of_one.low
