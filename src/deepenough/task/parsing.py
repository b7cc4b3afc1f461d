"""What strings mean: missing, numbers with their marks, dates in their formats. Scalars in, scalars out.

Needs that the design answers:

* Files write 1234.5 as `1,234.50`, `1.234,50`, `1 234,5`, `$1,234.50` or `12 %`. One style is chosen a column, by what
  explains most of it, and is remembered, so that the same string means the same number when the model is served.
* A column is a number only where more than 95 % of what stands in it is one; what is left counts as missing, and the
  reader says how many.
* Numbers carry their unit (`12 kg`): one a column is understood, and said; where there are several, nobody guesses.
* Ids such as `00417` are no numbers: their zeros would be lost.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

ENOUGH = 0.95
"""Share of a column's values that must be understood before it counts as numbers or dates."""
SAMPLE = 1_000
"""Distinct strings that are looked at to choose a reading."""
LONGEST = 500
"""Letters of what can be a number or a date; of a longer text so many are looked at."""

IN_UTC = "were read in UTC."
"""How what is said of moments with zones ends."""

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "?", "<na>", "nat"})
_GAPS = frozenset({"none", "-", "--", ".", "..", "nil", "missing", "unknown", "undefined", "\\n", "not available"})
_MARKS = re.compile(r"^(?:[€$£¥₹]|eur|usd|gbp|chf|us\$)\s*|\s*(?:[€$£¥₹%]|eur|usd|gbp|chf)$", re.IGNORECASE)
_SIGNED_MARK = re.compile(r"^([+-])\s*(?:[€$£¥₹]|eur|usd|gbp|chf|us\$)\s*", re.IGNORECASE)
_PLAIN = re.compile(r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$")
_COMMA_GROUPS = re.compile(r"^[+-]?(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d*)?$")
_COMMA_DECIMAL = re.compile(r"^[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?$")
_SPACE_GROUPS = re.compile(r"^[+-]?(?:\d{1,3}(?:[ '\u00a0\u202f\u2019]\d{3})+|\d+)(?:[.,]\d+)?$")
_SPACES = re.compile(r"[ '\u00a0\u202f\u2019]")

_STYLES: dict[str, tuple[re.Pattern[str], Callable[[str], str], str]] = {
    "plain": (_PLAIN, lambda text: text, "numbers"),
    "comma groups": (_COMMA_GROUPS, lambda text: text.replace(",", ""), "numbers with commas between thousands"),
    "comma decimal": (
        _COMMA_DECIMAL,
        lambda text: text.replace(".", "").replace(",", "."),
        "numbers with a decimal comma",
    ),
    "space groups": (
        _SPACE_GROUPS,
        lambda text: _SPACES.sub("", text).replace(",", "."),
        "numbers with spaces between thousands",
    ),
}
_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y")
_WORDED = ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d %Y", "%a, %d %b %Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f", "T%H:%M:%S")
_LOOKS_LIKE_A_DATE = re.compile(r"^(?=.*\d\D+\d)[\w,./: +-]{6,40}$")
_ISO = re.compile(r"^\d{4}-\d{2}(-\d{2})?([T ]\d{1,2}:\d{2}.*)?$")
_OFFSET = re.compile(r":\d{2}(\.\d+)?\s?[+-]\d{2}(:?\d{2})?$")
_LEADING_ZERO = re.compile(r"^0\d+$")
NESTED = (list, tuple, set, frozenset, dict, np.ndarray)
"""Types of cells that hold more than one value."""
_UNIT = re.compile(  # what follows a point at once is the ending of a file, `017.png`
    r"^[+-]?\d[\d.,'\s\u00a0\u202f\u2019]*(?:e[+-]?\d+)??\s*(?<!\.)([^\W\d_]{1,8}(?:/[^\W\d_]{1,8})?[²³]?|°[CFK]?)\.?$",
    re.I,
)
_MAGNITUDES = frozenset({"k", "m", "b", "t", "mn", "bn", "mio", "mrd", "million", "millions", "billion", "thousand"})
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Reading:
    """How the strings of a column are read.

    form: `number`, `date` or `words`.
    how: for numbers a style (empty: plain), with their unit behind a bar where they have one (`plain|kg`); for dates
        `iso` or a strptime format.
    """

    form: str
    how: str = ""

    @property
    def about(self) -> str:
        """In plain words."""
        if self.form == "number":
            style, unit = _style_and_unit(self.how)
            return _STYLES[style][2] + (f" in {unit}" if unit else "")
        return "dates" if self.how == "iso" else f"dates written as {self.how}"


def is_missing(text: str) -> bool:
    """Whether a string stands for nothing in any column: empty, NA, N/A, NaN, null, a question mark."""
    return len(text) <= 4 and text.lower() in MISSING


def is_gap(text: str) -> bool:
    """Whether a string stands for nothing among numbers or dates, though it may be a level elsewhere: none, a dash."""
    return text.lower() in _GAPS


def plain_number(value: float) -> str:
    """A number as a string, whole numbers without their `.0`."""
    return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else repr(float(value))


def as_text(value: Any) -> str | None:
    """Any Python value as the string that a file would hold; None stays None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return None if math.isnan(value) else plain_number(float(value))
    if isinstance(value, datetime.date):  # and datetime, its child
        return value.isoformat()
    if isinstance(value, NESTED):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_plain)
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def as_id(value: Any) -> str | None:
    """The same of a value that names something: whole numbers in full, a day without the hour 0."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, np.datetime64):
        value = None if np.isnat(value) else value.astype("datetime64[us]").item()
    if isinstance(value, datetime.datetime) and value.time() == datetime.time() and value.tzinfo is None:
        value = value.date()
    return as_text(value)


def _plain(value: Any) -> Any:
    """What stands in a list and JSON has no word for."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)


def number(text: str, how: str = "") -> float:
    """The number that a string holds in a style; NaN where it holds none, or an infinite one."""
    if len(text) > LONGEST:
        return math.nan
    style, unit = _style_and_unit(how)
    pattern, plain, _ = _STYLES[style]
    body = text.strip()
    if unit:
        body = _without_unit(body, unit.lower())
    if not pattern.match(body):
        body = _MARKS.sub("", _MARKS.sub("", _SIGNED_MARK.sub(r"\1", body))).strip()
        if not pattern.match(body):
            return math.nan
    value = float(plain(body))
    return value if math.isfinite(value) else math.nan


def _style_and_unit(how: str) -> tuple[str, str]:
    style, _, unit = how.partition("|")
    return style or "plain", unit


def _without_unit(body: str, unit: str) -> str:
    """What stands before the unit. Without one it is the number in that unit; but 950 among `1.2k` may be 950 alone."""
    lower = body.lower().removesuffix(".") if not unit.endswith(".") else body.lower()
    if lower.endswith(unit):
        return body[: len(lower) - len(unit)].rstrip()
    return "" if unit in _MAGNITUDES else body


def units(levels: Sequence[str]) -> Counter[str]:
    """The units behind numbers, `kg` of `12 kg`, by how many of the strings have each."""
    found = (_UNIT.match(level.strip()) for level in levels if not _MARKS.search(level.strip()))
    return Counter(match.group(1) for match in found if match)


def number_in_any_style(text: str, how: str = "") -> float:
    """The number that a string holds in its column's style; else in the only other one that makes sense of it.

    `1,234` may be a thousand or a little more than one, and is neither here unless the style says so; `12,5` is clear.
    """
    value = number(text, how)
    if not math.isnan(value):
        return value
    unit = _style_and_unit(how)[1]
    hows = [f"{style}|{unit}" if unit else style for style in _STYLES]
    others = {other for how in hows if not math.isnan(other := number(text, how))}
    return others.pop() if len(others) == 1 else math.nan


def date(text: str, how: str = "iso") -> float:
    """Seconds since 1970 of a date in a format, read as UTC where it names no zone; NaN where it is none."""
    body = text.strip()
    try:
        if how != "iso":
            moment = datetime.datetime.strptime(body, how)
        elif len(body) == 7:
            moment = datetime.datetime.strptime(body, "%Y-%m")
        else:
            moment = datetime.datetime.fromisoformat(body)
    except ValueError:
        return math.nan
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return (moment - _EPOCH).total_seconds()


def zoned(name: str, levels: Sequence[str]) -> list[str]:
    """What is said of ISO dates of which some name a zone other than UTC."""
    offsets = {found.group() for level in levels[:: max(1, len(levels) // SAMPLE)] if (found := _OFFSET.search(level))}
    elsewhere = any(set(offset.rpartition("+")[2]) - set("0:") for offset in offsets)
    return [f"Column {name!r}: its moments name time zones, and {IN_UTC}"] if elsewhere else []


def read(levels: Sequence[str], reading: Reading) -> np.ndarray:
    """Each string as a number or as seconds since 1970; NaN where it is neither. Shape (n,), float64."""
    scalar = number if reading.form == "number" else date
    return np.array([scalar(level, reading.how) for level in levels], dtype=np.float64)


def explained(levels: Sequence[str], reading: Reading) -> float:
    """Share of up to a thousand of the strings that a reading makes sense of; 1 where there are none."""
    sample = [level for level in levels[:: max(1, len(levels) // SAMPLE)] if not is_gap(level)]
    return float(np.mean(~np.isnan(read(sample, reading)))) if sample else 1.0


def guess(levels: Sequence[str], counts: Sequence[int] | np.ndarray | None = None) -> Reading:
    """The reading that explains more than 95 % of what stands in a column; `words` where none does.

    counts: how often each level stands there; None: once each.
    """
    weights = [1] * len(levels) if counts is None else [int(count) for count in counts]
    step = max(1, len(levels) // SAMPLE)
    looked = [(level[:LONGEST], n) for level, n in zip(levels[::step], weights[::step], strict=True)]
    sample = [(level, n) for level, n in looked if not is_gap(level)]
    if not sample or _is_code(sample):
        return Reading("words")
    for form, candidates in (("number", _number_styles), ("date", _date_formats)):  # trying dates is dear: they go last
        best, share = "", 0.0
        for how in candidates(sample):
            found = _share(sample, form, how)
            if found > share:
                best, share = how, found
            if share == 1.0:
                break
        if share > ENOUGH:
            return Reading(form, "" if best == "plain" else best)
    return Reading("words")


def _share(sample: list[tuple[str, int]], form: str, how: str) -> float:
    scalar = number if form == "number" else date
    good = sum(count for level, count in sample if not math.isnan(scalar(level, how)))
    return good / sum(count for _, count in sample)


def _is_code(sample: list[tuple[str, int]]) -> bool:
    """Digits of one length, some with a zero in front: an id, a postcode."""
    lengths = {len(level) for level, _ in sample}
    return (
        len(lengths) == 1
        and all(level.isdigit() for level, _ in sample)
        and any(_LEADING_ZERO.match(level) for level, _ in sample)
    )


def _number_styles(sample: list[tuple[str, int]]) -> Iterator[str]:
    """Plain numbers first: most columns are, and no more is looked at then."""
    if sum(any(c.isdigit() for c in level) for level, _ in sample) <= len(sample) / 2:
        return
    yield "plain"
    found = units([level for level, _ in sample])
    unit = found.most_common(1)[0][0] if found else ""
    alike = sum(count for other, count in found.items() if other.lower() == unit.lower())
    if alike > len(sample) / 2:
        yield from (f"{style}|{unit}" for style in _STYLES)
    else:
        yield from (style for style in _STYLES if style != "plain")


def _date_formats(sample: list[tuple[str, int]]) -> list[str]:
    """Formats under which one of the first strings is a date; only these are tried on all."""
    if sum(bool(_LOOKS_LIKE_A_DATE.match(level)) for level, _ in sample) < ENOUGH * len(sample):
        return []
    if sum(bool(_ISO.match(level)) for level, _ in sample) > ENOUGH * len(sample):
        return ["iso"]
    few = [level for level, _ in sample[:3]]
    formats = [day + clock for day in (*_DAYS, *_WORDED) for clock in _CLOCKS]
    return [how for how in formats if any(not math.isnan(date(level, how)) for level in few)]
