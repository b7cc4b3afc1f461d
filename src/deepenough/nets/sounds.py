"""Nets that hear recordings: convolutions over tones and time, and a recurrent one that hears them step by step.

Needs that this module answers:

* A recurrent net hears recordings of any length: what stands behind an end changes nothing. Convolutions hear a fixed
  number of steps, silence among them. Either way a recording alone gets the answer that it gets among others.
* In training recordings are made a little different: louder, and with bands of tones and stretches of time left out.
* A net is made again from plain JSON, as in `bodies`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deepenough.nets.blocks import Dropout, MemberLinear
from deepenough.nets.pictures import BODIES
from deepenough.nets.sequences import Recurrent, present
from deepenough.nets.signals import Stretches

HEIGHTS = 8
"""Ranges of tones, from low to high, that are told apart wherever in time something is seen."""
FAINTEST = -4.0
"""Deviations from a band's mean at which silence ends."""


class Masks(nn.Module):
    """Recordings made a little different in each step of training (SpecAugment: Park et al., 2019, arXiv 1904.08779).

    tones, times: up to this share of the bands, or of the steps, is left out in one stretch. louder: up to so many
    deviations are added everywhere. moved: up to this share of the steps it begins later, or earlier.

    Shape: (B, T, bands), standardised -> the same; what is left out is 0, a band's mean.
    """

    def __init__(self, tones: float = 0.2, times: float = 0.2, louder: float = 0.3, moved: float = 0.1) -> None:
        super().__init__()
        self.tones, self.times, self.louder, self.moved = tones, times, louder, moved

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if self.moved:
            x = self._later(x)
        if self.louder:
            x = x + self.louder * (2 * torch.rand(len(x), 1, 1, device=x.device) - 1)
        for share, axis in ((self.times, 1), (self.tones, 2)):
            if share:
                x = x * self._kept(len(x), x.shape[axis], share, x.device).unsqueeze(3 - axis)
        return x

    def _later(self, x: Tensor) -> Tensor:
        count, steps, _ = x.shape
        moved = (self.moved * steps * (2 * torch.rand(count, device=x.device) - 1)).round().long()
        places = (torch.arange(steps, device=x.device) - moved[:, None]).clamp(0, steps - 1)
        return x.gather(1, places[:, :, None].expand_as(x))

    @staticmethod
    def _kept(count: int, length: int, share: float, device: torch.device) -> Tensor:
        """0 in one stretch of up to this share of the places, 1 elsewhere; float, shape (B, length)."""
        wide = torch.rand(count, 1, device=device) * share * length
        start = torch.rand(count, 1, device=device) * (length - wide)
        places = torch.arange(length, device=device)[None]
        return ((places < start) | (places >= start + wide)).float()


class SoundNet(nn.Module):
    """Recordings standardised band by band, in training made a little different, heard by a body, and a head.

    mean, deviation: of each band; learnt outside and saved with the weights.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, bands: int, width: int, outputs: int, dropout: float, masks: Mapping[str, float]) -> None:
        super().__init__()
        self.masks = Masks(**masks)
        self.head = MemberLinear(1, width, outputs, 0.1)
        self.dropout = Dropout(dropout)
        self.register_buffer("mean", torch.zeros(bands))
        self.register_buffer("deviation", torch.ones(bands))

    def standard(self, heard: Tensor) -> Tensor:
        """As the body hears it; what is far below the mean counts as silence."""
        return self.masks(((heard - self.mean) / self.deviation).clamp_min(FAINTEST))  # type: ignore[no-any-return] # torch types calls as Any


class Seen(SoundNet):
    """Recordings as pictures of tones and time, seen by a body of `nets.pictures`.

    Over time the mean and the largest of what it sees are taken, but not over tones: a pattern in high ones is another
    than the same one in low ones.

    shrink: steps that become one.

    Shape: heard (B, T, bands), lengths (B,) -> (1, B, outputs).
    """

    def __init__(
        self,
        bands: int,
        outputs: int,
        dropout: float,
        masks: Mapping[str, float],
        body: str,
        settings: Mapping[str, Any],
        shrink: int = 1,
    ) -> None:
        made = BODIES[body](1, **settings)
        super().__init__(bands, made.width * HEIGHTS, outputs, dropout, masks)
        self.body, self.shrink, self.in_half = made, shrink, None

    in_half: bool | None
    """Whether the body is computed in bfloat16; None: on an accelerator."""

    def forward(self, heard: Tensor, lengths: Tensor) -> Tensor:
        x = self.standard(heard)[:, None]
        if self.shrink > 1:
            x = functional.avg_pool2d(x, (self.shrink, 1), ceil_mode=True)
        half = x.is_cuda if self.in_half is None else self.in_half
        with torch.autocast(x.device.type, torch.bfloat16, enabled=half):
            found = self.body.seen(x.contiguous(memory_format=torch.channels_last)).float()
        over_time = torch.cat([found.mean(dim=2), found.amax(dim=2)], dim=1)
        by_height = functional.adaptive_avg_pool1d(over_time, HEIGHTS)
        return self.head(self.dropout(by_height.flatten(1))[None])  # type: ignore[no-any-return] # torch types calls as Any


class Read(SoundNet):
    """Recordings read stretch by stretch by gated recurrent units (Cho et al., 2014).

    stretch: steps that become one vector. units: of each direction. both_ways: whether it is read backwards too.

    Shape: heard (B, T, bands), lengths (B,) of at least 1 -> (1, B, outputs).
    """

    def __init__(
        self,
        bands: int,
        outputs: int,
        dropout: float,
        masks: Mapping[str, float],
        stretch: int = 4,
        vector: int = 96,
        units: int = 96,
        both_ways: bool = True,
    ) -> None:
        reader = Recurrent(vector, units, both_ways)
        super().__init__(bands, reader.width, outputs, dropout, masks)
        self.front, self.reader = Stretches(bands, stretch, vector), reader

    def forward(self, heard: Tensor, lengths: Tensor) -> Tensor:
        x = self.standard(heard) * present(lengths, heard.shape[1])[:, :, None]
        found = self.reader(*self.front(x, lengths))
        return self.head(self.dropout(found)[None])  # type: ignore[no-any-return] # torch types calls as Any


NETS: dict[str, type[SoundNet]] = {net.__name__: net for net in (Seen, Read)}


def build(architecture: Mapping[str, Any]) -> SoundNet:
    """The net of `{"class": its name, "bands", "outputs", "dropout", "masks", "own": other arguments of it}`."""
    net: Any = NETS[architecture["class"]]
    made: SoundNet = net(
        architecture["bands"],
        architecture["outputs"],
        architecture["dropout"],
        architecture["masks"],
        **architecture["own"],
    )
    return made
