"""Asking a service within the process, as its server would: no socket, no wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepenough import kinds
from deepenough.learner import Limits
from deepenough.model import folder as folders
from deepenough.serve import server
from deepenough.serve.app import App
from deepenough.serve.settings import Settings

QUICK = {"image": "patterns_boosted", "video": "middle_boosted", "audio": "cepstra_boosted"}
"""Learners that are quick on a busy machine; of other kinds the classical champion."""


@dataclass(frozen=True)
class Reply:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def error(self) -> dict[str, Any]:
        return dict(self.json["error"])


def ask(
    app: App,
    path: str = "/predict",
    given: Any = None,
    *,
    method: str = "",
    headers: Mapping[str, str] | None = None,
    media: str = "application/json",
    address: str = "127.0.0.1",
    pieces: Iterable[bytes] | None = None,
) -> Reply:
    """One request. given: bytes as they are, anything else as JSON; None asks by GET. pieces: of a body, one by one."""
    body = given if isinstance(given, bytes) else b"" if given is None else json.dumps(given).encode()
    method = method or ("GET" if given is None and pieces is None else "POST")
    told = ({"content-type": media} if method == "POST" else {}) | {"host": "localhost"} | dict(headers or {})
    return asyncio.run(_asked(app, method, path, told, list(pieces) if pieces is not None else [body], address))


async def _asked(
    app: App, method: str, path: str, headers: Mapping[str, str], bodies: list[bytes], address: str
) -> Reply:
    place, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": place,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": (address, 5000),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not bodies:
            await asyncio.sleep(3600)  # a client that is silent
        body = bodies.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(bodies) or body == SILENCE}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    found = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))


SILENCE = b" "
"""As the last piece: nothing follows, and no end either."""


def save(kind: str, place: Path, learner: str = "") -> Path:
    """The folder of a small model of a kind, fitted on its toy."""
    return save_task(kind, next(iter(kinds.find()[kind].toys().values())), place, learner)


def save_task(kind: str, task: Any, place: Path, learner: str = "") -> Path:
    """The folder of a small model, fitted on the least rows of a task."""
    entries = {entry.name: entry for entry in kinds.find_learners(kind)}
    classical = next(entry for entry in entries.values() if entry.family == "classical")
    entry = entries.get(learner or QUICK.get(kind, ""), classical)
    model = entry.cls().fit(task.train(task.smallest, 0, 0), Limits(seconds=1.0), 0)
    (place / "fitted").mkdir(parents=True)
    model.save(place / "fitted")
    path = f"{type(model).__module__}:{type(model).__qualname__}"
    member = folders.Member(entry.name, entry.family, entry.path, path, place / "fitted")
    facts = {"kind": kind, "note": "", "question": task.question_facts}
    return folders.save(place / kind, [member], kinds.find()[kind].codec(task), facts)


def takes_files(kind: str) -> bool:
    """Whether a row of a kind is a file."""
    return kinds.find()[kind].codec_class().takes_files


def app_of(*places: Path, **options: Any) -> App:
    """A service of models, called like their folders."""
    return server.build(Settings(tuple((place.name, str(place)) for place in places), **options))


def example(app: App, name: str = "") -> Any:
    """A row, or rows, that a model accepts."""
    served = app.models[name or next(iter(app.models))]
    found = served.current.model.codec.example
    return list(found) if isinstance(found, tuple) else dict(found)
