"""The one training loop that the nets of all kinds share.

Needs that this module answers:

* A schedule that ends inside the time given: its progress is the larger of the share of steps done and the share of
  seconds gone, so a slow machine gets a shorter schedule, not a broken-off one. Without a clock only steps count, and
  the same seed gives the same weights.
* Whatever happens (deadline, a request to stop, losses that are no number) the best weights so far are kept.
* Small nets on small tables are ruled by the cost of a step, not by arithmetic: all parameters live in one flat tensor,
  so that a step of AdamW is a handful of operations whatever the number of layers. (It also spares the import of
  `torch._dynamo`, seconds of it, that the first step of torch's own optimizers brings.)
* It knows no kind: it sees a module, a loss of some training rows, and a loss of the inner rows.

The modules of this room import torch at the top; whoever uses them imports them inside functions.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from deepenough.learner import Limits

RESERVE = 0.08
"""Share of the time left that is kept for the last check, the predictions of the inner rows and the return."""

LOOKING = 0.15
"""Share of the time that looking at the inner rows may take under a clock."""

POOL = 12
"""Batches' worth of shuffled rows that are sorted by their lengths, where they have any: like ones share a batch."""


@dataclass(frozen=True)
class Recipe:
    """How to train.

    epochs: passes over the rows, at most.
    batch: rows a step.
    rate: the highest learning rate; a module may scale it for its own parameters by an attribute `rate_factor`.
    weight_decay: of AdamW (Loshchilov and Hutter, 2019), relative to the rate; never on vectors (biases, scales).
    betas: decay of the two moments; `clip`: largest norm of a step's gradient.
    warm: share of the plan in which the rate rises; then it is flat for as long as the inner loss falls.
    flat: share of the plan after which the rate falls in any case; it falls along a cosine, to nothing.
    patience: checks without a better inner loss until the rate falls; what is left then is `fall` times what was done.
    checks: how often at most the inner rows are looked at.
    """

    epochs: float = 50.0
    batch: int = 256
    rate: float = 3e-3
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    warm: float = 0.02
    flat: float = 0.6
    patience: int = 4
    fall: float = 0.5
    checks: int = 40


@dataclass
class Trained:
    """What training came to.

    best: the lowest inner loss; the module has the weights that gave it. Infinite where nothing was ever checked.
    best_epochs: passes after which it was reached.
    planned: share of the planned steps that were done; 1 where training ended by itself.
    trace: (seconds, inner loss) of each check.
    """

    best: float = math.inf
    best_epochs: float = 0.0
    planned: float = 1.0
    trace: list[tuple[float, float]] = field(default_factory=list)


def train(
    module: nn.Module,
    loss: Callable[[Tensor], Tensor],
    check: Callable[[], float] | None,
    rows: int,
    recipe: Recipe,
    limits: Limits,
    seed: int,
    lengths: np.ndarray | None = None,
) -> Trained:
    """Train in place; the module ends in evaluation mode with its best weights.

    loss: of the training rows with these numbers (int64 tensor on the device), in training mode.
    check: loss of the inner rows by the weights as they stand, in evaluation mode; None: no early stop, last weights.
    rows: number of training rows. lengths: of each, int, shape (rows,): those of a batch are then of like length, for
        what is padded to the longest; None: they are all alike.
    """
    weights = FlatAdamW(module, recipe)
    course = _Course(recipe, rows, limits)
    batches = _batches(rows, recipe.batch, seed, weights.device, lengths)
    trained = Trained()
    keeper = _Keeper(module, weights, check)
    module.train()
    while not course.over:
        if not weights.step(loss(next(batches)), course.rate):
            break  # not a number: the best so far is what there is
        course.tick()
        if course.check_due:
            keeper.look(course, trained)
            if course.flat and keeper.without_better >= recipe.patience:
                keeper.back_to_best()
                course.fall()
            elif keeper.without_better >= 2 * recipe.patience + 2:
                course.end()
    keeper.finish(course, trained)
    trained.planned = course.planned
    return trained


class _Course:
    """How far the training is, by steps and by the clock, and what the learning rate is there.

    `progress` is 0 at the start and 1 at the end of the plan; the rate falls from `falls_at` to `ends_at`.
    """

    def __init__(self, recipe: Recipe, rows: int, limits: Limits) -> None:
        self.recipe, self.limits = recipe, limits
        self.steps_an_epoch = max(1, round(rows / recipe.batch))
        self.total = max(1, round(recipe.epochs * self.steps_an_epoch))
        self.between = max(self.steps_an_epoch, math.ceil(self.total / recipe.checks)) / self.total
        self.started = time.monotonic()
        self.allowed = limits.seconds_left() * (1 - RESERVE)
        self.step, self.progress, self.checked_at = 0, 0.0, 0.0
        self.falls_at, self.ends_at = recipe.flat, 1.0
        self.looking = 0.0  # seconds spent on looking at the inner rows
        self.over = self.cut = self.allowed <= 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def epochs(self) -> float:
        return self.step / self.steps_an_epoch

    @property
    def flat(self) -> bool:
        return self.progress < self.falls_at

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        recipe, progress = self.recipe, self.progress
        if progress < recipe.warm:
            return recipe.rate * (0.1 + 0.9 * progress / recipe.warm)
        fallen = (progress - self.falls_at) / (self.ends_at - self.falls_at)
        return recipe.rate * 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, fallen))))

    @property
    def planned(self) -> float:
        """Share of the planned steps that were done."""
        return min(1.0, self.step / self.total) if self.cut else 1.0

    def tick(self) -> None:
        """One more step is done."""
        self.step += 1
        by_steps = self.step / self.total
        by_clock = 0.0 if math.isinf(self.allowed) else self.seconds / self.allowed
        self.progress = max(by_steps, by_clock)
        stopped = self.limits.seconds_left() <= 0
        self.over = self.progress >= self.ends_at - 1e-9 or stopped
        by_itself = self.ends_at < 1 and not stopped  # the inner loss had stopped falling
        self.cut = self.over and not by_itself and (stopped or by_clock > by_steps)

    @property
    def check_due(self) -> bool:
        """After an epoch or more, of steps or of the clock, and at the end; not where looking would eat the time."""
        due = self.progress - self.checked_at >= self.between - 1e-9
        if not math.isinf(self.allowed):
            due = due and self.looking <= LOOKING * self.seconds
        if due or self.over:
            self.checked_at = self.progress
        return due or self.over

    def fall(self) -> None:
        """The rate falls from here."""
        self.falls_at = self.progress
        self.ends_at = min(1.0, self.progress * (1 + self.recipe.fall))

    def end(self) -> None:
        self.over = True


