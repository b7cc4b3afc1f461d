"""Effects of inputs whose true effect is known, and of inputs that have none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from deepenough.judge import effects
from deepenough.judge.effects import Effect, Fits
from deepenough.judge.traits import Trait

Model = Callable[[np.ndarray], np.ndarray]


def effect_of(
    columns: np.ndarray,
    place: int,
    models: list[Model],
    trait: Trait | None = None,
    overlap: float = 0.0,
    noise: float = 1e-4,
) -> Effect | None:
    """The effect of one column on models, each asked about its own part of the units, as a race does."""
    trait = trait or Trait("x", columns[:, place])
    own = effects.grid(trait)
    if own is None:
        return None
    parts = np.array_split(np.arange(len(columns)), len(models))
    values, answers = [trait.values[rows] for rows in parts], []
    for model, rows, held in zip(models, parts, values, strict=True):
        taken = columns[rows][effects.holders(own, held)][:, place]
        where = np.maximum(effects.bins(own, held), 0)
        to = [np.full(len(rows), value) for value in taken] if own.is_category else [taken[where], taken[where + 1]]
        answers.append(np.stack([_answers(model, columns[rows], place, changed) for changed in to]))
    fits = Fits([None], parts, overlap, [noise])
    if own.is_category:
        return effects.of_levels(own, values, answers, fits)
    lower, upper = ([told[side] for told in answers] for side in (0, 1))
    return effects.of_numbers(own, values, lower, upper, fits)


def _answers(model: Model, columns: np.ndarray, place: int, values: np.ndarray) -> np.ndarray:
    changed = columns.copy()
    changed[:, place] = values
    return model(changed)[:, None]


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


@pytest.mark.parametrize(("slope", "folds"), [(0.0, 5), (0.5, 5), (0.0, 2), (0.5, 3)])
def test_folds_that_share_their_rows_do_not_look_surer_than_they_are(slope: float, folds: int) -> None:
    """Folds of real fits, of two inputs that hang together: about 95 % of the intervals hold the true effect."""
    held = 0
    for seed in range(200):
        rng, x = np.random.default_rng([seed, 7]), units(seed, 300)
        y = slope * x[:, 0] + x[:, 1] + rng.normal(0, 2, 300)
        parts = np.array_split(np.arange(300), folds)
        models = [fitted(np.delete(x, rows, axis=0), np.delete(y, rows)) for rows in parts]
        low, high = np.quantile(x[:, 0], [0.1, 0.9], method="inverted_cdf")
        found = effect_of(x, 0, models, overlap=(folds - 1) / folds, noise=4 / len(x) * folds / (folds - 1))
        assert found is not None
        held += found.low <= slope * (high - low) <= found.high
    assert held >= 180, f"{held} of 200"


def fitted(x: np.ndarray, y: np.ndarray) -> Model:
    coefficients = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0]
    return lambda x: x @ coefficients[:-1] + coefficients[-1]


def test_one_fit_alone_is_as_unsure_as_a_comparison_of_means() -> None:
    sure, unsure = (effect_of(units(), 0, [linear((2, 1, 0))], noise=noise) for noise in (1e-4, 4.0))
    assert sure is not None and sure.is_sure and unsure is not None and not unsure.is_sure


def test_the_surest_class_is_taken_and_its_interval_is_wide_enough_for_all() -> None:
    x = units()
    own = effects.grid(Trait("x", x[:, 0]))
    assert own is not None
    values = [x[:, 0]] * 2
    ends = [own.values[np.maximum(effects.bins(own, x[:, 0]), 0) + side] for side in (0, 1)]

    def effect(*slopes: float) -> Effect:
        lower, upper = ([fold * np.outer(end, slopes) for fold in (0.98, 1.02)] for end in ends)
        fits = Fits(list(range(len(slopes))), [np.arange(len(x))] * 2, 0.0, [1e-4] * len(slopes))
        found = effects.of_numbers(own, values, lower, upper, fits)
        assert found is not None
        return found

    of_three, of_one = effect(0.0, 1.0, 0.1), effect(1.0)
    assert of_three.outcome == 1 and of_three.value == pytest.approx(of_one.value)
    assert of_three.high - of_three.low > of_one.high - of_one.low
