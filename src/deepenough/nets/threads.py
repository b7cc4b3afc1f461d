"""How many threads answer: a few units are answered sooner by one.

Needs that this module answers:

* It is opened by whoever may answer without torch; torch is imported where it is asked.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

FEW = 16
"""Up to so many units are answered in one thread: more threads cost more than they bring."""


@contextlib.contextmanager
def few_threads(units: int) -> Iterator[None]:
    """One thread for torch where units are few, as many as it has where they are many."""
    import torch

    before = torch.get_num_threads()
    if units > FEW or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
