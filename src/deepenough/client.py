"""Asking a service of `deepenough serve` from Python, with nothing but the standard library.

Needs that this module answers:

* One connection a client, kept open: asking costs no handshake each time.
* What is only busy is asked again, when it says; what is refused is said as the service says it, with the field.
* A request that changes something there (routes) is sent again under the same key, so that nothing is done twice.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import time
import urllib.parse
import uuid
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, overload

from deepenough.errors import OptionError, ServiceError

Row = Mapping[str, Any]
Answer = dict[str, Any]
_AGAIN = (429, 503)
MOST_WAIT = 30.0


class Client:
    """A service that answers.

    url: where it is, as `http://127.0.0.1:8000`.
    key: that it asks for; none by default.
    seconds: that an answer may take.
    tries: how often is asked where nothing answers, or the service is busy.
    context: of TLS; by default certificates are checked as the system does.

    unanswered: of the last question, sentences on what got no answer, as series that a model of forecasts can't read.

    Not for several threads at once: make one for each. Raises ServiceError where it doesn't answer or refuses.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        key: str | None = None,
        seconds: float = 30.0,
        tries: int = 3,
        context: ssl.SSLContext | None = None,
    ) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise OptionError(f"A service is at an address such as http://127.0.0.1:8000, but got {url!r}.")
        self._base, self._key, self._tries = parts.path.rstrip("/"), key, max(1, tries)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self.unanswered: list[str] = []
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            self._connection = http.client.HTTPSConnection(parts.hostname, port, timeout=seconds, context=context)
        else:
            self._connection = http.client.HTTPConnection(parts.hostname, port, timeout=seconds)
        weakref.finalize(self, self._connection.close)

    @overload
    def predict(self, rows: Row, *, model: str | None = None, explain: bool = False) -> Answer: ...

    @overload
    def predict(self, rows: Sequence[Row], *, model: str | None = None, explain: bool = False) -> list[Answer]: ...

    def predict(
        self, rows: Row | Sequence[Row], *, model: str | None = None, explain: bool = False
    ) -> Answer | list[Answer]:
        """The answer for one row, or those for several, in their order.

        rows: objects of columns. model: its name, where several are served. explain: with each answer, what it becomes
        when each column in turn takes its usual value: {answer, explanation}.
        """
        given = dict(rows) if isinstance(rows, Mapping) else [dict(row) for row in rows]
        path = _path(model) + ("?explain=true" if explain else "")
        found: Answer | list[Answer] = json.loads(self._ask("POST", path, _bytes(given)))
        return found

    def predict_file(self, content: bytes, *, model: str | None = None) -> Answer:
        """The answer for one file, such as a picture. content: its bytes."""
        found: Answer = json.loads(self._ask("POST", _path(model), content, "application/octet-stream"))
        return found

    def stream(self, rows: Iterable[Any], *, model: str | None = None, portion: int = 1000) -> Iterator[Answer]:
        """The answers for any number of rows, one after the other; a row that is refused has {error}.

        portion: rows that are sent before their answers are read. A portion is asked again whole where it fails.
        """
        held: list[bytes] = []
        for row in rows:
            held.append(_bytes(row))
            if len(held) >= portion:
                yield from self._lines(held, model)
                held = []
        if held:
            yield from self._lines(held, model)

    def _lines(self, lines: Sequence[bytes], model: str | None) -> Iterator[Answer]:
        content = self._ask("POST", _path(model), b"\n".join(lines) + b"\n", "application/x-ndjson")
        yield from (json.loads(line) for line in content.splitlines() if line)

    def models(self) -> list[dict[str, Any]]:
        """The models that are served, with their versions."""
        found: list[dict[str, Any]] = json.loads(self._ask("GET", "/models"))["models"]
        return found

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            self._ask("GET", "/ready", tries=1)
        except ServiceError:
            return False
        return True

    def close(self) -> None:
        """Close the connection; it opens again when something is asked."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(
        self, method: str, path: str, body: bytes | None = None, media: str = "application/json", tries: int = 0
    ) -> bytes:
        headers = {"content-type": media, "idempotency-key": str(uuid.uuid4())} if body is not None else {}
        headers |= {"authorization": f"Bearer {self._key}"} if self._key else {}
        most = tries or self._tries
        for turn in range(1, most + 1):
            try:
                self._connection.request(method, self._base + path, body, headers)
                response = self._connection.getresponse()
                status, content = response.status, response.read()
                self.unanswered = json.loads(response.getheader("x-unanswered", "[]"))
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if turn == most:
                    where = f"{self._connection.host}:{self._connection.port}"
                    raise ServiceError(f"Nothing answers at {where} ({error}). Is the service started?") from None
                time.sleep(min(0.1 * 2**turn, 2.0))
                continue
            if status == 200:
                return content
            if status not in _AGAIN or turn == most:
                raise _refused(status, content)
            time.sleep(_wait(response.getheader("retry-after")))
        raise AssertionError("every turn returns, raises or goes on")


def _path(model: str | None) -> str:
    return "/predict" if model is None else f"/models/{urllib.parse.quote(model, safe='')}/predict"


def _bytes(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def _wait(said: str | None) -> float:
    return min(float(said), MOST_WAIT) if said and said.isdigit() else 1.0


def _refused(status: int, content: bytes) -> ServiceError:
    facts: dict[str, Any] = {}
    with contextlib.suppress(ValueError, KeyError, TypeError):
        facts = dict(json.loads(content)["error"])
    message = str(facts.pop("message", f"The service answered {status}."))
    facts.pop("status", None)
    return ServiceError(message, status, facts)
