"""Descriptors, held against scikit-image, which computes them picture by picture."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.kinds.image import toys
from deepenough.kinds.image.features import Descriptors, _pattern_codes, colours, gradients, patterns
from deepenough.kinds.image.inputs import Pictures

skimage = pytest.importorskip("skimage.feature")


def some(count: int = 6, height: int = 40, width: int = 56, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (count, height, width, channels)).astype(np.uint8)


@pytest.mark.parametrize(("channels", "cell"), [(1, 4), (3, 8), (3, 5)])
def test_gradients_are_those_of_scikit_image(channels: int, cell: int) -> None:
    pixels = some(channels=channels)
    axis = -1 if channels == 3 else None
    wanted = [
        skimage.hog(
            (each if channels == 3 else each[..., 0]).astype(float),
            orientations=9,
            pixels_per_cell=(cell, cell),
            cells_per_block=(2, 2),
            block_norm="L2-Hys",
            channel_axis=axis,
        )
        for each in pixels
    ]
    assert gradients(pixels, cell) == pytest.approx(np.stack(wanted), abs=1e-5)


def test_patterns_part_pixels_as_those_of_scikit_image() -> None:
    """The numbers of patterns are others; which pixels share one is the same."""
    pixels = some(channels=1)
    ours = _pattern_codes(pixels[..., 0].astype(np.float32))
    theirs = np.stack([skimage.local_binary_pattern(each[..., 0], 8, 1, "nri_uniform")[1:-1, 1:-1] for each in pixels])
    pairs = set(zip(ours.ravel().tolist(), theirs.ravel().tolist(), strict=True))
    assert len(pairs) == len(np.unique(ours)) == len(np.unique(theirs)) == 59


@pytest.mark.parametrize("describe", [gradients, colours, patterns])
def test_a_picture_alone_is_described_as_among_others(describe: object) -> None:
    pixels = some()
    whole = describe(pixels)  # type: ignore[operator]
    assert np.array_equal(whole[2:3], describe(pixels[2:3]))  # type: ignore[operator]
    assert whole.dtype == np.float32 and np.isfinite(whole).all()


def test_pictures_of_one_colour_and_very_small_ones_are_described() -> None:
    describe = Descriptors(("gradients", "colours", "patterns"))
    for pixels, channels in ((np.full((2, 24, 24, 3), 255, np.uint8), 3), (some(2, 16, 16), 3), (some(2, 16, 32), 1)):
        assert np.isfinite(describe(Pictures.of(pixels, channels))).all()


def test_many_are_described_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = toys.shapes().all_inputs
    whole = Descriptors(("gradients",))(pictures)
    portions = [Descriptors(("gradients",))(pictures.take(np.arange(start, start + 60))) for start in (0, 60, 120)]
    assert np.array_equal(whole, np.concatenate(portions))
