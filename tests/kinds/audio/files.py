"""Files of recordings for the tests: sound ones and strange ones."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE = 16_000


def tone(hertz: float = 440.0, seconds: float = 0.5, rate: int = RATE, loud: float = 0.3, seed: int = 0) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).normal(0, 0.01, len(time))
    return np.asarray(loud * np.sin(2 * np.pi * hertz * time) + noise)


def encoded(samples: np.ndarray, form: str = "WAV", rate: int = RATE, **how: Any) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, samples, rate, format=form, **how)
    return content.getvalue()


def folder(place: Path, each: int = 12, seconds: float = 0.3) -> Path:
    """A folder of two classes: `high` and `low`."""
    rng = np.random.default_rng(0)
    for label, hertz in (("high", 2_000), ("low", 300)):
        (place / label).mkdir(parents=True)
        for number in range(each):
            sound = tone(hertz * rng.uniform(0.7, 1.4), seconds * rng.uniform(0.5, 1.5), seed=int(rng.integers(1_000)))
            (place / label / f"{number:03}.wav").write_bytes(encoded(sound))
    return place
