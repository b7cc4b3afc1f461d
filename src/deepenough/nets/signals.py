"""Nets that read whole series of numbers: stretches of steps to vectors, a reader of them, and what is known besides.

Needs that this module answers:

* Series have different lengths, and what stands behind an end changes nothing, in no layer: a series alone or padded in
  a batch gets the same answer.
* A thousand steps are read by a recurrent net in a time that one can wait for: it goes from stretch to stretch.
* A net is made again from plain JSON, as in `bodies`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deepenough.nets.blocks import Dropout, MemberLinear
from deepenough.nets.sequences import Reader, Recurrent, largest_over_time, mean_over_time, present


class Block(nn.Module):
    """Convolutions of several lengths side by side, and the largest of three neighbours, each normalised over its
    filters and not over time, so that padding can't be felt.

    filters: of each length. spans: their lengths in steps, odd. narrow: vectors that the convolutions see.

    Shape: (B, inputs, T), which steps are present (B, 1, T) -> (B, filters * (spans + 1), T).
    """

    def __init__(self, inputs: int, filters: int, spans: Sequence[int], narrow: int) -> None:
        super().__init__()
        self.narrow = nn.Conv1d(inputs, narrow, 1, bias=False) if inputs > narrow else None
        seen = min(inputs, narrow)
        self.convolutions = nn.ModuleList(nn.Conv1d(seen, filters, s, padding=s // 2, bias=False) for s in spans)
        self.largest = nn.Conv1d(inputs, filters, 1, bias=False)
        self.norm = nn.LayerNorm(filters * (len(spans) + 1))

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        seen = self.narrow(x) if self.narrow is not None else x
        around = functional.max_pool1d(x.masked_fill(~there, -1e4), 3, stride=1, padding=1)
        parts = [*(convolution(seen) for convolution in self.convolutions), self.largest(around)]
        found = self.norm(torch.cat(parts, dim=1).transpose(1, 2)).transpose(1, 2)
        return functional.relu(found) * there


class Inception(Reader):
    """Blocks of convolutions of several lengths with a way past them, then the mean and the largest over time
    (InceptionTime: Ismail Fawaz et al., 2020, arXiv 1909.04939).

    Shape: (B, T, inputs), (B,) -> (B, width).
    """

    def __init__(
        self, inputs: int, filters: int = 16, spans: Sequence[int] = (9, 19, 39), blocks: int = 3, narrow: int = 16
    ) -> None:
        super().__init__()
        wide = filters * (len(spans) + 1)
        self.blocks = nn.ModuleList(
            Block(inputs if place == 0 else wide, filters, spans, narrow) for place in range(blocks)
        )
        self.past = nn.Conv1d(inputs, wide, 1)
        self.width = 2 * wide

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        there = present(lengths, x.shape[1])[:, None, :]
        x = x.transpose(1, 2) * there
        past = self.past(x)
        for block in self.blocks:
            x = block(x, there)
        x = (functional.relu(x + past) * there).transpose(1, 2)
        return torch.cat([mean_over_time(x, lengths), largest_over_time(x, lengths)], dim=1)


READERS: dict[str, type[Reader]] = {reader.__name__: reader for reader in (Recurrent, Inception)}


class Stretches(nn.Module):
    """Stretches of steps as vectors: short patterns of steps (Ordóñez and Roggen, 2016), and the steps themselves, of
    each stretch in one linear layer.

    stretch: steps of each. vector: width of its vector. filters: of the patterns, each `SPAN` steps long.

    Shape: (B, T, inputs), lengths (B,) -> (B, T / stretch, vector), lengths (B,).
    """

    SPAN = 9

    def __init__(self, inputs: int, stretch: int, vector: int, filters: int = 16) -> None:
        super().__init__()
        self.stretch = stretch
        self.patterns = nn.Conv1d(inputs, filters, self.SPAN, padding=self.SPAN // 2)
        self.joined = nn.Linear((inputs + filters) * stretch, vector)

    def forward(self, steps: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        there = present(lengths, steps.shape[1])[:, :, None]
        found = functional.relu(self.patterns(steps.transpose(1, 2)).transpose(1, 2)) * there
        both = functional.pad(torch.cat([steps, found], dim=2), (0, 0, 0, -steps.shape[1] % self.stretch))
        cut = both.reshape(len(steps), both.shape[1] // self.stretch, -1)
        return functional.gelu(self.joined(cut)), (lengths + self.stretch - 1) // self.stretch


class SignalNet(nn.Module):
    """Series as vectors of steps or of stretches, a reader of them, the series' facts beside it, and a head.

    front: makes stretches; None: the reader sees the steps.

    Shape: steps (B, T, inputs), 0 behind a series' end; lengths (B,) of at least 1; facts (B, facts)
    -> (1, B, outputs).
    """

    def __init__(
        self, front: Stretches | None, reader: Reader, facts: int, outputs: int, dropout: float, told: int = 16
    ) -> None:
        super().__init__()
        self.front, self.reader = front, reader
        self.facts = nn.Linear(facts, told)
        self.head = MemberLinear(1, reader.width + told + facts, outputs, 0.1)
        self.dropout = Dropout(dropout)

    def forward(self, steps: Tensor, lengths: Tensor, facts: Tensor) -> Tensor:
        x, counts = (steps, lengths) if self.front is None else self.front(steps, lengths)
        told = functional.gelu(self.facts(facts))
        found = torch.cat([self.dropout(self.reader(x, counts)), told, facts], dim=1)
        return self.head(found[None])  # type: ignore[no-any-return] # torch types every call of a module as Any


def build(architecture: Mapping[str, Any]) -> SignalNet:
    """The net of `{"inputs", "front", "facts", "class": name of the reader, "reader": {...}, "outputs", "dropout"}`;
    `front` holds arguments of `Stretches` beside `inputs`, or is None."""
    inputs, settings = architecture["inputs"], architecture["front"]
    front = Stretches(inputs, **settings) if settings else None
    reader = READERS[architecture["class"]](settings["vector"] if settings else inputs, **architecture["reader"])
    return SignalNet(front, reader, architecture["facts"], architecture["outputs"], architecture["dropout"])
