"""Where answers are computed: beside the loop that talks to clients, a few at once, never without end.

Needs that this module answers:

* A large request keeps no small one waiting for its turn to be read, refused or told the time.
* What would wait longer than anybody waits is refused at once (503), instead of being queued.
* An answer that takes too long is given up (504). Its thread goes on to its end, for threads can't be stopped; what
  waits behind it is given up in its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from deepenough.serve.refusals import Refused

T = TypeVar("T")
MOST_WAITING = 128
THREADS = 4


class Work:
    """Threads of one process that compute answers."""

    def __init__(self, seconds: float, threads: int = THREADS) -> None:
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="answers")
        self._waiting = 0

    async def of(self, function: Callable[[], T]) -> T:
        """What the function gives. Raises Refused: 503 where too much waits, 504 where it takes too long."""
        if self._waiting >= MOST_WAITING:
            raise Refused(503, "The service is busy. Try again in a second.", headers={"retry-after": "1"})
        loop = asyncio.get_running_loop()
        future = self._pool.submit(function)
        self._waiting += 1
        future.add_done_callback(lambda _: None if loop.is_closed() else loop.call_soon_threadsafe(self._done))
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            future.cancel()
            said = f"The answer took longer than {self._seconds:g} seconds. Ask about fewer rows at once."
            raise Refused(504, said) from None

    def _done(self) -> None:
        self._waiting -= 1

    def close(self) -> None:
        """End the threads when they have done what they began."""
        self._pool.shutdown(wait=True, cancel_futures=True)
