"""Every way through the service: answers of all kinds, and refusals that name what is wrong."""

from __future__ import annotations

import base64
import json
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepenough
from deepenough import kinds
from deepenough.client import Client
from deepenough.serve import streams
from deepenough.serve.app import App
from tests.serve.asking import SILENCE, app_of, ask, example, takes_files
from tests.serve.listening import listening

KINDS = sorted(kinds.find())
LINES = "application/x-ndjson"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_answered_as_by_the_model_itself(kind: str, saved: Callable[[str], Path]) -> None:
    app = app_of(saved(kind))
    rows = example(app)
    reply = ask(app, given=rows)
    assert reply.status == 200, reply.body
    expected = json.loads(deepenough.load(saved(kind)).predict(rows).to_json(orient="records", double_precision=15))
    found = reply.json if isinstance(reply.json, list) else [reply.json]
    lines = [line for answer in found for line in _lines(answer)]
    assert len(lines) == len(expected)
    for line, other in zip(lines, expected, strict=True):
        for name, value in line.items():
            if isinstance(value, float):
                assert np.isclose(value, other[name], rtol=1e-9, atol=1e-12)
    assert reply.headers["x-model-version"] == app.models[kind].current.name
    assert not any(str(value).startswith("data:") for answer in found for value in answer.values())


