"""Bytes to pictures: whatever a camera, a scanner or a prankster makes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deepenough.kinds.picture_files import MOST_PIXELS, NoPicture, as_file, decoded, look, strange_ending
from tests.kinds.image.files import bomb, encoded, picture

PLAIN = decoded(encoded(picture()), 30, 40)[0]


def apart(content: bytes, height: int = 30, width: int = 40) -> float:
    """How far the decoded picture is from the plain one, on average, of 255."""
    return float(np.abs(decoded(content, height, width)[0].astype(float) - PLAIN).mean())


@pytest.mark.parametrize(
    ("form", "mode", "how", "most"),
    [
        ("PNG", "RGB", {}, 0.0),
        ("JPEG", "RGB", {"quality": 95}, 4.0),
        ("JPEG", "CMYK", {"quality": 95}, 4.0),
        ("WEBP", "RGB", {"lossless": True}, 0.5),
        ("BMP", "RGB", {}, 0.0),
        ("TIFF", "RGB", {}, 0.0),
        ("GIF", "P", {}, 0.0),
        ("PNG", "P", {}, 0.0),
        ("PNG", "RGBA", {}, 0.0),
        ("PPM", "RGB", {}, 0.0),
    ],
)
def test_every_format_and_mode_looks_the_same(form: str, mode: str, how: dict[str, Any], most: float) -> None:
    wanted = np.asarray(picture(mode=mode).convert("RGB"))  # a palette has fewer colours
    found = decoded(encoded(picture(mode=mode), form, **how), 30, 40)[0]
    assert np.abs(found.astype(float) - wanted).mean() <= most


def test_sixteen_bits_are_seen_as_eight() -> None:
    grey = np.asarray(picture(mode="L"))
    wide = Image.fromarray(grey.astype(np.uint16) * 257)
    found, seen = decoded(encoded(wide), 30, 40)
    assert np.abs(found[..., 0].astype(int) - grey).max() <= 1 and seen.is_grey


def test_the_darkest_of_sixteen_bits_stay_dark() -> None:
    for level, seen in ((250, 1), (260, 1), (65_535, 255)):
        dark = np.full((30, 40), level, dtype=np.uint16)
        assert decoded(encoded(Image.fromarray(dark)), 30, 40)[0].max() == seen
        assert decoded(as_file(dark), 30, 40)[0].max() == seen


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_sides_are_those_that_are_seen(form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    seen = look(encoded(Image.new("RGB", (60, 20)), form, exif=exif))
    assert (seen.width, seen.height) == (20, 60)


def test_pillows_pictures_of_any_mode_become_files() -> None:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16", "F", "CMYK"):
        assert decoded(as_file(Image.new(mode, (40, 30))), 30, 40)[0].shape == (30, 40, 3)


def test_what_is_see_through_lies_on_white() -> None:
    clear = picture(mode="RGBA")
    clear.putalpha(0)
    assert decoded(encoded(clear), 8, 8)[0].min() == 255


def test_pictures_stand_as_the_camera_held_them() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = picture().transpose(Image.Transpose.ROTATE_90)
    content = encoded(lying, "JPEG", quality=98, exif=exif)
    assert look(content).width == 40 and look(content).height == 30
    assert apart(content) < 4.0


def test_of_an_animation_the_first_picture_is_read() -> None:
    first, other = picture(), picture(5)
    content = encoded(first, "WEBP", save_all=True, append_images=[other], lossless=True)
    found, seen = decoded(content, 30, 40)
    assert seen.frames == 2 and np.abs(found.astype(float) - PLAIN).mean() < 0.5


def test_large_photos_and_single_pixels_are_drawn_to_the_size() -> None:
    assert apart(encoded(picture(width=4000, height=3000), "JPEG")) < 8.0
    assert decoded(encoded(picture(width=1, height=1)), 16, 16)[0].shape == (16, 16, 3)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    assert len(bomb()) < 5_000
    for reading in (look, lambda content: decoded(content, 8, 8)):
        with pytest.raises(NoPicture, match=f"more than {MOST_PIXELS // 1_000_000} million pixels"):
            reading(bomb())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture at all",
        encoded(picture(), "JPEG")[:300],
        encoded(picture())[:60],
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
    ],
    ids=["empty", "words", "half a JPEG", "half a PNG", "PostScript"],
)
def test_what_is_none_says_why(content: bytes) -> None:
    with pytest.raises(NoPicture, match=r"^\w"):
        decoded(content, 8, 8)


def test_broken_files_of_any_sort_raise_nothing_else() -> None:
    rng = np.random.default_rng(0)
    sound = [encoded(picture(), form) for form in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")]
    for number in range(300):
        content = bytearray(sound[number % len(sound)])
        for place in rng.integers(0, len(content), 20):
            content[place] = int(rng.integers(0, 256))
        try:
            decoded(bytes(content[: int(rng.integers(1, len(content)))]), 8, 8)
        except NoPicture as reason:
            assert str(reason)


def test_a_name_that_lies_is_known() -> None:
    assert (
        strange_ending("a.jpg", "PNG") and not strange_ending("a.JPEG", "JPEG") and not strange_ending("a.tif", "TIFF")
    )


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_arrays_are_pictures_too(kind: Any) -> None:
    grey = np.asarray(picture(mode="L"))
    scale = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[kind]
    found = decoded(as_file((grey * np.array(scale, dtype=kind)).astype(kind)), 30, 40)[0]
    assert np.abs(found[..., 0].astype(int) - grey).max() <= 1
    assert np.array_equal(decoded(as_file(np.asarray(picture())), 30, 40)[0], PLAIN)
    assert np.array_equal(decoded(as_file(Image.open(io.BytesIO(encoded(picture())))), 30, 40)[0], PLAIN)
    with pytest.raises(NoPicture):
        as_file(np.zeros((4, 4, 9), dtype=np.uint8))
