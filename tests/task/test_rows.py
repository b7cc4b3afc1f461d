"""What questions about rows share."""

from __future__ import annotations

import numpy as np

from deepenough.task import rows


def test_rare_classes_are_noted() -> None:
    assert "'c' (5 rows)" in rows.rare_classes(["a", "b", "c"], np.array([600, 400, 5]))
    assert rows.rare_classes(["a", "b"], np.array([600, 400])) == ""
