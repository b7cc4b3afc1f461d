"""How documents are read: markup away, letters levelled, scripts without spaces apart, any length in a bounded time."""

from __future__ import annotations

import pytest

from deepenough.kinds.text import reading


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The ﬁrst Café, isn't it?", ["the", "first", "café", "isn't", "it", "?"]),  # a ligature
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("ＦＵＬＬ width", ["full", "width"]),  # noqa: RUF001  letters of double width
        ("<p>Hello<br>there</p>", ["hello", "there"]),
        ("<script>var x = 1;</script><b>bold</b>", ["bold"]),
        ("<b>what</b> does <script> do?", ["what", "does", "do", "?"]),
        ("fish &amp; chips &lt;3", ["fish", "chips", "3"]),
        ("a < b and b > c", ["a", "b", "and", "b", "c"]),
        ("東京に行く", ["東", "京", "に", "行", "く"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("win $$$ now!", ["win", "$", "$", "$", "now", "!"]),
        ("don’t don't", ["don't", "don't"]),  # noqa: RUF001  both apostrophes
        ("हिन्दी में लिखा है।", ["हिन्दी", "में", "लिखा", "है"]),  # vowel signs are parts of words
        ("العَرَبِيَّة", ["العَرَبِيَّة"]),
        ("می\u200cروم", ["می\u200cروم"]),  # a joiner within a word
        ("good 👍🏽❤", ["good", "👍", "🏽", "❤"]),
        (
            "<anna@example.org> and <bob@example.org>",
            ["anna", "@", "example", "org", "and", "bob", "@", "example", "org"],
        ),
        ("<p>so<!-- a > b <i> -->far</p>", ["so", "far"]),
        ("<o:p>office</o:p>", ["office"]),
        ("", []),
        ("\u200b \t\n", []),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    assert reading.words(reading.normal(text)) == words


def test_of_a_very_long_text_both_ends_are_read() -> None:
    text = "begin " + "x" * 10_000_000 + " end"
    short = reading.normal(text)
    assert len(short) <= reading.MOST_LETTERS + 1
    assert short.startswith("begin ") and short.endswith(" end")


@pytest.mark.parametrize("begun", ["<a ", "<a", "<!--", "<script>", "<!doctype ", "&#", "'a", "</b"])
def test_what_never_ends_takes_no_time(begun: str) -> None:
    assert reading.normal("<b><i>" + begun * 100_000 + "told").endswith("told")
