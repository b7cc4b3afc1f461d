"""One question about documents: which texts are read, who learns and who judges, what is odd about them.

Needs that this module answers:

* What is asked of the rows is read as for all kinds (see `task.rows`); here are the texts.
* Whatever texts come (empty, of ten megabytes, HTML, of any script), they are raced, and what is odd is said.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from deepenough.errors import OptionError
from deepenough.judge.traits import Trait
from deepenough.kinds.text import copies, reading, sources
from deepenough.kinds.text.inputs import Texts
from deepenough.task import rows
from deepenough.task.frame import Frame, Raw
from deepenough.task.rows import Asked, RowsTask
from deepenough.task.splits import Splits
from deepenough.task.task import OtherSplit, Question

MOST_WORDS = 300
"""By which answers may be explained."""
RAREST, MOST_COMMON = 0.005, 0.5
"""Share of the documents that such a word must stand in."""
TEXTS_FOR_WORDS = 5_000
MANY_COPIES = 0.05
SHOWN_LETTERS = 600
SCRIPTS_OF = 500
"""Documents whose scripts are looked at."""


class TextTask(RowsTask):
    """Documents and the answer to predict, made ready.

    names: of the columns that are read, their texts joined by an empty line.
    """

    called = ("document", "documents")

    def __init__(self, texts: Texts, asked: Asked, made: Splits, names: Sequence[str]) -> None:
        super().__init__(texts, asked, made, len(names))
        self.names = tuple(names)
        self.frame = asked.frame

    def other_splits(self) -> Sequence[OtherSplit]:
        from deepenough.kinds.text import other_splits

        return tuple(other_splits.of(self))

    def show(self, fold: int, places: np.ndarray) -> Sequence[Mapping[str, Any]]:
        texts = self.inputs(fold).take(places).texts
        return [{"form": "words", "name": "", "text": _cut(text)} for text in texts]

    def traits(self, fold: int) -> Sequence[Trait]:
        judged = self.splits.folds[fold].judged
        return tuple(trait.take(judged) for trait in self._traits)

    @cached_property
    def _traits(self) -> tuple[Trait, ...]:
        texts: tuple[str, ...] = self.all_inputs.texts
        letters = np.array([len(text) for text in texts], dtype=np.float64)
        upper = np.array([sum(map(str.isupper, text[:2_000])) / max(1, len(text[:2_000])) for text in texts])
        digits = np.array([sum(map(str.isdigit, text[:2_000])) for text in texts], dtype=np.float64)
        scripts = [_script(text) for text in texts]
        found = sorted(set(scripts))
        known = (Trait("letters", letters), Trait("share of capitals", upper), Trait("digits", digits))
        if len(found) < 2:
            return known
        codes = np.array([found.index(script) for script in scripts], dtype=np.int32)
        return (*known, Trait("script", codes, tuple(found), "category"))

    def held(self, fold: int, parts: Sequence[str]) -> Mapping[str, Trait]:
        """Whether each document holds a word."""
        judged = self.inputs(fold)
        held = {word: judged.holds(judged.words.index(word)) for word in parts}
        return {word: Trait(word, own.astype(np.int32), ("absent", "there"), "category") for word, own in held.items()}

    def describe(self) -> dict[str, Any]:
        """The documents in plain values."""
        lengths = [len(text) for text in self.all_inputs.texts]
        return {
            "rows": self.rows,
            "columns": [{"name": name, "role": "text"} for name in self.names],
            "letters": dict(
                zip(("shortest", "median", "longest"), np.quantile(lengths, (0, 0.5, 1)).tolist(), strict=True)
            ),
            "target": {**self.question_facts, "spread": self.spread()},
            "splits": {"judging": self.judging, "splitting": self.splitting, "folds": self.folds},
        }


def load(source: Any, question: Question) -> TextTask:
    """Read a source and make its task ready. Raises an InputError that says what to do where it can't."""
    frame = sources.read(source, question)
    if question.target is None and frame.facts.get("format") == "folder":
        question = dataclasses.replace(question, target=sources.CLASS)
    return make(frame, question)


