"""Bytes of a file to a small picture, or the reason why there is none.

Needs that this module answers:

* A file is what its first bytes say, whatever its name; only formats that hold plain pictures are read.
* Nothing is unpacked before its size is known: a picture of more pixels than any camera takes is refused unseen.
* Turned as the camera says (EXIF), on white where it is see-through, 16 bits and CMYK as a person sees them, the first
  picture of an animation. A large photo costs little more than what is kept of it.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from deepenough.kinds.file_store import Unusable

if TYPE_CHECKING:
    from PIL import Image

VERSION = 2
"""Of how pictures are decoded; another one decodes anew."""
NEEDS = ("pillow",)
"""What reading pictures takes, whoever learns from them."""
ENDINGS = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"),
    *(".avif", ".heic", ".heif"),
}
"""Names that pictures have. What can't be read after all (HEIC) is set aside by name."""
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
"""What is opened: no format that runs code, or another program."""
MOST_PIXELS = 178_000_000
"""What Pillow refuses as well; the largest cameras take 150 million."""
MOST_BYTES = 500_000_000
_TOO_LARGE = f"it would unpack to more than {MOST_PIXELS // 1_000_000} million pixels, as no photo does"
_one_at_a_time = threading.Lock()
"""What is warned of is a matter of the whole process, and pictures are decoded by several threads."""
_ENDINGS_OF = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".jpg", ".jpeg", ".mpo"),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm"),
}


class NoPicture(Unusable):
    """The bytes are no picture that can be used; the message says why, as a clause."""


@dataclass(frozen=True)
class Seen:
    """What is known of a picture before it is unpacked. turned: by the camera's word, sides are already as seen."""

    width: int
    height: int
    format: str
    is_grey: bool
    frames: int
    turned: bool


def is_picture(name: PurePath) -> bool:
    """Whether a file is one by its ending; what is hidden is none."""
    from deepenough.kinds.folders import is_hidden

    return name.suffix.lower() in ENDINGS and not is_hidden(name)


def look(content: bytes) -> Seen:
    """What the first bytes say. Raises NoPicture where they are none, or one that is too large."""
    with _opened(content) as image:
        return _seen(image)


def decoded(content: bytes, height: int, width: int) -> tuple[np.ndarray, Seen]:
    """The picture drawn to this size, uint8, shape (height, width, 3), and what is known of it. Raises NoPicture."""
    from PIL import Image, ImageOps

    with _opened(content) as opened:
        seen = _seen(opened)
        try:
            if opened.format == "JPEG" and not seen.turned:
                opened.draft("RGB", (2 * width, 2 * height))  # unpacks no more than a half, a quarter, an eighth of it
            image = ImageOps.exif_transpose(opened)
            image = _as_seen(image)
            small = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
        except _BROKEN as error:
            raise NoPicture(_why(error)) from error
    return np.asarray(small, dtype=np.uint8), seen


def strange_ending(name: str, format: str) -> bool:
    """Whether a file is named as another format than it has."""
    usual = _ENDINGS_OF.get(format, (f".{format.lower()}",))
    return PurePath(name).suffix.lower() not in usual


def _opened(content: bytes) -> Image.Image:
    from PIL import Image

    if not content:
        raise NoPicture("it is empty")
    if len(content) > MOST_BYTES:
        raise NoPicture(f"its file is larger than {MOST_BYTES // 1_000_000} MB")
    try:
        with _one_at_a_time:
            warnings.filterwarnings("ignore", module=r"PIL\.")  # what is odd about a file is said by its name
        image = Image.open(io.BytesIO(content), formats=_formats())
    except Image.DecompressionBombError as error:
        raise NoPicture(_TOO_LARGE) from error
    except _BROKEN as error:
        raise NoPicture(_why(error)) from error
    if image.width * image.height > MOST_PIXELS:
        raise NoPicture(_TOO_LARGE)
    if not image.width or not image.height:
        raise NoPicture("it has no pixels")
    return image


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow reads."""
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _seen(image: Image.Image) -> Seen:
    from PIL import ExifTags

    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        frames = int(getattr(image, "n_frames", 1))
    except _BROKEN:
        orientation, frames = 1, 1  # the picture itself may be sound
    turned = orientation in range(2, 9)
    written = getattr(image, "tag_v2", {}).get(ExifTags.Base.ImageWidth, image.width)
    lies = orientation in range(5, 9) and written == image.width  # of a TIFF Pillow gives the sides as they are seen
    width, height = (image.height, image.width) if lies else image.size
    is_grey = image.mode in ("1", "L", "LA", "I", "F") or image.mode.startswith("I;16")
    return Seen(width, height, str(image.format), is_grey, frames, turned)


def _as_seen(image: Image.Image) -> Image.Image:
    """In red, green and blue of 8 bits, as a person sees it."""
    from PIL import Image

    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        whole = image.mode.startswith("I;16")
        return Image.fromarray(_of_eight_bits(np.asarray(image), whole)).convert("RGB")
    if image.mode in ("P", "PA", "LA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        clear = image.convert("RGBA")
        white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, clear).convert("RGB")
    return image.convert("RGB")


def _of_eight_bits(values: np.ndarray, of_sixteen: bool) -> np.ndarray:
    """Numbers of 16 bits, or of any range, as 0 to 255. of_sixteen: whether their range is known, for the darkest
    pictures of 16 bits hold no number that 8 bits could not."""
    numbers = np.nan_to_num(values.astype(np.float64))
    low, high = float(numbers.min()), float(numbers.max())
    if low < 0 or high > 65_535:
        numbers = (numbers - low) / max(high - low, 1e-12) * 255
    elif values.dtype.kind == "f" and high <= 1:
        numbers = numbers * 255
    elif of_sixteen or high > 255:
        numbers = numbers / 257
    return np.clip(np.round(numbers), 0, 255).astype(np.uint8)


_BROKEN: tuple[type[BaseException], ...] = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    OverflowError,
    IndexError,
    KeyError,
    TypeError,
)
_BROKEN = (*_BROKEN, struct.error, zlib.error, MemoryError, RuntimeError, AttributeError)
"""What Pillow raises of broken files of its formats."""


def _why(error: BaseException) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "its bytes are no picture of a format that is read"
    said = str(error).rstrip(".")
    return f"it can't be unpacked ({said or type(error).__name__})"[:200]


def as_file(given: Any) -> bytes:
    """An array or a Pillow image as the bytes of a file, without loss. Raises NoPicture for what is no picture.

    given: an array of shape (height, width) or (height, width, 1, 3 or 4): uint8, larger whole numbers, or floats from
    0 to 1.
    """
    from PIL import Image

    content = io.BytesIO()
    try:
        if isinstance(given, np.ndarray):
            array = given[..., 0] if given.ndim == 3 and given.shape[2] == 1 else given
            given = Image.fromarray(
                array if array.dtype == np.uint8 else _of_eight_bits(array, array.dtype == np.uint16)
            )
        form = "PNG" if given.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else "TIFF"
        given.save(content, form, **({"compress_level": 1} if form == "PNG" else {}))
    except _BROKEN as error:
        raise NoPicture(_why(error)) from error
    return content.getvalue()
