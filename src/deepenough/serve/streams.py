"""A stream of lines, each a row (or a history), answered line by line while it comes.

Needs that this module answers:

* Memory is bounded whatever the stream's length: a portion of lines is answered before more is read.
* A line that can't be answered gets its refusal in its place, and the stream goes on.
* A stream counts against its caller's limit, a portion as a request, by waiting instead of being refused.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from deepenough.serve import bodies
from deepenough.serve.refusals import Refused, as_bytes
from deepenough.serve.served import Version

if TYPE_CHECKING:
    from deepenough.serve.app import App, Request

PORTION = 256
"""Lines that are answered together at most."""


async def answer(app: App, request: Request, version: Version) -> None:
    """Answer a stream. What is refused before its first line is a reply of its own; later it is a line."""
    from deepenough.serve.app import LINES, begin

    started, line = False, 0
    async for portion in _portions(request, app.settings.most_bytes, app.settings.silence):
        while (seconds := app.guard.pause(request.caller)) > 0:
            await asyncio.sleep(seconds)
        if not started:
            await begin(request, 200, {"content-type": LINES, "x-model-version": version.name})
            started = True
        done = await app.work.of(functools.partial(_answered, app, request, version, portion, line))
        app.board.add(f"rows|{request.model}", len(done))
        line += len(portion)
        body = b"".join(as_bytes(item) + b"\n" for item in done)
        await request.send({"type": "http.response.body", "body": body, "more_body": True})
    if not started:
        await begin(request, 200, {"content-type": LINES, "x-model-version": version.name})
    await request.send({"type": "http.response.body", "body": b""})


async def _portions(request: Request, most: int, silence: float) -> AsyncIterator[list[bytes]]:
    """Whole lines as they come, a few together. Raises Refused (413) for a line longer than a request may be."""
    held = b""
    async for piece in bodies.pieces(request.receive, silence):
        *lines, held = (held + piece).split(b"\n")
        if len(held) > most:
            raise Refused(413, f"A line may hold {most:,} bytes.")
        lines = [line for line in lines if line.strip()]
        for start in range(0, len(lines), PORTION):
            yield lines[start : start + PORTION]
    if held.strip():
        yield [held]


def _answered(app: App, request: Request, version: Version, lines: list[bytes], first: int) -> list[Any]:
    """Of every line its answer, or its refusal with the line's number, counted from 1."""
    given = [_read(app, version, line) for line in lines]
    found = (_of_histories if version.together else _of_rows)(app, request, version, given, first)
    return [_said(item, first + place + 1) if isinstance(item, Refused) else item for place, item in enumerate(found)]


def _of_rows(app: App, request: Request, version: Version, given: list[Any], first: int) -> list[Any]:
    found = list(given)
    places = [place for place, row in enumerate(given) if not isinstance(row, Refused)]
    answers = version.each([given[place] for place in places])
    for place, answer in zip(places, answers, strict=True):
        found[place] = answer
    good = [place for place in places if not isinstance(found[place], Refused)]
    if app.router and good:
        rows, told = [given[place] for place in good], [found[place] for place in good]
        app.route(request, version, rows, told, [first + place for place in good])
    return found


def _of_histories(app: App, request: Request, version: Version, given: list[Any], first: int) -> list[Any]:
    found = [_history(version, rows) for rows in given]
    told: list[Any] = []
    places = []
    for place, answers in enumerate(found):
        if not isinstance(answers, Refused):
            told += answers
            places += [f"{first + place} {step}" for step in range(len(answers))]
    if app.router and told:
        app.route(request, version, [None] * len(told), told, places)
    return found


def _read(app: App, version: Version, line: bytes) -> Any:
    """The row that a line holds, or its rows; or why it holds none."""
    try:
        given = bodies.parsed(line)
        rows = app.rows_of(given, version)
        if not version.together and isinstance(given, list):
            raise Refused(422, "A line must hold one object.", expected="an object")
        return rows if version.together else rows[0]
    except Refused as refused:
        return refused


def _history(version: Version, rows: Any) -> Any:
    if isinstance(rows, Refused):
        return rows
    try:
        return version.answers(rows)
    except Refused as refused:
        return refused


def _said(refused: Refused, line: int) -> dict[str, Any]:
    facts = {name: value for name, value in refused.to_json()["error"].items() if name != "row"}
    return {"error": {**facts, "line": line}}
