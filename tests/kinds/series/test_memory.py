"""The recurrent net remembers what happened long before the end; what looks at the end alone can't know."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
linear_model = pytest.importorskip("sklearn.linear_model")

from deepenough.kinds.series.deep.recurrent import Recurrent  # noqa: E402  torch must be there first
from deepenough.kinds.series.toys_of_memory import marker, order  # noqa: E402  the same
from deepenough.learner import Limits  # noqa: E402  the same

LAST = 10


@pytest.mark.slow
@pytest.mark.parametrize("make", [marker, order])
def test_what_came_twenty_steps_before_is_remembered(make: object) -> None:
    task = make(1_000)  # type: ignore[operator]  # one of the two functions
    examples, judged, truth = task.train(task.largest, 0, 0), task.inputs(0), task.truth(0)

    learnt = examples.inputs.values[:, :, -LAST:].reshape(len(examples), -1)
    memoryless = linear_model.LogisticRegression().fit(learnt, examples.targets)
    assert memoryless.score(judged.values[:, :, -LAST:].reshape(len(judged), -1), truth) < 0.6

    remembering = Recurrent().fit(examples, Limits(), 0)
    assert np.mean(remembering.predict(judged).argmax(axis=1) == truth) >= 0.95
