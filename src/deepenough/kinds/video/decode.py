"""Bytes of a file to a few small frames, or the reason why there are none.

Needs that this module answers:

* A file is what its first bytes say, whatever its name; only containers that hold plain clips are opened, none that
  names other files or addresses (playlists).
* A frame is drawn as soon as it is there, so a long clip takes no more memory than a short one; of many frames only the
  stretches that lead to a wanted one are unpacked.
* Nothing is unpacked before its size is known, and no clip takes for ever.
* Frames are what is seen at moments evenly spread over the clip, whatever its rate; turned as the camera says.
"""

from __future__ import annotations

import bisect
import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from deepenough.kinds.file_store import Unusable

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

VERSION = 1
"""Of how clips are decoded; another one decodes anew."""
NEEDS = ("av",)
"""What reading clips takes, whoever learns from them."""
FRAMES = 16
"""Of a clip, that are kept."""
ENDINGS = {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ogv", ".wmv", ".flv", ".3gp"}
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,ogg,flv,asf"
"""Containers that are opened, as FFmpeg calls them."""
MOST_BYTES = 500_000_000
MOST_PIXELS = 40_000_000
"""Of a frame; 8K has 33 million."""
MOST_UNPACKED = 75_000_000_000
"""Pixels of a clip that are unpacked on the way to its frames, at most: 20 minutes of 1080p at 30 frames a second."""
MOST_FRAMES = 5_000_000
"""Of a clip, packed; two days of 30 a second."""
USUAL_RATE = 25.0
"""Frames per second, where a file doesn't say."""
MANY = 300
"""Frames from which on stretches are skipped that lead to no wanted one."""
BREAKS_OFF = 0.8
"""A clip of which less is there than that share of what its head says is broken."""
GREY = 3
"""How far apart the colours of a pixel of a grey clip may lie, of 255."""


class NoClip(Unusable):
    """The bytes are no clip that can be used; the message says why, as a clause."""


@dataclass(frozen=True)
class Seen:
    """What is known of a clip. width, height: of a frame as it is seen, in pixels. rate: frames per second."""

    width: int
    height: int
    seconds: float
    rate: float
    frames: int
    codec: str
    has_sound: bool
    is_grey: bool


@dataclass(frozen=True)
class _Packets:
    """Of a stream. times: when each is seen, ascending, in the stream's own unit; keys: those at which it can be
    entered. All are None where the file doesn't say them."""

    count: int
    times: list[int] | None
    keys: list[int]

    @property
    def step(self) -> float:
        """The usual time between two frames."""
        if self.times is None or len(self.times) < 2:
            return 1.0
        return max(1e-9, float(np.median(np.diff(self.times))))

    @property
    def span(self) -> float:
        """From the first frame's beginning to the last one's end."""
        return float(self.count) if self.times is None else self.times[-1] - self.times[0] + self.step


def is_clip(name: PurePath) -> bool:
    """Whether a file is one by its ending; what is hidden is none."""
    from deepenough.kinds.folders import is_hidden

    return name.suffix.lower() in ENDINGS and not is_hidden(name)


def look(content: bytes) -> tuple[int, int]:
    """Height and width of the first frame as it is seen. Raises NoClip where there is none, or one too large."""
    with _opened(content) as (container, stream):
        return _sides(_first(_Frames(container, stream, False, 0)), stream)


def decoded(content: bytes, height: int, width: int, count: int = FRAMES) -> tuple[np.ndarray, Seen]:
    """So many frames drawn to this size, uint8, shape (count, height, width, 3), and what is known of the clip.

    Each is what is seen in the middle of its part of the clip; a clip of fewer frames shows some of them again. Raises
    NoClip.
    """
    with _opened(content) as (container, stream):
        packets = _looked_through(container, stream)
        has_sound = bool(container.streams.audio)
    with _opened(content) as (container, stream):
        sides, pixels = _wanted(container, stream, packets, (count, height, width))
        seconds = _seconds(packets, stream)
        codec = stream.codec_context.name
    apart = pixels.max(axis=3).astype(np.int16) - pixels.min(axis=3)
    seen = Seen(
        sides[1],
        sides[0],
        round(seconds, 3),
        round(packets.count / seconds, 3),
        packets.count,
        codec,
        has_sound,
        bool(apart.max() <= GREY),
    )
    return pixels, seen


def _seconds(packets: _Packets, stream: VideoStream) -> float:
    """By the times of its frames, or by their number where the file says no times."""
    told = packets.span * float(stream.time_base or 1) if packets.times is not None and packets.count > 1 else 0.0
    return told if told >= 1e-3 else packets.count / (float(stream.average_rate or 0) or USUAL_RATE)


@contextlib.contextmanager
def _opened(content: bytes) -> Iterator[tuple[InputContainer, VideoStream]]:
    import av

    if not content:
        raise NoClip("it is empty")
    if len(content) > MOST_BYTES:
        raise NoClip(f"its file is larger than {MOST_BYTES // 1_000_000} MB")
    container: Any  # what is opened to be read is no other container
    only = {"format_whitelist": FORMATS, "protocol_whitelist": "none"}
    try:
        container = av.open(io.BytesIO(content), options=only, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise NoClip(f"its bytes are no clip of a format that is read, or break off ({_said(error)})") from error
    with container:
        yield container, _stream(container)


def _stream(container: InputContainer) -> VideoStream:
    """The first stream of frames that is no cover of a record."""
    import av

    covers = av.stream.Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & covers]
    if not streams:
        raise NoClip("it holds no frames, only sound" if container.streams.audio else "it holds no frames")
    stream = streams[0]
    context: Any = stream.codec_context  # None where no decoder is there, whatever its type says
    if context is None or context.codec is None:
        raise NoClip("its frames are packed in a way (codec) that is not read")
    if context.width * context.height > MOST_PIXELS:
        raise NoClip(_TOO_LARGE)
    context.thread_count = 1  # files are read side by side
    context.options = {"max_pixels": str(MOST_PIXELS)}
    return stream


_TOO_LARGE = f"a frame would unpack to more than {MOST_PIXELS // 1_000_000} million pixels"


def _looked_through(container: InputContainer, stream: VideoStream) -> _Packets:
    """What the stream holds, without unpacking it. Raises NoClip where it breaks off."""
    import av

    times: list[int | None] = []
    keys: list[int] = []
    with contextlib.suppress(av.error.FFmpegError):  # what is there is there
        for packet in container.demux(stream):
            if packet.size:
                when = packet.pts if packet.pts is not None else packet.dts
                times.append(when)
                if packet.is_keyframe and when is not None:
                    keys.append(when)
            if len(times) > MOST_FRAMES:
                raise NoClip(f"it holds more than {MOST_FRAMES // 1_000_000} million frames")
    if not times:
        raise NoClip("it holds no frames")
    known = sorted(when for when in times if when is not None)
    packets = _Packets(len(times), known if len(known) == len(times) else None, sorted(keys))
    _refuse_broken(container, stream, packets)
    return packets


def _refuse_broken(container: InputContainer, stream: VideoStream, packets: _Packets) -> None:
    if packets.count < BREAKS_OFF * (stream.frames or 0):
        raise NoClip(f"it breaks off after {packets.count:,} of {stream.frames:,} frames")
    said, unit = stream.duration, float(stream.time_base or 1)
    whole = float(said) * unit if said else 0.0
    if not said and container.duration and not container.streams.audio:  # sound may last longer than what is seen
        whole = container.duration / 1_000_000
    there = packets.span * unit
    lasting = packets.count > 1 or whole * float(stream.average_rate or 0) > 2  # a frame alone may be all there is
    if packets.times is not None and lasting and there < BREAKS_OFF * whole:
        raise NoClip(f"it breaks off after {there:.1f} of {whole:.1f} seconds")


class _Frames:
    """Frames in the order in which they are seen; broken ones are left out.

    timed: whether the file says when each is seen; else they are counted from `start`, in the stream's own unit.
    reason: why the last broken one was none.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, timed: bool, start: float) -> None:
        self.container, self.stream, self.timed, self.start = container, stream, timed, start
        self.unpacked, self.number, self.reason = 0, 0, "it holds no frames"
        self._coming = self._read()

    def next(self) -> VideoFrame | None:
        """The next one; None at the end. Raises NoClip where it is too large, or too much was unpacked."""
        return next(self._coming, None)

    def when(self, frame: VideoFrame) -> float:
        """When it is seen; by its number where the file doesn't say."""
        return frame.pts if self.timed and frame.pts is not None else self.start + self.number - 1

    def enter(self, moment: int) -> None:
        """Go on there, which is a place where the stream can be entered; stay where the file can't be searched."""
        import av

        with contextlib.suppress(av.error.FFmpegError, OSError):
            self.container.seek(moment, stream=self.stream)
            self._coming = self._read()

    def _read(self) -> Iterator[VideoFrame]:
        import av

        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError):
                return
            try:
                frames: Any = packet.decode()
            except av.error.FFmpegError as error:
                self.reason = f"it can't be unpacked ({_said(error)})"
                continue
            for frame in frames:
                self.number += 1
                self.unpacked += frame.width * frame.height
                if frame.width * frame.height > MOST_PIXELS:
                    raise NoClip(_TOO_LARGE)
                if self.unpacked > MOST_UNPACKED:
                    raise NoClip("its frames can't be reached in time: it is long, and can be entered at few places")
                yield frame


