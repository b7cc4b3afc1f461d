"""Documents as words, words as pieces with a vector."""

from __future__ import annotations

import json

import numpy as np

from deepenough.kinds.text import tokens
from deepenough.kinds.text.tokens import Tokens, cut

SHARED = ["good ship sails", "good ship sinks", "bad ship"]


def _pieces(coded: tokens.Coded, document: int) -> list[list[int]]:
    """The pieces of each word of a document."""
    words = coded.documents[document].tolist()
    return [coded.pieces[coded.begins[word] : coded.begins[word + 1]].tolist() for word in words]


class TestVocabulary:
    def test_shared_words_have_a_vector_of_their_own_and_others_have_runs_of_letters(self) -> None:
        made = Tokens.fit(SHARED, most=16)
        assert set(made.words) == {"", "good", "ship"}
        good, ship, sails = _pieces(made.code(["good ship sails"]), 0)
        assert good == [made.words.index("good")]
        assert ship == [made.words.index("ship")]
        assert len(sails) > 3
        assert all(len(made.words) <= piece < made.rows for piece in sails)

    def test_words_that_look_alike_share_pieces(self) -> None:
        made = Tokens.fit(SHARED, most=16)
        coded = made.code(["unsinkable unsinkability zebra"])
        like, alike, other = (set(word) for word in _pieces(coded, 0))
        assert len(like & alike) > len(like & other)

    def test_the_most_frequent_words_are_kept(self, monkeypatch: object) -> None:
        texts = ["often seldom"] * 2 + ["often"] * 3
        monkeypatch.setattr(tokens, "MOST_WORDS", 1)  # type: ignore[attr-defined]  # pytest's fixture
        assert Tokens.fit(texts, most=16).words == ("", "often")

    def test_survives_json(self) -> None:
        made = Tokens.fit(SHARED, most=16)
        assert Tokens.from_json(json.loads(json.dumps(made.to_json()))) == made


class TestDocuments:
    def test_any_script_and_any_text_is_coded(self) -> None:
        made = Tokens.fit(SHARED, most=8)
        odd = ["", "   ", "!?", "電車駅", "привет", "\ud800", "a" * 50_000, "word " * 50_000]
        coded = made.code(odd)
        assert (coded.lengths >= 1).all()
        assert coded.lengths.max() <= 8
        assert coded.lengths[3] == 3
        assert coded.pieces.max() < made.rows

    def test_a_long_document_is_its_beginning_and_its_end(self) -> None:
        assert cut(list(range(100)), 8) == [0, 1, 2, 3, 4, 5, 98, 99]
        assert cut(np.arange(100), 4).tolist() == [0, 1, 2, 99]
        assert cut([1, 2], 8) == [1, 2]

    def test_a_batch_holds_the_pieces_of_its_own_words(self) -> None:
        made = Tokens.fit(SHARED, most=16)
        coded = made.code(["good ship sails", "unheard", "ship"])
        pieces, begins, places, lengths = coded.batch(np.array([2, 0]))
        ends = [*begins.tolist()[1:], len(pieces)]
        words = [pieces[begin:end].tolist() for begin, end in zip(begins.tolist(), ends, strict=True)]
        assert lengths.tolist() == [1, 3]
        assert [words[place] for place in places[1]] == _pieces(coded, 0)
        assert words[places[0, 0]] == _pieces(coded, 2)[0]
        assert len(words) == 3

    def test_shortened_twice_is_shortened_once(self) -> None:
        made = Tokens.fit(SHARED, most=64)
        texts = [" ".join(f"w{number}" for number in range(200))]
        shorter = Tokens(made.words, made.places, 24)
        again, once = made.code(texts).shortened(24), shorter.code(texts)
        assert len(again.documents[0]) == len(once.documents[0]) == 24
        assert _pieces(again, 0)[:18] == _pieces(once, 0)[:18]
        assert _pieces(again, 0)[-6:] == _pieces(once, 0)[-6:]
