"""The service as an ASGI application: addresses, keys, limits, and replies that say what was wrong.

Needs that this module answers:

* There are seven addresses, so no framework stands between a request and its answer: every way through is in this file.
* Every request ends in a reply, also where something unforeseen happens: then it is logged where, never what.
* Nothing of a request is ever logged: neither rows nor keys.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sqlite3
import threading
import time
import traceback
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from deepenough.serve import bodies, metrics, openapi, streams
from deepenough.serve.board import Board
from deepenough.serve.bodies import Gone, Receive
from deepenough.serve.guard import Guard
from deepenough.serve.refusals import Refused, as_bytes
from deepenough.serve.router import Router
from deepenough.serve.served import Answer, Answers, Served, Version
from deepenough.serve.settings import Settings
from deepenough.serve.work import Work

Send = Callable[[dict[str, Any]], Awaitable[None]]
log = logging.getLogger("deepenough.serve")

JSON, LINES, TEXT = "application/json", "application/x-ndjson", "text/plain; version=0.0.4; charset=utf-8"
FILE_TYPES = ("image/", "audio/", "video/", "application/octet-stream")
QUICK_SECONDS, QUICK_BYTES = 0.002, 16_384
"""An answer that takes less is computed at once: handing it to a thread and back would take a third as long again."""
UNANSWERED, MOST_SENTENCES, MOST_LETTERS = "x-unanswered", 20, 300
"""The header that says what got no answer; so many sentences, and letters of each."""
FREE = ("/health", "/ready")
"""Answered without a key: whoever watches over a service asks them."""


@dataclass
class Request:
    """One request on its way: what is known of it, and what it became."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: dict[str, str]
    address: str
    receive: Receive
    send: Send
    caller: str = ""
    model: str = metrics.NO_MODEL
    begun: bool = False
    started: float = field(default_factory=time.perf_counter)


