"""Small sets of series of known truth: what every learner of series is tried on.

Needs that this module answers:

* Series of several lengths and channels, with gaps, with a level that tells something and one that does not.
* The truth is known, so that a learner that learns nothing is found out; neither family alone can predict it.
* Made from a seed and nothing else, and quick for all learners.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deepenough.kinds.series.task import SeriesTask, make
from deepenough.task import source
from deepenough.task.task import Question

SERIES = 160
STEPS = 48


def toys() -> Mapping[str, SeriesTask]:
    """By name: `rhythm`, `bump`, `number`."""
    return {"rhythm": rhythm(), "bump": bump(), "number": number()}


def rhythm(count: int = SERIES, seed: int = 1) -> SeriesTask:
    """Two classes by how fast a wave goes, whatever its level and where it begins; lists of several lengths."""
    rng = np.random.default_rng(seed)
    fast = rng.random(count) < 0.45
    series = []
    for is_fast in fast:
        steps = np.arange(rng.integers(STEPS - 8, STEPS + 1))
        wave = np.sin(2 * np.pi * (steps / (8 if is_fast else 12) + rng.random()))
        series.append(rng.normal(0, 3) + wave + rng.normal(0, 0.7, len(steps)))
    return of_lists({"beat": series}, np.where(fast, "fast", "slow"))


def bump(count: int = SERIES, seed: int = 2) -> SeriesTask:
    """Three classes by where a bump stands, in which of two channels; one is rare. Rows of steps, some missing."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, count, p=[0.5, 0.4, 0.1])
    steps = np.arange(STEPS)
    centre = np.where(kind == 0, 12, 34) + rng.integers(-4, 5, count)
    shape = 2.5 * np.exp(-0.5 * ((steps - centre[:, None]) / 3) ** 2)
    left = np.where((kind < 2)[:, None], shape, 0) + rng.normal(0, 0.5, shape.shape)
    right = np.where((kind == 2)[:, None], shape, 0) + rng.normal(0, 0.5, shape.shape)
    left[rng.random(left.shape) < 0.05] = np.nan
    keep = rng.random(left.size) > 0.02
    columns = {
        "patient": np.repeat(np.arange(count), STEPS)[keep],
        "second": np.tile(steps, count)[keep],
        "left": left.ravel()[keep],
        "right": right.ravel()[keep],
        "state": np.repeat(np.array(["early", "late", "other"])[kind], STEPS)[keep],
    }
    rows = [
        dict(zip(columns, row, strict=True)) for row in zip(*(each.tolist() for each in columns.values()), strict=True)
    ]
    question = Question(target="state", time="second", options={"series": ("patient",)})
    return make(source.read(rows), (), question)


def number(count: int = SERIES, seed: int = 3) -> SeriesTask:
    """A number: the level of a series, and how much it swings."""
    rng = np.random.default_rng(seed)
    level, swing = rng.normal(20, 5, count), rng.uniform(0.5, 4, count)
    phase = rng.random((count, 1))
    wave = np.sin(2 * np.pi * (np.arange(STEPS) / 10 + phase))
    values = level[:, None] + swing[:, None] * wave + rng.normal(0, 0.5, (count, STEPS))
    return of_lists({"load": list(values)}, (level + 6 * swing + rng.normal(0, 1, count)).round(2))


def of_lists(channels: Mapping[str, Sequence[np.ndarray]], answers: np.ndarray, **asked: Any) -> SeriesTask:
    """The task of one list of numbers a series and channel."""
    rows = [
        {**{name: series[place].round(4).tolist() for name, series in channels.items()}, "answer": answer}
        for place, answer in enumerate(answers.tolist())
    ]
    return make(source.read(rows), tuple(channels), Question(target="answer", **asked))
