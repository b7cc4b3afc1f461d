"""What every chart of a report is: a picture, what it says in words, and its numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Chart:
    """A picture with what it says in words and in numbers.

    svg: the picture; its colours are the page's.
    header, rows: the same numbers as a table, every cell text.
    """

    name: str
    title: str
    svg: str
    about: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
