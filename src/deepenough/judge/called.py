"""What a race's units are called: rows, or pictures, recordings, documents.

The program's own sentences say rows. What shows them puts the word of the race's data in that place, so that no
sentence has to know of any kind. What a person named (columns, files, classes) stays as it is: the word gives way only
where it stands after a number or a word that the program's sentences have there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ROWS = ("row", "rows")
"""One, and several, where a task says nothing else."""

_BEFORE = r"\d[\d,.]*|about|all|decide,|each|fewer|from|judged|many|more|of|on|other|the|these|two|what|where|your"
_OURS = re.compile(rf"\b({_BEFORE}) (rows?)\b(?![.-]\w)", re.IGNORECASE)


def called(question: Mapping[str, Any]) -> tuple[str, str]:
    """One unit and several, as the plan's question has them; rows in the evidence of older versions."""
    one, several = question.get("called") or ROWS
    return str(one), str(several)


def said(sentence: str, names: tuple[str, str]) -> str:
    """One of the program's sentences with the units' own names."""
    if names == ROWS:
        return sentence
    return _OURS.sub(lambda found: f"{found[1]} {names[found[2].lower() == 'rows']}", sentence)


def said_throughout(value: Any, names: tuple[str, str]) -> Any:
    """Plain data, all of whose sentences name the units so; commands stay as they are."""
    if isinstance(value, Mapping):
        return {key: item if key == "command" else said_throughout(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [said_throughout(item, names) for item in value]
    return said(value, names) if isinstance(value, str) else value
