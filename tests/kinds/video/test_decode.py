"""Bytes to a few frames: whatever a phone, a camera or a prankster makes."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import PurePath
from typing import Any

import numpy as np
import pytest

from deepenough.kinds.video import decode
from deepenough.kinds.video.decode import FRAMES, NoClip, as_file, decoded, is_clip, look
from tests.kinds.video.files import FORMS, moving, packed, with_sound

av = pytest.importorskip("av")


def wanted(frames: np.ndarray) -> np.ndarray:
    """Those in the middle of each sixteenth."""
    return frames[[int((place + 0.5) / FRAMES * len(frames)) for place in range(FRAMES)]]


def apart(found: np.ndarray, others: np.ndarray) -> float:
    return float(np.abs(found.astype(float) - others).mean())


@pytest.mark.parametrize("form", FORMS, ids=[f"{container} {codec}" for container, codec, _ in FORMS])
def test_every_container_shows_the_same_frames(form: tuple[str, str, str]) -> None:
    found, seen = decoded(packed(form=form, b="3000000"), 48, 64)
    assert apart(found, wanted(moving())) < 5.0
    nearest = [int(np.argmin([apart(frame, each) for each in moving()])) for frame in found]
    assert nearest == [int((place + 0.5) * 2.5) for place in range(FRAMES)], "each from the middle of its sixteenth"
    assert (seen.width, seen.height, seen.frames, seen.has_sound, seen.is_grey) == (64, 48, 40, False, False)
    assert seen.seconds == pytest.approx(1.6, abs=0.05) and seen.rate == pytest.approx(25, abs=1)


def test_arrays_are_clips_too_and_lose_nothing() -> None:
    for frames in (moving(16), moving(16)[..., :1].repeat(3, axis=3)):
        assert np.array_equal(decoded(as_file(frames), 48, 64)[0], frames)
    grey = moving(16)[..., 0]
    for given in (grey, grey[..., None], grey.astype(np.uint16) * 257, grey.astype(np.float32) / 255):
        found, seen = decoded(as_file(given), 48, 64)
        assert seen.is_grey and np.array_equal(found[..., 0], grey)
    for broken in (np.zeros((2, 4, 4, 5), np.uint8), np.zeros((0, 4, 4), np.uint8), np.zeros((4, 4), np.uint8)):
        with pytest.raises(NoClip, match="holds no frames"):
            as_file(broken)


def test_frames_are_spread_over_the_time_and_not_over_their_number() -> None:
    """Half of the clip's time shows dark frames, one a second; the other half bright ones, ten a second."""
    content = io.BytesIO()
    with av.open(content, "w", format="matroska") as file:
        stream: Any = file.add_stream("ffv1", rate=10)
        stream.height, stream.width, stream.pix_fmt = 16, 16, "bgr0"
        for moment in [*range(0, 40, 10), *range(40, 80)]:
            shade = np.full((16, 16, 3), 200 if moment >= 40 else 20, np.uint8)
            frame = av.VideoFrame.from_ndarray(shade, format="rgb24")
            frame.pts, frame.time_base = moment, Fraction(1, 10)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    found, seen = decoded(content.getvalue(), 16, 16)
    assert seen.frames == 44 and (found.mean(axis=(1, 2, 3)) < 100).tolist() == [True] * 8 + [False] * 8


def test_of_many_frames_only_stretches_are_unpacked_and_the_same_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shades = np.linspace(0, 255, 1200).astype(np.uint8)[:, None, None, None]
    frames = np.broadcast_to(shades, (1200, 32, 32, 3))
    for container, codec in (("mp4", "libx264"), ("matroska", "libx264"), ("webm", "libvpx"), ("avi", "mpeg4")):
        content = packed(frames, (container, codec, "yuv420p"), g="30")
        counted: list[int] = []
        whole = decode._Frames._read

        def read(self: Any, whole: Any = whole, counted: list[int] = counted) -> Any:
            for frame in whole(self):
                counted.append(1)
                yield frame

        monkeypatch.setattr(decode._Frames, "_read", read)
        skipped = decoded(content, 16, 16)[0]
        few = len(counted)
        monkeypatch.setattr(decode, "MANY", 10**9)
        every = decoded(content, 16, 16)[0]
        monkeypatch.undo()
        assert few < 600 < len(counted) - few, container
        assert apart(skipped, every) < 1.5, container


def test_a_clip_of_one_frame_shows_it_again_and_again() -> None:
    found, seen = decoded(packed(moving(1)), 48, 64)
    assert seen.frames == 1 and (found == found[:1]).all() and apart(found[0], moving(1)[0]) < 4
    few = decoded(packed(moving(4, step=10)), 48, 64)[0]
    assert len(np.unique(few.reshape(FRAMES, 48 * 64 * 3), axis=0)) == 4


