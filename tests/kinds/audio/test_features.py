"""Descriptors of recordings: by their definitions, of any length, alone as among others."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.kinds.audio import toys
from deepenough.kinds.audio.decode import BANDS, centres, heard
from deepenough.kinds.audio.features import COEFFICIENTS, Descriptors, cepstra, spectra
from deepenough.kinds.audio.inputs import Recordings
from tests.kinds.audio.files import tone


def test_coefficients_are_the_cosine_transform_of_scipy() -> None:
    from scipy.fft import dct

    steps = np.random.default_rng(0).normal(0, 2, (50, BANDS)).astype(np.float32)
    wanted = dct(steps, type=2, norm="ortho", axis=1)[:, :COEFFICIENTS]
    found = cepstra(steps)
    assert found[:COEFFICIENTS] == pytest.approx(wanted.mean(axis=0), abs=1e-4)
    assert found[COEFFICIENTS : 2 * COEFFICIENTS] == pytest.approx(wanted.std(axis=0), abs=1e-4)
    fifth = wanted[:10].mean(axis=0)
    assert found[7 * COEFFICIENTS : 8 * COEFFICIENTS] == pytest.approx(fifth, abs=1e-4)


def test_louder_throughout_changes_the_first_coefficient_alone() -> None:
    steps = np.random.default_rng(0).normal(0, 2, (50, BANDS)).astype(np.float32)
    moved = np.abs(cepstra(steps + 3) - cepstra(steps)) > 1e-3
    assert moved.any() and {int(place) % COEFFICIENTS for place in np.flatnonzero(moved)} == {0}


def test_the_centre_is_where_the_power_is_and_noise_is_flatter() -> None:
    told = {hertz: spectra(heard(tone(hertz).astype(np.float32)).astype(np.float32)) for hertz in (300, 2_000)}
    assert told[300][0] < 0.6 < 1.7 < told[2_000][0] < 2.4, "kilohertz"
    noise = np.random.default_rng(0).normal(0, 0.1, 8_000).astype(np.float32)
    assert spectra(heard(noise).astype(np.float32))[3] > told[300][3] + 1, "flatness"


def test_order_is_told_by_cepstra_and_hardly_by_the_means() -> None:
    rises = heard(np.concatenate([tone(400), tone(1_600)]).astype(np.float32)).astype(np.float32)
    falls = rises[::-1]
    apart = np.abs(cepstra(rises) - cepstra(falls))
    assert apart[: 2 * COEFFICIENTS].max() < 1e-3 < apart[7 * COEFFICIENTS :].max()


@pytest.mark.parametrize("steps", [1, 2, 4, 7, 300])
@pytest.mark.parametrize("describe", [cepstra, spectra])
def test_any_length_and_silence_are_described(describe: object, steps: int) -> None:
    width = len(describe(np.zeros((50, BANDS), np.float32)))  # type: ignore[operator]
    for value in (0.0, -13.8):
        found = describe(np.full((steps, BANDS), value, np.float32))  # type: ignore[operator]
        assert found.shape == (width,) and found.dtype == np.float32 and np.isfinite(found).all()


def test_one_alone_is_described_as_among_others() -> None:
    recordings = toys.lengths().all_inputs
    describe = Descriptors(("cepstra", "spectra"))
    assert np.array_equal(describe(recordings)[3:4], describe(recordings.take(np.array([3]))))
    assert describe(Recordings.of([])).shape == (0, describe(recordings).shape[1])


def test_bands_are_higher_and_wider_one_after_the_other() -> None:
    assert (np.diff(centres(), n=2) > 0).all()
