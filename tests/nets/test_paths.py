"""What outputs of paths mean: quantiles that never cross, a loss that is blind to what is not known."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from deepenough.nets.paths import FURTHEST, PathOutputs  # noqa: E402  torch must be there first

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
OUTPUTS = PathOutputs(LEVELS)


def _raw(*shape: int, seed: int = 0) -> torch.Tensor:
    return 3 * torch.randn(*shape, 5, generator=torch.Generator().manual_seed(seed))


def test_quantiles_never_cross_and_the_middle_is_said_directly() -> None:
    raw = _raw(2, 50, 4)
    found = OUTPUTS.quantiles(raw)
    assert (found.diff(dim=-1) > 0).all()
    assert torch.equal(found[..., 2], raw[..., 2])


def test_raw_is_the_way_back() -> None:
    quantiles = np.sort(np.random.default_rng(0).normal(size=(6, 5)), axis=1) + 0.01 * np.arange(5)
    again = OUTPUTS.quantiles(torch.from_numpy(OUTPUTS.raw(quantiles)))
    assert np.allclose(again.numpy(), quantiles, atol=1e-5)


def test_loss_is_the_pinball_loss_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    raw, goal = _raw(1, 30, 4), torch.randn(30, 4)
    found = OUTPUTS.quantiles(raw)[0].numpy()
    each = [
        metrics.mean_pinball_loss(goal.numpy().ravel(), found[:, :, place].ravel(), alpha=level)
        for place, level in enumerate(LEVELS)
    ]
    assert float(OUTPUTS.loss(raw, goal)) == pytest.approx(2 * np.mean(each), rel=1e-5)
    assert OUTPUTS.inner_loss(raw.numpy(), goal.numpy()) == pytest.approx(2 * np.mean(each), rel=1e-5)


def test_steps_that_are_not_known_teach_nothing() -> None:
    raw = _raw(2, 6, 4).requires_grad_()
    goal = torch.randn(6, 4)
    goal[0, 2], goal[3] = torch.nan, torch.nan
    loss = OUTPUTS.loss(raw, goal)
    loss.backward()
    assert torch.isfinite(loss)
    assert (raw.grad[:, 0, 2] == 0).all() and (raw.grad[:, 3] == 0).all()
    assert (raw.grad[:, 1] != 0).any()
    kept = [0, 1, 2, 4, 5]
    again = OUTPUTS.loss(raw[:, kept].detach(), goal[kept])
    assert float(loss.detach()) == pytest.approx(float(again), rel=1e-6)


def test_a_window_of_weight_two_counts_twice() -> None:
    raw, goal = _raw(1, 3, 4), torch.randn(3, 4)
    weighted = OUTPUTS.inner_loss(raw.numpy(), goal.numpy(), np.array([2.0, 1.0, 1.0]))
    double = [0, 0, 1, 2]
    assert weighted == pytest.approx(OUTPUTS.inner_loss(raw[:, double].numpy(), goal[double].numpy()), rel=1e-6)
    trained = OUTPUTS.loss(raw, goal, weights=torch.tensor([2.0, 1.0, 1.0])) * 3 / 4
    assert float(trained) == pytest.approx(weighted, rel=1e-5)


def test_members_answer_together_but_are_trained_each_for_itself() -> None:
    raw, goal = _raw(2, 5, 4), torch.randn(5, 4)
    alone = [float(OUTPUTS.loss(raw[[member]], goal)) for member in range(2)]
    assert float(OUTPUTS.loss(raw, goal)) == pytest.approx(np.mean(alone), rel=1e-5)
    common = OUTPUTS.common(raw.numpy())
    assert np.allclose(common, OUTPUTS.quantiles(raw).mean(dim=0).numpy(), atol=1e-5)


def test_answers_are_in_the_window_s_own_numbers_and_never_below_the_least() -> None:
    raw = _raw(1, 3, 2).numpy()
    reference, unit = np.full((3, 2), 10.0), np.array([1.0, 2.0, 100.0])
    free = OUTPUTS.answer(raw, reference, unit)
    assert free.shape == (3, 2, 5) and free.dtype == np.float64
    assert np.allclose((free - 10) / unit[:, None, None], OUTPUTS.common(raw))
    assert free.min() < 0 <= OUTPUTS.answer(raw, reference, unit, 0.0).min()


def test_targets_are_counted_from_the_reference_and_bounded() -> None:
    targets = np.array([[12.0, np.nan], [1e9, 10.0]])
    standard = OUTPUTS.standard(targets, np.full((2, 2), 10.0), np.array([2.0, 1.0]))
    assert standard.dtype == np.float32
    assert np.array_equal(standard, np.array([[1.0, np.nan], [FURTHEST, 0.0]], dtype=np.float32), equal_nan=True)


def test_quantiles_that_are_too_sure_are_stretched_and_few_observations_stretch_less() -> None:
    wide = 3 * np.random.default_rng(0).normal(size=(400, 4))
    sure = np.broadcast_to(OUTPUTS.raw(np.array([-1.6, -0.7, 0.0, 0.7, 1.6])), (1, 400, 4, 5))
    many, few = (OUTPUTS.stretched(sure, wide, observations=count) for count in (400.0, 1.0))
    assert 2.4 < many.stretch <= 3.0
    assert 1.2 < few.stretch < 1.6
    assert many.inner_loss(sure, wide) < OUTPUTS.inner_loss(sure, wide)
