"""The training loop: it learns, keeps the best, ends in time, repeats, and survives losses that are no number."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")

from deepenough.learner import Limits  # noqa: E402  torch must be there first
from deepenough.nets.loop import FlatAdamW, Recipe, Trained, _Course, train  # noqa: E402

ROWS = 400


def _line(seed: int = 0) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(ROWS, 3, generator=generator)
    y = x @ torch.tensor([1.0, -2.0, 0.5]) + 0.3
    torch.manual_seed(seed)
    return torch.nn.Linear(3, 1), x, y


def _fit(recipe: Recipe, limits: Limits | None = None, seed: int = 0) -> tuple[torch.nn.Module, Trained]:
    module, x, y = _line()

    def loss(rows: torch.Tensor) -> torch.Tensor:
        return (module(x[rows])[:, 0] - y[rows]).square().mean()

    def check() -> float:
        return float((module(x)[:, 0] - y).square().mean())

    return module, train(module, loss, check, ROWS, recipe, limits or Limits(), seed)


def test_learns_a_line() -> None:
    module, trained = _fit(Recipe(epochs=60, batch=32, rate=0.05, weight_decay=0.0))
    assert trained.best < 1e-3
    assert torch.allclose(module.weight[0], torch.tensor([1.0, -2.0, 0.5]), atol=0.05)
    assert not module.training


def test_same_seed_same_weights() -> None:
    recipe = Recipe(epochs=5, batch=32)
    first, again, other = (_fit(recipe, seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.weight, other.weight)


def test_one_flat_tensor_steps_like_adamw() -> None:
    module, x, y = _line()
    twin = torch.nn.Linear(3, 1)
    twin.load_state_dict(module.state_dict())
    ours = FlatAdamW(module, Recipe(weight_decay=0.1, betas=(0.9, 0.98), clip=math.inf))
    decay = [{"params": [twin.weight], "weight_decay": 0.1}, {"params": [twin.bias], "weight_decay": 0.0}]
    theirs = torch.optim.AdamW(decay, lr=0.01, betas=(0.9, 0.98))
    for _ in range(20):
        assert ours.step((module(x)[:, 0] - y).square().mean(), 0.01)
        theirs.zero_grad()
        (twin(x)[:, 0] - y).square().mean().backward()
        theirs.step()
    assert torch.allclose(module.weight, twin.weight, atol=1e-6)
    assert torch.allclose(module.bias, twin.bias, atol=1e-6)


def test_gradients_are_clipped() -> None:
    module, x, _ = _line()
    weights = FlatAdamW(module, Recipe(clip=1.0))
    weights.step((1e6 * module(x)).sum(), 0.0)
    assert float(torch.linalg.vector_norm(weights.grad)) == pytest.approx(1.0, rel=1e-4)


def test_keeps_the_best_weights() -> None:
    module, x, y = _line()
    values = iter([3.0, 1.0, 2.0, 5.0, 4.0, 6.0, 7.0, 8.0, 9.0, 9.0] + [9.0] * 100)
    seen: list[torch.Tensor] = []

    def check() -> float:
        seen.append(module.weight.detach().clone())
        return next(values)

    def loss(rows: torch.Tensor) -> torch.Tensor:
        return (module(x[rows])[:, 0] - y[rows]).square().mean()

    trained = train(module, loss, check, ROWS, Recipe(epochs=30, patience=3), Limits(), 0)
    assert trained.best == 1.0
    assert torch.equal(module.weight, seen[1])
    assert len(trained.trace) < 30


def _loss_that_breaks(after: int) -> tuple[torch.nn.Module, Callable[[torch.Tensor], torch.Tensor]]:
    module, x, y = _line()
    calls = iter(range(10_000))

    def loss(rows: torch.Tensor) -> torch.Tensor:
        value = (module(x[rows])[:, 0] - y[rows]).square().mean()
        return value * math.nan if next(calls) >= after else value

    return module, loss


@pytest.mark.parametrize("after", [0, 1, 30])
def test_a_loss_that_is_no_number_leaves_finite_weights(after: int) -> None:
    module, loss = _loss_that_breaks(after)
    train(module, loss, lambda: 1.0, ROWS, Recipe(epochs=20, batch=32), Limits(), 0)
    assert all(torch.isfinite(parameter).all() for parameter in module.parameters())


def test_no_time_left_changes_nothing() -> None:
    before = _line()[0].weight
    module, trained = _fit(Recipe(), Limits(seconds=0.0))
    assert torch.equal(module.weight, before)
    assert trained.planned < 1


def test_the_clock_cuts_the_plan_and_the_rate_still_falls_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("deepenough.nets.loop.time.monotonic", lambda: now[0])
    course = _Course(Recipe(epochs=10, batch=40, rate=1.0), ROWS, Limits(seconds=10.0, started=100.0))
    rates = []
    while not course.over:
        rates.append(course.rate)
        now[0] += 0.5  # a step takes half a second; 100 steps are planned
        course.tick()
    assert course.step < 20
    assert course.planned == pytest.approx(course.step / 100)
    assert now[0] - 100.0 <= 10.0
    assert rates[-1] < 0.15
    assert max(rates) == 1.0


def test_a_fall_that_the_inner_loss_asked_for_is_no_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("deepenough.nets.loop.time.monotonic", lambda: now[0])
    course = _Course(Recipe(epochs=10, batch=40, fall=0.5), ROWS, Limits(seconds=10.0, started=100.0))
    while course.progress < 0.2:
        now[0] += 0.2
        course.tick()
    course.fall()
    while not course.over:
        now[0] += 0.2
        course.tick()
    assert course.progress == pytest.approx(0.3, abs=0.03)
    assert course.planned == 1.0


def test_looking_does_not_eat_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("deepenough.nets.loop.time.monotonic", lambda: now[0])
    course = _Course(Recipe(epochs=10, batch=40), ROWS, Limits(seconds=10.0, started=100.0))
    while not course.over:
        now[0] += 0.1
        course.tick()
        if course.check_due:
            now[0] += 0.5  # a look takes five times as long as a step
            course.looking += 0.5
    assert course.step > 60


def test_without_a_clock_all_steps_are_done() -> None:
    course = _Course(Recipe(epochs=10, batch=40), ROWS, Limits())
    while not course.over:
        course.tick()
    assert course.step == 100
    assert course.planned == 1.0
