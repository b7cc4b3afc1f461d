"""What classical learners hear of recordings: cepstral coefficients, and how tones and loudness are spread.

Needs that this module answers:

* All are plain numbers a recording, whatever its length: statistics over its steps, and over its fifths in turn.
* What is louder throughout sounds nearly the same to the cepstra (all but the first); the spectra know loudness.
"""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np

from deepenough.kinds import described
from deepenough.kinds.audio.decode import BANDS, SILENCE, centres
from deepenough.kinds.audio.inputs import Recordings

PARTS = ("cepstra", "spectra")
COEFFICIENTS = 20
FIFTHS = 5
SHARES = (0.1, 0.5, 0.9)
"""Quantiles over the steps."""
ROLL_OFF = 0.85
"""Share of the power below the roll-off."""
RHYTHMS = 8
"""Rhythms of the loudness that are told apart, from slow to fast."""
RHYTHM_STEPS = 128


class Descriptors(described.Descriptors):
    """Of recordings: `PARTS`."""

    inputs_class = Recordings

    def __call__(self, inputs: Recordings) -> np.ndarray:
        """float32, shape (n, columns)."""
        nothing = np.full((1, BANDS), SILENCE)
        width = sum(len(_OF[part](nothing)) for part in self.parts)
        rows = [np.concatenate([_OF[part](heard) for part in self.parts]) for heard in inputs.read()]
        return np.array(rows, dtype=np.float32).reshape(len(rows), width)


def cepstra(heard: np.ndarray) -> np.ndarray:
    """Mel-frequency cepstral coefficients (Davis and Mermelstein, 1980) and how they change: statistics over all steps,
    and the means of the fifths of a recording.

    heard: shape (steps, BANDS). Returns float32, shape (columns,).
    """
    told = heard @ _cosines()
    moved = told[1:] - told[:-1] if len(told) > 1 else np.zeros((1, COEFFICIENTS), dtype=told.dtype)
    whole = [told.mean(axis=0), told.std(axis=0), *np.quantile(told, SHARES, axis=0), moved.std(axis=0)]
    whole += [np.abs(moved).mean(axis=0)]
    return np.concatenate([*whole, *_in_turn(told), *_in_turn(moved)]).astype(np.float32)


def spectra(heard: np.ndarray) -> np.ndarray:
    """How power is spread over the bands and over time: its centre, width, roll-off, flatness and change, step by step
    (Peeters, 2004), each band's mean and deviation, the loudness in fifths and its rhythms, and the length.

    heard: shape (steps, BANDS). Returns float32, shape (columns,).
    """
    power = np.exp(heard.astype(np.float64))
    total = power.sum(axis=1)
    shares = power / total[:, None]
    places = centres() / 1_000
    centre = shares @ places
    width = np.sqrt(np.maximum((shares * (places - centre[:, None]) ** 2).sum(axis=1), 0))
    roll_off = places[np.minimum((shares.cumsum(axis=1) < ROLL_OFF).sum(axis=1), BANDS - 1)]
    flatness = heard.mean(axis=1) - np.log(total / BANDS)
    loudness = np.log(total)
    change = np.abs(np.diff(shares, axis=0)).sum(axis=1) if len(heard) > 1 else np.zeros(1)
    told = np.stack([centre, width, roll_off, flatness, loudness], axis=1)
    louder = np.maximum(np.diff(loudness), 0) if len(heard) > 1 else np.zeros(1)
    parts = [told.mean(axis=0), told.std(axis=0), *np.quantile(told, SHARES, axis=0), heard.mean(axis=0)]
    parts += [heard.std(axis=0), *_in_turn(told)]
    beside = [change.mean(), change.std(), louder.mean(), louder.std(), (loudness < loudness.max() - 6).mean()]
    return np.concatenate([*parts, beside, _rhythms(loudness), [np.log(len(heard))]]).astype(np.float32)


_OF = {"cepstra": cepstra, "spectra": spectra}


def _in_turn(told: np.ndarray) -> list[np.ndarray]:
    """The mean of each fifth of the steps; of fewer steps than fifths the nearest."""
    edges = np.arange(FIFTHS + 1) * len(told) // FIFTHS
    starts = np.minimum(edges[:-1], len(told) - 1)
    return [told[start : max(end, start + 1)].mean(axis=0) for start, end in zip(starts, edges[1:], strict=True)]


def _rhythms(loudness: np.ndarray) -> np.ndarray:
    """How much of the loudness comes and goes slowly, or fast: shares of the power of its spectrum over time, from
    about one to fifty times a second."""
    around = np.zeros(RHYTHM_STEPS)
    stretches = [loudness[start : start + RHYTHM_STEPS] for start in range(0, len(loudness), RHYTHM_STEPS)]
    power = np.zeros(RHYTHM_STEPS // 2)
    for stretch in stretches:
        around[:] = 0
        around[: len(stretch)] = stretch - stretch.mean()
        power += np.abs(np.fft.rfft(around))[1:] ** 2
    edges = np.geomspace(1, len(power), RHYTHMS + 1).astype(int) - 1
    sums = np.array([power[start : max(end, start + 1)].sum() for start, end in itertools.pairwise(edges)])
    return np.asarray(sums / max(float(sums.sum()), 1e-9))


@lru_cache(maxsize=1)
def _cosines() -> np.ndarray:
    """The cosine transform, orthonormal (DCT-II), float32, shape (BANDS, COEFFICIENTS)."""
    angles = np.pi * (np.arange(BANDS)[:, None] + 0.5) * np.arange(COEFFICIENTS) / BANDS
    waves = np.cos(angles) * np.sqrt(2 / BANDS)
    waves[:, 0] /= np.sqrt(2)
    return np.asarray(waves, dtype=np.float32)
