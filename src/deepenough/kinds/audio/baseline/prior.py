"""The trivial answer of recordings."""

from __future__ import annotations

from deepenough.kinds import prior
from deepenough.kinds.audio import decode


class Prior(prior.Prior):  # its docstring is that of the answer that kinds share
    needs = decode.NEEDS
