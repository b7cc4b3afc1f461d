"""What units are called: the program's sentences name them as the data do, and what a person named stays."""

from __future__ import annotations

import pytest

from deepenough.judge.called import ROWS, called, said, said_throughout

PICTURES = ("picture", "pictures")


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "Judged on 1,200 rows that no judged model had seen.",
            "Judged on 1,200 pictures that no judged model had seen.",
        ),
        ("Twice the rows would hardly move it.", "Twice the pictures would hardly move it."),
        ("or label about 900 more rows", "or label about 900 more pictures"),
        ("repeats would decide, rows alone would not", "repeats would decide, pictures alone would not"),
        ("each row judged in one fold", "each picture judged in one fold"),
        ("collect more where rows are cheap", "collect more where pictures are cheap"),
    ],
)
def test_sentences_of_ours_name_the_units(sentence: str, expected: str) -> None:
    assert said(sentence, PICTURES) == expected
    assert said(sentence, ROWS) == sentence


@pytest.mark.parametrize("named", ["'rows'", "the rows.csv", "rows=3", "rows-of-cars", "1 rows.png"])
def test_what_a_person_named_stays(named: str) -> None:
    assert said(f"column {named}", PICTURES) == f"column {named}"


def test_commands_stay_and_all_else_is_reworded() -> None:
    step = {"command": "deepenough race '12 rows' ", "why": "12 rows", "numbers": [1, None, "the rows"]}
    told = said_throughout(step, PICTURES)
    assert told == {"command": step["command"], "why": "12 pictures", "numbers": [1, None, "the pictures"]}


def test_older_evidence_says_rows() -> None:
    assert called({}) == ROWS == called({"called": None}) and called({"called": list(PICTURES)}) == PICTURES
