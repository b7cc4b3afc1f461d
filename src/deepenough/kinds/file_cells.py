"""The content of a file in whatever form a person hands it over: a path, bytes, a `data:` address."""

from __future__ import annotations

import base64
import os.path
from collections.abc import Callable
from pathlib import Path
from typing import Any

DATA = "data:"
"""What an address begins with that holds the file itself."""


def content(given: Any, of_own: Callable[[Any], bytes]) -> bytes | None:
    """The bytes of the file; None where there is none, or it can't be read.

    of_own: of what is neither path nor bytes nor address. It raises Unusable where that is no file either.
    """
    if given is None:
        return None
    try:
        if isinstance(given, bytes | bytearray):
            return bytes(given)
        if isinstance(given, str) and given.startswith(DATA):
            return base64.b64decode(given.partition(",")[2], validate=True)
        if isinstance(given, str | Path):
            return Path(os.path.expanduser(str(given).strip())).read_bytes()
        return of_own(given)
    except (OSError, ValueError):  # Unusable and broken base64 among them
        return None


def in_address(content: bytes, media: str) -> str:
    """The file as an address that holds it. media: its type, such as `image/png`."""
    return f"{DATA}{media};base64,{base64.b64encode(content).decode('ascii')}"
