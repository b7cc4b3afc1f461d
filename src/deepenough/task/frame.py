"""A table as it was read, before anyone asks a question of it: numbers, dates and strings in plain arrays.

Needs that the design answers:

* A third of a million rows stay small in memory: no array of Python objects survives the reading; strings are codes
  and their distinct levels.
* What a file says in strings is read once, and how it was read is remembered (`Raw.reading`), so that a saved model
  reads tomorrow's rows in the same way.
* pandas, polars and Arrow frames give the same columns as the file they could have been written to.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from deepenough.errors import ColumnError, SourceError
from deepenough.task import names as naming
from deepenough.task import parsing

FORMS = ("number", "words", "date")
MIXED, FEW_NUMBERS = 0.2, 10
"""A column of words is said to be mixed where a larger share of it is numbers, and more than so many different ones."""
MANY_LEVELS = 10_000
"""Up to so many levels are sorted; more keep the order of appearance, for sorting them costs more than reading."""
AS_IT_STANDS = "as it stands"
WHOLE = re.compile(r"-?(?:0|[1-9]\d*)(?:\.0)?")
"""How whole numbers are written, also by who keeps them as decimals."""


@dataclass(frozen=True)
class Raw:
    """One column as it was read.

    form: `number`, `words` or `date`.
    values: shape (n,). Numbers: float64, NaN where missing. Dates: float64, seconds since 1970. Text: int32, the place
        in `levels`, -1 where missing.
    reading: how strings were read, see `parsing.Reading.how`; `logical` for true and false; `AS_IT_STANDS` for names;
        empty where nothing had to be read.
    """

    name: str
    form: str
    values: np.ndarray
    levels: tuple[str, ...] = ()
    reading: str = ""

    @property
    def missing(self) -> np.ndarray:
        """Which rows hold nothing, shape (n,), bool."""
        return np.asarray(self.values < 0 if self.form == "words" else np.isnan(self.values))

    @property
    def are_whole(self) -> bool:
        """Whether it holds whole numbers, also where they were read as they stand."""
        if self.form == "number":
            return bool((self.values[~self.missing] % 1 == 0).all())
        return self.reading == AS_IT_STANDS and all(map(WHOLE.fullmatch, self.levels))

    def take(self, rows: np.ndarray) -> Raw:
        """These rows, in this order."""
        return replace(self, values=self.values[rows])

    def strings(self) -> list[str | None]:
        """Each row's value as a string; None where missing."""
        if self.form == "words":
            return [None if code < 0 else self.levels[code] for code in self.values.tolist()]
        return [None if math.isnan(value) else parsing.plain_number(value) for value in self.values.tolist()]


@dataclass(frozen=True)
class Frame:
    """Columns of one length, what is known of where they come from, and what was decided while reading."""

    columns: tuple[Raw, ...]
    rows: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]

    def column(self, name: str, option: str = "--target") -> Raw:
        """The column of that name; ColumnError offers the nearest names, and names the option that asked."""
        for column in self.columns:
            if column.name == name:
                return column
        raise ColumnError.missing(name, self.names, option)

    def take(self, rows: np.ndarray) -> Frame:
        """These rows, in this order."""
        return replace(self, columns=tuple(column.take(rows) for column in self.columns), rows=len(rows))


def is_frame(source: Any) -> bool:
    """Whether it is a table in memory: a frame that narwhals knows, or a list of objects (dicts)."""
    if isinstance(source, list | tuple):
        return bool(source) and all(isinstance(row, Mapping) for row in source[:10])
    module = type(source).__module__.split(".")[0]
    return module in ("pandas", "polars", "pyarrow", "modin", "cudf", "narwhals", "duckdb")


def from_frame(source: Any, max_rows: int | None = None, seed: int = 0, ids: Sequence[str] = ()) -> Frame:
    """Columns of a table in memory; above `max_rows`, of a random sample of its rows, in their order.

    ids: columns that are read as they stand, see `as_it_stands`.
    """
    if isinstance(source, list | tuple):
        return from_records(source, max_rows, seed, ids)
    source, notes = named_apart(source)
    table = _as_narwhals(source)
    total = len(table)
    if max_rows is not None and total > max_rows:
        table = table[_sampled(total, max_rows, seed).tolist()]
    columns = []
    for name in table.columns:
        own = table[name]
        column, note = (as_it_stands(name, own.to_list()), []) if name in ids else _from_series(str(name), own)
        columns.append(column)
        notes += note
    return _checked(columns, len(table), total, notes)


def from_records(rows: Any, max_rows: int | None = None, seed: int = 0, ids: Sequence[str] = ()) -> Frame:
    """Columns of a list of objects (dicts); a key that a row lacks is missing there."""
    total = len(rows)
    if max_rows is not None and total > max_rows:
        rows = [rows[place] for place in _sampled(total, max_rows, seed).tolist()]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    names = naming.tidied(keys)
    columns, notes = [], naming.said(keys, names)
    for key, name in zip(keys, names, strict=True):
        values = [row.get(key) for row in rows]
        column, note = (as_it_stands(name, values), []) if name in ids else from_values(name, values)
        columns.append(column)
        notes += note
    return _checked(columns, len(rows), total, notes)


