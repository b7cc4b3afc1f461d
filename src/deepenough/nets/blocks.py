"""Small modules that nets of several kinds are made of.

Needs that this module answers:

* Many small nets at once cost little more than one, because small steps are ruled by overhead: `MemberLinear` holds the
  weights of several independent nets and runs them in one batched product.
* A number becomes something a net can bend: `PeriodicNumbers`. A category becomes a vector: `CategoryVectors`, where a
  level that training never saw is the zero vector, deterministically.
* Shapes: B rows; m members; everything after the first layer of an ensemble has shape (m, B, width).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn


class Scale(nn.Module):
    """One learnt factor a feature, so that the net can turn useless features down.

    From RealMLP (Holzmüller, Grinsztajn and Steinwart, 2024, arXiv 2407.04491); its rate is six times the others'.

    Shape: (..., width) -> (..., width).
    """

    decays = False

    def __init__(self, width: int, rate_factor: float = 6.0) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(width))
        self.rate_factor = rate_factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class PeriodicNumbers(nn.Module):
    """Each number beside a few learnt waves of it: cos(2 pi (w x + b)), mixed linearly (Gorishniy et al., 2022, arXiv
    2203.05556; densely connected and with phases as in RealMLP, 2024, arXiv 2407.04491).

    features: how many numbers; waves: cosines a number; out: mixed waves a number, the number itself comes beside them;
    spread: standard deviation of the frequencies at the start.

    Shape: (B, features) -> (B, features * (out + 1)).
    """

    def __init__(self, features: int, waves: int = 16, out: int = 3, spread: float = 0.1) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.randn(features, waves) * spread)
        self.phases = nn.Parameter(torch.empty(features, waves).uniform_(-math.pi, math.pi))
        bound = 1 / math.sqrt(waves)
        self.mix = nn.Parameter(torch.empty(features, waves, out).uniform_(-bound, bound))
        self.shift = nn.Parameter(torch.empty(features, 1, out).uniform_(-bound, bound))
        self.rate_factor, self.decays = 0.1, False

    def forward(self, x: Tensor) -> Tensor:
        waves = torch.cos(torch.addcmul(self.phases, x.unsqueeze(2), self.frequencies, value=2 * math.pi))
        mixed = torch.baddbmm(self.shift, waves.transpose(0, 1), self.mix)  # (features, B, out)
        return torch.cat([x.unsqueeze(2), mixed.transpose(0, 1)], dim=2).flatten(1)


class Pieces(nn.Module):
    """Numbers cut into pieces: how far along each piece the number is, from 0 to 1 (Gorishniy, Rubachev and Babenko,
    2022, arXiv 2203.05556). `column`, `low` and `length` say per piece which number it cuts, and where; they are
    learnt outside and saved with the weights.

    Shape: (B, numbers) -> (B, pieces).
    """

    column: Tensor
    low: Tensor
    length: Tensor

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.register_buffer("column", torch.zeros(pieces, dtype=torch.int64))
        self.register_buffer("low", torch.zeros(pieces))
        self.register_buffer("length", torch.ones(pieces))

    def forward(self, x: Tensor) -> Tensor:
        return ((x[:, self.column] - self.low) / self.length).clamp(0.0, 1.0)


class CategoryVectors(nn.Module):
    """One vector a level; code 0 (missing, never seen) starts as the zero vector.

    Shape: (B, columns) int64 -> (B, columns * width).
    """

    starts: Tensor

    def __init__(self, cardinalities: Sequence[int], width: int = 8) -> None:
        super().__init__()
        starts = torch.tensor([0, *cardinalities[:-1]]).cumsum(0)
        self.register_buffer("starts", starts, persistent=False)
        vectors = torch.randn(sum(cardinalities), width) / math.sqrt(width)
        vectors[starts] = 0.0
        self.vectors = nn.Parameter(vectors)
        self.rate_factor = 1.0

    def forward(self, codes: Tensor) -> Tensor:
        return nn.functional.embedding(codes + self.starts, self.vectors).flatten(1)


class Vector(nn.Module):
    """A learnt vector (a bias, factors of features) with a learning rate of its own; weight decay leaves it alone."""

    decays = False

    def __init__(self, start: Tensor, rate_factor: float = 1.0) -> None:
        super().__init__()
        self.values = nn.Parameter(start)
        self.rate_factor = rate_factor


class MemberLinear(nn.Module):
    """Linear layers of m independent nets in one batched product.

    Shape: (B, inputs) or (m, B, inputs) -> (m, B, outputs).
    """

    def __init__(self, members: int, inputs: int, outputs: int, gain: float = 1.0, bias_rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(members, inputs, outputs) * (gain / math.sqrt(max(1, inputs))))
        self.bias = Vector(torch.zeros(members, 1, outputs), bias_rate)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim == 2:
            x = x.expand(len(self.weight), *x.shape)
        return torch.baddbmm(self.bias.values, x, self.weight)

    def start_from(self, outputs: np.ndarray) -> None:
        """Answer this before anything is learnt: shape (outputs,)."""
        with torch.no_grad():
            self.weight.zero_()
            self.bias.values.copy_(torch.from_numpy(outputs))


class Dropout(nn.Module):
    """Dropout with masks from a pool of random numbers drawn once, each step at another place of it.

    Drawing a fresh mask each time was measured at a sixth of a small net's training; a slice of the pool costs nothing.
    """

    POOL = 1 << 20

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.pool: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.share == 0:
            return x
        size = x.numel()
        if self.pool is None or len(self.pool) < 2 * size:
            keep = torch.rand(max(self.POOL, 2 * size)) >= self.share
            self.pool = (keep.float() / (1 - self.share)).to(x.device)
        start = int(torch.randint(len(self.pool) - size, ()))
        return x * self.pool[start : start + size].view(x.shape)


def forget(module: nn.Module) -> None:
    """Let go of what only training needs."""
    for part in module.modules():
        if isinstance(part, Dropout):
            part.pool = None


class SharedLinear(nn.Module):
    """A linear layer that m members share, each with its own factors of inputs and outputs and its own bias.

    BatchEnsemble (Wen, Tran and Ba, 2020, arXiv 2002.06715) as TabM uses it (Gorishniy, Kotelnikov and Babenko, 2024,
    arXiv 2410.24210): the first layer's input factors are random signs, all other factors start as ones.

    Shape: (B, inputs) or (m, B, inputs) -> (m, B, outputs).
    """

    def __init__(self, members: int, inputs: int, outputs: int, first: bool = False) -> None:
        super().__init__()
        bound = 1 / math.sqrt(max(1, inputs))
        self.weight = nn.Parameter(torch.empty(inputs, outputs).uniform_(-bound, bound))
        signs = torch.randint(0, 2, (members, 1, inputs)) * 2.0 - 1.0
        self.inputs = Vector(signs if first else torch.ones(members, 1, inputs))
        self.outputs = Vector(torch.ones(members, 1, outputs))
        self.bias = Vector(torch.empty(members, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.bias.values, (x * self.inputs.values) @ self.weight, self.outputs.values)
