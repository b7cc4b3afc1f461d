"""Bytes of a file to what is heard, step by step, or the reason why there is nothing.

Needs that this module answers:

* A file is what its first bytes say, whatever its name; rates and channels of all sorts become alike.
* Of an hour only the seconds that are wanted are unpacked; nothing larger than these is ever in memory beside the file.
* What is heard is a spectrum every hundredth of a second in bands as wide as an ear's, as a logarithm: about 13 kB a
  second.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Any

import numpy as np

from deepenough.kinds.file_store import Unusable

VERSION = 2
"""Of how recordings are decoded; another one decodes anew."""
NEEDS = ("soundfile", "soxr")
"""What reading recordings takes, whoever learns from them."""
ENDINGS = {
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64"),
    *(".m4a", ".aac", ".wma", ".amr"),
}
"""Names that recordings have. What can't be read after all (M4A) is set aside by name."""
RATE = 16_000
"""Samples a second that all recordings are brought to: half of it is the highest tone that is heard."""
WINDOW, STEP = 400, 160
"""Samples of a spectrum, and from one to the next: 25 and 10 milliseconds."""
POINTS = 512
BANDS = 64
LOWEST = 1e-6
"""Power that counts as silence; its logarithm stands for what is not there."""
SILENCE = float(np.log(LOWEST))
UNDONE = 0.01
"""The mean of channels has less than this part of their power only where they undo each other."""
LEAST_RATE, MOST_RATE = 1_000, 768_000
MOST_BYTES = 1_000_000_000
MOST_SAMPLES = 64_000_000
"""That are unpacked of a file at once, of all its channels."""
DAY = 86_400


class NoSound(Unusable):
    """The bytes are no recording that can be used; the message says why, as a clause."""


@dataclass(frozen=True)
class Seen:
    """What is known of a recording as it came. seconds: its length. loudness: of what was read, decibels below the
    loudest possible. clipped: share of samples at the end of the range."""

    seconds: float
    rate: int
    channels: int
    format: str
    loudness: float
    clipped: float


def is_recording(name: PurePath) -> bool:
    """Whether a file is one by its ending; what is hidden is none."""
    from deepenough.kinds.folders import is_hidden

    return name.suffix.lower() in ENDINGS and not is_hidden(name)


def length_of(content: bytes) -> float:
    """Seconds, by the head of a file. Raises NoSound where it is none."""
    with _opened(content) as file:
        return float(file.frames / file.samplerate)


def decoded(content: bytes, seconds: float) -> tuple[np.ndarray, Seen]:
    """What is heard, see `heard`, of so many seconds in the middle; and what is known. Raises NoSound."""
    samples, seen = samples_of(content, seconds)
    return heard(samples), seen


