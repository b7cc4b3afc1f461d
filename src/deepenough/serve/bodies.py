"""The body of a request: read in bounded time and memory, and understood as JSON strictly.

Needs that this module answers:

* A client that sends nothing, or a byte now and then, is told so (408) and let go.
* No more is held than the limit says, whatever the head of the request says (413); nothing is unpacked (415).
* What is no JSON, or only Python's (NaN, Infinity), is refused, and so are texts that are no text (halves of letters)
  and lists in lists without end.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

from deepenough.serve.refusals import Refused, as_bytes

Receive = Callable[[], Awaitable[Any]]

MOST_DEPTH = 32
"""Lists and objects in one another; what any kind takes has fewer than five."""
PATIENCE = 6.0
"""A whole body may take so many times as long as a client may be silent."""
_HALVES = re.compile(rb"\\u[dD][89a-fA-F]")


class Gone(Exception):
    """The client closed the connection: there is nobody to answer."""


async def pieces(receive: Receive, silence: float) -> AsyncIterator[bytes]:
    """The body as it comes. silence: seconds that a client may send nothing. Raises Refused (408) and Gone."""
    while True:
        try:
            async with asyncio.timeout(silence):
                message = await receive()
        except TimeoutError:
            said = f"Nothing came for {silence:g} seconds. Send the request in one go."
            raise Refused(408, said, headers={"connection": "close"}) from None
        if message["type"] == "http.disconnect":
            raise Gone
        if body := message.get("body", b""):
            yield body
        if not message.get("more_body"):
            return


async def whole(receive: Receive, headers: dict[str, str], most: int, silence: float) -> bytes:
    """The body, no more than `most` bytes. Raises Refused (408, 413) and Gone."""
    stated = headers.get("content-length", "")
    if stated.isdigit() and int(stated) > most:
        raise _too_large(most)
    begun, held, size = time.monotonic(), [], 0
    async for piece in pieces(receive, silence):
        held.append(piece)
        size += len(piece)
        if size > most:
            raise _too_large(most)
        if time.monotonic() - begun > PATIENCE * silence:
            said = f"The request took longer than {PATIENCE * silence:g} seconds to come. Send it faster, or in parts."
            raise Refused(408, said, headers={"connection": "close"})
    return b"".join(held)


def _too_large(most: int) -> Refused:
    return Refused(
        413,
        f"A request may hold {most:,} bytes. Send fewer rows at once, or a stream of lines (application/x-ndjson).",
    )


def refuse_packed(headers: dict[str, str]) -> None:
    """Raise Refused (415) for a body that would have to be unpacked."""
    if (packed := headers.get("content-encoding", "identity").strip().lower()) not in ("", "identity"):
        raise Refused(415, f"The request is packed ({packed[:40]!r}), but only plain ones are read. Send it unpacked.")


def parsed(content: bytes) -> Any:
    """The JSON value. Raises Refused: 400 where it is none, 422 where it holds what no JSON should."""
    try:
        if content.count(b"[") + content.count(b"{") > MOST_DEPTH:
            _refuse_deep(content)
        value = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
        if _HALVES.search(content):
            as_bytes(value)
    except UnicodeEncodeError:
        raise Refused(422, "A text holds half of a letter (a lone surrogate). Send whole letters.") from None
    except UnicodeDecodeError as error:
        raise Refused(400, f"The request is not UTF-8 (at byte {error.start:,}). Send JSON in UTF-8.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:  # JSONDecodeError among them, and numbers of thousands of digits
        raise Refused(400, f"The request is no JSON: {str(error)[:120]}.") from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise Refused(422, f"{name} is no number of JSON. Send null where a value is not known.")


_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _refuse_deep(content: bytes) -> None:
    depth = 0
    for mark in re.findall(rb"[\[{}\]]", _STRINGS.sub(b"", content)):
        depth += 1 if mark in b"[{" else -1
        if depth > MOST_DEPTH:
            raise _too_deep()


def _too_deep() -> Refused:
    return Refused(422, f"Lists and objects stand in one another more than {MOST_DEPTH} deep. Send flat rows.")
