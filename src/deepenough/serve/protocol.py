"""HTTP/1.1 as uvicorn speaks it, with patience that ends.

Needs that this module answers:

* A client that connects and says nothing, sends its head letter by letter, or doesn't take its answer, is let go; it
  costs a place among the connections for that long, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
"""From a request's first byte (or the connection's beginning) to the end of its head."""
TAKE_SECONDS = 30.0
"""Within which a client must take what is kept for it, down to a small rest."""


class PatientProtocol(H11Protocol):
    """One connection."""

    head_seconds = HEAD_SECONDS
    take_seconds = TAKE_SECONDS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head: asyncio.TimerHandle | None = None
        self._take: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn's own signature is narrower
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait_for_head()
        elif self._head is not None:
            self._head.cancel()
            self._head = None

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._wait_for_taking()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._take is not None:
            self._take.cancel()
            self._take = None

    def _wait_for_head(self) -> None:
        if self._head is None:
            self._head = self.loop.call_later(self.head_seconds, self._end)

    def _wait_for_taking(self) -> None:
        if self._take is None:
            self._take = self.loop.call_later(self.take_seconds, self._end)

    def _end(self) -> None:
        self._forget()
        self.transport.abort()

    def _forget(self) -> None:
        for timer in (self._head, self._take):
            if timer is not None:
                timer.cancel()
        self._head = self._take = None
