"""One question about clips: how many frames are read and how large, what hides parts of them, what is odd about them.

Needs that this module answers:

* Of each clip a few frames are kept, at one size; what is kept of long and of large ones is said.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from deepenough.errors import SourceError
from deepenough.judge.traits import Trait
from deepenough.kinds.copies import Copies
from deepenough.kinds.file_sources import Form
from deepenough.kinds.file_store import Decoded
from deepenough.kinds.folders import Item
from deepenough.kinds.pixel_inputs import Pixels, brightness, colourfulness
from deepenough.kinds.pixel_sizes import usual_size
from deepenough.kinds.pixel_task import PixelTask
from deepenough.kinds.video import copies, decode
from deepenough.kinds.video.inputs import Clips
from deepenough.task.rows import Asked
from deepenough.task.task import Question

LONGEST, SHORTEST = 64, 16
"""Pixels of the longer side that frames are read with, at most; and of any side, at least."""
LOOKED_AT = 100
"""Clips whose own sizes say how large all are read."""
STRIP = 4
"""Frames side by side, as which a clip is shown."""
ROWS, COLUMNS = 3, 3
"""Fields of such a frame, that are hidden one after the other to see what an answer goes by."""
SHOWN_HEIGHT = 64
SHOWN_MS = (60, 400)
"""Milliseconds that a frame of a film is shown, at least and at most: what is shorter is a flicker."""
LONG_SECONDS = 600.0
STILL = 0.002
"""Mean change from frame to frame, of the whole range, below which nothing moves."""
UNLIKE = 3.0
"""Clips of lengths so many times apart are named."""

FORM = Form(
    "clip",
    "clips",
    "video",
    decode.is_clip,
    "Where clips show faces, they are personal data. Nothing of them leaves this machine.",
)


@dataclass(frozen=True)
class ClipReader:
    """Clips as a few frames drawn to one size."""

    height: int
    width: int

    units = FORM.units
    advice = "decode smaller: --side"
    dtype = "|u1"

    @property
    def key(self) -> str:
        return f"{decode.VERSION} {decode.FRAMES} {self.height} {self.width}"

    @property
    def row(self) -> tuple[int, ...]:
        return (decode.FRAMES, self.height, self.width, 3)

    @property
    def bytes_each(self) -> int:
        return decode.FRAMES * self.height * self.width * 3

    def __call__(self, content: bytes) -> tuple[np.ndarray, dict[str, Any]]:
        pixels, seen = decode.decoded(content, self.height, self.width)
        return pixels[None], asdict(seen)


class VideoTask(PixelTask):
    """Clips and the answer to predict, made ready."""

    form: ClassVar[Form] = FORM
    inputs_class = Clips

    @classmethod
    def reader_for(cls, items: Sequence[Item], question: Question) -> ClipReader:
        return ClipReader(*size_of(items, question.options.get("side")))

    @classmethod
    def copies_of(cls, inputs: Clips, targets: np.ndarray, apart: bool) -> Copies:
        return copies.of(inputs, targets, apart)

    def read_as(self) -> Mapping[str, Any]:
        frames, height, width, channels = self.all_inputs.shape
        return {"frames": frames, "height": height, "width": width, "channels": channels}

    def show(self, fold: int, places: np.ndarray) -> Sequence[Mapping[str, Any]]:
        """Each as a strip of frames from its beginning to its end, and as a film of all frames that are read."""
        judged = self.splits.folds[fold].judged[places]
        pixels = self.all_inputs.take(judged).read()
        seconds = self.decoded.each("seconds")[self.order[judged]].tolist()
        return [
            {
                "form": "picture",
                "name": self.names[row],
                "picture": _coded(strip(each)),
                "film": _coded(film(each, lasts)),
            }
            for row, each, lasts in zip(judged.tolist(), pixels, seconds, strict=True)
        ]

    def occluded(self, units: Sequence[tuple[int, int]]) -> tuple[Any, tuple[int, int]] | None:
        """Each field in turn of its mean colour, as the fields lie on the strip that is shown: from left to right the
        time, and within each stretch of it the frame."""
        rows = np.array([self.splits.folds[fold].judged[place] for fold, place in units], dtype=np.int64)
        some = self.all_inputs.take(rows)
        frames, height, width, channels = some.shape
        fields = ROWS * STRIP * COLUMNS
        hidden = np.repeat(np.array(some.pixels[some.places]), fields, axis=0)
        for number in range(len(hidden)):
            row, across = divmod(number % fields, STRIP * COLUMNS)
            time, column = divmod(across, COLUMNS)
            region = (
                slice(time * frames // STRIP, (time + 1) * frames // STRIP),
                slice(row * height // ROWS, (row + 1) * height // ROWS),
                slice(column * width // COLUMNS, (column + 1) * width // COLUMNS),
            )
            hidden[number][region] = hidden[number].mean(axis=(0, 1, 2))
        return Clips.of(hidden, channels), (ROWS, STRIP * COLUMNS)

    def traits_of(self) -> Sequence[Trait]:
        moves, light, spread, detail, colour = measured(self.all_inputs).T
        of_file = [
            Trait(name, self.decoded.each(fact)[self.order].astype(np.float64))
            for name, fact in (("seconds", "seconds"), ("width", "width"), ("height", "height"))
        ]
        of_frames = (("motion", moves), ("brightness", light), ("contrast", spread), ("detail", detail))
        found = (*(Trait(name, values) for name, values in of_frames), *of_file)
        return (*found, Trait("colour", colour)) if self.all_inputs.channels == 3 else found

    @classmethod
    def say_what_is_odd(cls, inputs: Clips, names: Sequence[str], decoded: Decoded, asked: Asked) -> None:
        _say_what_is_odd(inputs, decoded, asked)


def measured(clips: Pixels) -> np.ndarray:
    """Of each clip motion (mean change from frame to frame), brightness, contrast, detail and colourfulness, from 0 to
    about 1; float64, shape (n, 5)."""
    found = []
    for portion in clips.portions():
        grey = brightness(portion)
        moves, across, down = (np.abs(np.diff(grey, axis=axis)).mean(axis=(1, 2, 3)) for axis in (1, 3, 2))
        moves = np.nan_to_num(moves) if grey.shape[1] > 1 else np.zeros(len(grey), dtype=np.float32)
        colour = colourfulness(portion).mean(axis=(1, 2, 3)) / 255
        spread = grey.std(axis=(2, 3)).mean(axis=1)
        found.append(np.stack([moves, grey.mean(axis=(1, 2, 3)), spread, across + down, colour], axis=1))
    return np.concatenate(found).astype(np.float64)


def _coded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def film(pixels: np.ndarray, seconds: float) -> bytes:
    """All frames one after the other, again and again, as an animated WebP.

    pixels: uint8, shape (frames, height, width, channels). seconds: that the clip lasts; its film lasts as long, within
    `SHOWN_MS` a frame.
    """
    from PIL import Image

    frames = [Image.fromarray(frame[..., 0] if frame.shape[2] == 1 else frame).convert("RGB") for frame in pixels]
    each = round(min(max(1000 * seconds / len(frames), SHOWN_MS[0]), SHOWN_MS[1]))
    content = io.BytesIO()
    frames[0].save(
        content, "WEBP", save_all=True, append_images=frames[1:], duration=each, loop=0, quality=50, method=4
    )
    return content.getvalue()


def strip(pixels: np.ndarray) -> bytes:
    """Frames side by side, each from the middle of its stretch of the time, as a PNG.

    pixels: uint8, shape (frames, height, width, channels).
    """
    from PIL import Image

    frames = [pixels[int((place + 0.5) / STRIP * len(pixels))] for place in range(STRIP)]
    wide = np.concatenate(frames, axis=1)
    image = Image.fromarray(wide[..., 0] if wide.shape[2] == 1 else wide)
    image.thumbnail((image.width, SHOWN_HEIGHT))
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return content.getvalue()


def size_of(items: Sequence[Item], side: int | None) -> tuple[int, int]:
    """Height and width that frames are read with: of the clips' usual shape and size, no longer than `LONGEST`.

    side: the longer side that a person asked for.
    """
    sizes = []
    for item in items[:: max(1, len(items) // LOOKED_AT)]:
        try:
            sizes.append(decode.look(item.read()))
        except (decode.NoClip, OSError, SourceError):
            continue
    return usual_size(np.array(sizes), side, LONGEST, SHORTEST, 3 * decode.FRAMES * len(items))


def _say_what_is_odd(clips: Clips, decoded: Decoded, asked: Asked) -> None:
    notes = asked.found.notes
    frames, height, width, channels = clips.shape
    usual = np.median(np.stack([decoded.each("width"), decoded.each("height")], axis=1), axis=0)
    colour = "in colour" if channels == 3 else "in grey, for none has colour"
    smaller = usual.max() > max(height, width)
    larger = f" (half of them have {usual[0]:,.0f} x {usual[1]:,.0f} or more)" if smaller else ""
    notes.append(
        f"Of each clip {frames} frames are read, evenly spread over it, at {width} x {height} pixels{larger}, "
        f"{colour}; --side asks for more or fewer pixels."
    )
    seconds, counts = decoded.each("seconds").astype(np.float64), decoded.each("frames")
    if seconds.max() > UNLIKE * max(seconds.min(), 1e-3):
        notes.append(
            f"Clips last from {seconds.min():.3g} to {seconds.max():.3g} seconds, half of them "
            f"{np.median(seconds):.3g} or less: the same motion looks faster in a longer one, whose frames lie further "
            "apart."
        )
    long = int((seconds > LONG_SECONDS).sum())
    if long:
        notes.append(
            f"{long:,} clips last more than {LONG_SECONDS / 60:.0f} minutes: what happens between the frames that "
            "are read is not seen. Cut them into shorter ones."
        )
    if counts.min() == 1:
        notes.append(f"{int((counts == 1).sum()):,} clips hold one frame only; it is read again and again.")
    sounding = int(decoded.each("has_sound").sum())
    if sounding:
        notes.append(f"{sounding:,} clips have sound, which is not used.")
    moves, _, spread, _, _ = measured(clips).T
    if (moves < STILL).any():
        notes.append(f"In {int((moves < STILL).sum()):,} clips next to nothing moves.")
    empty = (spread < 0.004) & (moves < STILL)
    if empty.mean() > 0.5:
        said = f"{int(empty.sum()):,} of {len(clips):,} clips show one colour throughout"
        asked.found.flag("empty", "distrust", said)
