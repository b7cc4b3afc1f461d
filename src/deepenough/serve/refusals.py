"""What a request is refused with: a status of HTTP, and in plain words what was given and what is expected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """A request, or one row of it, that gets no answer.

    status: of HTTP. message: what is wrong and what to do. facts: `row` and `field` where one of them is at fault,
    `expected` and `got`. headers: of the reply.
    """

    def __init__(
        self, status: int, message: str, *, headers: Mapping[str, str] | None = None, **facts: str | int | None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})
        self.facts = {name: value for name, value in facts.items() if value is not None}

    def to_json(self) -> dict[str, Any]:
        """As the reply says it."""
        return {"error": {"status": self.status, "message": self.message, **self.facts}}

    def at(self, row: int) -> Refused:
        """The same of that row of the request."""
        return Refused(self.status, self.message, headers=self.headers, **{**self.facts, "row": row})


def as_bytes(value: Any) -> bytes:
    """Plain values as JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def shown(value: Any, most: int = 60) -> str:
    """What was given, short enough for a message."""
    text = json.dumps(value, ensure_ascii=True, default=str) if not isinstance(value, str) else repr(value)
    return text if len(text) <= most else f"{text[:most]}..."
