"""A net that finds objects in one pass: at each place of a picture, of which class an object there is and how far its
edges are.

Needs that this module answers:

* No boxes are laid out beforehand: a place near an object's middle answers for it (Tian et al., FCOS, 2019, arXiv
  1904.01355), and says how well its own box will agree as its score (Li et al., 2020, arXiv 2006.04388).
* Boxes go along when pictures are moved, scaled and mirrored in training.
* Nothing is normalised over a batch: a picture alone gets the answer that it gets among others.
* A net is made again from plain JSON, as in `bodies`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deepenough.nets.augment import Augment
from deepenough.nets.blocks import Vector
from deepenough.nets.pictures import Block, layer

RARE = 0.01
"""Chance that is said of every place before anything is learnt (Lin et al., 2017, arXiv 1708.02002)."""
NEAR = 1.5
"""A place answers for an object whose middle is no more than so many places away, in each direction."""
FOCUS = 1.0
"""Power of how far off a score is, by which its loss counts. With 2, as published, one of two classes was often not
learnt in the few hundred steps that small sets get (`tests/nets/test_detectors.py` trains with what is set here)."""
BOX_WEIGHT = 1.0
"""Of the loss of boxes beside that of classes."""
LEFT_OVER = 0.4
"""An object of which less is left when its picture is moved is none any more."""


class Detector(nn.Module):
    """Blocks of convolutions with ways past them, and two more that answer at each place.

    widths: filters of each stage; each halves the picture until `stride` pixels are one place. deep: more blocks of the
    last stage. typical: of an object's sides the usual half, in pixels. mean, deviation: of each channel, from 0 to 1;
    learnt outside and saved with the weights. in_half: whether the body is computed in bfloat16; None: on an
    accelerator.

    Shape: uint8 (B, height, width, channels) -> (B, classes + 4, rows, columns): logarithms of odds, and how far the
    edges are (left, top, right, bottom), in pixels.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self, channels: int, classes: int, widths: Sequence[int], stride: int, deep: int, typical: float
    ) -> None:
        super().__init__()
        self.classes, self.stride, self.typical = classes, stride, typical
        self.in_half: bool | None = None
        halves = round(math.log2(stride))
        self.first, before, stages = layer(channels, widths[0], 2), widths[0], []
        for place, wide in enumerate(widths[1:], 1):
            stages.append(Block(before, wide, 2 if place < halves else 1))
            before = wide
        stages += [Block(before, before, 1) for _ in range(deep)]
        self.stages = nn.ModuleList(stages)
        self.neck = nn.Conv2d(before, before, 3, padding=1)
        self.head = nn.Conv2d(before, classes + 4, 1)
        self.bias = Vector(torch.zeros(classes + 4))
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("deviation", torch.ones(channels, 1, 1))
        with torch.no_grad():
            nn.init.zeros_(self.head.bias)  # type: ignore[arg-type] # there is one
            self.bias.values[:classes] = math.log(RARE / (1 - RARE))

    def forward(self, pixels: Tensor) -> Tensor:
        return self.seen(pixels.permute(0, 3, 1, 2).float() / 255)

    def seen(self, x: Tensor) -> Tensor:
        """x: shape (B, channels, height, width), about 0 to 1."""
        x = (x - self.mean) / self.deviation
        down, right = (-side % self.stride for side in x.shape[2:])
        x = functional.pad(x, (0, right, 0, down))
        half = x.is_cuda if self.in_half is None else self.in_half
        with torch.autocast(x.device.type, torch.bfloat16, enabled=half):
            x = functional.relu(self.first(x))
            for stage in self.stages:
                x = stage(x)
            x = self.head(functional.relu(self.neck(x)))
        x = x.float() + self.bias.values[:, None, None]
        edges = self.typical * torch.exp(x[:, self.classes :].clamp(-4, 4))
        return torch.cat([x[:, : self.classes], edges], dim=1)

    def middles(self, answers: Tensor) -> Tensor:
        """Where places of answers are, in pixels: right and down, shape (rows * columns, 2)."""
        (rows, columns), device = answers.shape[2:], answers.device
        down = (torch.arange(rows, device=device) + 0.5) * self.stride
        right = (torch.arange(columns, device=device) + 0.5) * self.stride
        return torch.stack([right.repeat(rows), down.repeat_interleave(columns)], dim=1)

    def told(self, answers: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of odds, shape (B, places, classes), and boxes in pixels, shape (B, places, 4), of what the net
        answers."""
        flat = answers.flatten(2).transpose(1, 2)
        middle = self.middles(answers)
        edges = flat[:, :, self.classes :]
        boxes = torch.cat([middle - edges[:, :, :2], middle + edges[:, :, 2:]], dim=2)
        return flat[:, :, : self.classes], boxes


@dataclass(frozen=True)
class Varied:
    """How pictures are made a little different, their boxes with them.

    shift, zoom, light: see `nets.augment.Augment`. mirror: whether half of the pictures are turned left to right.
    """

    shift: float = 0.1
    zoom: float = 0.2
    light: float = 0.1
    mirror: bool = True

    def __call__(self, x: Tensor, things: Tensor) -> tuple[Tensor, Tensor]:
        """x: pictures, shape (B, channels, height, width). things: class and box in pixels, shape (B, longest, 5), NaN
        behind the last."""
        count, _, height, width = x.shape
        scale = 1 + self.zoom * _drawn(count, x)
        moved = [self.shift * side * _drawn(count, x) for side in (width, height)]
        columns, rows = (Augment._places(side, scale, own) for side, own in zip((width, height), moved, strict=True))
        which = torch.arange(count, device=x.device)[:, None, None]
        x = x.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        boxes = things[:, :, 1:].clone()
        for axis, side in enumerate((width, height)):
            own = boxes[:, :, axis::2]
            boxes[:, :, axis::2] = (own - side / 2 - moved[axis][:, None, None]) / scale[:, None, None] + side / 2
        turned = (torch.rand(count, device=x.device) < 0.5) & self.mirror
        x = torch.where(turned[:, None, None, None], x.flip(3), x)
        flipped = torch.stack([width - boxes[:, :, 2], boxes[:, :, 1], width - boxes[:, :, 0], boxes[:, :, 3]], dim=2)
        boxes = torch.where(turned[:, None, None], flipped, boxes)
        if self.light:
            contrast = 1 + self.light * _drawn(count, x)[:, None, None, None]
            x = x * contrast + self.light * _drawn(count, x)[:, None, None, None]
        return x, _cut(things[:, :, :1], boxes, height, width)


def _drawn(count: int, x: Tensor) -> Tensor:
    """Numbers from -1 to 1."""
    return 2 * torch.rand(count, device=x.device) - 1


def _cut(codes: Tensor, boxes: Tensor, height: int, width: int) -> Tensor:
    """Things cut at the picture's edge; those of which little is left are none."""
    most = torch.tensor([width, height, width, height], device=boxes.device, dtype=boxes.dtype)
    cut = torch.minimum(boxes.clamp(min=0), most)
    left = _area(cut) / _area(boxes).clamp(min=1e-6)
    codes = torch.where(left[:, :, None] >= LEFT_OVER, codes, torch.full_like(codes, math.nan))
    return torch.cat([codes, cut], dim=2)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2] - boxes[..., 0]).clamp(min=0) * (boxes[..., 3] - boxes[..., 1]).clamp(min=0)


