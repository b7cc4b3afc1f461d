"""What is measured of pixels by quick ways is what the plain ones give."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.kinds import near
from deepenough.kinds.pixel_inputs import brightness, colourfulness

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_added_as_planes_are_their_mean_and_span(channels: int) -> None:
    pixels = RNG.integers(0, 256, (5, 7, 9, channels)).astype(np.uint8)
    assert np.allclose(brightness(pixels), pixels.mean(axis=3) / 255, atol=1e-6)
    spans = pixels.max(axis=3).astype(int) - pixels.min(axis=3)
    assert np.array_equal(colourfulness(pixels), spans)


@pytest.mark.parametrize("shape", [(64, 64), (17, 98), (16, 16), (9, 40), (5, 3)])
def test_a_small_picture_holds_the_mean_of_each_field(shape: tuple[int, int]) -> None:
    grey, side = RNG.random((3, *shape), dtype=np.float32), near.SIDE
    height, width = shape
    found = near.shrunk(grey)
    for row in range(side):
        for column in range(side):
            top, left = row * height // side, column * width // side
            bottom = max((row + 1) * height // side, top + 1)
            right = max((column + 1) * width // side, left + 1)
            assert np.allclose(found[:, row, column], grey[:, top:bottom, left:right].mean(axis=(1, 2)), atol=1e-5)