class FlatAdamW:
    """AdamW over all parameters of a module at once; they become views of one flat tensor, as do their gradients."""

    def __init__(self, module: nn.Module, recipe: Recipe) -> None:
        named = list(_with_rates(module))
        first = named[0][0]
        self.device = first.device
        self.flat = torch.cat([parameter.detach().reshape(-1) for parameter, _, _ in named])
        self.grad = torch.zeros_like(self.flat)
        self.mean, self.square = torch.zeros_like(self.flat), torch.zeros_like(self.flat)
        self.rates, self.decay = torch.ones_like(self.flat), torch.zeros_like(self.flat)
        self.recipe, self.count = recipe, 0
        place = 0
        for parameter, factor, decays in named:
            span = slice(place, place + parameter.numel())
            parameter.data = self.flat[span].view(parameter.shape)
            parameter.grad = self.grad[span].view(parameter.shape)
            self.rates[span] = factor
            self.decay[span] = recipe.weight_decay * factor if decays else 0.0
            place = span.stop

    def step(self, loss: Tensor, rate: float) -> bool:
        """One step down the gradient of the loss; False where it is no number, and nothing was changed."""
        self.grad.zero_()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        norm = float(torch.linalg.vector_norm(self.grad))
        if not math.isfinite(norm):
            return False
        first, second = self.recipe.betas
        self.count += 1
        self.grad.mul_(min(1.0, self.recipe.clip / (norm + 1e-12)))
        self.mean.lerp_(self.grad, 1 - first)
        self.square.mul_(second).addcmul_(self.grad, self.grad, value=1 - second)
        size = (self.square / (1 - second**self.count)).sqrt_().add_(1e-8)
        move = (self.mean / size).mul_(self.rates).addcmul_(self.flat, self.decay, value=1 - first**self.count)
        self.flat.add_(move, alpha=-rate / (1 - first**self.count))
        return True


def _with_rates(module: nn.Module, factor: float = 1.0) -> Iterator[tuple[nn.Parameter, float, bool]]:
    """Every parameter, with the factor of its rate and whether it decays, as the innermost module says that says so."""
    factor = float(getattr(module, "rate_factor", factor))
    for parameter in module.parameters(recurse=False):
        if parameter.requires_grad:
            yield parameter, factor, bool(getattr(module, "decays", parameter.ndim > 1))
    for child in module.children():
        yield from _with_rates(child, factor)


class _Keeper:
    """Looks at the inner rows and keeps the best weights."""

    def __init__(self, module: nn.Module, weights: FlatAdamW, check: Callable[[], float] | None) -> None:
        self.module, self.weights, self.check = module, weights, check
        self.kept: Tensor | None = None
        self.without_better = 0

    def look(self, course: _Course, trained: Trained) -> None:
        if self.check is None:
            return
        before = time.monotonic()
        self.module.eval()
        with torch.no_grad():
            value = float(self.check())
        self.module.train()
        course.looking += time.monotonic() - before
        trained.trace.append((course.seconds, value))
        if value < trained.best:
            trained.best, trained.best_epochs = value, course.epochs
            self.kept = self.weights.flat.clone()
            self.without_better = 0
        else:
            self.without_better += 1

    def back_to_best(self) -> None:
        """The rate falls from the best weights, not from those that overtrained."""
        if self.kept is not None:
            self.weights.flat.copy_(self.kept)
        self.without_better = 0

    def finish(self, course: _Course, trained: Trained) -> None:
        if self.kept is not None:
            self.weights.flat.copy_(self.kept)
        else:
            trained.best_epochs = course.epochs
        self.module.eval()
        for parameter in self.module.parameters():
            parameter.grad = None


def _batches(
    rows: int, size: int, seed: int, device: torch.device, lengths: np.ndarray | None = None
) -> Iterator[Tensor]:
    """Row numbers, shuffled anew each pass, in batches of nearly the same size."""
    generator = torch.Generator().manual_seed(seed)
    count = max(1, round(rows / size))
    while True:
        order = torch.randperm(rows, generator=generator)
        if lengths is None:
            yield from order.to(device).tensor_split(count)
            continue
        pools = np.arange(rows) // (POOL * size)
        sorted_in_pools = order[torch.from_numpy(np.lexsort((lengths[order.numpy()], pools)))]
        batches = sorted_in_pools.to(device).tensor_split(count)
        yield from (batches[place] for place in torch.randperm(count, generator=generator).tolist())
