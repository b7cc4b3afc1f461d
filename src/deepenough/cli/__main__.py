"""`python -m deepenough.cli`: the same as `deepenough`."""

from __future__ import annotations

import sys

from deepenough.cli import main

if __name__ == "__main__":
    sys.exit(main())
