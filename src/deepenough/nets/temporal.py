"""Nets that forecast paths: a recurrent one, blocks of several resolutions, a causal convolution, a decomposition.

Needs that this module answers:

* All take the same three tensors and say the same thing, so that a kind changes its net by a name: `behind`, what was
  at each step of the history, (B, T, channels), the first channel the values, the second whether they are known, the
  third how they differ from a season before; `ahead`, what is told of each step to come, (B, H, columns); `whole`,
  facts of the window, (B, facts). They give raw quantiles, (m, B, H, levels), as `nets.paths` reads them.
* Nothing is normalised over a batch: a window alone gets the answer that it gets among others.
* Before anything is learnt each says `start`, whatever it is shown.
* A net is made again from plain JSON, as in `bodies`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deepenough.nets.blocks import Dropout, MemberLinear, Vector


@dataclass(frozen=True)
class Shape:
    """Of what a net is given, and of what it says."""

    length: int
    channels: int
    columns: int
    facts: int
    steps: int
    levels: int


class PathNet(nn.Module):
    """What all of them share: the raw quantiles they start from."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.start = Vector(torch.zeros(shape.steps, shape.levels))

    def start_from(self, raw: np.ndarray) -> None:
        """Say this before anything is learnt: shape (steps, levels)."""
        with torch.no_grad():
            self.start.values.copy_(torch.from_numpy(raw))

    def started(self, learnt: Tensor) -> Tensor:
        """What was learnt, counted from the start: (..., H, levels)."""
        return learnt + self.start.values


class Decoder(nn.Module):
    """Each step ahead is answered directly, from what was remembered, what is told of the step, and which step it is:
    the shared decoder of Wen et al. (2017, arXiv 1711.11053), without their hidden context in between.

    Shape: remembered (B, width), recalled (B, H, recalled), ahead (B, H, columns), whole (B, facts) -> (B, H, levels).
    """

    def __init__(self, shape: Shape, width: int, recalled: int, units: int, dropout: float) -> None:
        super().__init__()
        self.of_window = nn.Linear(width + shape.facts, units)
        self.of_step = nn.Linear(shape.columns + recalled, units, bias=False)
        self.of_place = Vector(0.1 * torch.randn(shape.steps, units))
        self.bend, self.head = nn.Linear(units, units), nn.Linear(units, shape.levels, bias=False)
        nn.init.zeros_(self.head.weight)
        self.dropout = Dropout(dropout)

    def forward(self, remembered: Tensor, recalled: Tensor, ahead: Tensor, whole: Tensor) -> Tensor:
        window = self.of_window(torch.cat([remembered, whole], dim=1))[:, None]
        x = functional.silu(window + self.of_step(torch.cat([ahead, recalled], dim=2)) + self.of_place.values)
        x = self.dropout(x)
        return self.head(functional.silu(self.bend(x)))  # type: ignore[no-any-return] # torch types every call of a module as Any


class Recall(nn.Module):
    """Each step ahead looks back at the steps that it asks for: by what it is told, and by how long ago they were
    (attention over time, Bahdanau et al., 2015, arXiv 1409.0473; Fan et al., 2019, doi 10.1145/3292500.3330662).

    Shape: history (B, T, width), ahead (B, H, columns) -> (B, H, width).
    """

    def __init__(self, shape: Shape, width: int, units: int = 16) -> None:
        super().__init__()
        self.asked = nn.Linear(shape.columns, units)
        self.shown = nn.Linear(width, units, bias=False)
        self.ages = Vector(torch.zeros(shape.steps, shape.length), rate_factor=6.0)
        self.units = units

    def forward(self, history: Tensor, ahead: Tensor) -> Tensor:
        alike = self.asked(ahead) @ self.shown(history).transpose(1, 2) / self.units**0.5
        return torch.softmax(alike + self.ages.values, dim=2) @ history


class Reading(PathNet, ABC):
    """A reader of the history's steps, and a decoder that answers each step ahead from what was read last and from what
    it recalls. stride: steps that are put side by side and read at once; each of them can still be recalled alone.
    """

    def __init__(self, shape: Shape, units: int, stride: int, recall: bool, dropout: float) -> None:
        super().__init__(shape)
        self.stride, width = stride, units + shape.channels
        self.recall = Recall(shape, width) if recall else None
        self.decoder = Decoder(shape, units, width if recall else 0, 2 * units, dropout)

    @abstractmethod
    def states(self, behind: Tensor) -> Tensor:
        """What is known at each of the steps that are read, (B, R, channels) -> (B, R, units)."""

    def forward(self, behind: Tensor, ahead: Tensor, whole: Tensor) -> Tensor:
        states, recalled = self.states(side_by_side(behind, self.stride)), ahead[:, :, :0]
        if self.recall is not None:
            of_steps = states.repeat_interleave(self.stride, dim=1)[:, -behind.shape[1] :]
            recalled = self.recall(torch.cat([of_steps, behind], dim=2), ahead)
        return self.started(self.decoder(states[:, -1], recalled, ahead, whole))[None]