def _first(frames: _Frames) -> VideoFrame:
    frame = frames.next()
    if frame is None:
        raise NoClip(frames.reason)
    return frame


def _wanted(
    container: InputContainer, stream: VideoStream, packets: _Packets, shape: tuple[int, int, int]
) -> tuple[tuple[int, int], np.ndarray]:
    """Sides of the first frame as it is seen, and those at so many moments, drawn. shape: frames, height, width."""
    from av.video.reformatter import VideoReformatter

    by = VideoReformatter()
    count, height, width = shape
    start = 0 if packets.times is None else packets.times[0]
    frames = _Frames(container, stream, packets.times is not None, start)
    skips = packets.count > MANY and packets.times is not None
    before: VideoFrame | None = None
    ahead: VideoFrame | None = _first(frames)
    assert ahead is not None
    sides, last = _sides(ahead, stream), ahead
    drawn: list[np.ndarray] = []
    newest: VideoFrame | None = None
    for place in range(count):
        moment = start + (place + 0.5) / count * packets.span
        entry = bisect.bisect_right(packets.keys, moment) - 1
        if skips and ahead is not None and entry >= 0 and packets.keys[entry] > frames.when(ahead):
            frames.enter(packets.keys[entry])
            before, ahead = None, frames.next()
        while ahead is not None and frames.when(ahead) <= moment:
            before, ahead = ahead, frames.next()
        last = before or ahead or last
        drawn.append(drawn[-1] if newest is last else _drawn(last, height, width, by))
        newest = last
    return sides, np.stack(drawn)