def samples_of(content: bytes, seconds: float) -> tuple[np.ndarray, Seen]:
    """The sound itself at `RATE`, one channel, float32 from -1 to 1. Raises NoSound."""
    import soxr

    with _opened(content) as file:
        rate, channels, frames = file.samplerate, file.channels, file.frames
        if not LEAST_RATE <= rate <= MOST_RATE:
            raise NoSound(f"its rate of {rate:,} samples a second is none of a sound")
        known = 0 < frames <= DAY * rate
        wanted = min(round(seconds * rate), frames) if known else round(seconds * rate)
        if wanted * channels > MOST_SAMPLES:
            raise NoSound(f"{seconds:.0f} seconds of its {channels:,} channels are more than is unpacked at once")
        try:
            if known and frames > wanted:
                file.seek((frames - wanted) // 2)
            read = file.read(wanted, dtype="float32", always_2d=True)
        except Exception as error:
            raise NoSound(_why(error)) from error
        kind = str(file.format)
    if not len(read):
        raise NoSound("there is no sound in it")
    sound = _one_channel(np.nan_to_num(read, nan=0.0, posinf=1.0, neginf=-1.0))
    clipped = float((np.abs(read) >= 0.999).mean())
    if rate != RATE:
        sound = soxr.resample(sound, rate, RATE, quality="HQ")
    sound = np.clip(sound, -4.0, 4.0).astype(np.float32)
    power = float(np.mean(sound.astype(np.float64) ** 2)) if len(sound) else 0.0
    loudness = float(10 * np.log10(max(power, 1e-12)))
    length = (frames if known else len(read)) / rate
    return sound, Seen(float(length), int(rate), int(channels), kind, loudness, clipped)


def _one_channel(read: np.ndarray) -> np.ndarray:
    """The mean of the channels; the loudest one where they undo each other, as where one is wired the wrong way."""
    mean = read.mean(axis=1)
    power = np.mean(np.square(read, dtype=np.float64), axis=0)
    undone = np.mean(np.square(mean, dtype=np.float64)) < UNDONE * power.mean()
    return np.asarray(read[:, int(power.argmax())] if undone else mean)


def _opened(content: bytes) -> Any:
    import soundfile

    if not content:
        raise NoSound("it is empty")
    if len(content) > MOST_BYTES:
        raise NoSound(f"its file is larger than {MOST_BYTES / 1e9:.0f} GB")
    try:
        return soundfile.SoundFile(io.BytesIO(content))
    except Exception as error:  # libsndfile's own, of broken files
        raise NoSound(_why(error)) from error


def _why(error: Exception) -> str:
    said = str(getattr(error, "error_string", error)).strip().rstrip(".")
    if "not recognised" in said or "unknown format" in said.lower():
        return "its bytes are no recording of a format that is read (WAV, FLAC, OGG, MP3, AIFF are)"
    return f"it can't be unpacked ({said or type(error).__name__})"[:200]


def heard(samples: np.ndarray) -> np.ndarray:
    """Logarithms of the power in each band, step by step: float16, shape (steps, BANDS), at least one step.

    samples: float32, at `RATE`. Spectra of 25 ms under a Hann window, summed in triangular bands evenly spaced on the
    mel scale (Davis and Mermelstein, 1980).
    """
    if len(samples) < WINDOW:
        samples = np.pad(samples, (0, WINDOW - len(samples)))
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::STEP]
    power = np.abs(np.fft.rfft(windows * _hann(), POINTS)) ** 2
    banded = np.asarray(_sparse_bands() @ power.astype(np.float32).T).T
    return np.asarray(np.log(banded + LOWEST), dtype=np.float16)


@lru_cache(maxsize=1)
def _hann() -> np.ndarray:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW), dtype=np.float32)


@lru_cache(maxsize=1)
def bands() -> np.ndarray:
    """Weights of the spectrum's points in each band, float32, shape (BANDS, POINTS / 2 + 1)."""
    edges = _hertz(np.linspace(0.0, _mel(RATE / 2), BANDS + 2))
    points = np.fft.rfftfreq(POINTS, 1 / RATE)
    up = (points - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - points) / (edges[2:] - edges[1:-1])[:, None]
    weights = np.maximum(0, np.minimum(up, down))
    empty = weights.sum(axis=1) == 0  # bands narrower than a point: theirs is the nearest one
    weights[empty, np.abs(points - edges[1:-1][empty, None]).argmin(axis=1)] = 1.0
    return np.asarray(weights, dtype=np.float32)


@lru_cache(maxsize=1)
def _sparse_bands() -> Any:
    """The same weights, nearly all of which are zero. As a dense product they wake threads of a linear algebra library
    for each recording, which get into each other's way where several are read at once: that took eight times as long.
    """
    from scipy import sparse

    return sparse.csr_array(bands())


def centres() -> np.ndarray:
    """The middle of each band in hertz, float64, shape (BANDS,)."""
    return _hertz(np.linspace(0.0, _mel(RATE / 2), BANDS + 2))[1:-1]


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _hertz(mel: np.ndarray) -> np.ndarray:
    return np.asarray(700 * (10 ** (mel / 2595) - 1))


def as_file(samples: np.ndarray, rate: int = RATE, form: str = "WAV") -> bytes:
    """Samples as the bytes of a file. samples: shape (n,) or (n, channels), from -1 to 1, or whole numbers of 16 bits.

    Raises NoSound for what is no sound.
    """
    import soundfile

    content = io.BytesIO()
    try:
        values = np.asarray(samples)
        values = values / 32_768 if values.dtype.kind in "iu" else np.nan_to_num(values)
        soundfile.write(content, np.clip(values, -1, 1).astype(np.float32), rate, format=form)
    except Exception as error:
        raise NoSound(_why(error)) from error
    return content.getvalue()
