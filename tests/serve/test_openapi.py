"""What a service says that it takes is what it takes: its own description is fuzzed, and nothing is a 500."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepenough import kinds
from deepenough.serve.app import App
from deepenough.serve.refusals import Refused
from deepenough.serve.schema import check
from tests.serve.asking import app_of, ask, example, takes_files

KINDS = sorted(kinds.find())
KNOWN = {200, 400, 408, 413, 415, 422, 429}


@pytest.mark.parametrize("kind", KINDS)
def test_the_document_has_every_address_and_an_example_that_is_answered(
    kind: str, saved: Callable[[str], Path]
) -> None:
    app = app_of(saved(kind))
    told = ask(app, "/openapi.json").json
    assert told["openapi"].startswith("3.1")
    paths = {"/predict", f"/models/{kind}/predict", "/models", "/openapi.json", "/metrics", "/health", "/ready"}
    assert set(told["paths"]) == paths
    media = told["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert media["example"] == example(app)
    check(media["example"], media["schema"])
    reply = ask(app, given=media["example"])
    answers = reply.json if isinstance(reply.json, list) else [reply.json]
    for answer in answers:
        check(answer, app.models[kind].current.model.codec.answer_schema())
    for number in set(re.findall(r"#/components/schemas/(\w+)", json.dumps(told))):
        assert number in told["components"]["schemas"]


def _any_json(depth: int = 2) -> st.SearchStrategy[Any]:
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-(10**20), 10**20)
        | st.floats(allow_nan=True, allow_infinity=True)
        | st.text(max_size=8)
        | st.sampled_from(["", "1", "1e999", "2026-01-31", "9999-99-99", "data:;base64,", "data:image/png;base64,AAAA"])
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=depth * 4,
    )


@st.composite
def _requests(draw: st.DrawFn, example: Any) -> bytes:
    """The example with something wrong in it, or nothing; seldom no JSON."""
    rows = [dict(row) for row in (example if isinstance(example, list) else [example])]
    for _ in range(draw(st.integers(0, 3))):
        row = draw(st.sampled_from(rows))
        name = draw(st.sampled_from(sorted(row)) if row else st.just("x"))
        what = draw(st.sampled_from(["value", "gone", "more", "like"]))
        if what == "gone":
            row.pop(name, None)
        elif what == "more":
            row[draw(st.text(max_size=5))] = draw(_any_json())
        elif what == "like" and isinstance(row.get(name), list):
            row[name] = draw(
                st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(), max_size=30)
            )
        else:
            row[name] = draw(_any_json())
    rows = draw(st.sampled_from([rows, rows + rows, rows[:1], []]))
    given: Any = rows if isinstance(example, list) or draw(st.booleans()) or not rows else rows[0]
    body = json.dumps(given).encode()
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, len(body)))
        body = body[:place] + draw(st.binary(max_size=3)) + body[place + draw(st.integers(0, 3)) :]
    return body


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_comes_nothing_is_a_500(kind: str, saved: Callable[[str], Path]) -> None:
    app = app_of(saved(kind), a_second=None)

    @settings(max_examples=25 if takes_files(kind) else 120, suppress_health_check=list(HealthCheck))
    @given(_requests(example(app)), st.sampled_from(["application/json", "application/x-ndjson"]))
    def fuzz(body: bytes, media: str) -> None:
        reply = ask(app, given=body, media=media)
        assert reply.status in KNOWN, (reply.status, body)
        if reply.status != 200:
            assert reply.error["message"]
        elif media == "application/x-ndjson":
            assert all(
                line["error"]["status"] in KNOWN for line in reply.lines if isinstance(line, dict) and "error" in line
            )

    fuzz()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not takes_files(kind)])
def test_what_fits_the_schema_gets_an_answer_or_a_reason(kind: str, saved: Callable[[str], Path]) -> None:
    """Rows drawn from the schema itself."""
    app = app_of(saved(kind), a_second=None)
    version = app.models[kind].current

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.lists(_fitting(version.row), min_size=1, max_size=4))
    def fuzz(rows: list[Any]) -> None:
        reply = ask(app, given=rows)
        assert reply.status in (200, 422), (reply.status, rows)
        assert reply.status == 200 or reply.error["message"]

    fuzz()


def _fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What a schema allows."""
    kinds_of = schema.get("type", "string")
    parts = [_of_type(name, schema) for name in ([kinds_of] if isinstance(kinds_of, str) else kinds_of)]
    return st.one_of(parts)


def _of_type(name: str, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if name == "object":
        return st.fixed_dictionaries({key: _fitting(own) for key, own in schema["properties"].items()})
    if name == "array":
        return st.lists(_fitting(schema["items"]), min_size=schema.get("minItems", 0), max_size=20)
    return {
        "string": st.text(string.printable, max_size=12) | st.dates().map(str),
        "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
        "integer": st.integers(),
        "boolean": st.booleans(),
        "null": st.none(),
    }[name]


@pytest.mark.parametrize(
    ("value", "schema", "good"),
    [
        (1, {"type": "number"}, True),
        (True, {"type": "number"}, False),
        (1.0, {"type": "integer"}, False),
        (None, {"type": ["number", "null"]}, True),
        (float("inf"), {"type": "number"}, False),
        ("data:a/b;base64,AA", {"type": "string", "pattern": "^data:"}, True),
        ("/etc/passwd", {"type": "string", "pattern": "^data:"}, False),
        ([], {"type": "array", "minItems": 1}, False),
        (2, {"type": "number", "minimum": 0, "maximum": 1}, False),
        (0.5, {"type": "number", "minimum": 0, "maximum": 1}, True),
        ([1, "a"], {"type": "array", "items": {"type": "number"}}, False),
        ({"a": 1}, {"type": "object", "required": ["b"], "properties": {"b": {"type": "number"}}}, False),
        ({"a": [1]}, {"type": "object", "properties": {"b": {"type": "number"}}}, True),
        ([[[]]], {}, True),
    ],
    ids=[str(n) for n in range(14)],
)
def test_values_are_checked(value: Any, schema: dict[str, Any], good: bool) -> None:
    if good:
        check(value, schema)
    else:
        with pytest.raises(Refused):
            check(value, schema)


def test_an_error_says_the_place(app: App) -> None:
    schema = {
        "type": "array",
        "items": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "number"}}}},
    }
    with pytest.raises(Refused) as refused:
        check([{"a": [1, 2, "x"]}], schema)
    assert refused.value.facts["field"] == "[0].a[2]"
