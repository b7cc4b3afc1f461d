"""The trivial answer of clips."""

from __future__ import annotations

from deepenough.kinds import prior
from deepenough.kinds.video import decode


class Prior(prior.Prior):  # its docstring is that of the answer that kinds share
    needs = decode.NEEDS
