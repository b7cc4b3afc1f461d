"""The toys of memory hold what they claim: all is in one value of the past, and nothing of it in weighted sums."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.kinds.forecast.toys_of_memory import echoes, remembering, tent


@pytest.mark.parametrize("apart", [5, 20])
def test_the_value_so_many_steps_before_decides(apart: int) -> None:
    made = remembering(apart, steps=400, horizon=5)
    windows, truth = made.inputs(0), made.truth(0)[:, :-1]
    told = tent(windows.history(apart)[:, :5])
    assert np.nanmean(np.abs(truth - told)) < 0.06
    assert np.nanmean(np.abs(truth - np.nanmean(truth))) > 0.4
    assert made.layout.seasons == ()


def test_weighted_sums_of_the_past_say_nothing() -> None:
    values = echoes(apart=8, steps=4_000)[0]
    past = np.lib.stride_tricks.sliding_window_view(values, 12)[:-1]
    learnt, judged = slice(0, 2_500), slice(2_500, None)
    weights = np.linalg.lstsq(past[learnt], values[12:][learnt], rcond=None)[0]
    left = np.var(values[12:][judged] - past[judged] @ weights)
    assert left > 0.95 * np.var(values[12:][judged])
