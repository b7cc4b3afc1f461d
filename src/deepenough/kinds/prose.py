"""Whether a column of strings holds words that repeat, or sentences; in any script."""

from __future__ import annotations

import re

import numpy as np

from deepenough.task.frame import Raw

WORDS_OF_A_TEXT = 4.0
LETTERS_OF_A_TEXT = 40.0
LOOKED_AT = 1_000
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ffff]"
)
"""A letter of a script that puts no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""


def is_prose(raw: Raw) -> tuple[bool, str]:
    """Whether a column of the form `words` holds sentences, and why; they are worth nothing as categories."""
    present = int((raw.values >= 0).sum())
    used = np.unique(raw.values[raw.values >= 0])
    if len(used) <= max(20, 0.2 * present):
        return False, f"{len(used):,} different words in {present:,} rows"
    looked = [raw.levels[code] for code in used[:: max(1, len(used) // LOOKED_AT)].tolist()]
    words = sum(map(_words, looked)) / len(looked)
    letters = sum(map(len, looked)) / len(looked)
    if words >= WORDS_OF_A_TEXT or (letters >= LETTERS_OF_A_TEXT and words >= 2):
        return True, f"{words:.0f} words on average, and {len(used):,} different ones in {present:,} rows"
    return False, f"{len(used):,} different words in {present:,} rows"


def _words(text: str) -> float:
    """How many words; where no spaces part them, two letters count as one."""
    if text.isascii():
        return len(text.split())
    unspaced = len(UNSPACED.findall(text))
    return unspaced / 2 + len(UNSPACED.sub(" ", text).split()) if unspaced else len(text.split())


def tells_nothing(column: Raw) -> bool:
    """Empty, constant, or another value in each row of whole numbers or words: an identifier."""
    present = column.values[~column.missing]
    distinct = len(np.unique(present))
    if distinct <= 1:
        return True
    whole = column.form == "words" or (column.form == "number" and bool((present == np.round(present)).all()))
    return whole and distinct == len(present) and len(present) >= 10
