"""Files to what is heard: all formats, rates and channels alike; what can't be used says why."""

from __future__ import annotations

from pathlib import PurePath

import numpy as np
import pytest

from deepenough.kinds.audio.decode import (
    BANDS,
    LOWEST,
    POINTS,
    RATE,
    STEP,
    WINDOW,
    NoSound,
    as_file,
    centres,
    decoded,
    heard,
    is_recording,
    length_of,
    samples_of,
)
from tests.kinds.audio.files import encoded, tone


def test_what_is_heard_is_the_power_in_bands_of_tones() -> None:
    """Held against the definition, written slowly: a Fourier sum a step, triangles between points of the mel scale."""
    sound = tone(900, 0.1).astype(np.float32)
    found = heard(sound)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    edges = [700 * (10 ** (mel / 2595) - 1) for mel in np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), BANDS + 2)]
    assert found.shape == (1 + (len(sound) - WINDOW) // STEP, BANDS)
    for step in (0, 4):
        part = np.zeros(POINTS)
        part[:WINDOW] = sound[step * STEP : step * STEP + WINDOW] * window
        waves = np.exp(-2j * np.pi * np.outer(np.arange(POINTS // 2 + 1), np.arange(POINTS)) / POINTS)
        power = np.abs(waves @ part) ** 2
        for band in range(10, BANDS):
            low, middle, high = edges[band : band + 3]
            points = np.arange(POINTS // 2 + 1) * RATE / POINTS
            weights = np.clip(np.minimum((points - low) / (middle - low), (high - points) / (high - middle)), 0, None)
            assert found[step, band] == pytest.approx(np.log(weights @ power + LOWEST), abs=0.02)


@pytest.mark.parametrize("hertz", [150, 440, 1_000, 6_000])
def test_a_tone_is_heard_where_it_is(hertz: float) -> None:
    loudest = heard(tone(hertz).astype(np.float32)).astype(float).mean(axis=0).argmax()
    assert centres()[loudest] == pytest.approx(hertz, rel=0.15)


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (8_000, 1)])
def test_formats_rates_and_channels_are_heard_alike(form: str, rate: int, channels: int) -> None:
    sound = np.stack([tone(700, 1.0, rate)] * channels, axis=1)
    found, seen = decoded(encoded(sound, form, rate), 5.0)
    plain = decoded(encoded(tone(700, 1.0)), 5.0)[0]
    assert (seen.rate, seen.channels, seen.format) == (rate, channels, form)
    assert seen.seconds == pytest.approx(1.0, abs=0.1)
    loud = plain.mean(axis=0) > 2
    assert loud.sum() >= 2
    assert np.abs(found.mean(axis=0) - plain.mean(axis=0))[loud].max() < 0.6


def test_of_a_long_one_the_middle_is_read() -> None:
    sound = np.concatenate([tone(300, 4.0), tone(3_000, 2.0), tone(300, 4.0)])
    found, seen = decoded(encoded(sound, "FLAC"), 1.0)
    assert seen.seconds == pytest.approx(10.0) and 95 <= len(found) <= 100
    assert centres()[found.astype(float).mean(axis=0).argmax()] == pytest.approx(3_000, rel=0.1)


def test_an_hour_is_read_in_the_memory_of_its_middle() -> None:
    import tracemalloc

    content = encoded(np.zeros(3600 * 8_000, dtype=np.int16), "FLAC", 8_000)
    tracemalloc.start()
    found, seen = decoded(content, 10.0)
    assert seen.seconds == pytest.approx(3_600) and len(found) < 1_010
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


@pytest.mark.parametrize("seconds", [0.001, 0.05])
def test_a_moment_is_heard(seconds: float) -> None:
    found, seen = decoded(encoded(tone(440, seconds)), 1.0)
    assert (
        len(found) >= 1 and np.isfinite(found.astype(float)).all() and seen.seconds == pytest.approx(seconds, rel=0.1)
    )


def test_channels_that_undo_each_other_are_heard() -> None:
    sound = tone()
    wired = np.column_stack([sound, -sound])
    assert samples_of(encoded(wired), 1.0)[1].loudness == pytest.approx(samples_of(encoded(sound), 1.0)[1].loudness)
    both = np.column_stack([sound, np.zeros_like(sound)])
    assert samples_of(encoded(both), 1.0)[0] == pytest.approx(sound / 2, abs=1e-4), "the mean where they do not"


def test_silence_and_too_much_are_known() -> None:
    assert decoded(encoded(np.zeros(8_000)), 1.0)[1].loudness <= -90
    assert decoded(encoded(np.clip(tone(loud=3.0), -1, 1)), 1.0)[1].clipped > 0.3
    holes = np.where(np.arange(8_000) % 100 == 0, np.nan, tone())
    assert np.isfinite(decoded(encoded(holes, subtype="FLOAT"), 1.0)[0].astype(float)).all()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"nothing at all", "no recording of a format that is read"),
        (b"\0\0\0\x20ftypM4A " + b"\0" * 100, "no recording of a format that is read"),
        (encoded(np.zeros(0)), "no sound in it"),
        (encoded(tone(rate=100), rate=100), "none of a sound"),
        (encoded(tone(), "FLAC")[:60], "unpacked"),
    ],
)
def test_what_is_none_says_why(content: bytes, said: str) -> None:
    with pytest.raises(NoSound, match=said):
        decoded(content, 1.0)


def test_a_file_that_breaks_off_is_heard_to_there_or_said() -> None:
    for form in ("WAV", "FLAC", "OGG", "MP3"):
        whole = encoded(tone(440, 2.0), form)
        try:
            found, _ = decoded(whole[: len(whole) // 2], 2.0)
        except NoSound as reason:
            assert str(reason)
        else:
            assert len(found) > 20


def test_many_channels_for_long_are_refused_before_they_are_unpacked() -> None:
    with pytest.raises(NoSound, match="more than is unpacked at once"):
        samples_of(encoded(np.zeros((3_000_000, 32), dtype=np.int16), rate=192_000), 12.0)


def test_names_and_lengths() -> None:
    assert is_recording(PurePath("a/B.WAV")) and not is_recording(PurePath("a/.b.wav"))
    assert not is_recording(PurePath("a.png"))
    assert length_of(encoded(tone(seconds=0.25))) == pytest.approx(0.25)


def test_samples_become_files_and_are_heard_again() -> None:
    sound = tone(seconds=0.2).astype(np.float32)
    for given in (sound, (sound * 32_767).astype(np.int16), np.stack([sound, sound], axis=1)):
        assert samples_of(as_file(given), 1.0)[0] == pytest.approx(sound, abs=1e-3)
    with pytest.raises(NoSound):
        as_file(np.zeros((2, 3, 4)))
