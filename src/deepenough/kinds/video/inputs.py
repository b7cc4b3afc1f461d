"""What a model sees of clips: a few frames of each, all of one size.

Needs that this module answers:

* Answers are explained by when and where: what a stretch of time or a side of the frame is worth is found by putting
  another clip's in its place; what the order of the frames is worth, by losing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from deepenough.kinds.pixel_inputs import Pixels, third

TIMES, COLUMNS = ("beginning", "middle", "end"), ("left", "centre", "right")
"""Parts by which answers are explained: thirds of the time, and of the frame."""
ORDER = "order of the frames"


class Clips(Pixels):
    """Clips of one size; `shape` is frames, height, width and channels."""

    at_once = 64
    noise_shape = (8, 16, 16)

    def parts(self) -> Sequence[str]:
        """What can be replaced: a third of the time, a third of the frame, and the order of the frames."""
        return (*TIMES, *COLUMNS, ORDER)

    def shuffled(self, part: int, rows: np.ndarray) -> Self:
        """The same clips, but with that part of the clips at `rows`; or with their own frames in another order, drawn
        for each."""
        name = self.parts()[part]
        changed = np.array(self.pixels[self.places])
        if name == ORDER:
            for place, row in enumerate(rows.tolist()):
                changed[place] = changed[place][np.random.default_rng(row).permutation(len(changed[place]))]
            return type(self).of(changed, self.channels)
        frames, _, width, _ = self.shape
        region: tuple[slice, ...] = (slice(None), third(frames, part))
        if name in COLUMNS:
            region = (slice(None), slice(None), slice(None), third(width, COLUMNS.index(name)))
        changed[region] = self.pixels[self.places[rows]][region]
        return type(self).of(changed, self.channels)
