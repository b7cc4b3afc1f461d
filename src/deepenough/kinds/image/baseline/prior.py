"""The trivial answer of pictures."""

from __future__ import annotations

from deepenough.kinds import picture_files, prior


class Prior(prior.Prior):  # its docstring is that of the answer that kinds share
    needs = picture_files.NEEDS
