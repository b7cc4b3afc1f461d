"""Nets that see pictures: convolutions one after the other, and with ways past them.

Needs that this module answers:

* A pattern is found wherever it stands: what is seen is pooled over all places, by its mean and its largest.
* Nothing is normalised over a batch: a picture alone gets the answer that it gets among others.
* Pictures are shrunk first where there is no time for all of their pixels.
* On a GPU what is between the pixels and the head is computed in bfloat16 (mixed precision; Micikevicius et al., 2018).
* A net is made again from plain JSON, as in `bodies`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deepenough.nets.augment import Augment
from deepenough.nets.blocks import Dropout, MemberLinear

GROUPS = 8
"""Channels are normalised in so many groups, where they can be parted so (Wu and He, 2018, arXiv 1803.08494)."""


class Body(nn.Module, ABC):
    """From pictures to vectors. width: of a vector."""

    width: int

    @abstractmethod
    def seen(self, x: Tensor) -> Tensor:
        """What is seen at each place: (B, channels, height, width) -> (B, filters, rows, columns)."""

    def forward(self, x: Tensor) -> Tensor:
        places = self.seen(x)
        return torch.cat([places.mean(dim=(2, 3)), places.amax(dim=(2, 3))], dim=1)


class Convolutions(Body):
    """Layers of small patterns, each of which sees twice as far as the one before (LeCun et al., 1989; three by three
    as in Simonyan and Zisserman, 2015, arXiv 1409.1556). Of four places the strongest is kept, and only these are
    normalised: normalising all took a third of a step.

    widths: filters of each layer.
    """

    def __init__(self, channels: int, widths: Sequence[int] = (32, 64, 128)) -> None:
        super().__init__()
        before = (channels, *widths[:-1])
        self.layers = nn.ModuleList(_convolution(a, b) for a, b in zip(before, widths, strict=True))
        self.norms = nn.ModuleList(_norm(width) for width in widths)
        self.width = 2 * widths[-1]

    def seen(self, x: Tensor) -> Tensor:
        for place, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            x = layer(x)
            if place < len(self.layers) - 1 and min(x.shape[2:]) >= 4:
                x = functional.max_pool2d(x, 2)
            x = functional.relu(norm(x))
        return x


class Residual(Body):
    """Blocks of two convolutions with a way past them (He et al., 2016, arXiv 1512.03385).

    widths: filters of each stage; each stage but the first halves the picture. blocks: of a stage.
    """

    def __init__(self, channels: int, widths: Sequence[int] = (32, 64, 128), blocks: int = 1) -> None:
        super().__init__()
        self.first = layer(channels, widths[0])
        before, stages = widths[0], []
        for place, wide in enumerate(widths):
            for block in range(blocks):
                stages.append(Block(before, wide, 2 if place and not block else 1))
                before = wide
        self.stages = nn.ModuleList(stages)
        self.width = 2 * widths[-1]

    def seen(self, x: Tensor) -> Tensor:
        x = functional.relu(self.first(x))
        for stage in self.stages:
            x = stage(x)
        return x


class Block(nn.Module):
    """Two convolutions, and what came in added to what they found.

    Shape: (B, inputs, height, width) -> (B, filters, height / stride, width / stride).
    """

    def __init__(self, inputs: int, filters: int, stride: int) -> None:
        super().__init__()
        self.one, self.two = layer(inputs, filters, stride), layer(filters, filters)
        self.past = nn.Conv2d(inputs, filters, 1, stride, bias=False) if stride > 1 or inputs != filters else None

    def forward(self, x: Tensor) -> Tensor:
        past = x if self.past is None else self.past(x)
        return functional.relu(past + self.two(functional.relu(self.one(x))))


def layer(inputs: int, filters: int, stride: int = 1) -> nn.Sequential:
    """A convolution of three by three, normalised."""
    return nn.Sequential(_convolution(inputs, filters, stride), _norm(filters))


def _convolution(inputs: int, filters: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, filters, 3, stride, padding=1, bias=False)


def _norm(filters: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(GROUPS, filters), filters)


BODIES: dict[str, type[Body]] = {body.__name__: body for body in (Convolutions, Residual)}


class PictureNet(nn.Module):
    """Pictures standardised, in training made a little different, shrunk, seen by a body, and a head.

    mean, deviation: of each channel, from 0 to 1; learnt outside and saved with the weights. shrink: pixels a side that
    become one. in_half: whether the body is computed in bfloat16; None: on an accelerator.

    Shape: uint8 (B, height, width, channels) -> (1, B, outputs).
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
        x = self.augment(pixels.permute(0, 3, 1, 2).float() / 255)
        x = (x - self.mean) / self.deviation
        if self.shrink > 1:
            x = functional.avg_pool2d(x, self.shrink, ceil_mode=True)
        half = x.is_cuda if self.in_half is None else self.in_half
        with torch.autocast(x.device.type, torch.bfloat16, enabled=half):
            found = self.body(x.contiguous(memory_format=torch.channels_last))
        return self.head(self.dropout(found.float())[None])  # type: ignore[no-any-return] # torch types calls as Any


def build(architecture: Mapping[str, Any]) -> PictureNet:
    """The net of `{"channels", "class": name of the body, "body", "outputs", "dropout", "shrink", "augment"}`; `body`
    and `augment` hold arguments of theirs."""
    channels = architecture["channels"]
    body = BODIES[architecture["class"]](channels, **architecture["body"])
    facts = (architecture["outputs"], architecture["dropout"], architecture["shrink"], architecture["augment"])
    return PictureNet(body, channels, *facts)