def _quarters(frame: VideoFrame) -> int:
    """By how many quarters of a turn, counterclockwise, it must be turned to be seen upright."""
    return round(frame.rotation / 90) % 4


def _sides(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Height and width as they are seen: pixels need not be square, and the camera may have lain on its side."""
    shape = float(stream.sample_aspect_ratio or 1)
    height, width = frame.height, max(1, round(frame.width * (shape if 0.2 < shape < 5 else 1.0)))
    return (width, height) if _quarters(frame) % 2 else (height, width)


def _drawn(frame: VideoFrame, height: int, width: int, by: VideoReformatter) -> np.ndarray:
    """uint8, shape (height, width, 3). by: made once a clip, for making it takes longer than drawing."""
    turns = _quarters(frame)
    rows, columns = (width, height) if turns % 2 else (height, width)
    try:
        small = by.reformat(frame, width=columns, height=rows, format="rgb24", interpolation="AREA").to_ndarray()
    except (OSError, ValueError, RuntimeError) as error:
        raise NoClip(f"its frames can't be drawn ({_said(error)})") from error
    return np.asarray(np.rot90(small, turns) if turns else small)


def _said(error: BaseException) -> str:
    said = str(getattr(error, "strerror", "") or error).rstrip(".")
    return (said[:1].lower() + said[1:] or type(error).__name__)[:120]


def as_file(given: np.ndarray, rate: int = 10) -> bytes:
    """Frames as the bytes of a file, without loss. Raises NoClip for what is no clip.

    given: shape (frames, height, width) or (frames, height, width, 1 or 3): uint8, larger whole numbers (16 bits), or
    floats from 0 to 1. rate: frames per second.
    """
    frames = given[..., 0] if given.ndim == 4 and given.shape[3] == 1 else given
    frames = np.repeat(frames[..., None], 3, axis=3) if frames.ndim == 3 else frames
    if frames.ndim != 4 or frames.shape[3] != 3 or not frames.size:
        raise NoClip(f"an array of shape {given.shape} holds no frames")
    return packed(_of_eight_bits(frames), "avi", "ffv1", "bgr0", rate)


def packed(frames: np.ndarray, container: str, codec: str, form: str, rate: int = 10, **how: str) -> bytes:
    """Frames, uint8, shape (frames, height, width, 3), as the bytes of a file. form, how: of the codec's pixels, and
    its options."""
    import av

    content = io.BytesIO()
    try:
        with av.open(content, "w", format=container) as file:
            stream: Any = file.add_stream(codec, rate=rate, options=how)
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt = form
            for pixels in frames:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise NoClip(f"it can't be packed ({_said(error)})") from error
    return content.getvalue()


def _of_eight_bits(values: np.ndarray) -> np.ndarray:
    """Numbers of 16 bits, or from 0 to 1, as 0 to 255."""
    if values.dtype == np.uint8:
        return values
    numbers = np.nan_to_num(values.astype(np.float64))
    numbers = numbers * 255 if values.dtype.kind == "f" and numbers.max() <= 1 else numbers
    numbers = numbers / 257 if numbers.max() > 255 else numbers
    return np.clip(np.round(numbers), 0, 255).astype(np.uint8)
