"""PURE: names of columns that can be told apart. What a table calls them in, what the race calls them out.

Needs that the design answers:

* A file of two columns `a`, and a column without a name, are no reason to end: they are mended, and it is said.
* The same names become the same names, in a file and in a frame, today and when the model is asked tomorrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def tidied(names: Sequence[Any]) -> list[str]:
    """A name of its own for every column: `a`, `a_2`; `column3` for the third where it has none.

    Where two are equal, names that differ in case alone are told apart too: readers of files take those for one.
    """
    worded = [str("" if name is None else name).strip() or f"column{place}" for place, name in enumerate(names, 1)]
    return worded if len(set(worded)) == len(worded) else apart(worded)


def apart(names: Sequence[str]) -> list[str]:
    """Names told apart without regard to case: `a`, `A_2`."""
    taken: set[str] = set()
    unique = []
    for name in names:
        candidate, count = name, 1
        while candidate.lower() in taken:
            count += 1
            candidate = f"{name}_{count}"
        taken.add(candidate.lower())
        unique.append(candidate)
    return unique


def said(given: Sequence[Any], used: Sequence[str]) -> list[str]:
    """A note a column that was called otherwise than it is called now; outer spaces are not worth one."""
    notes = []
    for place, (old, new) in enumerate(zip(given, used, strict=True), 1):
        worded = "" if old is None else str(old).strip()
        if not worded:
            notes.append(f"Column {place} has no name and is called {new!r}.")
        elif worded != new:
            notes.append(f"Column {place} is called {new!r}: another one is called {worded!r} too.")
    return notes
