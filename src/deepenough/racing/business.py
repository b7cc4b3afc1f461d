"""What a person says of the use of a model, read: `50/s`, `20ms`, `0.01=500/month`, `200/month`.

Each is said before the race and stands in its plan. Worth and the cost of switching together fix what counts as
practically equal; an --equal-within beside them would be a second word on the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from deepenough.errors import OptionError
from deepenough.judge.business import SECONDS_A_YEAR, Business

_SECONDS = {
    **{"s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0},
    **{"d": 86_400.0, "day": 86_400.0, "week": 604_800.0, "month": SECONDS_A_YEAR / 12},
    **{"y": SECONDS_A_YEAR, "year": SECONDS_A_YEAR},
}
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
_NUMBER = r"[0-9][0-9,_]*(?:\.[0-9]+)?|\.[0-9]+"
OPTIONS = ("traffic", "max_latency", "worth", "switch_cost")


def read(said: Mapping[str, Any] | None) -> dict[str, float]:
    """What stands in the plan: the fields of `judge.business.Business` that were said. Raises OptionError.

    said: by any of OPTIONS, as typed; None means nothing.
    """
    for name in said or {}:
        if name not in OPTIONS:
            raise OptionError(f"{name!r} is no part of a business. There are: {', '.join(OPTIONS)}.")
    given = {name: str(value).strip() for name, value in (said or {}).items() if value is not None}
    found: dict[str, float] = {}
    if "traffic" in given:
        found["per_second"] = _rate(given["traffic"], "--traffic", "50/s") / SECONDS_A_YEAR
    if "max_latency" in given:
        found["max_latency_ms"] = _milliseconds(given["max_latency"])
    if "worth" in given:
        found["worth_a_year"] = _worth(given["worth"])
    if "switch_cost" in given:
        found["switch_cost_a_year"] = _rate(given["switch_cost"], "--switch-cost", "200/month")
    for field, value in found.items():
        if not (value > 0 and math.isfinite(value)):
            raise OptionError(
                f"What was said of {field.replace('_', ' ')} is too small or too large a number to count."
            )
    return found


def equal_within(found: Mapping[str, float], said: float | None) -> tuple[float | None, dict[str, str]]:
    """What counts as practically equal, with where it comes from for the plan. Raises OptionError where two say it."""
    if "switch_cost_a_year" in found and "worth_a_year" not in found:
        raise OptionError("--switch-cost says what counts as equal only with --worth, as --worth 0.01=500/month.")
    of_worth = Business.of(found).equal_within
    if of_worth is None:
        return said, {}
    if said is not None:
        raise OptionError(
            "--equal-within and --worth with --switch-cost both say what counts as practically equal. Leave one out."
        )
    if not (of_worth > 0 and math.isfinite(of_worth)):
        raise OptionError("--switch-cost divided by --worth is too small or too large a number to count as equal.")
    return of_worth, {"equal_within_source": "worth"}


def _rate(text: str, option: str, like: str) -> float:
    """A number a time, as one a year."""
    match = re.fullmatch(rf"({_NUMBER})\s*/\s*([a-z]+)", text.lower())
    if match is None or match[2] not in _SECONDS:
        raise OptionError(
            f"{option} {text!r} can't be read: a number a time is expected, as {like} (s, min, h, day, month, year)."
        )
    return _positive(match[1], option, text) * SECONDS_A_YEAR / _SECONDS[match[2]]


def _milliseconds(text: str) -> float:
    match = re.fullmatch(rf"({_NUMBER})\s*([a-z]*)", text.lower())
    if match is None or (match[2] or "ms") not in _MILLISECONDS:
        raise OptionError(f"--max-latency {text!r} can't be read: a time is expected, as 20ms or 0.5s.")
    return _positive(match[1], "--max-latency", text) * _MILLISECONDS[match[2] or "ms"]


def _worth(text: str) -> float:
    """Money a year for one unit of the judged metric."""
    unit, _, price = text.partition("=")
    if not re.fullmatch(_NUMBER, unit.strip()):
        raise OptionError(f"--worth {text!r} can't be read: so much of the metric = money a time, as 0.01=500/month.")
    return _rate(price.strip(), "--worth", "0.01=500/month") / _positive(unit.strip(), "--worth", text)


def _positive(number: str, option: str, text: str) -> float:
    value = float(number.replace(",", "").replace("_", ""))
    if not (value > 0 and math.isfinite(value)):
        raise OptionError(f"{option} {text!r}: a number above 0 is expected.")
    return value
