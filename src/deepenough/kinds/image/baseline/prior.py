"""The trivial answer of pictures."""

from __future__ import annotations

from deepenough.kinds import prior
from deepenough.kinds.image import decode


class Prior(prior.Prior):  # its docstring is that of the answer that kinds share
    needs = decode.NEEDS
