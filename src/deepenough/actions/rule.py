"""Today's rule, as a person writes it: `age > 60 and plan = basic`.

Needs that this module answers:

* Comparisons of columns with numbers or words, joined by `and` and `or`; nothing of it is ever run as code.
* A name in backticks may hold anything, also signs and the words and, or; so may a value in quotes.
* A column that is not there, or a word where a number is compared, is said by name.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.errors import OptionError
from deepenough.task import parsing
from deepenough.task.frame import Frame, Raw

_HOW: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_QUOTED = r"`[^`]+`|'[^']*'|\"[^\"]*\""
_COMPARISON = re.compile(rf"^\s*({_QUOTED}|.+?)\s*(>=|<=|!=|==|=|>|<)\s*(.+?)\s*$")
_QUOTES = "'\"`"


@dataclass(frozen=True)
class _Comparison:
    column: str
    how: str
    value: str

    def of(self, frame: Frame) -> np.ndarray:
        column = frame.column(self.column, "--rule")
        if column.form == "words":
            return self._of_words(column)
        number = parsing.date(self.value) if column.form == "date" else parsing.number_in_any_style(self.value)
        if np.isnan(number):
            what = "dates" if column.form == "date" else "numbers"
            raise OptionError(f"--rule compares {self.column!r}, which holds {what}, with {self.value!r}.")
        return np.asarray(_HOW[self.how](column.values, number) & ~column.missing)

    def _of_words(self, column: Raw) -> np.ndarray:
        if self.how not in ("=", "==", "!="):
            raise OptionError(f"--rule: {self.column!r} holds words; they can be compared by = and != alone.")
        same = np.array([level == self.value for level in column.levels] + [False])[column.values]
        return np.asarray(same if self.how != "!=" else ~same & ~column.missing)


@dataclass(frozen=True)
class Rule:
    """Any of several lists of comparisons that all hold."""

    text: str
    any_of: tuple[tuple[_Comparison, ...], ...]

    @classmethod
    def read(cls, text: str) -> Rule:
        """From its text. Raises OptionError that says what is expected."""
        return cls(text, tuple(tuple(_comparisons(each, text)) for each in _parted(text.strip(), "or")))

    def of(self, frame: Frame) -> np.ndarray:
        """Which rows it holds for, bool, shape (n,); what is missing is never met."""
        return np.asarray(np.any([np.all([one.of(frame) for one in every], axis=0) for every in self.any_of], axis=0))


def _comparisons(every: str, text: str) -> Sequence[_Comparison]:
    found = []
    for part in _parted(every, "and"):
        match = _COMPARISON.match(part)
        if match is None:
            raise OptionError(
                f"--rule {text!r}: {part!r} is no comparison. Expected is COLUMN > VALUE, with >, >=, <, <=, = or !=, "
                "and several joined by and, or."
            )
        found.append(_Comparison(bare(match[1]), match[2], bare(match[3])))
    return found


def _parted(text: str, word: str) -> list[str]:
    """The parts between a word, but for where it stands in backticks or in quotes.

    A quote opens at the beginning of a name or a value alone: the one in `town = Land's End` is a letter.
    """
    parts, begin = [], 0
    for found in re.finditer(rf"(?<![^\s=<>])(?:{_QUOTED})(?![^\s=<>!])|\s+({word})\s+", text, flags=re.IGNORECASE):
        if found[1]:
            parts.append(text[begin : found.start()])
            begin = found.end()
    return [*parts, text[begin:]]


def bare(text: str) -> str:
    """Without quotes around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in _QUOTES else text