def side_by_side(behind: Tensor, stride: int) -> Tensor:
    """So many steps put beside each other as one: (B, T, channels) -> (B, T / stride, stride x channels)."""
    padded = functional.pad(behind, (0, 0, -behind.shape[1] % stride, 0))
    return padded.reshape(len(padded), -1, stride * padded.shape[2])


class Recurrent(Reading):
    """Gated recurrent units (Cho et al., 2014) over the history, and a decoder that answers every step directly.

    units: of the state. recall: whether steps ahead look back at earlier steps.
    """

    def __init__(
        self, shape: Shape, units: int = 32, stride: int = 1, recall: bool = True, dropout: float = 0.0
    ) -> None:
        super().__init__(shape, units, stride, recall, dropout)
        self.reader = nn.GRU(shape.channels * stride, units, batch_first=True)

    def states(self, behind: Tensor) -> Tensor:
        return self.reader(behind)[0]  # type: ignore[no-any-return] # torch types every call of a module as Any


class CausalLayer(nn.Module):
    """A convolution that looks at `span` steps, each `gap` after the one before and none of them later than the step
    itself, then a layer of each step alone; around both the input passes.

    Shape: (B, width, T) -> (B, width, T).
    """

    def __init__(self, width: int, span: int, gap: int, dropout: float) -> None:
        super().__init__()
        self.reach = (span - 1) * gap
        self.look, self.mix = nn.Conv1d(width, width, span, dilation=gap), nn.Conv1d(width, width, 1)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        seen = functional.silu(self.look(functional.pad(x, (self.reach, 0))))
        return x + self.mix(self.dropout(seen))  # type: ignore[no-any-return] # torch types every call of a module as Any


