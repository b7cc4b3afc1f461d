"""Small sets of recordings of known truth: what every learner of recordings is tried on.

Needs that this module answers:

* Classes by how tones move, a number by how high a tone is, and recordings of very different lengths: what breaks
  learners in the field breaks them here. Each can be predicted far better than by its baseline.
* Made from a seed and nothing else, and held in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from deepenough.kinds.audio import decode
from deepenough.kinds.audio.inputs import Recordings
from deepenough.kinds.audio.task import AudioTask
from deepenough.kinds.file_store import Decoded
from deepenough.task.frame import Frame, Raw
from deepenough.task.task import Question

RECORDINGS, SECONDS = 160, 0.3


def toys() -> Mapping[str, AudioTask]:
    """By name: `melodies`, `heights`, `lengths`."""
    return {"melodies": melodies(), "heights": heights(), "lengths": lengths()}


def melodies(recordings: int = RECORDINGS, seed: int = 1) -> AudioTask:
    """A tone that rises, falls or stays, at any height and loudness, with noise; one that stays is rarer."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(["falls", "rises", "stays"], recordings, p=[0.4, 0.4, 0.2]).tolist()
    turns = {"falls": -1.0, "rises": 1.0, "stays": 0.0}
    sounds = [_tone(rng, rng.uniform(500, 1_500), turns[label], SECONDS) for label in labels]
    return task(sounds, labels)


def heights(recordings: int = RECORDINGS, seed: int = 2) -> AudioTask:
    """How high a tone is, in octaves over 200 hertz."""
    rng = np.random.default_rng(seed)
    octaves = rng.uniform(0, 4, recordings)
    return task([_tone(rng, 200 * 2**octave, 0.0, SECONDS) for octave in octaves.tolist()], octaves.tolist())


def lengths(recordings: int = RECORDINGS, seed: int = 3) -> AudioTask:
    """A low or a high hum, a twentieth of a second to half a second long."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(["high", "low"], recordings).tolist()
    tops = {"high": 3_000.0, "low": 300.0}
    return task(
        [_tone(rng, tops[label] * rng.uniform(0.7, 1.4), 0.0, rng.uniform(0.05, 0.5)) for label in labels], labels
    )


def _tone(rng: np.random.Generator, hertz: float, turn: float, seconds: float) -> np.ndarray:
    """turn: octaves that it rises from beginning to end."""
    time = np.arange(round(seconds * decode.RATE)) / decode.RATE
    phase = 2 * np.pi * np.cumsum(hertz * 2 ** (turn * (time / seconds - 0.5))) / decode.RATE
    loud = 10 ** rng.uniform(-1.5, -0.5)
    return (loud * np.sin(phase) + rng.normal(0, loud / 10, len(time))).astype(np.float32)


def task(sounds: list[np.ndarray], answers: list[str] | list[float]) -> AudioTask:
    """The task of made sounds, float32 at `decode.RATE`."""
    count = len(sounds)
    names = tuple(f"made/{place}.wav" for place in range(count))
    files = Raw("file", "words", np.arange(count, dtype=np.int32), names)
    if isinstance(answers[0], str):
        levels = sorted({str(answer) for answer in answers})
        codes = np.array([levels.index(str(answer)) for answer in answers], dtype=np.int32)
        told = Raw("answer", "words", codes, tuple(levels))
    else:
        told = Raw("answer", "number", np.array(answers, dtype=np.float64))
    frame = Frame((files, told), count, {"name": "toy", "sha256": "", "rows_in_source": count})
    heard = Recordings.of([decode.heard(sound) for sound in sounds])
    seen = tuple(
        {"seconds": len(sound) / decode.RATE, "rate": decode.RATE, "channels": 1, "format": "WAV", "clipped": 0.0}
        | {"loudness": float(10 * np.log10(np.mean(sound**2)))}
        for sound in sounds
    )
    known = Decoded(Path(), np.arange(count), {}, "", heard.lengths, seen)
    return AudioTask.made_of(frame, Question("answer"), "file", names, known, heard)
