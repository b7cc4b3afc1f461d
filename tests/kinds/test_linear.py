"""What linear learners of kinds share: inner rows stay unseen by whoever answers them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepenough.kinds import linear
from deepenough.learner import Examples, Limits


class AsTheyAre:
    """Features that are the inputs."""

    def transform(self, inputs: Any) -> Any:
        return inputs.matrix

    def save(self, folder: Path) -> None: ...


class Rows:
    """Inputs that are a matrix."""

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix

    def take(self, rows: np.ndarray) -> Rows:
        return Rows(self.matrix[rows])


class AnyLinear(linear.LinearModel):
    @staticmethod
    def read_features(folder: Path) -> AsTheyAre:
        return AsTheyAre()


@pytest.mark.parametrize("n", [300, 2400])
def test_labels_of_inner_rows_are_not_remembered(n: int) -> None:
    """Labels are noise: who answers inner rows better than by chance has seen theirs."""
    from scipy.sparse import random as drawn

    random = np.random.default_rng(0)
    matrix = drawn(n, 3000, density=0.01, random_state=0, dtype=np.float32, format="csr")
    targets, inner = random.integers(0, 2, n), np.sort(random.choice(n, n // 4, replace=False))
    examples = Examples(Rows(matrix), targets, 2, inner)
    model = linear.fit(AsTheyAre(), matrix, examples, Limits(), AnyLinear, None, 0, (0.01,), 3e-4, 1)
    assert model.inner_predictions is not None
    own = model.inner_predictions[np.arange(len(inner)), targets[inner]]
    assert -np.log(own).mean() > 0.69
