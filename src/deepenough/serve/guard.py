"""Who may ask, and how often.

Needs that this module answers:

* A key is compared in constant time, all keys each time, and never shown: what a caller is called is made of its hash.
* Wrong keys are counted against the address that they come from, so that nobody tries them quickly.
* Without a key only this machine is served; then pages of other places must not reach it through a person's browser:
  the request must be addressed to this machine by name.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping

from deepenough.serve.board import Board
from deepenough.serve.refusals import Refused
from deepenough.serve.settings import Settings, is_loopback

WRONG_KEYS_A_SECOND = 5.0


class Guard:
    """Lets callers in. Made once a process."""

    def __init__(self, settings: Settings, board: Board) -> None:
        self._keys, self._rate, self._board = settings.keys, settings.a_second, board

    def caller(self, headers: Mapping[str, str], address: str) -> str:
        """What the caller is called. Raises Refused: 401 without the right key, 421 for a request addressed to another
        machine, 429 where wrong keys come too often."""
        if not self._keys:
            self._refuse_strange_host(headers.get("host", ""))
            return address
        given = _key(headers)
        digest = hashlib.sha256(given.encode("utf-8", "replace")).digest()
        matches = [hmac.compare_digest(digest, key) for key in self._keys]
        if any(matches):
            return f"key {digest.hex()[:16]}"
        if (seconds := self._board.wait(f"wrong {address}", WRONG_KEYS_A_SECOND)) > 0:
            raise _too_often(seconds, "Wrong keys came too often from your address.")
        said = "The key is not right" if given else "A key is needed"
        raise Refused(
            401,
            f"{said}: send the header `Authorization: Bearer KEY`.",
            headers={"www-authenticate": 'Bearer realm="deepenough"'},
        )

    def refuse_too_often(self, caller: str) -> None:
        """Count a request; raise Refused (429) where the caller asks more often than it may."""
        if self._rate is not None and (seconds := self._board.wait(caller, self._rate)) > 0:
            raise _too_often(seconds, f"You may ask {self._rate:g} times a second.")

    def pause(self, caller: str) -> float:
        """Count a part of a stream; seconds that it has to wait before it is answered."""
        return 0.0 if self._rate is None else self._board.wait(caller, self._rate)

    def _refuse_strange_host(self, host: str) -> None:
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if host and not is_loopback(name.strip("[]").lower()):
            said = f"This service answers on this machine alone, and the request is addressed to {host[:100]!r}."
            raise Refused(421, f"{said} Ask 127.0.0.1, or serve with a key: --key-file.")


def _key(headers: Mapping[str, str]) -> str:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()


def _too_often(seconds: float, said: str) -> Refused:
    wait = math.ceil(seconds)
    return Refused(429, f"{said} Try again in {wait} s.", headers={"retry-after": str(wait)})