def make(frame: Frame, question: Question) -> TextTask:
    """The task of rows that were read."""
    for name in sources.columns(question):
        if frame.column(name, "--text").name == question.target:
            raise OptionError(f"--text {name} is the target too. Name another column for one of them.")
    asked = rows.asked(frame, question)
    out = rows.not_inputs(asked)
    names = sources.named(asked.frame, question)
    for column in asked.frame.columns:
        if column.name not in out and column.name not in names:
            asked.found.aside(column.name, "not read: only texts are; --kind table reads all columns together")
    texts = joined(asked.frame, names)
    _say_what_is_odd(texts, asked)
    found = copies.of(texts, asked.target.values, apart=question.group is None and question.folds is None)
    if found.note and found.clusters is not None and found.share > MANY_COPIES:
        asked.found.flag("duplicates", "warn", found.note)
    elif found.note:
        asked.found.notes.append(found.note)
    rows.doubt_numbers(asked)
    made = rows.split(asked, found.clusters)
    return TextTask(Texts(tuple(texts), explaining_words(texts)), asked, made, names)


def joined(frame: Frame, names: Sequence[str]) -> list[str]:
    """The text of each row, of several columns with an empty line between them; what is missing is empty."""
    columns = [_strings(frame.column(name, "--text")) for name in names]
    return ["\n\n".join(filter(None, cells)) for cells in zip(*columns, strict=True)]


def _strings(column: Raw) -> list[str]:
    return [reading.cell(text) for text in column.strings()]


def _say_what_is_odd(texts: Sequence[str], asked: Asked) -> None:
    notes = asked.found.notes
    empty = sum(not text.strip() for text in texts)
    if empty:
        notes.append(f"{empty:,} documents are empty; they are raced as they are.")
    if empty > 0.5 * len(texts):
        asked.found.flag("empty", "distrust", f"{empty:,} of {len(texts):,} documents are empty")
    long = sum(len(text) > reading.MOST_LETTERS for text in texts)
    if long:
        notes.append(
            f"{long:,} documents have more than {reading.MOST_LETTERS:,} letters; of these the first and the last "
            f"{reading.MOST_LETTERS // 2:,} are read."
        )
    looked = texts[:: max(1, len(texts) // SCRIPTS_OF)]
    marked = sum("<" in text and reading.is_html(reading.shortened(text)) for text in looked)
    if marked:
        notes.append(f"About {marked / len(looked):.0%} of the documents hold HTML; they are read without its tags.")
    scripts = Counter(_script(text) for text in looked if text.strip())
    if len(scripts) > 1 or (scripts and "LATIN" not in scripts):
        shown = ", ".join(
            f"{name.capitalize()} {count / scripts.total():.0%}" for name, count in scripts.most_common(5)
        )
        notes.append(f"Scripts, by documents: {shown}.")
    replaced = sum("\ufffd" in text for text in texts)
    if replaced:
        notes.append(f"{replaced:,} documents hold letters that were lost when they were saved (shown as \ufffd).")


def _script(text: str) -> str:
    """The script of most of its first letters, by the names that Unicode gives them; OTHER without any letter."""
    letters = [letter for letter in text[:400] if letter.isalpha()][:100]
    counts = Counter(unicodedata.name(letter, "OTHER").split(" ")[0] for letter in letters)
    return counts.most_common(1)[0][0] if counts else "OTHER"


def explaining_words(texts: Sequence[str]) -> tuple[str, ...]:
    """Words by which answers may be explained, by how many documents they stand in, without a look at any answer."""
    looked = texts[:: -(-len(texts) // TEXTS_FOR_WORDS)]
    seen: Counter[str] = Counter()
    for text in looked:
        seen.update({word for word in reading.words(reading.normal(text)) if word[0].isalnum()})
    least, most = max(3, RAREST * len(looked)), MOST_COMMON * len(looked)
    able = [(word, count) for word, count in seen.items() if least <= count <= most]
    able.sort(key=lambda item: (-item[1] * (len(looked) - item[1]), item[0]))
    return tuple(word for word, _ in able[:MOST_WORDS])


def _cut(text: str) -> str:
    plain = " ".join(text[: 4 * SHOWN_LETTERS].split())
    return plain if len(plain) <= SHOWN_LETTERS else f"{plain[: SHOWN_LETTERS - 1]}…"
