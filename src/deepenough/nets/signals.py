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


class SignalNet(nn.Module):
    """Stretches of steps to vectors, a reader of them, the series' facts beside it, and a head.

    vector: width of a stretch's vector; 0: the reader sees the stretch itself.

    Shape: stretches (B, T, inputs), lengths (B,), facts (B, facts) -> (1, B, outputs).
    """

    def __init__(
        self, inputs: int, vector: int, facts: int, reader: Reader, outputs: int, dropout: float, told: int = 16
    ) -> None:
        super().__init__()
        self.entry = nn.Linear(inputs, vector) if vector else None
        self.reader = reader
        self.facts = nn.Linear(facts, told)
        self.head = MemberLinear(1, reader.width + told + facts, outputs, 0.1)
        self.dropout = Dropout(dropout)

    def forward(self, stretches: Tensor, lengths: Tensor, facts: Tensor) -> Tensor:
        x = functional.gelu(self.entry(stretches)) if self.entry is not None else stretches
        told = functional.gelu(self.facts(facts))
        found = torch.cat([self.dropout(self.reader(x, lengths)), told, facts], dim=1)
        return self.head(found[None])  # type: ignore[no-any-return] # torch types every call of a module as Any


def build(architecture: Mapping[str, Any]) -> SignalNet:
    """The net of `{"inputs", "vector", "facts", "class": name of the reader, "reader": {...}, "outputs", "dropout"}`."""
    vector = architecture["vector"]
    reader = READERS[architecture["class"]](vector or architecture["inputs"], **architecture["reader"])
    numbers = (architecture["inputs"], vector, architecture["facts"])
    return SignalNet(*numbers, reader, architecture["outputs"], architecture["dropout"])
