"""Numbers as people read them. Everything that is shown, in the terminal and on the page, is worded here."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from typing import Any

from deepenough.judge.called import called
from deepenough.judge.metrics import METRIC_WORDS

NOTHING = "–"  # noqa: RUF001  an en dash stands for "not known" in tables
_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_DURATIONS = ((3600.0, "h"), (60.0, "min"))


def plain(value: Any) -> str:
    """Text that is safe on a terminal: no control characters, so that a column's name can't move the cursor."""
    return "".join(character if character.isprintable() else "?" for character in str(value))


_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories of what has no shape of its own: control, direction, width, half of a pair, line and paragraph."""


def harmless(value: Any) -> Any:
    """Plain data whose texts show every character: what is unseen, or turns others round, becomes `[U+202E]`."""
    if isinstance(value, Mapping):
        return {_seen(str(name)): harmless(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [harmless(item) for item in value]
    return _seen(value) if isinstance(value, str) else value


def _seen(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"[U+{ord(c):04X}]" if unicodedata.category(c) in _UNSEEN else c for c in text)


def cut(text: str, letters: int) -> str:
    """The beginning of a text that is too long for its place."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def number(value: float | None, digits: int = 3) -> str:
    """Three significant digits, thousands apart: `0.0123`, `12.3`, `12,300`."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    if abs(value) >= 10**digits:
        return f"{round(value, digits - 1 - math.floor(math.log10(abs(value)))):,.0f}"
    if abs(value) < 1e-4:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"


def count(value: float | None) -> str:
    """Whole things: `20,000`."""
    return NOTHING if value is None else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """A share of one: `12 %`, `0.4 %`."""
    return NOTHING if share is None else f"{100 * share:.3g} %"


def seconds(value: float | None) -> str:
    """`12 ms`, `1.2 s`, `3.4 min`, `2.0 h`."""
    if value is None:
        return NOTHING
    for size, unit in _DURATIONS:
        if value >= 1.5 * size:
            return f"{number(value / size, 2)} {unit}"
    return f"{number(1000 * value, 2)} ms" if value < 0.1 else f"{number(value, 2)} s"


def milliseconds(value: float | None) -> str:
    """`0.8 ms`, `12 ms`."""
    return NOTHING if value is None else f"{number(value, 2)} ms"


def bytes_of_memory(value: float | None) -> str:
    """`12 MB`, `1.4 GB`; powers of ten. Nothing takes no byte at all, so 0 says that nobody measured."""
    if not value:
        return NOTHING
    for size, unit in _SIZES:
        if value >= size:
            return f"{number(value / size, 2)} {unit}"
    return f"{value:.0f} bytes"


def energy(joules: float | None) -> str:
    """`12 J`, `3.4 kJ`, `0.12 kWh`."""
    if joules is None:
        return NOTHING
    if joules >= 1e5:
        return f"{number(joules / 3.6e6, 2)} kWh"
    return f"{number(joules / 1e3, 2)} kJ" if joules >= 1e3 else f"{number(joules, 2)} J"


def money(amount: float | None, currency: str = "EUR") -> str:
    """`EUR 0.0012`; what is too small to matter is said so."""
    if amount is None:
        return NOTHING
    return f"under {currency} 0.000001" if 0 < amount < 1e-6 else f"{currency} {_decimal(amount)}"


def _decimal(amount: float) -> str:
    """Two significant digits and never an exponent: nobody reads money as 1.2e-05."""
    if amount == 0:
        return "0"
    places = max(2, 1 - math.floor(math.log10(abs(amount))))
    return f"{amount:,.{places}f}"


def times(ratio: float | None) -> str:
    """`3.2 times`."""
    return NOTHING if ratio is None else f"{number(ratio, 2)} times"


def sentence(content: str) -> str:
    """It begins with a capital and ends with a full stop."""
    return f"{content[:1].upper()}{content[1:].rstrip('.')}." if content else ""


def noted(data: Mapping[str, Any]) -> str:
    """What a note says: its one text, by whatever name an older version gave it."""
    return next((value for value in data.values() if isinstance(value, str)), "")


def metric(name: str) -> str:
    """A metric's name as words: `log loss`, `AUC`."""
    return METRIC_WORDS.get(name, (name.replace("_", " "), False))[0]


def units(facts: Mapping[str, Any]) -> str:
    """What several of a race's units are called: rows, pictures, documents."""
    return called(facts["question"])[1]


def budget(budget_seconds: float | None, budget_trials: int | None) -> str:
    """As `--budget` takes it: `30s`, `6m`, `40trials`."""
    if budget_seconds is None:
        return f"{budget_trials}trials"
    for size, letter in ((3600, "h"), (60, "m")):
        if budget_seconds >= size and budget_seconds % size == 0:
            return f"{budget_seconds / size:.0f}{letter}"
    return f"{math.ceil(budget_seconds)}s"


def short(value: float) -> str:
    """A number at an axis: `500`, `2k`, `1M`, `0.125`."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:g}"