def loss(
    net: Detector, answers: Tensor, things: Tensor, weights: Tensor | None = None, certain: bool = False
) -> Tensor:
    """How wrong the answers are: quality focal loss of classes (Li et al., 2020) and generalised intersection over
    union of boxes (Rezatofighi et al., 2019, arXiv 1902.09630), a thing's place each; the mean over the things.

    answers: shape (B, classes + 4, rows, columns). things: class and box in pixels, NaN behind the last, shape (B,
    longest, 5). weights: what each picture counts, shape (B,). certain: whether a place that answers for a thing should
    be sure of it, however its box agrees; such a loss falls from the beginning, and tells when training is enough.
    """
    odds, boxes = net.told(answers)
    owner = _owners(net.middles(answers), things, net.stride)
    unit, place = torch.nonzero(owner >= 0, as_tuple=True)
    mine = things[unit, owner[unit, place]]
    agree, wide = _agreement(boxes[unit, place], mine[:, 1:])
    goal = torch.zeros_like(odds)
    goal[unit, place, mine[:, 0].long()] = torch.ones_like(agree) if certain else agree.detach().clamp(0, 1)
    given = torch.sigmoid(odds)
    focal = (goal - given).abs() ** FOCUS * functional.binary_cross_entropy_with_logits(odds, goal, reduction="none")
    counted = torch.ones(len(odds), device=odds.device) if weights is None else weights
    things_there = counted[unit].sum().clamp(min=1.0)
    of_classes = (focal.sum(dim=(1, 2)) * counted).sum()
    return (of_classes + BOX_WEIGHT * ((1 - wide) * counted[unit]).sum()) / things_there


def _owners(middles: Tensor, things: Tensor, stride: int) -> Tensor:
    """Of each place the thing that it answers for, the smallest one; -1 for none. int64, shape (B, places)."""
    boxes = torch.nan_to_num(things[:, :, 1:])
    there = ~torch.isnan(things[:, :, 0])
    centre = (boxes[:, :, :2] + boxes[:, :, 2:]) / 2
    reach = torch.minimum((boxes[:, :, 2:] - boxes[:, :, :2]) / 2, torch.tensor(NEAR * stride, device=boxes.device))
    reach = reach.clamp(min=0.5 * stride + 1e-3)  # of a thing smaller than a place, the place that it lies in
    far = (middles[None, :, None] - centre[:, None]).abs()
    own = (far <= reach[:, None]).all(dim=3) & there[:, None]
    size = torch.where(own, _area(boxes)[:, None], torch.full_like(far[..., 0], math.inf))
    if not size.shape[2]:
        return torch.full(size.shape[:2], -1, device=size.device)
    least, which = size.min(dim=2)
    return torch.where(torch.isfinite(least), which, torch.full_like(which, -1))


def _agreement(some: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union of boxes one by one, and the generalised one, which tells apart boxes that don't meet."""
    low, high = torch.maximum(some[:, :2], others[:, :2]), torch.minimum(some[:, 2:], others[:, 2:])
    common = (high - low).clamp(min=0).prod(dim=1)
    both = (_area(some) + _area(others) - common).clamp(min=1e-6)
    around = torch.cat([torch.minimum(some[:, :2], others[:, :2]), torch.maximum(some[:, 2:], others[:, 2:])], dim=1)
    hull = _area(around).clamp(min=1e-6)
    return common / both, common / both - (hull - both) / hull


def build(architecture: Mapping[str, Any]) -> Detector:
    """The net of `{"channels", "classes", "widths", "stride", "deep", "typical"}`."""
    names = ("channels", "classes", "widths", "stride", "deep", "typical")
    return Detector(**{name: architecture[name] for name in names})