@pytest.mark.parametrize("turned", [90, -90, 180])
def test_clips_stand_as_the_camera_held_them(turned: int) -> None:
    """The camera says by how much to turn what it filmed."""
    upright = moving(20)
    lying = np.rot90(upright, -turned // 90, axes=(1, 2))
    content = with_sound(np.ascontiguousarray(lying), turned=turned)
    assert look(content) == (48, 64)
    found, seen = decoded(content, 48, 64)
    assert (seen.width, seen.height, seen.has_sound) == (64, 48, True)
    assert apart(found, wanted(upright)) < 6.0


def test_frames_that_change_their_size_are_drawn_alike() -> None:
    """Two streams of MPEG-1 one after the other, as some recorders write."""
    form = ("mpeg1video", "mpeg1video", "yuv420p")
    content = packed(moving(20), form) + packed(moving(20, 96, 128, step=2.0), form)
    found, seen = decoded(content, 24, 32)
    assert found.shape == (FRAMES, 24, 32, 3) and seen.frames == 40
    assert found[-1].std() > 20, "the larger ones are seen too"


def test_a_file_of_sound_alone_says_so() -> None:
    with pytest.raises(NoClip, match="only sound"):
        decoded(with_sound(moving(2), only=True), 16, 16)


def test_a_codec_that_is_not_read_says_so() -> None:
    content = packed(moving(4), FORMS[2]).replace(b"MJPG", b"XQ71").replace(b"mjpg", b"xq71")
    with pytest.raises(NoClip, match=r"\(codec\) that is not read"):
        decoded(content, 16, 16)


SOUND = {container: packed(form=(container, codec, form)) for container, codec, form in FORMS}
BROKEN = {
    "empty": b"",
    "words": b"no clip at all " * 40,
    "a picture": b"\x89PNG\r\n\x1a\n" + b"\0" * 400,
    "half an MP4": SOUND["mp4"][: len(SOUND["mp4"]) // 2],
    "half a Matroska": SOUND["matroska"][: len(SOUND["matroska"]) // 2],
    "half a WebM": SOUND["webm"][: len(SOUND["webm"]) // 2],
    "half an FLV": SOUND["flv"][: len(SOUND["flv"]) // 2],
    "a head alone": SOUND["mp4"][:200],
    "a list of other files": b"ffconcat version 1.0\nfile '/etc/hostname'\n",
    "a list of addresses": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=list(BROKEN))
def test_what_is_none_says_why(content: bytes) -> None:
    for reading in (look, lambda content: decoded(content, 16, 16)):
        try:
            reading(content)
        except NoClip as reason:
            assert str(reason)[0].islower() and not str(reason).endswith("."), "a clause"
        else:
            assert reading is look, "a half may show its first frame"


def test_a_clip_that_breaks_off_is_named_with_how_much_is_there() -> None:
    with pytest.raises(NoClip, match=r"breaks off after 0\.\d of 1\.6 seconds"):
        decoded(BROKEN["half a WebM"], 16, 16)
    whole = SOUND["avi"]
    with pytest.raises(NoClip, match=r"breaks off after 2\d of 40 frames"):
        decoded(whole[: len(whole) * 7 // 10], 16, 16)


def test_what_is_too_large_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MOST_PIXELS", 64 * 48 - 1)
    monkeypatch.setattr(decode._Frames, "_read", lambda self: pytest.fail("unpacked"))
    for reading in (look, lambda content: decoded(content, 16, 16)):
        with pytest.raises(NoClip, match="a frame would unpack to more than"):
            reading(packed())
    monkeypatch.setattr(decode, "MOST_BYTES", 1_000)
    with pytest.raises(NoClip, match="file is larger than"):
        decoded(packed(), 16, 16)


def test_a_clip_that_would_take_for_ever_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MOST_UNPACKED", 20 * 64 * 48)
    with pytest.raises(NoClip, match="can't be reached in time"):
        decoded(packed(), 16, 16)


def test_broken_files_of_any_sort_raise_nothing_else() -> None:
    rng = np.random.default_rng(0)
    sound = list(SOUND.values())
    for number in range(150):
        content = bytearray(sound[number % len(sound)])
        for place in rng.integers(0, len(content), 20):
            content[place] = int(rng.integers(0, 256))
        cut = len(content) if number % 3 else int(rng.integers(1, len(content)))
        try:
            assert decoded(bytes(content[:cut]), 8, 8)[0].shape == (FRAMES, 8, 8, 3)
        except NoClip as reason:
            assert str(reason)


def test_clips_are_known_by_their_endings() -> None:
    for name in ("a.mp4", "b.MOV", "c.webm", "d.mkv", "e.avi"):
        assert is_clip(PurePath(name)), name
    for name in (".a.mp4", "a.gif", "a.png", "a.txt", "__MACOSX/a.mp4"):
        assert not is_clip(PurePath(name)), name