class Convolution(Reading):
    """A temporal convolution whose gaps double from layer to layer until it sees the whole history (Bai, Kolter and
    Koltun, 2018, arXiv 1803.01271), and a decoder that answers every step directly.

    units: channels of a layer. span: steps that a convolution looks at.
    """

    def __init__(
        self,
        shape: Shape,
        units: int = 32,
        span: int = 3,
        stride: int = 1,
        recall: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(shape, units, stride, recall, dropout)
        self.entry = nn.Conv1d(shape.channels * stride, units, 1)
        gaps: list[int] = []
        sees = 1
        while sees < -(-shape.length // stride):
            gaps.append(2 ** len(gaps))
            sees += (span - 1) * gaps[-1]
        self.layers = nn.Sequential(*(CausalLayer(units, span, gap, dropout) for gap in gaps))

    def states(self, behind: Tensor) -> Tensor:
        """Of no step anything later counts."""
        return functional.silu(self.layers(self.entry(behind.transpose(1, 2)))).transpose(1, 2)


class Block(nn.Module):
    """One resolution of N-HiTS: the history pooled, layers, and few numbers from which both the part of the history
    that it explains and its part of the forecast are interpolated.

    Shape: history (B, T), others (m, B, rest) -> explained (m, B, T), raw (m, B, H, levels).
    """

    def __init__(
        self, shape: Shape, members: int, rest: int, units: int, pool: int, every: int, dropout: float
    ) -> None:
        super().__init__()
        self.shape, self.pool = shape, pool
        self.knots = max(1, -(-shape.steps // every))
        self.old_knots = max(1, -(-shape.length // pool))
        pooled = -(-shape.length // pool)
        self.first = MemberLinear(members, pooled + rest, units, 1.4)
        self.second = MemberLinear(members, units, units, 1.4)
        self.backward_head = MemberLinear(members, units, self.old_knots, 0.5)
        self.forward_head = MemberLinear(members, units, self.knots * shape.levels, 0.0)
        self.dropout = Dropout(dropout)

    def forward(self, history: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        members, rows, length = history.shape
        padded = functional.pad(history, (-length % self.pool, 0), mode="replicate") if self.pool > 1 else history
        pooled = functional.max_pool1d(padded, self.pool) if self.pool > 1 else padded
        x = self.dropout(functional.relu(self.first(torch.cat([pooled, others], dim=2))))
        x = functional.relu(self.second(x))
        explained = interpolated(self.backward_head(x), length)
        said = self.forward_head(x).view(members, rows, self.shape.levels, self.knots)
        return explained, interpolated(said.flatten(0, 1), self.shape.steps).view(
            members, rows, self.shape.levels, self.shape.steps
        ).transpose(2, 3)


def interpolated(knots: Tensor, steps: int) -> Tensor:
    """So many numbers along a straight line between knots: (..., ..., knots) -> (..., ..., steps)."""
    if knots.shape[2] == steps:
        return knots
    return functional.interpolate(knots, size=steps, mode="linear", align_corners=False)


class NHits(PathNet):
    """Stacked blocks that explain the history from the coarse to the fine, and add up what each forecasts (N-HiTS,
    Challu et al., 2023, arXiv 2201.12886; the residual stack is that of N-BEATS, Oreshkin et al., 2020). What else is
    told is put beside the history of each block. Several such nets are trained side by side.

    members: nets. units: of a layer. resolutions: how many blocks, each twice as fine or more.
    """

    def __init__(
        self, shape: Shape, members: int = 2, units: int = 64, resolutions: int = 3, dropout: float = 0.0
    ) -> None:
        super().__init__(shape)
        self.members = members
        rest = shape.length + shape.steps * shape.columns + shape.facts
        coarsest = max(1, min(16, shape.length // 8))
        self.blocks = nn.ModuleList()
        for place in range(resolutions):
            finer = place / max(1, resolutions - 1)
            pool = max(1, round(coarsest ** (1 - finer)))
            every = max(1, round(min(shape.steps, pool) if place < resolutions - 1 else 1))
            self.blocks.append(Block(shape, members, rest, units, pool, every, dropout))

    def forward(self, behind: Tensor, ahead: Tensor, whole: Tensor) -> Tensor:
        others = torch.cat([behind[:, :, 2], ahead.flatten(1), whole], dim=1).expand(self.members, -1, -1)
        history = behind[:, :, 0].expand(self.members, -1, -1)
        raw = self.start.values.expand(self.members, len(behind), -1, -1)
        for block in self.blocks:
            explained, said = block(history, others)
            history, raw = history - explained, raw + said
        return raw


class Decomposed(PathNet):
    """The history cut into a moving average and what is left of it, a linear map of each to the steps ahead (DLinear,
    Zeng et al., 2023, arXiv 2205.13504), and one of what is told of a step to its quantiles.

    span: steps of the moving average, an odd number.

    Shape: as above; `whole` has the logarithm of the factor from the history's numbers to the answer's in front.
    """

    def __init__(self, shape: Shape, span: int = 25) -> None:
        super().__init__(shape)
        self.span = min(span + 1 - span % 2, shape.length - 1 + shape.length % 2)
        self.trend = nn.Linear(shape.length, shape.steps)
        self.rest = nn.Linear(shape.length, shape.steps)
        self.told = nn.Linear(shape.columns + shape.facts, shape.levels)
        for layer in (self.trend, self.rest, self.told):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def median(self, history: Tensor) -> Tensor:
        """The linear maps of both parts, (B, T) -> (B, H)."""
        half = self.span // 2
        padded = functional.pad(history[:, None], (half, half), mode="replicate")
        average = functional.avg_pool1d(padded, self.span, stride=1)[:, 0]
        return self.trend(average) + self.rest(history - average)  # type: ignore[no-any-return] # torch types every call of a module as Any

    def forward(self, behind: Tensor, ahead: Tensor, whole: Tensor) -> Tensor:
        facts = whole[:, None].expand(-1, self.shape.steps, -1)
        told = self.told(torch.cat([ahead, facts], dim=2))
        moved = self.median(behind[:, :, 0]) * whole[:, :1].exp()
        middle = functional.one_hot(torch.tensor(self.shape.levels // 2), self.shape.levels).to(told)
        return self.started(told + moved[:, :, None] * middle)[None]


NETS: dict[str, type[PathNet]] = {net.__name__: net for net in (Recurrent, Convolution, NHits, Decomposed)}


def build(architecture: Mapping[str, Any]) -> PathNet:
    """The net of `{"shape": {...}, "class": its name, "net": {...}}`."""
    return NETS[architecture["class"]](Shape(**architecture["shape"]), **architecture["net"])


def architecture_of(name: str, shape: Shape, settings: Mapping[str, Any]) -> dict[str, Any]:
    """As plain values what `build` takes."""
    return {"shape": asdict(shape), "class": name, "net": dict(settings)}
