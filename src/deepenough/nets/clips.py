"""Nets that see clips: convolutions and a recurrent net over the frames, or convolutions over place and time in turn.

Needs that this module answers:

* All frames of a clip are varied alike in training: what moves must move as it did.
* What changed since the frame before stands beside each frame: without it (2+1)D convolutions stayed at chance for
  longer, until they could tell what moves from what stands still.
* Nothing is normalised over a batch: a clip alone gets the answer that it gets among others.
* Frames are shrunk first where there is no time for all of their pixels; none is left out.
* On a GPU what is between the pixels and the head is computed in bfloat16, as in `pictures`.
* A net is made again from plain JSON, as in `bodies`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deepenough.nets.augment import Augment
from deepenough.nets.blocks import Dropout, MemberLinear
from deepenough.nets.pictures import GROUPS, Convolutions
from deepenough.nets.sequences import Recurrent

LAID_OUT = 4
"""Fields a side in which a frame's vector says what is seen: where something is must not be lost."""


class Body(nn.Module, ABC):
    """From clips to vectors. width: of a vector.

    Shape: (B, frames, channels, height, width) -> (B, width).
    """

    width: int

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """The vectors."""


class FramesRecurrent(Body):
    """Small convolutions over each frame; what they see in each of a few fields becomes a vector, and a gated recurrent
    unit reads the vectors in their order (Donahue et al., 2015, arXiv 1411.4389, with the units of Cho et al., 2014).

    widths: filters of each layer. vector: numbers of a frame. units: of the recurrent net.
    """

    def __init__(self, channels: int, widths: Sequence[int] = (16, 32), vector: int = 64, units: int = 64) -> None:
        super().__init__()
        self.frames = Convolutions(channels, widths)
        self.entry = nn.Linear(widths[-1] * LAID_OUT**2, vector)
        self.reader = Recurrent(vector, units)
        self.width = self.reader.width

    def forward(self, x: Tensor) -> Tensor:
        rows, steps = x.shape[:2]
        places = self.frames.seen(x.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        laid = functional.adaptive_avg_pool2d(places, LAID_OUT)
        vectors = functional.relu(self.entry(laid.flatten(1)))
        vectors = vectors.view(rows, steps, vectors.shape[1])
        lengths = torch.full((rows,), steps, dtype=torch.int64, device=x.device)
        return self.reader(vectors, lengths)  # type: ignore[no-any-return] # torch types every call of a module as Any


class InTurn(Body):
    """Convolutions over place, then over time, in each stage (R(2+1)D; Tran et al., 2018, arXiv 1711.11248, whose
    residual ways are left out); pooled over all places and moments, by the mean and the largest.

    widths: filters of each stage; each stage but the last halves the frames' sides.
    """

    def __init__(self, channels: int, widths: Sequence[int] = (16, 32, 64)) -> None:
        super().__init__()
        self.stages = nn.ModuleList(Stage(a, b) for a, b in pairwise((channels, *widths)))
        self.width = 2 * widths[-1]

    def forward(self, x: Tensor) -> Tensor:
        for place, stage in enumerate(self.stages):
            x = stage(x, place < len(self.stages) - 1)
        return torch.cat([x.mean(dim=(1, 3, 4)), x.amax(dim=(1, 3, 4))], dim=1)


class Stage(nn.Module):
    """A convolution of three by three places, one of three moments, each normalised.

    Shape: (B, frames, inputs, height, width) -> (B, frames, filters, rows, columns).
    """

    def __init__(self, inputs: int, filters: int) -> None:
        super().__init__()
        self.place = nn.Conv2d(inputs, filters, 3, padding=1, bias=False)
        self.time = nn.Conv2d(filters, filters, (3, 1), padding=(1, 0), bias=False)
        self.norms = nn.ModuleList(nn.GroupNorm(math.gcd(GROUPS, filters), filters) for _ in range(2))

    def forward(self, x: Tensor, halved: bool) -> Tensor:
        rows, steps = x.shape[:2]
        x = self.place(x.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        if halved and min(x.shape[2:]) >= 4:
            x = functional.max_pool2d(x, 2)
        x = functional.relu(self.norms[0](x))
        filters, height, width = x.shape[1:]
        x = x.reshape(rows, steps, filters, height * width).transpose(1, 2)
        x = functional.relu(self.norms[1](self.time(x.contiguous(memory_format=torch.channels_last))))
        return x.transpose(1, 2).reshape(rows, steps, filters, height, width)


BODIES: dict[str, type[Body]] = {body.__name__: body for body in (FramesRecurrent, InTurn)}


class ClipNet(nn.Module):
    """Clips standardised, in training made a little different, shrunk, beside each frame what changed, seen by a body,
    and a head.

    mean, deviation: of each channel, from 0 to 1; learnt outside and saved with the weights. shrink: pixels a side that
    become one. in_half: whether the body is computed in bfloat16; None: on an accelerator.

    Shape: uint8 (B, frames, height, width, channels) -> (1, B, outputs).
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self, body: Body, channels: int, outputs: int, dropout: float, shrink: int, augment: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self.body, self.augment, self.shrink = body, Augment(**augment), shrink
        self.in_half: bool | None = None
        self.head = MemberLinear(1, body.width, outputs, 0.1)
        self.dropout = Dropout(dropout)
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("deviation", torch.ones(channels, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        rows, steps = pixels.shape[:2]
        x = (pixels.permute(0, 1, 4, 2, 3).float() / 255).flatten(1, 2)
        x = self.augment(x)  # frames are channels of one picture here: all are varied alike
        x = x.reshape(rows * steps, len(self.mean), *x.shape[2:])
        x = (x - self.mean) / self.deviation
        if self.shrink > 1:
            x = functional.avg_pool2d(x, self.shrink, ceil_mode=True)
        half = x.is_cuda if self.in_half is None else self.in_half
        with torch.autocast(x.device.type, torch.bfloat16, enabled=half):
            found = self.body(_with_change(x.view(rows, steps, *x.shape[1:])))
        return self.head(self.dropout(found.float())[None])  # type: ignore[no-any-return] # torch types calls as Any


def _with_change(x: Tensor) -> Tensor:
    """(B, frames, channels, height, width) -> twice as many channels: each frame, and it less the one before."""
    return torch.cat([x, torch.diff(x, dim=1, prepend=x[:, :1])], dim=2)


def build(architecture: Mapping[str, Any]) -> ClipNet:
    """The net of `{"channels", "class": name of the body, "body", "outputs", "dropout", "shrink", "augment"}`; `body`
    and `augment` hold arguments of theirs."""
    channels = architecture["channels"]
    body = BODIES[architecture["class"]](2 * channels, **architecture["body"])
    facts = (architecture["outputs"], architecture["dropout"], architecture["shrink"], architecture["augment"])
    return ClipNet(body, channels, *facts)
