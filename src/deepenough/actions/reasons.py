"""Why a case is acted on, in words: which of its values, were they the usual ones, would make it less likely.

See `model.explain`, which says what that means and what it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deepenough.errors import DeepenoughError
from deepenough.model import explain
from deepenough.model.folder import LoadedModel

SHOWN = 3
LEAST_POINTS = 1.0
"""Percentage points that a reason moves the chance by, at least."""


def of(
    model: LoadedModel, shown: Sequence[dict[str, Any]], read: Callable[[], list[dict[str, Any]]], code: int | None
) -> tuple[list[str], str]:
    """The reasons for each row, the largest first; and why there are none, where there are none.

    shown: the rows as they stand in their file. read: gives them as the model reads them, where it can be explained.
    code: of the class whose chance is explained; None for a number.
    """
    try:
        names, usual, moved = explain.moved(model, read() if model.codec.usual() else shown, code)
    except DeepenoughError as error:
        return ["" for _ in shown], str(error)
    scale = 1.0 if code is None else 100.0
    least = LEAST_POINTS if code is not None else float(np.abs(moved).mean()) if moved.size else 0.0
    said = []
    for row, effects in zip(shown, scale * moved, strict=True):
        order = np.argsort(-effects, kind="stable")[:SHOWN]
        parts = [
            _said(names[at], row.get(names[at]), usual[names[at]], effects[at], code)
            for at in order
            if effects[at] >= least
        ]
        said.append("; ".join(parts))
    return said, ""


def _said(name: str, value: Any, usual: Any, effect: float, code: int | None) -> str:
    by = f"{effect:+.0f} points" if code is not None else f"{effect:+.3g}"
    return f"{name} {_shown(value)} ({by}; usual: {_shown(usual)})"


def _shown(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "unknown"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
