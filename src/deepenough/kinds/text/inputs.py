"""What a model sees of documents: their text, as it was written.

Needs that this module answers:

* Any text may come, in any script, of any length, empty too: nothing is cleaned here, each learner reads as it needs.
* Answers are explained by words: hiding one from some documents is how it is found out what it is worth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from deepenough.kinds.prose import UNSPACED
from deepenough.kinds.strings import packed, unpacked
from deepenough.kinds.text.reading import LETTER


@dataclass(frozen=True)
class Texts:
    """Documents.

    texts: one string a document. words: those by which answers may be explained, the same for all documents of a task
    and chosen without a look at any answer; no learner learns from them.
    """

    texts: tuple[str, ...]
    words: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: np.ndarray) -> Self:
        """These documents, in this order."""
        return type(self)(tuple(self.texts[row] for row in rows.tolist()), self.words)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Both as bytes."""
        return {"texts": packed(self.texts), "words": packed(self.words)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The documents again."""
        return cls(tuple(unpacked(arrays["texts"])), tuple(unpacked(arrays["words"])))

    def parts(self) -> Sequence[str]:
        """The words that can be hidden."""
        return self.words

    def holds(self, part: int) -> np.ndarray:
        """Whether that word stands in each document, shape (n,)."""
        pattern = _standing(self.words[part])
        return np.array([pattern.search(text) is not None for text in self.texts], dtype=bool)

    def shuffled(self, part: int, rows: np.ndarray) -> Self:
        """The same documents, but a word stands in each of them only if it stands in the one at `rows`: it is cut out
        of those that should not have it, and put behind those that should."""
        pattern, has = _standing(self.words[part]), self.holds(part)
        changed = list(self.texts)
        for place, row in enumerate(rows.tolist()):
            if has[place] and not has[row]:
                changed[place] = pattern.sub(" ", self.texts[place])
            elif has[row] and not has[place]:
                changed[place] = f"{self.texts[place]} {self.words[part]}"
        return type(self)(tuple(changed), self.words)


def _standing(word: str) -> re.Pattern[str]:
    """Where a word stands as one; a letter of a script without spaces stands anywhere."""
    written = re.escape(word).replace("'", "['’]")  # noqa: RUF001  texts hold both apostrophes
    alone = written if UNSPACED.fullmatch(word) else rf"(?<![{LETTER}]){written}(?![{LETTER}])"
    return re.compile(alone, re.IGNORECASE)
