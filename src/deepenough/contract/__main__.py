"""`python -m deepenough.contract KIND [LEARNER ...]`: the same check as `deepenough check`, for several learners."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deepenough.contract import rounds, told
from deepenough.contract.subjects import search
from deepenough.errors import InputError


def main(arguments: Sequence[str]) -> int:
    """Check the learners of a kind, or those named: 0 when all promises are kept, 1 when not, 2 for bad input."""
    if not arguments:
        print("usage: python -m deepenough.contract KIND [LEARNER ...]", file=sys.stderr)
        return 2
    kind, *names = arguments
    try:
        subjects = [subject for name in names or [kind] for subject in search(name, kind)]
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    good = True
    for subject in subjects:
        for results in rounds(subject):
            print(*told(results), sep="\n", flush=True)
            good &= all(result.is_good for result in results)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
