"""What a learner writes of itself so that its training can be repeated in plain Python, without this package.

Needs that this module answers:

* Whatever comes from data (names of columns, levels, files) stands in a script as a literal and nowhere else, so that
  none of it can be run.
* It can be read: constants first, a line an entry where they are many.
"""

from __future__ import annotations

import pprint
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Fit:
    """One judged fit of a race.

    fold, n_train, seed: as its trial had them. model: what came of it. temperature: its calibration; 1 for numbers.
    """

    fold: int
    n_train: int
    seed: int
    model: Any
    temperature: float


@dataclass(frozen=True)
class Script:
    """The learner's part of a script.

    needs: modules that are imported, as the lines that import them.
    constants: (name, value, comment), in order; values are plain.
    functions: source text that defines `read(path)`, which gives a frame of all rows; `truth(table)`, the targets:
        codes of classes, or numbers; and `fit_and_predict(train, fitted, judged, chosen)`, the predictions for the
        judged rows: probabilities, shape (n, n_classes), or numbers. `fitted` marks those of the training rows that
        are fitted on; the others only say which levels there are.
    chosen: by fold, what `fit_and_predict` gets.
    parts: by fold, the training rows of the source (from 0), which of them are fitted on, and the judged rows.
    """

    needs: Sequence[str]
    constants: Sequence[tuple[str, Any, str]]
    functions: str
    chosen: Mapping[int, Mapping[str, Any]]
    parts: Mapping[int, tuple[np.ndarray, np.ndarray, np.ndarray]]


def literal(name: str, value: Any, comment: str = "") -> str:
    """`NAME = value`, with its comment above. comment: text of ours; nothing of any data may stand in it."""
    shown = pprint.pformat(value, width=100, sort_dicts=False, compact=True)
    above = f"# {comment}\n" if comment else ""
    return f"{above}{name} = {shown}"
