"""Learning curves that somebody measured elsewhere, read from a table: see `judge.points`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from deepenough.errors import ColumnError, OptionError, SourceError
from deepenough.evidence import FAMILIES
from deepenough.judge.points import Point, answer

NEEDED = ("learner", "family", "n_train", "error")
AT_ONCE = 50_000


def curves(source: Any, at: str | Sequence[str] = "2x,4x", seed: int = 0) -> dict[str, Any]:
    """Forecast what more rows would bring, from measured points.

    source: a file or frame with the columns `learner`, `family` (classical or deep), `n_train`, `error`; and, where
        known, `stderr` (of the error; default 2 % of the largest one), `seconds` (of training) and `task`.
    at: sizes to forecast, as multiples of the largest size of each learner.
    seed: of the draws that the intervals are read from.

    Returns `forecasts` (learner, family, n_train, median, low and high of the 90 % interval, note), `crossing` (of the
    best classical and the best deep learner: word, low, high, leader, sentence), `learners` (with what is odd about a
    curve) and `advice`. With a column `task` each of them names its task, and `crossing` is one a task.

    Raises ColumnError where a column is missing, SourceError where a value can't be used, OptionError for a bad `at`.
    """
    points = list(_points(source))
    if not points:
        raise SourceError("There is no measured point: every row needs a learner, a family, n_train and error.")
    told = answer(points, _times(at), seed)
    by_task = len(told) > 1 or told[0]["task"] != ""
    if not by_task:
        return {name: value for name, value in told[0].items() if name != "task"}
    named = {
        name: [{"task": each["task"], **row} for each in told for row in each[name]]
        for name in ("forecasts", "learners")
    }
    advice = [f"{each['task']}: {sentence}" for each in told for sentence in each["advice"]]
    return {**named, "crossing": {each["task"]: each["crossing"] for each in told}, "advice": advice}


def _times(at: str | Sequence[str]) -> list[float]:
    """What `2x,4x` asks for."""
    asked = at.split(",") if isinstance(at, str) else list(at)
    found = [re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*x?\s*", str(each)) for each in asked]
    if not found or not all(found):
        raise OptionError(f"--at {at!r} can't be read: multiples of the largest size are expected, as 2x,4x.")
    times = [float(match[1]) for match in found if match]
    if min(times) < 1:
        raise OptionError(f"--at {min(times):g}x lies below the largest size: at least 1x is expected.")
    return times


def _points(source: Any) -> Iterator[Point]:
    import narwhals as nw

    from deepenough.task.source import batches

    place = 1
    for batch in batches(source, AT_ONCE):
        frame = nw.from_native(batch, eager_only=True)
        missing = [name for name in NEEDED if name not in frame.columns]
        if missing:
            raise ColumnError(
                f"The column {missing[0]!r} is missing. Measured points have the columns {', '.join(NEEDED)}, and "
                f"perhaps stderr, seconds and task; there are: {', '.join(frame.columns)}."
            )
        for row in frame.iter_rows(named=True):
            place += 1
            yield _point(row, place)


def _point(row: dict[str, Any], place: int) -> Point:
    family = str(row["family"]).strip().lower()
    if family not in FAMILIES:
        raise SourceError(f"Line {place}: the family is {row['family']!r}; {' or '.join(FAMILIES)} is expected.")
    n_train, error = (_number(row, name, place) for name in ("n_train", "error"))
    if n_train is None or error is None or n_train <= 0:
        raise SourceError(f"Line {place}: n_train must be above 0 and error a number, but they are {n_train}, {error}.")
    stderr, seconds = (_number(row, name, place) if name in row else None for name in ("stderr", "seconds"))
    if stderr is not None and stderr < 0:
        raise SourceError(f"Line {place}: stderr must be at least 0 but is {stderr:g}.")
    task = row.get("task", "")
    return Point(str(row["learner"]), family, n_train, error, stderr, "" if task is None else str(task), seconds)


def _number(row: dict[str, Any], name: str, place: int) -> float | None:
    """The number in that cell; None where it is empty."""
    value = row[name]
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise SourceError(f"Line {place}: {name} is {value!r}, and a number is expected.") from None
    return number if math.isfinite(number) else None