def from_values(name: str, values: list[Any]) -> tuple[Raw, list[str]]:
    """A column of Python values of any type, and what was decided about it."""
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, _NUMBER) and not isinstance(value, bool) for value in present):
        return numbers(name, np.array([math.nan if value is None else _float(value) for value in values]))
    nested = [nested_note(name)] if any(isinstance(value, parsing.NESTED) for value in present) else []
    column, notes = from_strings(name, [parsing.as_text(value) for value in values])
    return column, [*nested, *notes]


_NUMBER = (int, float, np.integer, np.floating)


def _float(value: Any) -> float:
    """The number, infinite where it is a whole one beyond all that floats can say."""
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def nested_note(name: str) -> str:
    """What is said of a column of lists or objects."""
    return f"Column {name!r} holds lists or objects; each was read as the text that JSON writes for it."


def numbers(name: str, values: np.ndarray) -> tuple[Raw, list[str]]:
    """A column of numbers. Infinite ones count as missing, and it is said."""
    values = np.asarray(values, dtype=np.float64)
    infinite = int(np.isinf(values).sum())
    notes = [f"Column {name!r}: {infinite:,} infinite values count as missing."] if infinite else []
    return Raw(name, "number", finite(values)), notes


def from_strings(name: str, strings: list[str | None], exact: bool = False) -> tuple[Raw, list[str]]:
    """A column of strings: read as numbers, dates or true and false where nearly all are; else kept as levels.

    exact: they were given as categories, and stay what they are.
    """
    codes, levels = factorised(strings)
    counts = np.bincount(codes[codes >= 0], minlength=len(levels))
    reading = parsing.Reading("words") if exact else parsing.guess(levels, counts)
    if reading.form != "words":
        values = parsing.read(levels, reading)
        good = counts[~np.isnan(values)].sum()
        meant = counts.sum() - counts[[parsing.is_gap(level) for level in levels]].sum() if levels else 0
        if good and good >= parsing.ENOUGH * meant:
            column = Raw(name, reading.form, np.append(values, np.nan)[codes], reading=reading.how)
            zones = parsing.zoned(name, levels) if reading.how == "iso" else []
            return column, [*_said(name, reading, int(meant - good)), *zones]
    return text(name, codes, levels), [] if exact else _mixed(name, levels, counts)


def as_it_stands(name: str, values: Sequence[Any]) -> Raw:
    """A column of values that name something, each as its text: 007 is not 7, and of a long number every digit counts.

    Where all are whole numbers, 7.0 is 7: so frames write them that have gaps.
    """
    strings = [None if is_nothing(value) else parsing.as_id(value) for value in values]
    codes, levels = factorised(strings)
    if all(map(WHOLE.fullmatch, levels)):
        codes, levels = _recoded(codes, [level.removesuffix(".0") for level in levels])
    return replace(text(name, codes, levels), reading=AS_IT_STANDS)


def _recoded(codes: np.ndarray, levels: list[str]) -> tuple[np.ndarray, list[str]]:
    """Codes of levels of which some have become the same, and each of them once."""
    known = {level: place for place, level in enumerate(dict.fromkeys(levels))}
    return np.array([*map(known.__getitem__, levels), -1], dtype=np.int32)[codes], list(known)


