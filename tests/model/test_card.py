"""The model card says it in plain words, and its example runs."""

from __future__ import annotations

import ast

from deepenough.model.card import card

MEMBER = {"name": "mine", "family": "deep", "weight": 1.0, "needs": ["torch"]}
ABOUT = {
    "task": {"target": "in`come\n"},
    "members": [MEMBER],
    "blend": "mean of probabilities",
    "note": "Judged on 9 rows.",
}
EXAMPLE = {"age": 3, "note": "ends with: null", "job": None, "own": True, "rent": False}


def test_it_names_target_member_packages_and_what_was_judged() -> None:
    text = card(ABOUT, {})
    for part in ("`in'come `", "a deep model, `mine`", "pip install deepenough torch", "Judged on 9 rows."):
        assert part in text


def test_the_example_is_python_with_the_very_row() -> None:
    text = card(ABOUT, {"example": EXAMPLE})
    code = text.split("```python\n")[1].split("```")[0]
    row = next(node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Dict))
    assert ast.literal_eval(row) == EXAMPLE


def test_a_model_without_a_target_is_a_model() -> None:
    assert card(ABOUT | {"task": {}, "note": ""}, {}).startswith("# A model\n")


def test_an_example_of_several_rows_is_a_list_of_them() -> None:
    text = card(ABOUT, {"example": [EXAMPLE, EXAMPLE | {"age": 4}]})
    code = text.split("```python\n")[1].split("```")[0]
    rows = next(node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.List))
    assert ast.literal_eval(rows) == [EXAMPLE, EXAMPLE | {"age": 4}]


def test_what_a_race_found_stands_in_it_and_names_in_that_stay_text() -> None:
    text = card(ABOUT, {}, [("Where it ends", ["<img src=x> of [a](http://b)\n# no heading", "second"])])
    assert "## Where it ends\n\n" in text and "\n\nsecond\n" in text and "Judged on 9 rows." not in text
    assert "\\<img src=x\\> of \\[a\\](http://b) \\# no heading" in text


def test_personal_data_is_named_and_a_file_is_not_written_out() -> None:
    text = card(
        ABOUT | {"task": {"target": "who", "personal": "Voices tell who speaks."}},
        {"example": {"said": "data:audio/wav;base64,AAAA"}},
    )
    assert "## Personal data\n\nVoices tell who speaks." in text
    assert "AAAA" not in text and "'said': 'a/file'" in text and "name a file" in text
    assert "Personal data" not in card(ABOUT, {}) and "name a file" not in card(ABOUT, {"example": EXAMPLE})