def _lines(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that a table of answers has of one: itself, or where it is a list of finds each of these."""
    lists = [value for value in answer.values() if isinstance(value, list)]
    return [line for each in lists for line in each] if lists else [answer]


def test_what_got_no_answer_is_said_beside_the_answers(saved: Callable[[str], Path]) -> None:
    app = app_of(saved("forecast"))
    rows = example(app)
    assert "x-unanswered" not in ask(app, given=rows).headers
    late = {**rows[-1], "day": "2021-03-07"}
    reply = ask(app, given=[*rows, late])
    (said,) = json.loads(reply.headers["x-unanswered"])
    assert said.startswith("1 row gets no answer: it lies more than 5 days")
    assert reply.json == ask(app, given=rows).json
    with listening(app) as port, Client(f"http://127.0.0.1:{port}") as client:
        client.predict([*rows, late])
        assert client.unanswered == [said]
        client.predict(rows)
        assert client.unanswered == []


@pytest.mark.parametrize("kind", KINDS)
def test_four_threads_get_the_answers_of_one(kind: str, saved: Callable[[str], Path]) -> None:
    version = app_of(saved(kind)).models[kind].current
    example = version.model.codec.example
    rows = list(example) if version.together else [dict(example)]
    expected = version.answers(rows)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(lambda _: version.answers(rows), range(16)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_of_every_kind_is_answered_line_by_line(kind: str, saved: Callable[[str], Path]) -> None:
    app = app_of(saved(kind))
    line = json.dumps(example(app)).encode() + b"\n"
    reply = ask(app, given=line + b"{}\n" + line, media=LINES)
    first, second, third = reply.lines
    assert reply.status == 200 and first == third == ask(app, given=example(app)).json
    assert second["error"]["status"] == 422 and second["error"]["line"] == 2


@pytest.mark.parametrize("kind", [kind for kind in KINDS if takes_files(kind)])
def test_a_file_is_sent_as_it_is(kind: str, saved: Callable[[str], Path]) -> None:
    app = app_of(saved(kind))
    (address,) = example(app).values()
    media, _, content = address.removeprefix("data:").partition(";base64,")
    reply = ask(app, given=base64.b64decode(content), media=media)
    assert reply.json == ask(app, given=example(app)).json
    broken = ask(app, given=b"no such file", media="application/octet-stream")
    assert broken.status == 422 and broken.error["row"] == 0
    assert broken.error["expected"].startswith("the file of a "), "no address: a file was sent"


@pytest.mark.parametrize("path", ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1/", "../secret.png", ""])
def test_a_request_names_no_file_of_the_machine(path: str, saved: Callable[[str], Path]) -> None:
    app = app_of(saved("image"))
    (column,) = example(app)
    reply = ask(app, given={column: path})
    assert reply.status == 422 and reply.error["field"] == column and "base64" in reply.error["expected"]


def test_rows_are_answered_in_their_order_and_one_alone_alike(app: App) -> None:
    row = example(app)
    other = row | {name: value + 1 for name, value in row.items() if isinstance(value, float)}
    together = ask(app, given=[row, other, row]).json
    assert together[0] == together[2] == ask(app, given=row).json
    assert together[1] == ask(app, given=other).json


def _without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda row: {key: value for key, value in row.items() if key != name}


def test_what_is_missing_is_named(app: App) -> None:
    row = example(app)
    for name in row:
        reply = ask(app, given=[row, _without(name)(row)])
        assert reply.status == 422
        assert reply.error["field"] == name and reply.error["row"] == 1 and reply.error["expected"]
    name = next(iter(row))
    hint = ask(app, given=_without(name)(row) | {f"{name}s": 1}).error["message"]
    assert "Did you mean" in hint


@pytest.mark.parametrize("cell", ["abc", [1], {"a": 1}, True, "9" * 400])
def test_what_is_no_number_is_named(cell: Any, app: App) -> None:
    codec = app.models["table"].current.model.codec
    name = next(item.name for item in codec.columns if item.role == "number")  # type: ignore[attr-defined]  # of a table
    reply = ask(app, given=example(app) | {name: cell})
    assert reply.status == 422 and reply.error["field"] == name and "number" in reply.error["expected"]
    assert ask(app, given=example(app) | {name: "1.5"}).json == ask(app, given=example(app) | {name: 1.5}).json


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400])
def test_what_is_not_finite_is_refused(literal: str, app: App) -> None:
    codec = app.models["table"].current.model.codec
    name = next(item.name for item in codec.columns if item.role == "number")  # type: ignore[attr-defined]  # of a table
    body = json.dumps(example(app) | {name: "@"}).replace('"@"', literal)
    assert ask(app, given=body.encode()).status == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 422),
        (b'{"a":' * 20_000, 422),
        (b"[" * 33 + b"]" * 33, 422),
        (b"9" * 5000, 400),
        (b"null", 422),
        (b'"text"', 422),
        (b"7", 422),
        (b"[]", 422),
        (b"[null]", 422),
        (b"[[1]]", 422),
        (b'{"\\ud800": 1}', 422),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_row_is_refused(body: bytes, status: int, app: App) -> None:
    reply = ask(app, given=body)
    assert reply.status == status and reply.error["message"]


def test_brackets_within_texts_are_no_depth(app: App) -> None:
    row = example(app) | {"more": "[" * 5000}
    assert ask(app, given=row).status == 200


def test_half_a_letter_is_refused(app: App) -> None:
    body = json.dumps(example(app) | {"more": "@"}).replace('"@"', '"\\ud83d"')
    assert ask(app, given=body.encode()).status == 422
    whole = json.dumps(example(app) | {"more": "@"}).replace('"@"', '"\\ud83d\\ude00"')
    assert ask(app, given=whole.encode()).status == 200


def test_too_much_is_refused_before_it_is_held(table: Path) -> None:
    app = app_of(table, most_bytes=2000, most_rows=3)
    row = example(app)
    assert ask(app, given=b"x", headers={"content-length": "2001"}).status == 413
    pulled: list[int] = []

    def endless() -> Any:
        for number in range(10):
            pulled.append(number)
            yield b" " * 1000

    assert ask(app, pieces=endless()).status == 413
    assert ask(app, given=[row] * 4).status == 413
    assert ask(app, given=[row] * 3).status == 200
    stream = ask(app, given=b" " * 2001 + b"{", media=LINES)
    assert stream.status == 413


def test_a_packed_body_is_not_unpacked(app: App) -> None:
    assert ask(app, given=b"\x1f\x8b", headers={"content-encoding": "gzip"}).status == 415
    assert ask(app, given=b"a,b\n1,2\n", media="text/csv").status == 415


def test_a_silent_client_is_told_and_let_go(table: Path) -> None:
    app = app_of(table, silence=0.1)
    started = time.monotonic()
    reply = ask(app, pieces=[b'{"age":', SILENCE])
    assert reply.status == 408 and reply.headers["connection"] == "close"
    assert ask(app, pieces=[SILENCE], media=LINES).status == 408
    assert time.monotonic() - started < 10


def test_an_answer_that_takes_too_long_is_given_up(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(table, seconds=0.05)
    version = app.models["table"].current
    monkeypatch.setattr(type(version), "answers", lambda self, rows: time.sleep(0.3))
    assert ask(app, given=example(app)).status == 504


def test_more_than_can_wait_is_sent_away(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepenough.serve.work.MOST_WAITING", 0)
    reply = ask(app, given=example(app))
    assert reply.status == 503 and reply.headers["retry-after"] == "1"


def test_addresses_and_methods(app: App) -> None:
    assert ask(app, "/health").json == {"status": "ok"}
    assert ask(app, "/ready").json["models"] == ["table"]
    assert ask(app, "/nowhere").status == 404
    assert ask(app, "/models/nobody/predict", {}).status == 404
    assert ask(app, "/models/table/predict", example(app)).json == ask(app, given=example(app)).json
    refused = ask(app, "/predict")
    assert refused.status == 405 and refused.headers["allow"] == "POST"
    assert ask(app, "/health", {}, method="POST").status == 405
    (told,) = ask(app, "/models").json["models"]
    assert told["name"] == "table" and told["version"] and told["problem"] == ""
    app.ready = False
    assert ask(app, "/ready").status == 503 and ask(app, "/health").status == 200


@pytest.mark.parametrize(
    "path", ["/models/../predict", "/models/..%2f..%2fetc/predict", "//predict", "/models//predict"]
)
def test_a_path_leads_nowhere_else(path: str, app: App) -> None:
    assert ask(app, path, example(app)).status == 404


def test_several_models_answer_by_name(saved: Callable[[str], Path]) -> None:
    app = app_of(saved("table"), saved("text"))
    assert ask(app, "/models/text/predict", example(app, "text")).status == 200
    assert ask(app, "/predict", example(app, "table")).status == 200
    assert ask(app, "/predict", example(app, "text")).status == 422


def test_an_answer_is_explained_by_what_is_usual(app: App) -> None:
    version = app.models["table"].current
    usual = version.model.codec.usual()
    row = example(app)
    reply = ask(app, "/predict?explain=true", row)
    assert reply.status == 200 and reply.json["answer"] == ask(app, given=row).json
    told = reply.json["explanation"]
    assert {item["column"] for item in told} == set(usual)
    assert [abs(item["change"]) for item in told] == sorted((abs(item["change"]) for item in told), reverse=True)
    answer = reply.json["answer"]
    name = next(
        key
        for key, value in answer.items()
        if key.startswith("probability")
        and value == max(value for key, value in answer.items() if key.startswith("probability"))
    )
    for item in told:
        other = ask(app, given=row | {item["column"]: item["usual"]}).json
        assert item["with_usual"] == pytest.approx(other[name], abs=1e-9)
        assert item["change"] == pytest.approx(answer[name] - other[name], abs=1e-9)
    assert all(item["change"] == 0 for item in ask(app, "/predict?explain=true", usual).json["explanation"])
    assert ask(app, "/predict?explain=perhaps", row).status == 422
    assert ask(app, "/predict?explain=true", json.dumps(row).encode(), media=LINES).status == 422


def test_what_can_not_be_explained_says_so(saved: Callable[[str], Path]) -> None:
    app = app_of(saved("text"))
    reply = ask(app, "/predict?explain=true", example(app))
    assert reply.status == 422 and "usual" in reply.error["message"]


def test_a_long_stream_is_answered_in_portions(app: App) -> None:
    row, lines = json.dumps(example(app)).encode(), 2 * streams.PORTION + 3
    body = b"\n".join([row] * lines)
    pieces = [body[start : start + 1000] for start in range(0, len(body), 1000)]
    reply = ask(app, pieces=pieces, media=LINES)
    assert len(reply.lines) == lines and all(line == reply.lines[0] for line in reply.lines)


def test_bad_lines_get_their_refusal_in_their_place(app: App) -> None:
    good = json.dumps(example(app))
    name = next(item for item in example(app) if isinstance(example(app)[item], float))
    bad = json.dumps(example(app) | {name: "no number"})
    reply = ask(app, given="\n".join([good, "{", bad, "[]", good, "", good]).encode(), media=LINES)
    assert ["error" in line for line in reply.lines] == [False, True, True, True, False, False]
    assert reply.lines[2]["error"]["line"] == 3 and reply.lines[2]["error"]["field"] == name


def test_an_unforeseen_error_is_answered_and_nothing_of_the_request_is_logged(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: Any, rows: Any) -> Any:
        raise ZeroDivisionError(str(rows))

    monkeypatch.setattr(type(app.models["table"].current), "answers", broken)
    with caplog.at_level(logging.DEBUG):
        reply = ask(app, given=example(app) | {"secret": "hunter2"})
    assert reply.status == 500 and "ZeroDivisionError" in caplog.text
    assert "hunter2" not in caplog.text + reply.body.decode()


def test_what_was_asked_is_counted(app: App) -> None:
    ask(app, given=[example(app)] * 3)
    ask(app, given=b"{")
    text = ask(app, "/metrics").body.decode()
    assert 'deepenough_requests_total{model="table",status="200"} 1' in text
    assert 'deepenough_requests_total{model="table",status="400"} 1' in text
    assert 'deepenough_rows_total{model="table"} 3' in text
    assert 'deepenough_seconds_count{model="table"} 2' in text
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [\d.e+-]+', line), line
    assert ask(app, "/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")


def test_quick_answers_need_no_thread(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(app, given=example(app)).json
    version = app.models["table"].current
    monkeypatch.setattr(version.pace, "_seconds", 1e-6)
    monkeypatch.setattr(app.work, "of", lambda function: pytest.fail("it was handed to a thread"))
    assert ask(app, given=example(app)).json == first
    monkeypatch.undo()
    version.pace.timed(lambda: time.sleep(0.05), 1)
    assert version.pace.expected(1) > 0.04, "one that was slow goes to a thread the next time"


@pytest.mark.parametrize("written", ["words", "integer", "number", "logical"])
def test_plain_answers_are_those_of_the_frame(written: str) -> None:
    from deepenough.kinds import schemas
    from deepenough.task import target

    classes = ("true", "false") if written == "logical" else ("1", "2") if written != "words" else ("a", "b")
    chances = np.random.default_rng(0).dirichlet([1, 1], 5)
    told = target.as_records(chances, "y", classes, written)
    assert told == schemas.records(target.as_frame(chances, "y", classes, written))
    numbers = target.as_records(chances[:, 0], "y", (), "")
    assert numbers == schemas.records(target.as_frame(chances[:, 0], "y", (), ""))


@pytest.mark.parametrize("error", [TypeError, ValueError, KeyError, OverflowError])
def test_what_a_strangers_codec_can_not_read_is_refused(
    error: type[Exception], app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, rows: Any) -> Any:
        raise error("of a stranger")

    monkeypatch.setattr(type(app.models["table"].current.model.codec), "encode", broken)
    assert ask(app, given=example(app)).status == 422
