"""Moments that are written as numbers: by their digits (20240531, 2024053123), or counted from 1970.

Needs that this module answers:

* Read as plain numbers they would have holes at each month's end, and no season; so they are told by their digits.
* Digits are tried before what is counted: seconds since 1970 hardly ever look like hours of a calendar, but all hours
  of a calendar are seconds of some year.
"""

from __future__ import annotations

import numpy as np

DAYS, MONTHS = "YYYYMMDD", "YYYYMM"
HOURS, MINUTES, CLOCKS = "YYYYMMDDHH", "YYYYMMDDHHMM", "YYYYMMDDHHMMSS"
SECONDS, MILLISECONDS = "seconds since 1970", "milliseconds since 1970"
MICROSECONDS, NANOSECONDS = "microseconds since 1970", "nanoseconds since 1970"
COUNTED = {SECONDS: 1, MILLISECONDS: 10**3, MICROSECONDS: 10**6, NANOSECONDS: 10**9}
"""How many make a second."""
NUMBERS = (DAYS, MONTHS, HOURS, MINUTES, CLOCKS, *COUNTED)
FEWEST = 3
"""Fewer different numbers say nothing of how they are meant."""
_MOST = (12, 31, 24, 59, 59)
"""Of months, days, hours (some count them from 1 to 24), minutes and seconds."""
_YEAR_1973, _YEAR_2000, _YEAR_2100 = 1e8, 946_684_800, 4_102_444_800


def reading_of(values: np.ndarray) -> str:
    """How these numbers are meant, of `NUMBERS`; empty where they are plain ones. NaN is left out."""
    known = np.unique(values[np.isfinite(values)])
    if len(known) < FEWEST or not (known == np.floor(known)).all():
        return ""
    return next((reading for reading in NUMBERS if _fits(known, reading)), "")


def seconds(values: np.ndarray, reading: str) -> np.ndarray:
    """Seconds since 1970 of numbers so read; NaN stays NaN."""
    if reading in COUNTED:
        return np.asarray(values / COUNTED[reading])
    known = np.isfinite(values)
    parts = _parts(np.where(known, values, _first(reading)), reading)
    for default in (1, 1, 0, 0, 0)[len(parts) - 1 :]:
        parts.append(np.full(len(values), default))
    year, month, day, hour, minute, second = parts
    first = ((year - 1970) * 12 + month - 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return np.where(known, (first + day - 1) * 86_400.0 + hour * 3_600.0 + minute * 60.0 + second, np.nan)


def _fits(values: np.ndarray, reading: str) -> bool:
    """Whether all of these whole numbers are moments from 1900 to 2100 when so read; counted ones from 2000, or where
    they are whole minutes from 1973."""
    if reading in COUNTED:
        counted = values / COUNTED[reading]
        since = _YEAR_1973 if (counted % 60 == 0).all() else _YEAR_2000
        return bool((counted >= since).all() and (counted <= _YEAR_2100).all())
    if not ((values >= _first(reading)) & (values < 2_101 * 10.0 ** (len(reading) - 4))).all():
        return False
    _, *parts = _parts(values, reading)
    least = (1, 1, 0, 0, 0)
    return all(((part >= low) & (part <= high)).all() for part, low, high in zip(parts, least, _MOST, strict=False))


def _first(reading: str) -> float:
    """The first day of 1900 so written."""
    return float("19000101".ljust(len(reading), "0")[: len(reading)])


def _parts(values: np.ndarray, reading: str) -> list[np.ndarray]:
    """The year, the month and so on that the digits say, int64."""
    parts, rest = [], values.astype(np.int64)
    for _ in range((len(reading) - 4) // 2):
        parts.append(rest % 100)
        rest = rest // 100
    return [rest, *reversed(parts)]