def _mixed(name: str, levels: list[str], counts: np.ndarray) -> list[str]:
    """What is said of words and numbers in one column; a few numbers among many words, or the other way, are not."""
    step = max(1, len(levels) // parsing.SAMPLE)
    are_numbers = ~np.isnan(parsing.read(levels[::step], parsing.Reading("number")))
    share = float(np.average(are_numbers, weights=counts[::step])) if levels else 0.0
    if not MIXED < share <= parsing.ENOUGH or are_numbers.sum() <= FEW_NUMBERS:
        return []
    return [f"Column {name!r}: {share:.0%} of its values are numbers and the others are not; all are taken as words."]


def _said(name: str, reading: parsing.Reading, bad: int) -> list[str]:
    notes = []
    if reading.how not in ("", "iso"):
        notes.append(f"Column {name!r} was read as {reading.about}.")
    if bad > 0:
        notes.append(f"Column {name!r}: {bad:,} values are no {reading.form}s and count as missing.")
    return notes


def text(name: str, codes: np.ndarray, levels: list[str]) -> Raw:
    """A column of levels, the words of a truth value in lower case, sorted where there are not too many."""
    logical = bool(levels) and {level.lower() for level in levels} <= {"true", "false"}
    if logical:
        levels = [level.lower() for level in levels]
    if len(levels) <= MANY_LEVELS:
        ordered = sorted(set(levels))
        place = {level: index for index, level in enumerate(ordered)}
        codes = np.array([*(place[level] for level in levels), -1], dtype=np.int32)[codes]
        levels = ordered
    return Raw(name, "words", codes, tuple(levels), "logical" if logical else "")


def factorised(strings: Sequence[str | None]) -> tuple[np.ndarray, list[str]]:
    """Codes (int32, -1 where missing or a word for missing) and the distinct strings, stripped of outer spaces."""
    known: dict[str, int] = {}
    places: dict[str | None, int] = {None: -1}
    for string in dict.fromkeys(strings):  # in the order of appearance, so that codes do not depend on hashing
        if string is not None:
            stripped = string.strip()
            places[string] = -1 if parsing.is_missing(stripped) else known.setdefault(stripped, len(known))
    codes = np.fromiter(map(places.__getitem__, strings), dtype=np.int32, count=len(strings))
    return codes, list(known)


def finite(numbers: np.ndarray) -> np.ndarray:
    """Float64, with NaN where a number is infinite: no learner can use it, and none should guess what it stands for."""
    numbers = np.asarray(numbers, dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def fingerprint(frame: Frame) -> str:
    """Sha256 of names and values, for a table that has no file; the same whether a column was read as it stands."""
    digest = hashlib.sha256()
    for raw in frame.columns:
        column = from_strings(raw.name, raw.strings())[0] if raw.reading == AS_IT_STANDS else raw
        digest.update(f"{column.name}\0{column.form}\0".encode("utf-8", "surrogatepass"))
        digest.update("\0".join(column.levels).encode("utf-8", "surrogatepass"))
        digest.update(np.ascontiguousarray(column.values).tobytes())
    return digest.hexdigest()


def named_apart(source: Any) -> tuple[Any, list[str]]:
    """The frame with a name of its own for every column, as strings, and what is said of names that were mended."""
    arrow = hasattr(source, "column_names")
    given = list(source.column_names if arrow else getattr(source, "columns", ()))
    names = naming.tidied(given)
    if names == given:
        return source, []
    if type(source).__module__.startswith("pandas"):
        source = source.set_axis(names, axis=1)
    elif arrow:
        source = source.rename_columns(names)
    else:
        source = source.rename(dict(zip(given, names, strict=True)))
    return source, naming.said(given, names)


def _as_narwhals(source: Any) -> Any:
    import narwhals as nw

    try:
        table = nw.from_native(whole_table(source))
    except TypeError as error:
        raise SourceError(f"{type(source).__name__} is no table: give a pandas, polars or Arrow frame.") from error
    except (nw.exceptions.NarwhalsError, ValueError) as error:
        kind = type(source).__name__
        raise SourceError(f"The {kind} can't be read: {error}. Give every column its own name.") from error
    return table.collect() if isinstance(table, nw.LazyFrame) else table


def whole_table(source: Any) -> Any:
    """The frame itself, or the Arrow table of a record batch: narwhals knows only the former."""
    if type(source).__name__ == "RecordBatch":
        import pyarrow as pa  # type: ignore[import-untyped]  # it ships no annotations

        return pa.Table.from_batches([source])
    return source


def _from_series(name: str, series: Any) -> tuple[Raw, list[str]]:
    import narwhals as nw

    dtype = series.dtype
    if dtype.is_numeric():
        return numbers(name, series.cast(nw.Float64).to_numpy())
    if dtype == nw.Duration:
        spans = [math.nan if is_nothing(value) else value.total_seconds() for value in series.to_list()]
        return Raw(name, "number", np.array(spans)), [f"Column {name!r} holds spans of time; it is read in seconds."]
    if dtype == nw.Date or dtype == nw.Datetime:
        seconds = np.array([math.nan if tick is None else tick for tick in _ticks(series)], dtype=np.float64) / 1e6
        zone = getattr(dtype, "time_zone", None)
        said = [f"Column {name!r}: its moments are those of {zone}, and {parsing.IN_UTC}"]
        return Raw(name, "date", seconds), said if zone not in (None, "UTC") else []
    values = [None if is_nothing(value) else value for value in series.to_list()]
    if dtype == nw.Categorical or dtype == nw.Enum:
        return from_strings(name, [parsing.as_text(value) for value in values], exact=True)
    return from_values(name, values)


def _ticks(series: Any) -> list[float | None]:
    """Microseconds since 1970 of a column of dates; None where missing."""
    import narwhals as nw

    moments = series if series.dtype == nw.Datetime else series.cast(nw.Datetime("us"))
    return [None if is_nothing(tick) else tick for tick in moments.dt.timestamp("us").to_list()]


def is_nothing(value: Any) -> bool:
    """None, NaN, NaT and pandas' NA: the values that are not themselves."""
    if value is None:
        return True
    if isinstance(value, (str, *parsing.NESTED)):
        return False
    return type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def _sampled(total: int, wanted: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).choice(total, wanted, replace=False))


def _checked(columns: list[Raw], rows: int, total: int, notes: list[str]) -> Frame:
    if rows == 0 or not columns:
        raise SourceError("The table has no rows." if columns else "The table has no columns.")
    return Frame(tuple(columns), rows, {"rows_in_source": total}, tuple(notes))