class App:
    """The application of one process. models: by name, the first one answers `/predict`."""

    def __init__(self, models: Mapping[str, Served], settings: Settings, router: Router | None = None) -> None:
        self.models, self.settings, self.router = models, settings, router
        self.board = Board(settings.board, metrics.names(list(models), router.destinations if router else ()))
        self.guard = Guard(settings, self.board)
        self.work = Work(settings.seconds)
        self.ready = True
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """What the server calls for its beginning and end, and for every request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(_request(scope, receive, send))

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            kind = (await receive())["type"]
            if kind == "lifespan.startup":
                self.start()
            else:
                await asyncio.to_thread(self.stop)
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return

    def start(self) -> None:
        """Begin to look for newer versions, and to send on what waits."""
        loops = [self._look_for_versions, *([self._send_on] if self.router else [])]
        self._threads = [threading.Thread(target=loop, daemon=True) for loop in loops]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what was begun."""
        self.ready = False
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self.work.close()

    def _look_for_versions(self) -> None:
        while not self._stopping.wait(self.settings.reload_seconds):
            for name, served in self.models.items():
                if served.refresh():
                    self.board.add(f"reloads|{name}")
                    log.info("Model %s: version %s answers now.", name, served.current.name)
                self.board.put(f"reload_problem|{name}", float(bool(served.problem)))

    def _send_on(self) -> None:
        assert self.router is not None
        self.router.work(self._stopping, lambda waiting: self.board.put("waiting", waiting))

    async def _answer(self, request: Request) -> None:
        """Answer one request, whatever it is."""
        status = 200
        self.loop = asyncio.get_running_loop()
        try:
            await self._dispatch(request)
        except Refused as refused:
            status = refused.status
            await self._refuse(request, refused)
        except Gone:
            return
        except Exception as error:
            status = 500
            where = traceback.extract_tb(error.__traceback__)[-1]
            log.error("A request failed: %s at %s:%s.", type(error).__name__, Path(where.filename).name, where.lineno)
            await self._refuse(request, Refused(500, "Something went wrong in the service; it is logged there."))
        self._count(request, status)

    def _count(self, request: Request, status: int) -> None:
        seconds, name = time.perf_counter() - request.started, request.model
        self.board.add(f"requests|{name}|{status if status in metrics.STATUSES else 500}")
        if name:
            self.board.add(f"seconds_bucket|{name}|{metrics.bucket(seconds)}")
            self.board.add(f"seconds_sum|{name}", seconds)

    async def _refuse(self, request: Request, refused: Refused) -> None:
        if request.begun:  # a stream: its last line says it
            await request.send({"type": "http.response.body", "body": as_bytes(refused.to_json()) + b"\n"})
            return
        await reply(request, as_bytes(refused.to_json()), status=refused.status, headers=refused.headers)

    async def _dispatch(self, request: Request) -> None:
        path, parts = request.path, request.path.strip("/").split("/")
        if path not in FREE:
            request.caller = self.guard.caller(request.headers, request.address)
        if path == "/predict":
            await self._predict(request, next(iter(self.models)))
        elif len(parts) == 3 and parts[0] == "models" and parts[2] == "predict":
            if parts[1] not in self.models:
                known = ", ".join(self.models)
                raise Refused(404, f"There is no model {parts[1][:100]!r}. There are: {known}.")
            await self._predict(request, parts[1])
        elif path in self._pages:
            _refuse_other_method(request, "GET", "HEAD")
            await self._pages[path](self, request)
        else:
            raise Refused(404, f"Nothing is at {path[:100]!r}. GET /openapi.json says what is where.")

    async def _health(self, request: Request) -> None:
        await reply(request, as_bytes({"status": "ok"}))

    async def _ready(self, request: Request) -> None:
        if not self.ready:
            raise Refused(503, "The service is stopping.", headers={"retry-after": "1"})
        await reply(request, as_bytes({"status": "ready", "models": list(self.models)}))

    async def _metrics(self, request: Request) -> None:
        await reply(request, metrics.text(self.board.totals()).encode(), TEXT)

    async def _openapi(self, request: Request) -> None:
        await reply(request, as_bytes(openapi.document(self.models, self.settings)))

    async def _list(self, request: Request) -> None:
        await reply(request, as_bytes({"models": [_about(served) for served in self.models.values()]}))

    _pages: ClassVar[Mapping[str, Callable[[App, Request], Awaitable[None]]]] = {
        "/health": _health,
        "/ready": _ready,
        "/metrics": _metrics,
        "/openapi.json": _openapi,
        "/models": _list,
    }

    async def _predict(self, request: Request, name: str) -> None:
        request.model = name
        _refuse_other_method(request, "POST")
        self.guard.refuse_too_often(request.caller)
        bodies.refuse_packed(request.headers)
        version = self.models[name].current
        media = request.headers.get("content-type", "").split(";")[0].strip().lower()
        explain = _explains(request.query)
        if media == LINES:
            if explain:
                raise Refused(422, "A stream is not explained. Ask about single rows.", field="explain")
            await streams.answer(self, request, version)
            return
        is_file = version.model.codec.takes_files and media.startswith(FILE_TYPES)
        if not is_file and media != JSON:
            raise Refused(415, f"The body is {media[:60] or 'of no type'!r}; send {_taken(version)} as Content-Type.")
        settings = self.settings
        content = await bodies.whole(request.receive, request.headers, settings.most_bytes, settings.silence)
        given = content if is_file else bodies.parsed(content)
        rows = self.rows_of(given, version, explain)
        is_quick = len(content) <= QUICK_BYTES and version.pace.expected(len(rows)) < QUICK_SECONDS
        if is_quick and not explain and not self.router:
            found: list[Answer] = version.pace.timed(lambda: version.answers(rows), len(rows))
        else:
            found = await self.work.of(lambda: self.answered(request, version, rows, explain=explain))
        self.board.add(f"rows|{name}", len(rows))
        alone = not isinstance(given, list) and len(found) == 1
        body = as_bytes(found[0] if alone else found)
        await reply(request, body, headers={"x-model-version": version.name, **_in_vain(found)})

    def rows_of(self, given: Any, version: Version, explain: bool = False) -> list[Any]:
        """The rows that were given. Raises Refused (413, 422) where there are none, or too many."""
        if version.together and not isinstance(given, list):
            raise Refused(422, "Rows of histories are asked about together: send a list of objects.")
        if not isinstance(given, dict | list | bytes):
            raise Refused(422, "Send an object of columns, or a list of them.", expected="an object or a list")
        rows = given if isinstance(given, list) else [given]
        if not rows:
            raise Refused(422, "The list holds no rows.", expected="an object or a list of them")
        each = 1 + len(version.model.codec.usual()) if explain else 1
        if len(rows) * each > self.settings.most_rows:
            most = max(1, self.settings.most_rows // each)
            what = "explained at once" if explain else "asked about at once"
            raise Refused(413, f"{len(rows):,} rows are too many: {most:,} may be {what}. Send fewer, or a stream.")
        return rows

    def answered(self, request: Request, version: Version, rows: list[Any], *, explain: bool = False) -> list[Answer]:
        """Answers, and what the routes say is done with them."""
        found = version.explained(rows) if explain else version.pace.timed(lambda: version.answers(rows), len(rows))
        if self.router:
            plain = [item["answer"] for item in found] if explain else found
            shown = [None] * len(plain) if version.together else rows
            self.route(request, version, shown, plain, list(range(len(plain))))
        return found

    def route(
        self, request: Request, version: Version, rows: list[Any], found: list[Answer], places: Sequence[Any]
    ) -> None:
        """Take answers into the outbox. The request's own idempotency key makes a second one do nothing again.

        places: of the answers in the request, by which they are told apart. Raises Refused (503) where they can't be
        kept: then the request was not taken, and may be sent again.
        """
        assert self.router is not None
        key = request.headers.get("idempotency-key", "")[:200]
        keys = [f"{request.caller}\n{request.model}\n{key}\n{place}" for place in places] if key else []
        try:
            counts = self.router.take(rows, found, request.model, version.name, keys)
        except (sqlite3.Error, OSError):
            log.error("The outbox can't be written: is its disk full?")
            raise Refused(503, "The records can't be kept. Send them again.", headers={"retry-after": "10"}) from None
        for destination, count in counts.items():
            self.loop.call_soon_threadsafe(self.board.add, f"routed|{destination}", count)


def _in_vain(found: list[Answer]) -> dict[str, str]:
    """A header that says what got no answer, as a list of sentences in JSON, the first ones where they are many."""
    said = list(found.unanswered[:MOST_SENTENCES]) if isinstance(found, Answers) else []
    return {UNANSWERED: json.dumps([sentence[:MOST_LETTERS] for sentence in said])} if said else {}


def _about(served: Served) -> dict[str, Any]:
    about, version = served.current.model.about, served.current
    return {
        "name": served.name,
        "version": version.name,
        "loaded_at": round(version.loaded_at, 3),
        "target": about["task"].get("target"),
        "kind": about["kind"],
        "members": [{"name": item["name"], "family": item["family"]} for item in about["members"]],
        "explains": bool(version.model.codec.usual()),
        "problem": served.problem,
    }


def _request(scope: Mapping[str, Any], receive: Receive, send: Send) -> Request:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(urllib.parse.parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    address = str(scope["client"][0]) if scope.get("client") else ""
    return Request(scope["method"], scope["path"], query, headers, address, receive, send)


def _refuse_other_method(request: Request, *methods: str) -> None:
    if request.method not in methods:
        allowed = ", ".join(methods)
        raise Refused(405, f"{request.method[:20]} is not taken here; {allowed} is.", headers={"allow": allowed})


def _explains(query: Mapping[str, str]) -> bool:
    said = query.get("explain", "false").lower()
    if said not in ("true", "false", "1", "0"):
        raise Refused(422, "explain must be true or false.", field="explain", expected="true or false", got=said[:60])
    return said in ("true", "1")


def _taken(version: Version) -> str:
    files = ", or a file as application/octet-stream," if version.model.codec.takes_files else ""
    return f"{JSON}, {LINES}{files}"


async def reply(
    request: Request, body: bytes, media: str = JSON, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> None:
    """Send a whole reply."""
    told = {"content-type": media, "content-length": str(len(body)), **_CAREFUL, **(headers or {})}
    await begin(request, status, told)
    with contextlib.suppress(ConnectionError):
        await request.send({"type": "http.response.body", "body": body})


async def begin(request: Request, status: int, headers: Mapping[str, str]) -> None:
    """Send the head of a reply."""
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    request.begun = True
    await request.send({"type": "http.response.start", "status": status, "headers": pairs})


_CAREFUL = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
