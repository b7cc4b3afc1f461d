"""What scikit-learn's people hand over, as the race takes it: a pandas frame with a name of its own for every column.

Needs that this module answers:

* The report speaks of the person's columns and classes, whatever types they have.
* Columns count by their places, as everywhere in scikit-learn: names may repeat, be numbers, or be missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d

from deepenough.errors import TargetError
from deepenough.task import frame as frames
from deepenough.task import parsing

if TYPE_CHECKING:
    import pandas as pd


def class_names(classes: np.ndarray) -> list[str]:
    """What the race calls distinct labels: themselves as text, numbered where that would mean nothing or two things."""
    names = [str(label).strip() for label in classes.tolist()]
    if {name.lower() for name in names} <= {"true", "false"}:
        names = [name.lower() for name in names]  # as truth values are read
    vague = len(set(names)) < len(names) or any(map(parsing.is_missing, names))
    return [f"{place}: {name}" for place, name in enumerate(names)] if vague else names


def is_frame(X: Any) -> bool:
    return not isinstance(X, list | tuple) and frames.is_frame(X)


def as_pandas(X: Any, names: Sequence[str]) -> pd.DataFrame:
    """The inputs as a pandas frame with these column names, by their places."""
    import narwhals as nw
    import pandas as pd

    if not is_frame(X):
        return pd.DataFrame(X, columns=list(names))
    if not isinstance(X, pd.DataFrame):
        X = nw.from_native(frames.whole_table(X), eager_only=True).to_pandas()
    named: pd.DataFrame = X.set_axis(list(names), axis=1)
    return named


def column_names(X: Any) -> list[str]:
    """A name of its own for every column: the person's where there is one."""
    import narwhals as nw
    import pandas as pd

    if not is_frame(X):
        return [f"x{place}" for place in range(X.shape[1])]
    columns = X.columns if isinstance(X, pd.DataFrame) else nw.from_native(frames.whole_table(X)).columns
    names: list[str] = []
    for name in map(str, columns):
        names.append(name if name not in names else _free(name, {*names, *map(str, columns)}))
    return names


def target_name(X: Any, y: Any) -> str:
    """The target's own name, or y; another where a column of X is called so."""
    name = getattr(y, "name", None)
    return _free(name if isinstance(name, str) and name else "y", set(column_names(X)))


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def targets(X: Any, y: Any) -> np.ndarray:
    """Targets as scikit-learn takes them: one a row, none missing."""
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_consistent_length(X, y)
    if len(y) < 2:
        raise TargetError(f"n_samples={len(y)}: nothing can be judged on one sample. Give at least a few dozen.")
    return np.asarray(y)
