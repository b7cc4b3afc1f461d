"""How documents are read, by learners of both families alike: what is markup, what is a word, in any script.

Needs that this module answers:

* The same text in another guise is the same text: compatible forms of Unicode (NFKC) and cases are levelled.
* HTML is read for what it says; a text that merely holds a `<` is no HTML.
* Scripts that put no spaces between words are read letter by letter, so that what counts words can count them.
* A text of any length is read in a bounded time: the beginning and the end of a very long one.
"""

from __future__ import annotations

import html
import re
import unicodedata

from deepenough.kinds.prose import UNSPACED
from deepenough.task import parsing

MOST_LETTERS = 100_000
"""Of a text; of a longer one the first and the last half of so many."""
_TAG = re.compile(
    r"<(?:!--(?:(?!<!--).)*?--|/?[a-z][a-z0-9:-]{0,30}(?:\s[^<>]{0,2000}|/)?|!doctype[^<>]{0,2000})>",
    re.DOTALL | re.IGNORECASE,
)
"""No address between < and > is one. A comment's end is looked for up to the next `<!--`, so that many take no time."""
_BEGINS, _ENDS = re.compile(r"<(script|style)\b", re.IGNORECASE), re.compile(r"</(?:script|style)\s*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
LETTER = (
    r"\w\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    r"\u06d6-\u06dc\u06df-\u06ed\u07a6-\u07b0\u0900-\u0963\u0966-\u0df3\u0e00-\u0eff\u0f71-\u0f84\u0f86-\u0fbc"
    r"\u1000-\u109f\u135d-\u135f\u1780-\u17ff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
)
"""Letters, digits, and the vowel signs and accents of Hindi, Thai or Arabic words, which are no letters to Python."""
WORD = re.compile(rf"[{LETTER}]+(?:['\u200c\u200d][{LETTER}]+)*|[!?$€£%@#\u2600-\u27bf\U0001f300-\U0001faff]")


def cell(text: str | None) -> str:
    """What a cell says, the same for learning and for an answer; empty where it stands for nothing (NA, null)."""
    return "" if text is None or parsing.is_missing(text) else text


def shortened(text: str) -> str:
    """The text, or the beginning and the end of one that is too long."""
    if len(text) <= MOST_LETTERS:
        return text
    half = MOST_LETTERS // 2
    return f"{text[:half]} {text[-half:]}"


def is_html(text: str) -> bool:
    """Whether it holds tags, at least two of them."""
    found = _TAG.finditer(text)
    return next(found, None) is not None and next(found, None) is not None


def plain(text: str) -> str:
    """The text as people see it: without markup, shortened where it is very long."""
    text = shortened(text)
    if "<" in text and is_html(text):
        text = _TAG.sub(" ", _seen(text))
    return html.unescape(text) if "&" in text and _ENTITY.search(text) else text


def _seen(text: str) -> str:
    """HTML without its scripts and style sheets; what never ends is none."""
    parts, place = [], 0
    while (begin := _BEGINS.search(text, place)) and (end := _ENDS.search(text, begin.end())):
        parts.append(text[place : begin.start()])
        place = end.end()
    return " ".join([*parts, text[place:]])


def normal(text: str) -> str:
    """The text as words are counted in it: without markup, in compatible forms and lower case, letters of scripts
    without spaces apart."""
    text = plain(text)
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")  # noqa: RUF001  one apostrophe for both
    return UNSPACED.sub(lambda letter: f" {letter.group()} ", text)


def words(text: str) -> list[str]:
    """The words of a normal text; signs that mean something by themselves count as words."""
    return WORD.findall(text)
