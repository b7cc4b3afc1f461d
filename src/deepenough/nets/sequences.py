"""Nets that read a sequence of vectors: a recurrent one, a convolution, a transformer; and vectors of words.

Needs that this module answers:

* Sequences have different lengths, and what stands behind an end changes nothing: a sequence alone or padded in a batch
  gets the same answer.
* The readers know nothing of words: whatever becomes vectors, shape (B, T, inputs), can be read.
* A net is made again from plain JSON, as in `bodies`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deepenough.nets.blocks import Dropout, MemberLinear


def present(lengths: Tensor, steps: int) -> Tensor:
    """Which steps stand before the end, bool, shape (B, T)."""
    return torch.arange(steps, device=lengths.device) < lengths[:, None]


def mean_over_time(x: Tensor, lengths: Tensor) -> Tensor:
    """(B, T, D) -> (B, D)."""
    return (x * present(lengths, x.shape[1])[:, :, None]).sum(dim=1) / lengths[:, None]


def largest_over_time(x: Tensor, lengths: Tensor) -> Tensor:
    """(B, T, D) -> (B, D)."""
    return x.masked_fill(~present(lengths, x.shape[1])[:, :, None], -torch.inf).amax(dim=1)


def last_in_time(x: Tensor, lengths: Tensor) -> Tensor:
    """(B, T, D) -> (B, D): of each sequence its last step."""
    return x[torch.arange(len(x), device=x.device), lengths - 1]


def turned(x: Tensor, lengths: Tensor) -> Tensor:
    """Each sequence from its end to its beginning; what stands behind the end stays there. (B, T, D) -> (B, T, D)."""
    steps = torch.arange(x.shape[1], device=x.device)
    places = torch.where(present(lengths, x.shape[1]), lengths[:, None] - 1 - steps, steps)
    return x.gather(1, places[:, :, None].expand_as(x))


class Reader(nn.Module):
    """A sequence of vectors to one vector of `width` numbers.

    Shape: (B, T, inputs), lengths (B,) int64 of at least 1 -> (B, width).
    """

    width: int


class Recurrent(Reader):
    """Gated recurrent units (Cho et al., 2014): the last state, and the largest and the mean one over time.

    units: of a direction. both_ways: whether a second layer reads from the end to the beginning.

    Shape: (B, T, inputs), (B,) -> (B, width).
    """

    def __init__(self, inputs: int, units: int = 64, both_ways: bool = False) -> None:
        super().__init__()
        ways = 2 if both_ways else 1
        self.ways = nn.ModuleList(nn.GRU(inputs, units, batch_first=True) for _ in range(ways))
        self.width = 3 * units * ways

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        parts = []
        for place, way in enumerate(self.ways):
            states = way(turned(x, lengths) if place else x)[0]
            parts += [pool(states, lengths) for pool in (last_in_time, largest_over_time, mean_over_time)]
        return torch.cat(parts, dim=1)


class Convolution(Reader):
    """Patterns of a few steps, each wherever it fits best (Kim, 2014, arXiv 1408.5882).

    filters: of each length. spans: their lengths in steps.

    Shape: (B, T, inputs), (B,) -> (B, width).
    """

    def __init__(self, inputs: int, filters: int = 64, spans: Sequence[int] = (2, 3, 4)) -> None:
        super().__init__()
        self.spans = tuple(spans)
        self.convolutions = nn.ModuleList(nn.Conv1d(inputs, filters, span) for span in spans)
        self.width = filters * len(spans)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        x = (x * present(lengths, x.shape[1])[:, :, None]).transpose(1, 2)
        parts = []
        for span, convolution in zip(self.spans, self.convolutions, strict=True):
            around = ((span - 1) // 2, span - 1 - (span - 1) // 2)
            found = convolution(functional.pad(x, around)).transpose(1, 2)
            parts.append(functional.relu(largest_over_time(found, lengths)))
        return torch.cat(parts, dim=1)


class Attention(nn.Module):
    """One layer of a transformer that normalises before it attends and before it bends (Vaswani et al., 2017, arXiv
    1706.03762; Xiong et al., 2020, arXiv 2002.04745).

    Shape: (B, T, width), which steps are present (B, T) -> (B, T, width).
    """

    def __init__(self, width: int, heads: int, wider: int = 2, dropout: float = 0.1) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.asked, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, wider * width), nn.Linear(wider * width, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        rows, steps, width = x.shape
        split = self.asked(self.norms[0](x)).view(rows, steps, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=there[:, None, None, :])
        x = x + self.dropout(self.joined(seen.transpose(1, 2).reshape(rows, steps, width)))
        return x + self.dropout(self.narrow(functional.gelu(self.widen(self.norms[1](x)))))  # type: ignore[no-any-return] # torch types every call of a module as Any


class Transformer(Reader):
    """Layers in which each step looks at all others, from the sequence's own vectors and learnt ones of the places.

    steps: the longest sequence. units: of a vector. layers, heads: how many.

    Shape: (B, T, inputs), (B,) -> (B, width).
    """

    def __init__(
        self, inputs: int, steps: int = 256, units: int = 64, layers: int = 2, heads: int = 4, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.entry = nn.Linear(inputs, units)
        self.places = nn.Embedding(steps, units)
        nn.init.normal_(self.places.weight, std=0.1)
        self.layers = nn.ModuleList(Attention(units, heads, dropout=dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(units)
        self.width = 2 * units

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        there = present(lengths, x.shape[1])
        x = self.entry(x) + self.places.weight[: x.shape[1]]
        for layer in self.layers:
            x = layer(x, there)
        x = self.norm(x)
        return torch.cat([mean_over_time(x, lengths), largest_over_time(x, lengths)], dim=1)


class PieceVectors(nn.Module):
    """Vectors of words, each the mean of its pieces' vectors: a word's own, or those of its runs of letters.

    rows: pieces that have a vector; width: of a vector.

    Shape: pieces (P,) int64, where each word's begin (W,) int64, which word stands where (B, T) int64 -> (B, T, width).
    """

    decays = False

    def __init__(self, rows: int, width: int, spread: float = 0.3, rate_factor: float = 4.0) -> None:
        super().__init__()
        self.rate_factor = rate_factor  # most words are seldom seen, so they have few steps to learn in
        self.vectors = nn.Parameter(spread * torch.randn(rows, width))

    def forward(self, pieces: Tensor, begins: Tensor, places: Tensor) -> Tensor:
        return functional.embedding(places, functional.embedding_bag(pieces, self.vectors, begins, mode="mean"))


READERS: dict[str, type[Reader]] = {reader.__name__: reader for reader in (Recurrent, Convolution, Transformer)}


class WordNet(nn.Module):
    """Words to vectors, a reader of them, and a head; the mean of the words' own vectors goes past the reader.

    Shape: pieces (P,), begins (W,), places (B, T), lengths (B,) -> (1, B, outputs).
    """

    def __init__(self, words: PieceVectors, width: int, reader: Reader, outputs: int, dropout: float) -> None:
        super().__init__()
        self.words, self.reader = words, reader
        self.head = MemberLinear(1, reader.width + width, outputs, 0.1)
        self.dropout = Dropout(dropout)

    def forward(self, pieces: Tensor, begins: Tensor, places: Tensor, lengths: Tensor) -> Tensor:
        x = self.dropout(self.words(pieces, begins, places))
        found = torch.cat([self.reader(x, lengths), mean_over_time(x, lengths)], dim=1)
        return self.head(self.dropout(found)[None])  # type: ignore[no-any-return] # torch types every call of a module as Any


def build(architecture: Mapping[str, Any]) -> WordNet:
    """The net of `{"rows", "width", "class": name of the reader, "reader": {...}, "outputs", "dropout"}`."""
    width = architecture["width"]
    reader = READERS[architecture["class"]](width, **architecture["reader"])
    words = PieceVectors(architecture["rows"], width)
    return WordNet(words, width, reader, architecture["outputs"], architecture["dropout"])
