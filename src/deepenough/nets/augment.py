"""Pictures made a little different in each step of training, so that a net learns what does not change.

Needs that this module answers:

* Drawn from torch's own random numbers, which a fit seeds; in evaluation nothing is changed.
* Cheap on a core: one look-up moves and scales a whole batch, each picture by its own numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Augment(nn.Module):
    """Each picture moved, scaled, made lighter or darker, and perhaps mirrored, by numbers of its own.

    shift: moved by at most this share of its height and width. zoom: scaled by up to this share. light: brightness and
    contrast changed by up to this share of the range. mirror: whether half of the pictures are turned left to right:
    right for photos, wrong for letters.

    Shape: (B, channels, height, width), about 0 to 1 -> the same.
    """

    def __init__(self, shift: float = 0.1, zoom: float = 0.1, light: float = 0.1, mirror: bool = False) -> None:
        super().__init__()
        self.shift, self.zoom, self.light, self.mirror = shift, zoom, light, mirror

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        count, _, height, width = x.shape
        if self.shift or self.zoom:
            scale = 1 + self.zoom * self._drawn(count, x)
            rows = self._places(height, scale, self.shift * height * self._drawn(count, x))
            columns = self._places(width, scale, self.shift * width * self._drawn(count, x))
            which = torch.arange(count, device=x.device)[:, None, None]
            x = x.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        if self.mirror:
            turned = torch.rand(count, 1, 1, 1, device=x.device) < 0.5
            x = torch.where(turned, x.flip(3), x)
        if self.light:
            contrast = 1 + self.light * self._drawn(count, x)[:, None, None, None]
            x = x * contrast + self.light * self._drawn(count, x)[:, None, None, None]
        return x

    @staticmethod
    def _drawn(count: int, x: Tensor) -> Tensor:
        """Numbers from -1 to 1."""
        return 2 * torch.rand(count, device=x.device) - 1

    @staticmethod
    def _places(length: int, scale: Tensor, moved: Tensor) -> Tensor:
        """Where each place of a side is taken from, int64, shape (B, length); beyond the edge the edge goes on."""
        middle = (length - 1) / 2
        places = (torch.arange(length, device=scale.device) - middle) * scale[:, None] + middle + moved[:, None]
        return places.round().long().clamp(0, length - 1)
